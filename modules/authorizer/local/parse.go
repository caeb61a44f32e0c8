package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/mesos-modules/mms/roles/authorizer"
)

// lists are the access control lists of an operator, by their name in the JSON.
type lists struct {
	authorizer.Unimplemented

	permissive bool
	entries    map[string][]entry
}

// entry is about some subjects and some objects.
type entry struct{ subjects, objects entity }

// parse reads {"permissive": false, "run_tasks": [{"principals": {"type": "ANY"},
// "users": {"values": ["ann"]}}]}. A list may be a single entry. Unknown names are
// errors: a list that is misspelt would protect nothing.
func parse(text []byte) (*lists, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("parameter acls: %w", err)
	}
	l := &lists{permissive: true, entries: map[string][]entry{}}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var err error
		if name == "permissive" {
			err = json.Unmarshal(fields[name], &l.permissive)
		} else if object, known := listed[name]; known {
			l.entries[name], err = parseList(fields[name], object)
		} else {
			err = fmt.Errorf("there is no such list; there are %v", slices.Sorted(maps.Keys(listed)))
		}
		if err != nil {
			return nil, fmt.Errorf("parameter acls: %s: %w", name, err)
		}
	}
	return l, nil
}

func parseList(text json.RawMessage, object string) (all []entry, err error) {
	items := []json.RawMessage{text}
	if len(text) > 0 && text[0] == '[' {
		if err := json.Unmarshal(text, &items); err != nil {
			return nil, err
		}
	}
	for i, item := range items {
		e, err := parseEntry(item, object)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		all = append(all, e)
	}
	return all, nil
}

func parseEntry(text json.RawMessage, object string) (e entry, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return e, err
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name != "principals" && name != object {
			return e, fmt.Errorf("%q is unknown; an entry has principals and %s", name, object)
		}
	}
	if e.subjects, err = parseEntity(fields["principals"]); err != nil {
		return e, fmt.Errorf("principals: %w", err)
	}
	if e.objects, err = parseEntity(fields[object]); err != nil {
		return e, fmt.Errorf("%s: %w", object, err)
	}
	return e, nil
}

func parseEntity(text json.RawMessage) (entity, error) {
	if text == nil {
		return entity{}, fmt.Errorf("is missing")
	}
	var e struct {
		Type   string
		Values []string
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return entity{}, err
	}
	switch e.Type {
	case "", "SOME":
		return some(e.Values...), nil
	case "ANY":
		return anything, nil
	case "NONE":
		return entity{kind: none}, nil
	default:
		return entity{}, fmt.Errorf("type %q is none of SOME, ANY and NONE", e.Type)
	}
}
