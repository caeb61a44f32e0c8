package main

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// nativeFile is what the templates of headers and bridges have in common.
type nativeFile struct {
	goFile
	Snake, Upper string
	Headers      []string // of the API messages that it uses
	Sinks        bool
	Methods      []nativeMethod
}

// nativeMethod is a method in the words of C, C++ and the bridge.
type nativeMethod struct {
	goMethod
	Snake   string // in the table
	Camel   string // in the class
	Result  *nativeValue
	Default string // in C++

	CParams   string   // of the table's function, after object and context, with a comma behind
	CppParams string   // of the class
	CppNone   string   // the same without names, for a body that does not use them
	CppRead   []string // what the table's function does before it calls the class
	CppArgs   string   // what it hands to the class

	WrapParams string // of the bridge's function in C, after object and context
	WrapArgs   string // what it hands to the table's function
	Before     []string
	Failed     []string // what Go does if the call failed
	Hand       string   // what Go hands to the bridge's function
}

// CField is the method's field in a struct of C as Go sees it: cgo puts an underscore before Go's keywords.
func (n nativeMethod) CField() string {
	if token.IsKeyword(n.Snake) {
		return "_" + n.Snake
	}
	return n.Snake
}

// Receivers are the parameters that are sinks.
func (n nativeMethod) Receivers() []string {
	var all []string
	for _, p := range n.Params {
		if w, _ := wireOf(p.Type); w.Sink {
			all = append(all, cName(p.Name))
		}
	}
	return all
}

// Narrow says that the result, if any, and whether the call failed fit into one word, which saves a tenth of a call.
func (n nativeMethod) Narrow() bool {
	return n.Result == nil || n.Result.Scalar() && slices.Contains([]string{"uint8_t", "int32_t", "uint32_t"}, n.Result.C)
}

// nativeValue is a parameter or result that crosses.
type nativeValue struct {
	wire
	Name     string // in C
	Optional bool   // a message that may not be there
	GoName   string
	GoType   string // as the bridge's file writes it
	GoElem   string // of one element, without the pointer of a message
}

// CppType is the type in the class. A message that is returned may be absent, as it may be nil in Go.
func (v nativeValue) CppType() string {
	switch {
	case v.Sink:
		return "mesos::Receiver<" + v.Cpp + ">"
	case v.List:
		return "std::vector<" + v.Cpp + ">"
	case v.Kind == "message" && v.Optional:
		return "mesos::Optional<" + v.Cpp + ">"
	default:
		return v.Cpp
	}
}

// Scalar says that the value crosses in a register.
func (v nativeValue) Scalar() bool { return v.Kind == "scalar" && !v.List }

// nativeOf describes a role that checkNative has found nothing against, and of which all messages are known.
func nativeOf(c contract, known messageIndex) nativeFile {
	in := newScope(nil)
	in.known = known
	n := nativeFile{goFile: goFile{contract: c}, Snake: snake(c.Name), Upper: strings.ToUpper(snake(c.Name))}
	for _, m := range c.Methods {
		for _, t := range m.messages() {
			if d, err := known.of(t); err == nil && !slices.Contains(n.Headers, headerOf(d.ParentFile())) {
				n.Headers = append(n.Headers, headerOf(d.ParentFile()))
			}
		}
	}
	slices.Sort(n.Headers)
	in.use(c.Go)
	in.scan(c.Methods)
	for _, m := range c.Methods {
		n.Methods = append(n.Methods, in.native(m))
	}
	for _, m := range n.Methods {
		n.Sinks = n.Sinks || len(m.Failed) > 0
		used := strings.Join(append(m.Before, m.Hand), " ")
		if strings.Contains(used, "unsafe.") {
			in.used["unsafe"] = "unsafe"
		}
	}
	n.Imports = in.imports(true)
	return n
}

