// Package object has one native Calculator and the bare cgo call of its function, to which a call through the bridge is
// compared.
package object

/*
#cgo CFLAGS: -I${SRCDIR}/../../../facade/include -O2 -Wall -Wextra
#include <mesos/roles/calculator.h>

static int32_t add(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  (void)object, (void)context, (void)error;
  *result = (int32_t)(a + b);
  return 0;
}

static const mesos_calculator_table table = {.head = MESOS_CALCULATOR_HEAD, .compute = add};
static const mesos_calculator_table* object = &table;

static uintptr_t address(void) { return (uintptr_t)&object; }
static uintptr_t function(void) { return (uintptr_t)add; }

static int32_t bare(uintptr_t function, uint8_t a, int64_t b) {
  int32_t result = 0;
  ((__typeof__(table.compute))function)(NULL, NULL, a, b, &result, NULL);
  return result;
}
*/
import "C"

// Address is that of the object, which is there for good.
func Address() uintptr { return uintptr(C.address()) }

// Function is the address of its function.
func Function() uintptr { return uintptr(C.function()) }

// Bare is a plain cgo call of the function, in its cheapest form: it has no pointers for which noescape would help, and
// the check behind nocallback has a price.
func Bare(function uintptr, a byte, b int64) int32 {
	return int32(C.bare(C.uintptr_t(function), C.uint8_t(a), C.int64_t(b)))
}
