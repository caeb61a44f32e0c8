/* The module guide's HelloWorld in C. */
#include <stdio.h>

#include <mesos/roles/test_module.h>

MESOS_MODULE_LIBRARY()

static int32_t foo(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  (void)object;
  (void)context;
  (void)error;
  *result = (int32_t)((uint64_t)b + a);
  return 0;
}

static int32_t bar(void* object, const mesos_context* context, float a, double b, int32_t* result, mesos_error* error) {
  double product = a * b;
  (void)object;
  (void)context;
  if (!(product > -2147483649.0 && product < 2147483648.0)) {
    return mesos_fail(error, "%g * %g does not fit into 32 bits", (double)a, b);
  }
  *result = (int32_t)product;
  return 0;
}

/* What is left out, baz and parameters, the daemon answers with the default. */
static const mesos_test_module_table table = {.head = MESOS_TEST_MODULE_HEAD, .foo = foo, .bar = bar};

static const mesos_test_module_table* const object = &table;

static void* create(const mesos_module* self, const mesos_context* context, const mesos_host* host,
                    const mesos_parameters* parameters, mesos_error* error) {
  (void)self;
  (void)context;
  (void)host;
  (void)parameters;
  (void)error;
  puts("HelloWorld!");
  fflush(stdout);
  return (void*)&object;
}

static int32_t destroy(const mesos_module* self, const mesos_context* context, void* it, mesos_error* error) {
  (void)self;
  (void)context;
  (void)it;
  (void)error;
  return 0;
}

MESOS_EXPORT const mesos_module org_example_hello;
const mesos_module org_example_hello = {
    MESOS_MODULE_HEAD("TestModule"), .version = "1.0.0", .author = "", .email = "", .description = "This is a test module.",
    .create = create, .destroy = destroy};
