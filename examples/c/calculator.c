/* The design document's Calculator in C. */
#include <limits.h>

#include <mesos/roles/calculator.h>

MESOS_MODULE_LIBRARY()

static int32_t compute(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  (void)object;
  (void)context;
  if (b < INT_MIN || b > INT_MAX - a) {
    return mesos_fail(error, "%d + %lld does not fit into 32 bits", a, (long long)b);
  }
  *result = (int32_t)(a + b);
  return 0;
}

static const mesos_calculator_table table = {.head = MESOS_CALCULATOR_HEAD, .compute = compute};

/* It keeps nothing, so one object, which never changes, is enough for all. */
static const mesos_calculator_table* const object = &table;

static void* create(const mesos_module* self, const mesos_context* context, const mesos_host* host,
                    const mesos_parameters* parameters, mesos_error* error) {
  (void)self;
  (void)context;
  (void)host;
  (void)parameters;
  (void)error;
  return (void*)&object;
}

static int32_t destroy(const mesos_module* self, const mesos_context* context, void* it, mesos_error* error) {
  (void)self;
  (void)context;
  (void)it;
  (void)error;
  return 0;
}

MESOS_EXPORT const mesos_module org_example_calculator;
const mesos_module org_example_calculator = {
    MESOS_MODULE_HEAD("Calculator"), .version = "1.0.0", .author = "", .email = "", .description = "adds two numbers",
    .create = create, .destroy = destroy};
