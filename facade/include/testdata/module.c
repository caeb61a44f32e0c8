/* A module in plain C. */
#include <mesos/module.h>
#include <mesos/roles/test_module.h>
#include <stdlib.h>

MESOS_MODULE_LIBRARY()

struct hello {
  const mesos_test_module_table* table;
  char* greeting;
};

static int32_t foo(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  (void)object;
  if (mesos_cancelled(context)) {
    return mesos_fail(error, "cancelled at %d", (int)b);
  }
  *result = (int32_t)(a + b);
  return 0;
}

static int32_t bar(void* object, const mesos_context* context, float a, double b, int32_t* result, mesos_error* error) {
  (void)object, (void)context, (void)error;
  *result = (int32_t)(a * b);
  return 0;
}

static int32_t parameters(void* object, const mesos_context* context, mesos_sink* result, mesos_error* error) {
  const struct hello* hello = object;
  (void)context, (void)error;
  result->write(result, hello->greeting, strlen(hello->greeting));
  return 0;
}

static const mesos_test_module_table table = {MESOS_TEST_MODULE_HEAD, .foo = foo, .bar = bar, .parameters = parameters};

static void* create(const mesos_module* self, const mesos_context* context, const mesos_host* host,
                    const mesos_parameters* given, mesos_error* error) {
  const char* greeting = mesos_parameter(given, "greeting");
  struct hello* hello;
  (void)context;
  if (greeting == NULL) {
    mesos_fail(error, "%s: parameter greeting is missing", self->name);
    return NULL;
  }
  hello = malloc(sizeof *hello);
  hello->table = &table;
  hello->greeting = malloc(strlen(greeting) + 1);
  strcpy(hello->greeting, greeting);
  mesos_log(host, MESOS_LOG_INFO, "hello\nfrom C");
  return hello;
}

static int32_t destroy(const mesos_module* self, const mesos_context* context, void* object, mesos_error* error) {
  struct hello* hello = object;
  (void)self, (void)context, (void)error;
  free(hello->greeting);
  free(hello);
  return 0;
}

static int32_t compatible(const mesos_module* self, const mesos_view* view, mesos_error* error) {
  uint32_t i;
  (void)self;
  for (i = 0; i < view->module_count; i++) {
    if (strcmp(mesos_view_at(view, i)->name, "org_example_rude") == 0) {
      return mesos_fail(error, "does not run beside %s", mesos_view_at(view, i)->name);
    }
  }
  return 0;
}

static const mesos_requirement requirements[] = {{MESOS_REQUIRES_MODULE, 0, "org_example_base", "^1"}};
static const mesos_parameter_spec specs[] = {{MESOS_PARAMETER_REQUIRED, 0, "greeting", "string", NULL, "what to say"}};

MESOS_EXPORT const mesos_module org_example_hello = {
  MESOS_MODULE_HEAD("TestModule"), .name = "org_example_hello", .version = "1.0.0",
  .author = "Ann Author", .email = "ann@example.org", .description = "says hello",
  .requirements = requirements, .requirement_count = 1, .parameters = specs, .parameter_count = 1,
  .compatible = compatible, .create = create, .destroy = destroy
};
