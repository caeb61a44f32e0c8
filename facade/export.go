package facade

import (
	"fmt"
	"reflect"
)

// Exporter is implemented by an instance that hands more than its role to the modules
// which require it by name: what several isolators share, say. Both sides declare an
// interface of their own with the same methods, of types that both know, so that neither
// imports the other.
//
// Calls to what is exported go straight to the module: the daemon does not count them,
// bounds none and catches no panic. Modules are closed before what they require, so it
// may be used for as long as the requirer lives. Only Go modules in the daemon's own
// process can export and take exports.
type Exporter interface {
	// Export is called when an instance of a requirer is made and asks for it, from
	// the goroutine of its New. It returns at once.
	Export() any
}

// RequiredExport returns what the instance of a required module exports, as an interface
// of the caller's. It fails when the declaration does not require that module, when an
// optional one is not there, when it exports nothing, and when what it exports lacks a
// method of T; the error names both types.
func RequiredExport[T any](host Host, module string) (T, error) {
	var none T
	if _, ok := host.Requirement(module); !ok {
		return none, fmt.Errorf("module %q is not handed in: name it in Requires (an optional one may be absent)", module)
	}
	value, ok := host.Export(module)
	if !ok {
		return none, fmt.Errorf("module %q exports nothing: only a Go module with a method Export() any does, in the daemon's own process", module)
	}
	typed, ok := value.(T)
	if !ok {
		return none, fmt.Errorf("module %q exports a %T, which is not the %v that was asked for", module, value, reflect.TypeFor[T]())
	}
	return typed, nil
}
