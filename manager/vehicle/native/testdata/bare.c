// A library without the C library, small enough to be a seed of the fuzzer.
#include <mesos/module.h>

static void* create(const mesos_module* m, const mesos_context* c, const mesos_host* h, const mesos_parameters* p, mesos_error* e) {
  (void)m; (void)c; (void)h; (void)p; (void)e;
  return (void*)0;
}
static int32_t destroy(const mesos_module* m, const mesos_context* c, void* o, mesos_error* e) {
  (void)m; (void)c; (void)o; (void)e;
  return 0;
}
MESOS_MODULE_LIBRARY()
static const mesos_requirement needs[] = {{MESOS_REQUIRES_MODULE, 0, "base", ">=1.1 <2"}};
static const mesos_parameter_spec specs[] = {{MESOS_PARAMETER_REQUIRED, 0, "key", "int", "1", "doc"}};
extern int32_t check(const mesos_module*, const mesos_view*, mesos_error*);
MESOS_EXPORT int32_t check(const mesos_module* m, const mesos_view* v, mesos_error* e) { (void)m; (void)v; (void)e; return 0; }
MESOS_EXPORT const mesos_module bare = {
    MESOS_MODULE_HEAD("Calculator"), .version = "1.2.0", .author = "Ann", .email = "a@b.c", .description = "bare",
    .requirements = needs, .requirement_count = 1, .parameters = specs, .parameter_count = 1,
    .compatible = check, .create = create, .destroy = destroy};