func (s *scope) native(m method) nativeMethod {
	n := nativeMethod{goMethod: s.method(m), Snake: cName(snake(m.Name)), Camel: cName(camel(m.Name))}
	n.Default, _ = m.cppDefault()
	var cpp, none, args, hand, receivers []string
	for _, p := range m.Params {
		v := s.value(p)
		cpp = append(cpp, v.cppParam()+" "+v.Name)
		none = append(none, v.cppParam()+" /* "+v.Name+" */")
		n.CppRead = append(n.CppRead, v.cppRead()...)
		args = append(args, v.cppArg())
		for _, c := range v.cParams() {
			n.CParams += c + ", "
		}
		n.WrapParams += v.wrapParams()
		n.WrapArgs += v.wrapArgs() + ", "
		before, given := v.hand()
		if v.Sink {
			before, given = v.handSink(m.Name)
			n.Failed = append(n.Failed, fmt.Sprintf("o.shut(%sC)", v.GoName))
		}
		for _, line := range before {
			line = strings.ReplaceAll(line, returnHere, "return "+n.Returned)
			if v.Sink {
				receivers = append(receivers, line)
			} else {
				n.Before = append(n.Before, line)
			}
		}
		hand = append(hand, given...)
	}
	n.Before = append(n.Before, receivers...) // at last, so that nothing fails behind them but the call
	n.CppParams, n.CppNone, n.CppArgs = strings.Join(cpp, ", "), strings.Join(none, ", "), strings.Join(args, ", ")
	for _, h := range hand {
		n.Hand += ", " + h
	}
	if len(m.Results) == 1 {
		v := s.value(m.Results[0])
		v.Optional = v.Message != nil
		n.Result = &v
	}
	return n
}

func (s *scope) value(p value) nativeValue {
	w, _ := wireOf(p.Type)
	v := nativeValue{wire: w, Name: cName(p.Name), Optional: p.Optional, GoName: s.free(p.Name), GoType: s.typeOf(p.Type), GoElem: s.typeOf(p.Type)}
	element := types.Unalias(p.Type)
	if w.Message != nil {
		if d, err := s.known.of(w.Message); err == nil {
			v.Cpp = structName(d)
		}
	}
	if w.Sink {
		element = types.Unalias(element.(*types.Signature).Params().At(0).Type())
		v.GoElem = s.typeOf(element)
	}
	if w.List {
		element = types.Unalias(element.(*types.Slice).Elem())
		v.GoElem = s.typeOf(element)
	}
	if pointer, ok := element.(*types.Pointer); ok {
		v.GoElem = s.typeOf(pointer.Elem())
	}
	return v
}

func (v nativeValue) cppParam() string {
	if v.Scalar() {
		return v.Cpp
	}
	return "const " + v.CppType() + "&"
}

// cParams are the parameters of the table's function.
func (v nativeValue) cParams() []string {
	if v.Sink {
		return []string{"const mesos_receiver* " + v.Name}
	}
	if v.List {
		return []string{"const " + v.C + "* " + v.Name, "size_t " + v.Name + "_count"}
	}
	return []string{v.C + " " + v.Name}
}

// cppRead makes a message of what the table's function got, under the name that cppArg has for it.
func (v nativeValue) cppRead() []string {
	if v.Kind != "message" || v.Sink {
		return nil
	}
	given := v.Name
	if v.List {
		given += ", " + v.Name + "_count"
	}
	return []string{
		fmt.Sprintf("%s %s_read;", v.CppType(), v.Name),
		fmt.Sprintf("if (!read_argument(%s, \"%s\", %s_read)) {", given, v.Name, v.Name), "  return;", "}",
	}
}

// cppArg turns what the table's function got into what the class wants.
func (v nativeValue) cppArg() string {
	switch {
	case v.Sink:
		return fmt.Sprintf("%s(%s)", v.CppType(), v.Name)
	case v.Kind == "message":
		return v.Name + "_read"
	case v.List:
		return fmt.Sprintf("taken<%s>(%s, %s_count)", v.Cpp, v.Name, v.Name)
	case v.Kind != "scalar":
		return fmt.Sprintf("taken(%s)", v.Name)
	case v.Cpp == "bool":
		return v.Name + " != 0"
	default:
		return fmt.Sprintf("static_cast<%s>(%s)", v.Cpp, v.Name)
	}
}

// wrapParams are the parameters of the bridge's function: Go's memory crosses as typed pointers to bytes, which cgo need not
// look at.
func (v nativeValue) wrapParams() string {
	switch {
	case v.Sink:
		return fmt.Sprintf(", mms_receiver_id %s", v.Name)
	case v.List:
		return fmt.Sprintf(", const %s* %s, size_t %s_count", v.C, v.Name, v.Name)
	case v.Kind != "scalar":
		return fmt.Sprintf(", const uint8_t* %s, size_t %s_size", v.Name, v.Name)
	default:
		return fmt.Sprintf(", %s %s", v.C, v.Name)
	}
}

