#ifndef MESOS_ROLES_CALCULATOR_H
#define MESOS_ROLES_CALCULATOR_H

#include <mesos/module.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mesos_calculator_table {
  mesos_role_table head;
  int32_t (*compute)(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error);
} mesos_calculator_table;

#define MESOS_CALCULATOR_HEAD {MESOS_ROLE_MAGIC, sizeof(mesos_calculator_table), 0, "Calculator"}

#ifdef __cplusplus
}
#endif
#endif
