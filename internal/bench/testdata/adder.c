#include <stdlib.h>

#include <mesos/roles/calculator.h>

MESOS_MODULE_LIBRARY()

static int32_t compute(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  (void)object, (void)context, (void)error;
  *result = (int32_t)(a + b);
  return 0;
}

static const mesos_calculator_table table = {.head = MESOS_CALCULATOR_HEAD, .compute = compute};

struct adder {
  const mesos_calculator_table* table;
};

static void* create(const mesos_module* self, const mesos_context* context, const mesos_host* host,
                    const mesos_parameters* parameters, mesos_error* error) {
  struct adder* object = malloc(sizeof *object);
  (void)self, (void)context, (void)host, (void)parameters;
  if (object == NULL) {
    mesos_fail(error, "out of memory");
    return NULL;
  }
  object->table = &table;
  return object;
}

static int32_t destroy(const mesos_module* self, const mesos_context* context, void* object, mesos_error* error) {
  (void)self, (void)context, (void)error;
  free(object);
  return 0;
}

MESOS_EXPORT const mesos_module org_example_copy_000;
const mesos_module org_example_copy_000 = {
    MESOS_MODULE_HEAD("Calculator"), .version = "1.0.0", .author = "", .email = "", .description = "adds",
    .create = create, .destroy = destroy};
