// Package native is the vehicle of libraries in C and C++. Their ABI is
// facade/include/mesos/module.h.
//
// A library is recognised, and everything it says of itself is read, from the
// file's bytes (internal/image, internal/descriptor); whether the loader would
// find all that it needs is answered the same way (internal/ldso). Opening it
// runs its initialisers, in the trial child first.
//
// A signal inside native code ends the daemon: recover does not see it. The line
// that names the module in that case is written by internal/entered.
package native
