// Package vm runs Lua scripts that may be wrong, or meant to do harm: each run has limits on
// instructions, memory and time that a script cannot get around.
//
// The interpreter is gopher-lua, Lua 5.1 in Go. It has no limits of its own but a context
// that it asks before each instruction; what one instruction may do is not bounded. So the
// limits are made here:
//
//   - instructions are counted, and time is looked at, where the interpreter asks its context;
//   - memory is counted where it is taken. Before a script is compiled, its syntax tree is
//     changed: strings that are joined, fields of tables that are set, tables and functions
//     that are made all go through functions of this package, which count first. What has
//     become garbage stays counted, so that a run never holds more than its limit;
//   - the libraries are this package's own where those of the interpreter are not bounded:
//     nothing of them reads files, starts anything, waits, or loads code, and what takes
//     long counts as many instructions. There are no patterns (one search can take for ever),
//     no coroutines (they nest on Go's stack, which nobody counts), no metatables and no
//     pcall: a script that goes wrong ends.
//
// Each run begins with globals of its own.
package vm
