// Package leash keeps what libraries fork off a trial child from outliving it: a
// library that makes itself a daemon while it is opened would leave a process
// behind, of the daemon's size, that no group or wait reaches.
package leash

// #include "leash.h"
import "C"

// Hold has the kernel end every copy that C code forks off this process together
// with the thread that forked it, and the copies of copies. Programs that such a
// copy executes end likewise. It cannot be undone; calling it again changes nothing.
// Processes that Go starts are not concerned.
func Hold() { C.mms_leash() }
