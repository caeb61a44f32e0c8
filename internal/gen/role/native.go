package main

import (
	"errors"
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// wire is how a Go type crosses to C and C++.
type wire struct {
	Go   string // of one element, as cgo wants it converted: C.TYPE
	C    string // in a table
	Cpp  string // in the class; of a message, what structName says
	Kind string // scalar, text, bytes or message
	List bool

	Message types.Type // of one element, if it is a message
	Sink    bool       // a function that takes such a value
}

// scalars by the name of the Go type. byte is char and int64 is long because that is what authors write: with anything else
// the methods of the design document's example would override nothing.
var scalars = map[types.BasicKind]wire{
	types.Bool:    {Go: "uint8_t", C: "uint8_t", Cpp: "bool"},
	types.Uint8:   {Go: "uint8_t", C: "uint8_t", Cpp: "char"},
	types.Int32:   {Go: "int32_t", C: "int32_t", Cpp: "int"},
	types.Int64:   {Go: "int64_t", C: "int64_t", Cpp: "long"},
	types.Uint32:  {Go: "uint32_t", C: "uint32_t", Cpp: "unsigned"},
	types.Uint64:  {Go: "uint64_t", C: "uint64_t", Cpp: "unsigned long"},
	types.Float32: {Go: "float", C: "float", Cpp: "float"},
	types.Float64: {Go: "double", C: "double", Cpp: "double"},
}

// wireOf says how t crosses, or why it cannot.
func wireOf(t types.Type) (wire, error) {
	if isBytes(t) {
		return wire{C: "mesos_bytes", Cpp: "std::string", Kind: "bytes"}, nil
	}
	if list, ok := types.Unalias(t).(*types.Slice); ok {
		w, err := wireOf(list.Elem())
		if err != nil || w.List {
			return wire{}, fmt.Errorf("a %s cannot cross to C; slices are of scalars, text, bytes or API messages", types.TypeString(t, nil))
		}
		w.List = true
		return w, nil
	}
	if sink, ok := types.Unalias(t).(*types.Signature); ok {
		return wireOfSink(sink)
	}
	switch u := types.Unalias(t).(type) {
	case *types.Basic:
		if u.Kind() == types.String {
			return wire{C: "mesos_bytes", Cpp: "std::string", Kind: "text"}, nil
		}
		if w, ok := scalars[u.Kind()]; ok {
			w.Kind = "scalar"
			return w, nil
		}
	case *types.Pointer:
		if isMessage(u) {
			return wire{C: "mesos_bytes", Kind: "message", Message: u.Elem()}, nil
		}
	}
	return wire{}, fmt.Errorf("a %s cannot cross to C; there are bool, byte, int32, int64, uint32, uint64, float32, float64, string, []byte, "+
		"API messages, slices of these, and functions that take one text, []byte or API message: use one, or take Native from the role's row",
		types.TypeString(t, nil))
}

// wireOfSink says how a function crosses that the module calls later: as a receiver of elements.
func wireOfSink(sink *types.Signature) (wire, error) {
	if sink.Params().Len() == 1 && sink.Results().Len() == 0 && !sink.Variadic() {
		w, err := wireOf(sink.Params().At(0).Type())
		if err == nil && !w.List && !w.Sink && w.Kind != "scalar" {
			w.Sink = true
			return w, nil
		}
	}
	return wire{}, fmt.Errorf("a %s cannot cross to C; a function that the module calls later takes one text, []byte or API message and returns nothing: "+
		"make a message of what it takes, or take Native from the role's row", types.TypeString(sink, nil))
}

func isBytes(t types.Type) bool {
	list, ok := types.Unalias(t).(*types.Slice)
	if !ok {
		return false
	}
	b, ok := types.Unalias(list.Elem()).(*types.Basic)
	return ok && b.Kind() == types.Uint8
}

// isMessage reports whether p points to a generated API message.
func isMessage(p *types.Pointer) bool {
	m, _, _ := types.LookupFieldOrMethod(p, true, nil, "ProtoReflect")
	_, ok := m.(*types.Func)
	return ok
}

// checkNative finds what of a role cannot cross, all of it.
func checkNative(c contract) error {
	var errs []error
	for _, m := range c.Methods {
		if len(m.Results) > 1 {
			errs = append(errs, fmt.Errorf("%s: role %s: %s returns %d values before the error, and one can cross to C; make a message of them",
				m.At, c.Name, m.Name, len(m.Results)))
		}
		for _, v := range append(append([]value(nil), m.Params...), m.Results...) {
			if _, err := wireOf(v.Type); err != nil {
				errs = append(errs, fmt.Errorf("%s: role %s: %s: %s: %w", m.At, c.Name, m.Name, v.Name, err))
			}
		}
		for _, r := range m.Results {
			if w, err := wireOf(r.Type); err == nil && w.Sink {
				errs = append(errs, fmt.Errorf("%s: role %s: %s returns a function, which cannot cross to C", m.At, c.Name, m.Name))
			}
		}
		if _, err := m.cppDefault(); err != nil {
			errs = append(errs, fmt.Errorf("%s: role %s: %s: %w", m.At, c.Name, m.Name, err))
		}
	}
	return errors.Join(errs...)
}

// cppDefault is the default in C++, where it stands in the class: only literals can be said in both languages.
func (m method) cppDefault() (string, error) {
	if len(m.Results) == 0 {
		return "", nil
	}
	w, err := wireOf(m.Results[0].Type)
	if err != nil {
		return "", err
	}
	switch d := m.Default; {
	case d == "" || d == "nil" || d == `""`:
		return "{}", nil
	case d == "true" || d == "false":
		return d, nil
	case w.Kind == "scalar" && !w.List && strings.Trim(d, "-0123456789.") == "":
		return d, nil
	case w.Kind == "text" && !w.List && strings.HasPrefix(d, `"`):
		return d, nil
	default:
		return "", fmt.Errorf("//mms:default %s cannot be said in C++; write a number, a text in double quotes, true, false or nil", d)
	}
}

// snake turns TestModule into test_module, and HTTPProxy into http_proxy.
func snake(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if i > 0 && isUpper(name[i]) {
			endsWord := !isUpper(name[i-1])
			startsWord := i+1 < len(name) && !isUpper(name[i+1])
			if endsWord || startsWord {
				b.WriteByte('_')
			}
		}
		b.WriteString(strings.ToLower(name[i : i+1]))
	}
	return b.String()
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// camel turns SlaveRunTask into slaveRunTask, as methods are called in C++.
func camel(name string) string {
	words := strings.Split(snake(name), "_")
	for i := 1; i < len(words); i++ {
		words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
	}
	return strings.Join(words, "")
}

// keywords cannot name anything in C or C++: words of the languages, and macros of the system's headers and of compilers.
var keywords = strings.Fields(`alignas alignof and asm auto bool break case catch char class const constexpr continue
	decltype default delete do double else enum explicit export extern false float for friend goto if inline int long mutable
	namespace new noexcept not nullptr operator or private protected public register requires return short signed sizeof
	static struct switch template this throw true try typedef typeid typename union unsigned using virtual void volatile
	while xor restrict linux unix major minor makedev errno stdin stdout stderr assert NULL EOF`)

// reserved are names that the generated code uses itself, where parameters and methods are.
var reserved = strings.Fields(`object context result error instance function code answer collected`)

// cName is the name of a parameter or method in C and C++.
func cName(name string) string {
	if slices.Contains(reserved, name) {
		return name + "_"
	}
	return memberName(name)
}

// memberName is the name of a field or of a value of an enum in C++.
func memberName(name string) string {
	if slices.Contains(keywords, name) || name == "unknown_fields" {
		return name + "_"
	}
	return name
}
