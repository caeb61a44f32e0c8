package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// messageFile is one header of API messages: the structs of one .proto file that native roles use.
type messageFile struct {
	Source   string // the .proto file
	Path     string // of the header, on the include path
	Guard    string
	Includes []string
	Package  []string // namespaces, outermost first
	Forward  []string // structs that are named before they are defined
	Enums    []messageEnum
	Messages []messageStruct // each after those that its size depends on
}

type messageEnum struct {
	Name, Full string
	Doc        []string
	Values     []enumValue
}

type enumValue struct {
	Name, ProtoName string
	Number          protoreflect.EnumNumber
}

type messageStruct struct {
	Name, Full string // in its namespace; with it
	ProtoName  string
	Doc        []string
	Aliases    []alias // what stands inside of it in the .proto file
	Fields     []messageField
	Written    []messageField // the same in the order of their bytes: by number, oneofs last, as Go writes them
}

type alias struct{ Name, Of string }

type messageField struct {
	Number    protoreflect.FieldNumber
	Name      string
	Type      string
	Initial   string // with " = " before it; empty for what is made empty by itself
	Doc       []string
	Note      string // behind it
	ProtoName string
	Flags     string   // of mesos/json.hpp
	Default   string   // in C++, where JSON has it also if it is absent
	Bit       int      // of a required field, from 0; else -1
	Others    []string // of its oneof
	FullName  string
}

// messageHeaders describes the headers for messages and all that they are made of, sorted by path.
func messageHeaders(roots []protoreflect.MessageDescriptor) ([]messageFile, error) {
	c := closure{messages: map[protoreflect.FullName]bool{}, enums: map[protoreflect.FullName]bool{}}
	for _, m := range roots {
		c.add(m)
	}
	var all []messageFile
	var errs []error
	for _, file := range c.files {
		f, err := c.file(file)
		all, errs = append(all, f), append(errs, err)
	}
	slices.SortFunc(all, func(a, b messageFile) int { return cmp.Compare(a.Path, b.Path) })
	return all, errors.Join(errs...)
}

// closure is the set of messages and enums that others are made of.
type closure struct {
	messages, enums map[protoreflect.FullName]bool
	files           []protoreflect.FileDescriptor
}

func (c *closure) add(m protoreflect.MessageDescriptor) {
	if c.messages[m.FullName()] {
		return
	}
	c.messages[m.FullName()] = true
	c.addFile(m.ParentFile())
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		if f.IsMap() {
			f = f.MapValue()
		}
		if f.Message() != nil {
			c.add(f.Message())
		}
		if f.Enum() != nil {
			c.enums[f.Enum().FullName()] = true
			c.addFile(f.Enum().ParentFile())
		}
	}
}

func (c *closure) addFile(file protoreflect.FileDescriptor) {
	if !slices.ContainsFunc(c.files, func(f protoreflect.FileDescriptor) bool { return f.Path() == file.Path() }) {
		c.files = append(c.files, file)
	}
}

func (c *closure) file(file protoreflect.FileDescriptor) (messageFile, error) {
	path := headerOf(file)
	f := messageFile{
		Source: file.Path(), Path: path, Package: strings.Split(string(file.Package()), "."),
		Guard: strings.ToUpper(strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(path)),
	}
	if !strings.HasPrefix(f.Guard, "MESOS_") {
		f.Guard = "MESOS_" + f.Guard
	}
	imports := file.Imports()
	for i := range imports.Len() {
		if other := imports.Get(i).FileDescriptor; c.uses(other) {
			f.Includes = append(f.Includes, headerOf(other))
		}
	}
	slices.Sort(f.Includes)
	var messages []protoreflect.MessageDescriptor
	c.within(file, &f.Enums, &messages)
	var errs []error
	for _, m := range bySize(messages) {
		s, err := c.structOf(m)
		f.Messages, errs = append(f.Messages, s), append(errs, err)
		f.Forward = append(f.Forward, s.Name)
	}
	slices.Sort(f.Forward)
	return f, errors.Join(errs...)
}

