// Package faults is one table of everything that can be wrong with a manifest, a
// library or a module: each has to give a clear error that names the guilty one,
// and to leave nothing behind. It holds tests only; the packages have their own
// for their parts.
package faults
