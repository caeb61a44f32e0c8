// Calls through a module's descriptor. mesos/module.h is the ABI; the note says
// where this thread is, should it never come back.
#ifndef MMS_ABI_H
#define MMS_ABI_H

#include <stdlib.h>

#include <mesos/module.h>

#include "internal/entered/entered.h"

static inline int32_t abi_compatible(uintptr_t note, uintptr_t module, const mesos_view* view, mesos_error* error) {
  const mesos_module* m = (const mesos_module*)module;
  uintptr_t outer = mms_enter(note);
  int32_t result = m->compatible(m, view, error);
  mms_leave(outer);
  return result;
}

static inline uintptr_t abi_create(uintptr_t note, uintptr_t module, const mesos_context* context, const mesos_host* host,
                                   const mesos_parameters* parameters, mesos_error* error) {
  const mesos_module* m = (const mesos_module*)module;
  uintptr_t outer = mms_enter(note);
  void* object = m->create(m, context, host, parameters, error);
  mms_leave(outer);
  return (uintptr_t)object;
}

static inline int32_t abi_destroy(uintptr_t note, uintptr_t module, const mesos_context* context, uintptr_t object,
                                  mesos_error* error) {
  const mesos_module* m = (const mesos_module*)module;
  uintptr_t outer = mms_enter(note);
  int32_t result = m->destroy(m, context, (void*)object, error);
  mms_leave(outer);
  return result;
}

static inline void abi_cancel(mesos_context* context) { __atomic_store_n(&context->cancelled, 1, __ATOMIC_RELEASE); }

#endif
