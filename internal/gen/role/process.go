package main

import (
	"errors"
	"fmt"
	"go/types"
	"strings"
)

// processFile describes a role's file in the bridge to processes.
type processFile struct {
	contract
	Imports     []string
	EchoImports []string // of its twin among the tests
	Methods     []processMethod
}

// processMethod is a method in the words of that file.
type processMethod struct {
	goMethod
	Put   []string // statements of the stub that write the parameters
	Taken []string // expressions of the servant that read them
	Names string   // r1, r2 = what the stub reads; empty without results
	Read  []string // expressions of the stub that read the results
	Wrote []string // statements of the servant that write them
	Of    []string // the types of the results
	Lasts bool     // the context goes on when the call has returned
	Bit   int
}

// Parameters are the names under which the servant has what it read.
func (m processMethod) Parameters() string {
	names := []string{"ctx"}
	for i := range m.Taken {
		names = append(names, fmt.Sprintf("p%d", i+1))
	}
	return strings.Join(names, ", ")
}

// crossing is how the values of a type cross to another process.
type crossing struct {
	Put, Take string // functions: of (*wire.Encoder, T), and of (*wire.Decoder) T
	Sink      bool   // T is what a function takes, and the function is what crosses
}

// maxMethods is how many bits a stub has for what the other side lacks.
const maxMethods = 64

// crossesAs are the methods of Encoder and Decoder by basic type: for one, and for a list.
var crossesAs = map[types.BasicKind][2]string{
	types.Bool:    {"Bool", "Bools"},
	types.Uint8:   {"Byte", "Bytes"},
	types.Int32:   {"Int32", "Int32s"},
	types.Int64:   {"Int64", "Int64s"},
	types.Uint32:  {"Uint32", "Uint32s"},
	types.Uint64:  {"Uint64", "Uint64s"},
	types.Float32: {"Float32", "Float32s"},
	types.Float64: {"Float64", "Float64s"},
	types.String:  {"String", "Strings"},
}

// crossingOf says how t crosses, or why it cannot.
func (s *scope) crossingOf(t types.Type) (crossing, error) {
	switch u := types.Unalias(t).(type) {
	case *types.Basic:
		if names, ok := crossesAs[u.Kind()]; ok {
			return byMethod(names[0]), nil
		}
	case *types.Pointer:
		if isMessage(u) {
			return s.byFunction("Message", u), nil
		}
	case *types.Slice:
		switch e := types.Unalias(u.Elem()).(type) {
		case *types.Basic:
			if names, ok := crossesAs[e.Kind()]; ok {
				return byMethod(names[1]), nil
			}
		case *types.Pointer:
			if isMessage(e) {
				return s.byFunction("Messages", e), nil
			}
		case *types.Slice:
			if isBytes(e) {
				return byMethod("BytesList"), nil
			}
		}
	case *types.Signature:
		if c, ok := s.crossingOfSink(u); ok {
			return c, nil
		}
	}
	return crossing{}, fmt.Errorf("a value of type %s cannot cross to another process, as those of every role must; there are bool, byte, int32, int64, uint32, uint64, "+
		"float32, float64, string, []byte, API messages, slices of these, and functions that take one of all that and return nothing: "+
		"use one, or declare a message in facade/mesos", types.TypeString(t, nil))
}

func (s *scope) crossingOfSink(f *types.Signature) (crossing, bool) {
	if f.Params().Len() != 1 || f.Results().Len() != 0 || f.Variadic() {
		return crossing{}, false
	}
	c, err := s.crossingOf(f.Params().At(0).Type())
	if err != nil || c.Sink {
		return crossing{}, false
	}
	c.Sink = true
	return c, true
}

func byMethod(name string) crossing {
	return crossing{Put: "(*wire.Encoder)." + name, Take: "(*wire.Decoder)." + name}
}

func (s *scope) byFunction(name string, message *types.Pointer) crossing {
	of := "[" + s.typeOf(message.Elem()) + "]"
	return crossing{Put: "wire.Put" + name + of, Take: "wire.Take" + name + of}
}

// put is the statement that writes value to e.
func (c crossing) put(e, value string) string {
	switch method, ok := strings.CutPrefix(c.Put, "(*wire.Encoder)."); {
	case c.Sink:
		return fmt.Sprintf("wire.PutSink(loan, %s, %s, %s)", e, value, c.Take)
	case ok:
		return fmt.Sprintf("%s.%s(%s)", e, method, value)
	default:
		return fmt.Sprintf("%s(%s, %s)", c.Put[:strings.IndexByte(c.Put, '[')], e, value)
	}
}

// take is the expression that reads a value from in.
func (c crossing) take() string {
	switch method, ok := strings.CutPrefix(c.Take, "(*wire.Decoder)."); {
	case c.Sink:
		return fmt.Sprintf("wire.TakeSink(c, in, %s)", c.Put)
	case ok:
		return fmt.Sprintf("in.%s()", method)
	default:
		return c.Take + "(in)"
	}
}

// checkProcess finds what of a role cannot cross, all of it.
func checkProcess(c contract) error {
	s := newScope(nil)
	var errs []error
	if len(c.Methods) > maxMethods {
		errs = append(errs, fmt.Errorf("role %s has %d methods, and the bridge to processes can tell %d apart: make two roles of it", c.Name, len(c.Methods), maxMethods))
	}
	for _, m := range c.Methods {
		for _, v := range append(append([]value(nil), m.Params...), m.Results...) {
			if _, err := s.crossingOf(v.Type); err != nil {
				errs = append(errs, fmt.Errorf("%s: role %s: %s: %s: %w", m.At, c.Name, m.Name, v.Name, err))
			}
		}
		for _, r := range m.Results {
			if cross, err := s.crossingOf(r.Type); err == nil && cross.Sink {
				errs = append(errs, fmt.Errorf("%s: role %s: %s returns a function, which cannot cross to another process; take a function as parameter, and call it", m.At, c.Name, m.Name))
			}
		}
	}
	return errors.Join(errs...)
}

// processOf describes the file of a role that checkProcess has found nothing against.
func processOf(c contract, modulePath string) processFile {
	s := newScope(nil)
	own := modulePath + "/manager/vehicle/process/wire"
	s.used[own] = "wire"
	s.extra = strings.Fields("in out e r x loan method lacks answer")
	f := processFile{contract: c}
	s.use(c.Go)
	s.scan(c.Methods)
	for i, m := range c.Methods {
		f.Methods = append(f.Methods, s.processMethod(m, i))
	}
	f.Imports = s.imports(true)
	delete(s.used, own)
	f.EchoImports = s.imports(true)
	return f
}

// PackageName is what the role's package is called.
func (f processFile) PackageName() string { return f.Go.Name() }

func (s *scope) processMethod(m method, bit int) processMethod {
	p := processMethod{goMethod: s.method(m), Lasts: m.Lasting, Bit: bit}
	for _, v := range m.Params {
		cross, _ := s.crossingOf(v.Type) // it has been checked
		p.Put = append(p.Put, cross.put("e", s.free(v.Name)))
		p.Taken = append(p.Taken, cross.take())
		p.Lasts = p.Lasts || cross.Sink
	}
	var names []string
	for i, v := range m.Results {
		cross, _ := s.crossingOf(v.Type)
		name := fmt.Sprintf("r%d", i+1)
		names = append(names, name)
		p.Read = append(p.Read, name+" = "+cross.take())
		p.Wrote = append(p.Wrote, cross.put("out", name))
		p.Of = append(p.Of, s.typeOf(v.Type))
	}
	p.Names = strings.Join(names, ", ")
	return p
}
