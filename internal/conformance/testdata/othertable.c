/* Says that it is a Calculator, and makes TestModules. */
#include <mesos/module.h>
#include <mesos/roles/test_module.h>

static const mesos_test_module_table table = {MESOS_TEST_MODULE_HEAD, .foo = NULL};
static const mesos_test_module_table* object = &table;

static void* create(const mesos_module* self, const mesos_context* context, const mesos_host* host, const mesos_parameters* parameters,
                    mesos_error* error) {
  (void)self, (void)context, (void)host, (void)parameters, (void)error;
  return &object;
}
static int32_t destroy(const mesos_module* self, const mesos_context* context, void* o, mesos_error* error) {
  (void)self, (void)context, (void)o, (void)error;
  return 0;
}

MESOS_MODULE_LIBRARY()
MESOS_EXPORT const mesos_module org_example_other = {MESOS_MODULE_HEAD("Calculator"), .create = create, .destroy = destroy};
