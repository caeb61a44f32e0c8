// Package lua is an Allocator whose algorithm is a script: a Lua program, in a file, decides
// who is offered what is free.
//
// The books are those of package hierarchical, and so is everything that is not a matter of
// taste: guarantees are met before a script is asked, and what a script offers is refused
// if quota, reservations, filters, capabilities, constraints or what is left forbid it. A
// script that errs, loops or wants too much memory is stopped (package vm), its offers are
// taken back, and the last one that was good divides in the same run.
//
// What scripts get and do is described in docs/modules/allocator-lua.md; the scripts in the
// folder scripts are examples.
package lua
