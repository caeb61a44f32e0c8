/* Ends whatever process opens it. */
#include <stdlib.h>

#include <mesos/module.h>

MESOS_MODULE_LIBRARY()
__attribute__((constructor)) static void initialise(void) { abort(); }
static void* create(const mesos_module* self, const mesos_context* context, const mesos_host* host, const mesos_parameters* parameters,
                    mesos_error* error) {
  (void)self, (void)context, (void)host, (void)parameters, (void)error;
  return NULL;
}
static int32_t destroy(const mesos_module* self, const mesos_context* context, void* o, mesos_error* error) {
  (void)self, (void)context, (void)o, (void)error;
  return 0;
}
MESOS_EXPORT const mesos_module org_example_aborts = {MESOS_MODULE_HEAD("TestModule"), .create = create, .destroy = destroy};