func (c *closure) uses(file protoreflect.FileDescriptor) bool {
	return slices.ContainsFunc(c.files, func(f protoreflect.FileDescriptor) bool { return f.Path() == file.Path() })
}

// within collects what of a file or message is in the set, in the order of the source.
func (c *closure) within(d interface {
	Enums() protoreflect.EnumDescriptors
	Messages() protoreflect.MessageDescriptors
}, enums *[]messageEnum, messages *[]protoreflect.MessageDescriptor) {
	for i := range d.Enums().Len() {
		if e := d.Enums().Get(i); c.enums[e.FullName()] {
			*enums = append(*enums, enumOf(e))
		}
	}
	for i := range d.Messages().Len() {
		m := d.Messages().Get(i)
		if c.messages[m.FullName()] {
			*messages = append(*messages, m)
		}
		c.within(m, enums, messages)
	}
}

func enumOf(e protoreflect.EnumDescriptor) messageEnum {
	out := messageEnum{Name: flat(e), Full: structName(e), Doc: docOf(e)}
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		out.Values = append(out.Values, enumValue{Name: memberName(string(v.Name())), ProtoName: string(v.Name()), Number: v.Number()})
	}
	return out
}

// bySize orders messages so that each comes after those that it holds as they are; an absent one is a pointer.
func bySize(messages []protoreflect.MessageDescriptor) []protoreflect.MessageDescriptor {
	var ordered []protoreflect.MessageDescriptor
	done := map[protoreflect.FullName]bool{}
	var visit func(m protoreflect.MessageDescriptor)
	visit = func(m protoreflect.MessageDescriptor) {
		if done[m.FullName()] || !slices.ContainsFunc(messages, func(x protoreflect.MessageDescriptor) bool { return x.FullName() == m.FullName() }) {
			return
		}
		done[m.FullName()] = true
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			if f.Cardinality() == protoreflect.Optional {
				continue
			}
			if f.IsMap() {
				f = f.MapValue()
			}
			if f.Message() != nil {
				visit(f.Message())
			}
		}
		ordered = append(ordered, m)
	}
	for _, m := range messages {
		visit(m)
	}
	return ordered
}

// maxRequired is how many required fields a message may have: each has a bit while it is read.
const maxRequired = 32

func (c *closure) structOf(m protoreflect.MessageDescriptor) (messageStruct, error) {
	s := messageStruct{Name: flat(m), Full: structName(m), ProtoName: string(m.FullName()), Doc: docOf(m)}
	for i := range m.Enums().Len() {
		if e := m.Enums().Get(i); c.enums[e.FullName()] {
			s.Aliases = append(s.Aliases, alias{string(e.Name()), flat(e)})
		}
	}
	for i := range m.Messages().Len() {
		if n := m.Messages().Get(i); c.messages[n.FullName()] {
			s.Aliases = append(s.Aliases, alias{string(n.Name()), flat(n)})
		}
	}
	var errs []error
	required := 0
	for i := range m.Fields().Len() {
		f, err := fieldOf(m.Fields().Get(i))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if f.Bit == 0 {
			f.Bit = required
			required++
		}
		s.Fields = append(s.Fields, f)
	}
	if required > maxRequired {
		errs = append(errs, fmt.Errorf("message %s has %d required fields, and C++ keeps track of %d", m.FullName(), required, maxRequired))
	}
	s.Written = slices.SortedFunc(slices.Values(s.Fields), func(a, b messageField) int {
		return cmp.Or(cmp.Compare(min(1, len(a.Others)), min(1, len(b.Others))), cmp.Compare(a.Number, b.Number))
	})
	return s, errors.Join(errs...)
}

