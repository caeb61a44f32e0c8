// An initialiser that does what it was compiled for, in a library that is otherwise sound. Not at address 0: the compiler
// may drop what it knows to be undefined.
#include <mesos/module.h>

#include <stdlib.h>

MESOS_MODULE_LIBRARY()
__attribute__((constructor)) static void init(void) { INIT; }
