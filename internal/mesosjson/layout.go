package mesosjson

import (
	"cmp"
	"slices"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// layout is what the codec needs to know of a type of message, found out once. It is not written after it is made.
type layout struct {
	fields   []field        // in declaration order
	byName   map[string]int // index into fields
	sorted   []int          // indices into fields, by name
	required []int          // indices into fields
	size     int            // about how many bytes of memory an empty one takes
	agent    bool           // it is AgentInfo, see Encoder.StoredMessage
}

// field is what the codec needs to know of a field.
type field struct {
	fd       protoreflect.FieldDescriptor
	name     string
	key      string // as it is written, with the colon
	kind     protoreflect.Kind
	always   bool // written when not set, too
	list     bool
	mapped   bool
	required bool
	value    *field  // of a map: what its values are
	message  *layout // of the message, or of the messages in a list
}

// layouts remembers each layout by its descriptor. It holds nothing but what the descriptors say already, which makes it
// bounded by the program's own types, and the same whoever asks first.
var layouts sync.Map // protoreflect.MessageDescriptor -> *layout

func layoutOf(md protoreflect.MessageDescriptor) *layout {
	if known, ok := layouts.Load(md); ok {
		return known.(*layout)
	}
	made := map[protoreflect.MessageDescriptor]*layout{}
	l := makeLayout(md, made)
	for md, l := range made { // only now are they whole: messages hold each other
		layouts.LoadOrStore(md, l)
	}
	return l
}

func makeLayout(md protoreflect.MessageDescriptor, made map[protoreflect.MessageDescriptor]*layout) *layout {
	if l, ok := made[md]; ok {
		return l
	}
	fields := md.Fields()
	l := &layout{
		fields: make([]field, fields.Len()),
		byName: make(map[string]int, fields.Len()),
		sorted: make([]int, fields.Len()),
		size:   64,
		agent:  md.FullName() == "mesos.v1.AgentInfo",
	}
	made[md] = l
	for i := range l.fields {
		f := &l.fields[i]
		*f = makeField(fields.Get(i), made)
		l.byName[f.name] = i
		l.sorted[i] = i
		l.size += f.size()
		if f.required {
			l.required = append(l.required, i)
		}
	}
	slices.SortFunc(l.sorted, func(a, b int) int { return cmp.Compare(l.fields[a].name, l.fields[b].name) })
	return l
}

func makeField(fd protoreflect.FieldDescriptor, made map[protoreflect.MessageDescriptor]*layout) field {
	f := field{
		fd:       fd,
		name:     string(fd.Name()),
		key:      `"` + string(fd.Name()) + `":`,
		kind:     fd.Kind(),
		always:   fd.HasDefault() && !deprecated(fd),
		list:     fd.IsList(),
		mapped:   fd.IsMap(),
		required: fd.Cardinality() == protoreflect.Required,
	}
	switch {
	case f.mapped:
		value := makeField(fd.MapValue(), made)
		f.value = &value
	case fd.Message() != nil:
		f.message = makeLayout(fd.Message(), made)
	}
	return f
}

// size is what a field takes in a message that is empty: a pointer or, of lists and bytes, a slice.
func (f *field) size() int {
	if f.list || f.kind == protoreflect.BytesKind {
		return 24
	}
	return 8
}

func deprecated(fd protoreflect.FieldDescriptor) bool {
	options, _ := fd.Options().(*descriptorpb.FieldOptions)
	return options.GetDeprecated()
}
