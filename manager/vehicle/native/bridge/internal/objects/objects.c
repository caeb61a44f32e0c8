#include "objects.h"

#include <mesos/roles/anonymous.h>
#include <mesos/roles/calculator.h>
#include <mesos/roles/test_module.h>
#include <sched.h>

static int64_t entered;

static int32_t add(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  (void)object, (void)context, (void)error;
  *result = (int32_t)(a + b);
  return 0;
}

static int32_t refuse(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  (void)object, (void)context, (void)result;
  switch (a) {
    case 0: return 7;
    case 1: return mesos_fail(error, "no digits left for %d", (int)b);
    case 2: return mesos_fail(error, "bad \xff byte");
    default: memset(error->text, 'x', sizeof error->text); return 1; /* not terminated */
  }
}

/* 0: no context; 1: one without deadline; 2: with; plus 10 if cancelled. */
static int32_t look(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  (void)object, (void)a, (void)b, (void)error;
  *result = context == NULL ? 0 : (context->deadline_ns == 0 ? 1 : 2) + (mesos_cancelled(context) ? 10 : 0);
  return 0;
}

static int32_t deadline(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  (void)object, (void)a, (void)error;
  *result = context != NULL && context->deadline_ns == b;
  return 0;
}

static int32_t wait_cancelled(const mesos_context* context, mesos_error* error) {
  __atomic_add_fetch(&entered, 1, __ATOMIC_SEQ_CST);
  while (!mesos_cancelled(context)) {
    sched_yield();
  }
  return mesos_fail(error, "told to stop");
}

static int32_t wait(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  (void)object, (void)a, (void)b, (void)result;
  return wait_cancelled(context, error);
}

static int32_t run(void* object, const mesos_context* context, mesos_error* error) {
  (void)object;
  wait_cancelled(context, error);
  return 0;
}

static int32_t foo(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  return add(object, context, a, b, result, error);
}

static int32_t bar(void* object, const mesos_context* context, float a, double b, int32_t* result, mesos_error* error) {
  (void)object, (void)context, (void)error;
  *result = (int32_t)(a * b);
  return 0;
}

static int32_t baz(void* object, const mesos_context* context, int32_t a, int32_t b, int32_t* result, mesos_error* error) {
  (void)object, (void)context, (void)error;
  *result = a + b;
  return 0;
}

static void text(mesos_sink* sink, const char* t) { sink->write(sink, t, strlen(t)); }

static int32_t parameters(void* object, const mesos_context* context, mesos_sink* result, mesos_error* error) {
  (void)object, (void)context, (void)error;
  text(result, "operation=sum");
  text(result, "");
  text(result, "bad=\xff");
  return 0;
}

static int32_t flood(void* object, const mesos_context* context, mesos_sink* result, mesos_error* error) {
  static const char megabyte[1 << 20];
  int i;
  (void)object, (void)context, (void)error;
  for (i = 0; i < 70; i++) {
    result->write(result, megabyte, sizeof megabyte);
  }
  return 0;
}

static int32_t absurd(void* object, const mesos_context* context, mesos_sink* result, mesos_error* error) {
  (void)object, (void)context, (void)error;
  result->write(result, "", SIZE_MAX - 4);
  return 0;
}

static int32_t give_up(void* object, const mesos_context* context, mesos_sink* result, mesos_error* error) {
  (void)object, (void)context;
  text(result, "half of it");
  return mesos_fail(error, "and then it broke");
}

#define CALCULATOR(name_, ...)                                                                    \
  static const mesos_calculator_table name_##_table = {MESOS_CALCULATOR_HEAD, __VA_ARGS__};       \
  static const mesos_calculator_table* const name_##_object = &name_##_table;
#define TEST_MODULE(name_, ...)                                                                   \
  static const mesos_test_module_table name_##_table = {MESOS_TEST_MODULE_HEAD, __VA_ARGS__};     \
  static const mesos_test_module_table* const name_##_object = &name_##_table;
#define HEAD(name_, size_, role_)                                                                 \
  static const mesos_role_table name_##_table = {MESOS_ROLE_MAGIC, size_, 0, role_};              \
  static const mesos_role_table* const name_##_object = &name_##_table;

CALCULATOR(adder, add)
CALCULATOR(refuser, refuse)
CALCULATOR(looker, look)
CALCULATOR(clock, deadline)
CALCULATOR(waiter, wait)
CALCULATOR(hollow, NULL)
TEST_MODULE(whole, foo, bar, baz, parameters)
TEST_MODULE(partial, foo, bar, NULL, NULL)
TEST_MODULE(flooder, foo, bar, baz, flood)
TEST_MODULE(giant, foo, bar, baz, absurd)
TEST_MODULE(quitter, foo, bar, baz, give_up)

static const mesos_anonymous_table runner_table = {MESOS_ANONYMOUS_HEAD, run};
static const mesos_anonymous_table* const runner_object = &runner_table;

/* A table of the release before baz and parameters: shorter, with something else behind it. */
static const struct {
  mesos_role_table head;
  void* functions[2];
  uintptr_t behind[2];
} old_table = {{MESOS_ROLE_MAGIC, offsetof(mesos_test_module_table, baz), 0, "TestModule"},
               {(void*)foo, (void*)bar},
               {1, 1}};
static const void* const old_object = &old_table;

static const mesos_role_table* const tableless_object = NULL;
static const char* const text_object = "no table at all";
static const char* const* const text_pointer = &text_object;
HEAD(tiny, 8, "Calculator")
HEAD(huge, 0x7fffffff, "Calculator")
HEAD(roleless, sizeof(mesos_role_table), NULL)
HEAD(nameless, sizeof(mesos_role_table), "")
HEAD(stranger, sizeof(mesos_role_table), "Alloc\xff" "tor")
HEAD(short, sizeof(mesos_role_table), "Calculator")

static char endless[4096];
static mesos_role_table endless_table = {MESOS_ROLE_MAGIC, sizeof(mesos_role_table), 0, endless};
static const mesos_role_table* const endless_object = &endless_table;

uintptr_t mms_test_object(const char* name) {
#define IS(name_, object_)         \
  if (strcmp(name, name_) == 0) { \
    return (uintptr_t)(object_);  \
  }
  memset(endless, 'R', sizeof endless);
  IS("adder", &adder_object)
  IS("refuser", &refuser_object)
  IS("looker", &looker_object)
  IS("clock", &clock_object)
  IS("waiter", &waiter_object)
  IS("hollow", &hollow_object)
  IS("whole", &whole_object)
  IS("partial", &partial_object)
  IS("flooder", &flooder_object)
  IS("giant", &giant_object)
  IS("quitter", &quitter_object)
  IS("runner", &runner_object)
  IS("old", &old_object)
  IS("tableless", &tableless_object)
  IS("text", text_pointer)
  IS("tiny", &tiny_object)
  IS("huge", &huge_object)
  IS("roleless", &roleless_object)
  IS("nameless", &nameless_object)
  IS("stranger", &stranger_object)
  IS("short", &short_object)
  IS("endless", &endless_object)
  return 0;
}

uintptr_t mms_test_function(void) { return (uintptr_t)add; }

int64_t mms_test_entered(void) { return __atomic_load_n(&entered, __ATOMIC_SEQ_CST); }