func fieldOf(f protoreflect.FieldDescriptor) (messageField, error) {
	out := messageField{Number: f.Number(), Name: memberName(string(f.Name())), Doc: docOf(f), Bit: -1, ProtoName: string(f.Name()), FullName: string(f.FullName())}
	element, err := cppType(f)
	if err != nil {
		return out, err
	}
	switch {
	case f.IsMap():
		if f.MapKey().Kind() != protoreflect.StringKind {
			return out, fmt.Errorf("field %s: maps cross to C++ with texts as keys", f.FullName())
		}
		if element, err = cppType(f.MapValue()); err != nil {
			return out, err
		}
		out.Type = "std::map<std::string, " + element + ">"
	case f.IsList():
		out.Type = "std::vector<" + element + ">"
	case f.Cardinality() == protoreflect.Required:
		out.Type, out.Bit, out.Note = element, 0, "required"
		out.Initial = initial(f, element)
	default:
		out.Type = "mesos::Optional<" + element + ">"
		if f.HasDefault() {
			out.Note = defaultOf(f) + " if absent"
			if !deprecated(f) {
				out.Default = cppDefaultOf(f)
			}
		}
	}
	out.Flags = "wire::PLAIN"
	if f.Kind() == protoreflect.BytesKind {
		out.Flags = "wire::BINARY"
	}
	if out.Bit >= 0 {
		out.Flags += " | wire::REQUIRED"
	}
	if one := f.ContainingOneof(); one != nil {
		out.Note = "one of " + string(one.Name())
		for i := range one.Fields().Len() {
			if other := one.Fields().Get(i); other.Number() != f.Number() {
				out.Others = append(out.Others, memberName(string(other.Name())))
			}
		}
	}
	return out, nil
}

// cppType is the type of one element of a field.
func cppType(f protoreflect.FieldDescriptor) (string, error) {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return "bool", nil
	case protoreflect.Int32Kind:
		return "int32_t", nil
	case protoreflect.Int64Kind:
		return "int64_t", nil
	case protoreflect.Uint32Kind:
		return "uint32_t", nil
	case protoreflect.Uint64Kind:
		return "uint64_t", nil
	case protoreflect.FloatKind:
		return "float", nil
	case protoreflect.DoubleKind:
		return "double", nil
	case protoreflect.StringKind, protoreflect.BytesKind:
		return "std::string", nil
	case protoreflect.EnumKind:
		return structName(f.Enum()), nil
	case protoreflect.MessageKind:
		return structName(f.Message()), nil
	default:
		return "", fmt.Errorf("field %s: a %s cannot cross to C++, where the type says how a number is written; use int32, int64, uint32, uint64, float or double",
			f.FullName(), f.Kind())
	}
}

// initial is what a required number has before it is set.
func initial(f protoreflect.FieldDescriptor, cpp string) string {
	switch f.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return ""
	case protoreflect.BoolKind:
		return " = false"
	case protoreflect.EnumKind:
		return " = " + cpp + "::" + memberName(string(f.Enum().Values().Get(0).Name()))
	default:
		return " = 0"
	}
}

func defaultOf(f protoreflect.FieldDescriptor) string {
	switch f.Kind() {
	case protoreflect.EnumKind:
		return string(f.DefaultEnumValue().Name())
	case protoreflect.StringKind:
		return fmt.Sprintf("%q", f.Default().String())
	default:
		return f.Default().String()
	}
}

// cppDefaultOf is the default as C++ writes it.
func cppDefaultOf(f protoreflect.FieldDescriptor) string {
	switch f.Kind() {
	case protoreflect.EnumKind:
		return structName(f.Enum()) + "::" + memberName(string(f.DefaultEnumValue().Name()))
	default:
		return defaultOf(f)
	}
}

func deprecated(f protoreflect.FieldDescriptor) bool {
	options, ok := f.Options().(interface{ GetDeprecated() bool })
	return ok && options.GetDeprecated()
}

// docOf returns the comment in front of a declaration, by lines.
func docOf(d protoreflect.Descriptor) []string {
	text := strings.TrimSpace(d.ParentFile().SourceLocations().ByDescriptor(d).LeadingComments)
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}
