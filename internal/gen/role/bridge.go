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
	Methods      []nativeMethod
}

// nativeMethod is a method in the words of C, C++ and the bridge.
type nativeMethod struct {
	goMethod
	Snake   string // in the table
	Camel   string // in the class
	Result  *nativeValue
	Default string // in C++

	CParams   string // of the table's function, after object and context, with a comma behind
	CppParams string // of the class
	CppNone   string // the same without names, for a body that does not use them
	CppArgs   string // what the table's function hands to the class

	WrapParams string // of the bridge's function in C, after object and context
	WrapArgs   string // what it hands to the table's function
	Before     []string
	Hand       string // what Go hands to the bridge's function
}

// CField is the method's field in a struct of C as Go sees it: cgo puts an underscore before Go's keywords.
func (n nativeMethod) CField() string {
	if token.IsKeyword(n.Snake) {
		return "_" + n.Snake
	}
	return n.Snake
}

// Narrow says that the result, if any, and whether the call failed fit into one word, which saves a tenth of a call.
func (n nativeMethod) Narrow() bool {
	return n.Result == nil || n.Result.Scalar() && slices.Contains([]string{"uint8_t", "int32_t", "uint32_t"}, n.Result.C)
}

// nativeValue is a parameter or result that crosses.
type nativeValue struct {
	wire
	Name   string // in C
	GoName string
	GoType string // as the bridge's file writes it
	GoElem string // of one element, without the pointer of a message
}

// CppType is the type in the class.
func (v nativeValue) CppType() string {
	if v.List {
		return "std::vector<" + v.Cpp + ">"
	}
	return v.Cpp
}

// Scalar says that the value crosses in a register.
func (v nativeValue) Scalar() bool { return v.Kind == "scalar" && !v.List }

// nativeOf describes a role that checkNative has found nothing against.
func nativeOf(c contract) nativeFile {
	in := newScope(nil)
	n := nativeFile{goFile: goFile{contract: c}, Snake: snake(c.Name), Upper: strings.ToUpper(snake(c.Name))}
	in.use(c.Go)
	in.scan(c.Methods)
	for _, m := range c.Methods {
		n.Methods = append(n.Methods, in.native(m))
	}
	for _, m := range n.Methods {
		used := strings.Join(append(m.Before, m.Hand), " ")
		if strings.Contains(used, "proto.") {
			in.used["google.golang.org/protobuf/proto"] = "proto"
		}
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
	var cpp, none, args, hand []string
	for _, p := range m.Params {
		v := s.value(p)
		cpp = append(cpp, v.cppParam()+" "+v.Name)
		none = append(none, v.cppParam()+" /* "+v.Name+" */")
		args = append(args, v.cppArg())
		for _, c := range v.cParams() {
			n.CParams += c + ", "
		}
		n.WrapParams += v.wrapParams()
		n.WrapArgs += v.wrapArgs() + ", "
		before, given := v.hand()
		for _, line := range before {
			n.Before = append(n.Before, strings.ReplaceAll(line, returnHere, "return "+n.Returned))
		}
		hand = append(hand, given...)
	}
	n.CppParams, n.CppNone, n.CppArgs = strings.Join(cpp, ", "), strings.Join(none, ", "), strings.Join(args, ", ")
	for _, h := range hand {
		n.Hand += ", " + h
	}
	if len(m.Results) == 1 {
		v := s.value(m.Results[0])
		n.Result = &v
	}
	return n
}

func (s *scope) value(p value) nativeValue {
	w, _ := wireOf(p.Type)
	v := nativeValue{wire: w, Name: cName(p.Name), GoName: s.free(p.Name), GoType: s.typeOf(p.Type), GoElem: s.typeOf(p.Type)}
	element := types.Unalias(p.Type)
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
	if v.List {
		return []string{"const " + v.C + "* " + v.Name, "size_t " + v.Name + "_count"}
	}
	return []string{v.C + " " + v.Name}
}

// cppArg turns what the table's function got into what the class wants.
func (v nativeValue) cppArg() string {
	switch {
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
				fmt.Sprintf("%sBytes, err := proto.Marshal(%s)", local, v.GoName),
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
