/* A TestModule whose descriptor has one field that is wrong: -DWRONG='.field = value'. */
#include <stdlib.h>

#include <mesos/module.h>
#include <mesos/roles/test_module.h>

#ifndef WRONG
#define WRONG .version = "1.0.0"
#endif
#ifndef NAME
#define NAME org_apache_mesos_TestModule
#endif

static int32_t foo(void* o, const mesos_context* c, uint8_t a, int64_t b, int32_t* result, mesos_error* e) {
  (void)o, (void)c, (void)e;
  *result = (int32_t)(a + b);
  return 0;
}
static int32_t bar(void* o, const mesos_context* c, float a, double b, int32_t* result, mesos_error* e) {
  (void)o, (void)c, (void)e;
  *result = (int32_t)((double)a * b);
  return 0;
}
static const mesos_test_module_table table = {MESOS_TEST_MODULE_HEAD, .foo = foo, .bar = bar};

#ifdef NEEDS
int NEEDS(void);
__attribute__((used)) static int needs(void) { return NEEDS(); }
#endif

#ifdef OVERWRITES
extern MESOS_EXPORT mesos_module NAME;
#define CONSTANT
#else
#define CONSTANT const
#endif

static void* create(const mesos_module* self, const mesos_context* context, const mesos_host* host, const mesos_parameters* parameters,
                    mesos_error* error) {
  const mesos_test_module_table** object = malloc(sizeof *object);
  (void)self, (void)context, (void)host, (void)parameters, (void)error;
  if (object != NULL) *object = &table;
#ifdef OVERWRITES
  NAME.author = "somebody else";
#endif
  return object;
}
static int32_t destroy(const mesos_module* self, const mesos_context* context, void* object, mesos_error* error) {
  (void)self, (void)context, (void)error;
  free(object);
  return 0;
}

static int32_t admits(const mesos_module* self, const mesos_view* view, mesos_error* error) {
  (void)self, (void)view, (void)error;
  return 0;
}
__attribute__((unused)) static int32_t refuses(const mesos_module* self, const mesos_view* view, mesos_error* error) {
  (void)self, (void)view;
  return mesos_fail(error, "not on Sundays");
}
#ifndef CHECK
#define CHECK admits
#endif

MESOS_MODULE_LIBRARY()
#pragma GCC diagnostic ignored "-Woverride-init"
MESOS_EXPORT CONSTANT mesos_module NAME = {
  MESOS_MODULE_HEAD("TestModule"), .author = "Apache Mesos", .email = "modules@mesos.apache.org",
  .description = "This is a test module.", .compatible = CHECK, .create = create, .destroy = destroy, WRONG
};
