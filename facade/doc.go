// Package facade is what a module author imports, together with the package of
// the role that the module fulfils.
//
// A library is one exported value:
//
//	var Library = facade.Library{Modules: []facade.Declared{
//		facade.Module[calculator.Calculator]{
//			Name: "org_example_calculator", Version: "1.2.0",
//			New: func(ctx context.Context, host facade.Host, p facade.Parameters) (calculator.Calculator, error) {
//				return adder{}, nil
//			},
//		},
//	}}
//
// The role is the type argument: a New that returns anything else does not
// compile. The same package serves as a builtin module, as a Go plugin and,
// later, as a process; "mesos-module build" makes the dynamic library.
//
// The package imports the standard library only. A Go plugin has to share every
// package that it links with the daemon, bit for bit, so what stands here is
// part of the contract with every module ever built.
package facade
