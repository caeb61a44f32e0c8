// Package manager is the module system as a daemon uses it: from the manifest to
// libraries, a verified plan, instances, bindings, and back.
//
// The main flow is [Manager.Start]: load, verify, instantiate, bind, one file
// each. Phases are barriers over the whole set: all libraries load before any
// verification, all verification ends before any instance. [Manager.Close] is
// the way back, in exact reverse order, each thing once.
//
// A daemon is an fx app, and [Manager.Options] is what it includes: [New] does no
// work, it lays out the binding sites; the options append the four phases as hooks.
// Whoever takes a handle depends on the manager, so he starts after bind and
// stops before unbind.
//
// Module code runs only in guarded steps and behind handles: with a time limit, a
// panic guard, and no lock of this package held.
package manager
