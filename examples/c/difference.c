/* A module in C: a table of functions, an object that begins with it, a descriptor. */
#include <limits.h>
#include <stdlib.h>

#include <mesos/roles/calculator.h>

MESOS_MODULE_LIBRARY()

static int32_t compute(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  (void)object;
  (void)context;
  if (b < -(int64_t)INT_MAX + 255 || b > INT_MAX) {
    return mesos_fail(error, "%d - %lld does not fit into 32 bits", a, (long long)b);
  }
  *result = (int32_t)(a - b);
  return 0;
}

static const mesos_calculator_table table = {.head = MESOS_CALCULATOR_HEAD, .compute = compute};

struct difference {
  const mesos_calculator_table* table;
};

static void* create(const mesos_module* self, const mesos_context* context, const mesos_host* host,
                    const mesos_parameters* parameters, mesos_error* error) {
  struct difference* object = malloc(sizeof *object);
  (void)self;
  (void)context;
  (void)parameters;
  if (object == NULL) {
    mesos_fail(error, "out of memory");
    return NULL;
  }
  object->table = &table;
  mesos_log(host, MESOS_LOG_INFO, "ready to subtract");
  return object;
}

static int32_t destroy(const mesos_module* self, const mesos_context* context, void* object, mesos_error* error) {
  (void)self;
  (void)context;
  (void)error;
  free(object);
  return 0;
}

MESOS_EXPORT const mesos_module org_example_difference;
const mesos_module org_example_difference = {
    MESOS_MODULE_HEAD("Calculator"), .version = "1.0.0", .author = "", .email = "", .description = "subtracts b from a",
    .create = create, .destroy = destroy};
