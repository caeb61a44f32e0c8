// Package nativetest tests the modules that ship in C++ beside their twins in Go: each is built, goes through the conformance
// suite of its role as a library file, and has to say what its twin says, whatever the two are asked.
package nativetest