func (v nativeValue) wrapArgs() string {
	switch {
	case v.Sink:
		return fmt.Sprintf("&%s_receiver", v.Name)
	case v.List:
		return fmt.Sprintf("%s, %s_count", v.Name, v.Name)
	case v.Kind != "scalar":
		return fmt.Sprintf("mms_bytes(%s, %s_size)", v.Name, v.Name)
	default:
		return v.Name
	}
}

// returnHere stands for the statement with which a method returns its results as they are.
const returnHere = "return"

// hand is what Go does before the call, and what it hands over.
func (v nativeValue) hand() (before, given []string) {
	local := v.GoName + "C"
	packed := func(source string) ([]string, []string) {
		return []string{
				fmt.Sprintf("%s := pack(%s)", local, source),
				fmt.Sprintf("defer %s.free()", local),
			}, []string{
				local + ".first()", local + ".count()",
			}
	}
	switch {
	case v.List && v.Kind == "text":
		return packed(v.GoName)
	case v.List && v.Kind == "bytes":
		return packed(v.GoName)
	case v.List && v.Kind == "message":
		before, given := packed(local + "Bytes")
		marshal := []string{
			fmt.Sprintf("%sBytes, err := marshalAll(%s)", local, v.GoName),
			"if err != nil {", returnHere, "}",
		}
		return append(marshal, before...), given
	case v.List:
		return nil, []string{
			fmt.Sprintf("(*C.%s)(unsafe.Pointer(unsafe.SliceData(%s)))", v.Go, v.GoName), fmt.Sprintf("C.size_t(len(%s))", v.GoName),
		}
	case v.Kind == "text":
		return nil, []string{
			fmt.Sprintf("(*C.uint8_t)(unsafe.StringData(%s))", v.GoName), fmt.Sprintf("C.size_t(len(%s))", v.GoName),
		}
	case v.Kind == "bytes":
		return nil, []string{
			fmt.Sprintf("(*C.uint8_t)(unsafe.SliceData(%s))", v.GoName), fmt.Sprintf("C.size_t(len(%s))", v.GoName),
		}
	case v.Kind == "message":
		return []string{
				fmt.Sprintf("%sBytes, err := marshal(%s)", local, v.GoName),
				"if err != nil {", returnHere, "}",
			}, []string{
				fmt.Sprintf("(*C.uint8_t)(unsafe.SliceData(%sBytes))", local), fmt.Sprintf("C.size_t(len(%sBytes))", local),
			}
	case v.Cpp == "bool":
		return nil, []string{fmt.Sprintf("boolean(%s)", v.GoName)}
	default:
		return nil, []string{fmt.Sprintf("C.%s(%s)", v.Go, v.GoName)}
	}
}

// handSink opens a receiver whose elements become calls of a Go function.
func (v nativeValue) handSink(method string) (before, given []string) {
	local := v.GoName + "C"
	convert := map[string]string{"text": "text", "bytes": "copied", "message": fmt.Sprintf("message[%s]", v.GoElem)}[v.Kind]
	return []string{
		fmt.Sprintf("%s, err := o.receive(ctx, %q, taker(%s, %s))", local, method, v.GoName, convert),
		"if err != nil {", returnHere, "}",
	}, []string{local}
}

// Take turns what the bridge's function returned into the Go result.
func (n nativeMethod) Take() string {
	switch v := n.Result; {
	case v.Scalar() && v.Cpp == "bool":
		return "x != 0, nil"
	case v.Scalar() && n.Narrow():
		return fmt.Sprintf("%s(x), nil", v.GoType)
	case v.Scalar():
		return fmt.Sprintf("%s(x.result), nil", v.GoType)
	case v.Kind == "scalar" && v.Cpp == "bool":
		return "every(&x.result, truth)"
	case v.Kind == "scalar":
		return fmt.Sprintf("every(&x.result, scalar[%s])", v.GoElem)
	case v.Kind == "text" && v.List:
		return "every(&x.result, text)"
	case v.Kind == "text":
		return "one(&x.result, text)"
	case v.Kind == "bytes" && v.List:
		return "every(&x.result, copied)"
	case v.Kind == "bytes":
		return "one(&x.result, copied)"
	case v.List:
		return fmt.Sprintf("every(&x.result, message[%s])", v.GoElem)
	default:
		return fmt.Sprintf("one(&x.result, message[%s])", v.GoElem)
	}
}
