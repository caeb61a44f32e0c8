// Package lifecycle is the machinery under the phases of the module system: the
// phases and states themselves, the events that tell what happened, a runner
// that takes one module at a time through one step, and a stack that takes
// everything back again. It knows nothing of modules, libraries or manifests.
//
// # Why not fx alone
//
// The daemons are fx apps, and every phase is an fx hook (see [Sequence.Hooks]).
// Inside a phase fx is of no help: it has one limit for all hooks together, lets
// a panic in a hook end the process, skips the remaining stops after one that
// hangs, and rolls a start that ran into its deadline back on that very deadline.
// So what must be undone is kept here, on a [Stack], and undone on a context
// that is alive; fx only says when.
//
// # The parts
//
//   - [Bus] numbers events and hands them to observers and subscribers without
//     ever waiting for a subscriber.
//   - [Runner] runs one guarded step: own limit, panic guard, begin and end as
//     events; a step that hangs is abandoned and named.
//   - [Start] runs a step on a stack and records how to undo it; [Stack] undoes
//     in exact reverse order, everything once.
//   - [Machine] holds the state of the whole and refuses illegal changes.
//   - [Sequence] puts these together: phases forward, teardown backward, and a
//     Close that is safe at any time.
//
// # Goroutines
//
// A step, unless it is Direct, and the work of a phase run in a goroutine of their
// own, which ends with them; only the goroutine of an abandoned step outlives its
// caller, for as long as the step hangs. The bus starts none. Every exported method of Bus, Runner, Stack, Undo, Machine,
// Sequence and Recorder may be called from several goroutines.
package lifecycle
