package mesosjson

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// missing finds all required fields that are not set, in the order in which C++ names them.
func missing(m protoreflect.Message, l *layout, at path) error {
	s := search{path: at, err: &MissingError{}}
	s.message(m, l)
	return s.err
}

type search struct {
	path path
	err  *MissingError
}

func (s *search) message(m protoreflect.Message, l *layout) {
	for _, index := range l.required {
		if f := &l.fields[index]; !m.Has(f.fd) {
			s.add(append(s.path, step{name: f.name}))
		}
	}
	for i := range l.fields {
		f := &l.fields[i]
		if f.message == nil && !f.mapped || !m.Has(f.fd) || s.err.More {
			continue
		}
		s.path = append(s.path, step{name: f.name})
		switch {
		case f.list:
			list := m.Get(f.fd).List()
			for i := range list.Len() {
				s.inside(step{kind: stepIndex, index: i}, list.Get(i), f.message)
			}
		case f.mapped:
			s.entries(m.Get(f.fd).Map(), f.value.message)
		default:
			s.message(m.Get(f.fd).Message(), f.message)
		}
		s.path = s.path[:len(s.path)-1]
	}
}

func (s *search) entries(entries protoreflect.Map, l *layout) {
	if l == nil {
		return
	}
	keys := map[string]protoreflect.Value{}
	entries.Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
		keys[key.String()] = value
		return true
	})
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		s.inside(step{kind: stepKey, key: key}, keys[key], l)
	}
}

func (s *search) inside(at step, v protoreflect.Value, l *layout) {
	s.path = append(s.path, at)
	s.message(v.Message(), l)
	s.path = s.path[:len(s.path)-1]
}

func (s *search) add(at path) {
	if len(s.err.Paths) == maxNamed {
		s.err.More = true
		return
	}
	s.err.Paths = append(s.err.Paths, at.String())
}
