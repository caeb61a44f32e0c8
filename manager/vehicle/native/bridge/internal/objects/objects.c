#include "objects.h"

#include <mesos/roles/anonymous.h>
#include <mesos/roles/calculator.h>
#include <mesos/roles/hook.h>
#include <mesos/roles/isolator.h>
#include <mesos/roles/test_module.h>
#include <pthread.h>
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

/* An isolator that keeps the receiver, and answers Prepare with the bytes it was given as a name: it does not look at them. */
static mesos_receiver kept;

static int32_t watch(void* object, const mesos_context* context, mesos_bytes container, const mesos_receiver* sink, mesos_error* error) {
  (void)object, (void)context, (void)error;
  kept = *sink;
  if (container.size > 0 && memchr(container.data, '!', container.size) != NULL) {
    return mesos_fail(error, "cannot watch");
  }
  return 0;
}

static int32_t prepare(void* object, const mesos_context* context, mesos_bytes container, mesos_bytes config, mesos_sink* result,
                       mesos_error* error) {
  (void)object, (void)context, (void)config, (void)error;
  switch (((const char*)container.data)[2]) {
    case 'n': break;                                            /* nothing */
    case 'e': result->write(result, "", 0); break;              /* an empty message */
    case 'g': result->write(result, "\xff\xff\xff", 3); break;  /* garbage */
    case 't': result->write(result, "", 0), result->write(result, "", 0); break;
  }
  return 0;
}

static int32_t cleanup(void* object, const mesos_context* context, mesos_bytes container, mesos_error* error) {
  (void)object, (void)context, (void)container, (void)error;
  return 0;
}

static const mesos_isolator_table keeper_table = {MESOS_ISOLATOR_HEAD, .prepare = prepare, .watch = watch, .cleanup = cleanup};
static const mesos_isolator_table* const keeper_object = &keeper_table;

/* Sends from a thread that Go does not know. */
typedef struct {
  const void* data;
  size_t size;
  int32_t answer;
} sending;

static void* send_it(void* argument) {
  sending* s = argument;
  s->answer = mesos_send(&kept, s->data, s->size);
  return NULL;
}

int32_t mms_test_send(const void* data, size_t size) {
  sending s = {data, size, -1};
  pthread_t thread;
  if (pthread_create(&thread, NULL, send_it, &s) != 0) {
    return -1;
  }
  pthread_join(thread, NULL);
  return s.answer;
}

int32_t mms_test_open(void) { return kept.open(kept.daemon, kept.id); }

/* A hook that tells its arguments apart: what is there, and what is NULL. */
static int32_t pre_launch(void* object, const mesos_context* context, mesos_bytes task, mesos_bytes executor, mesos_bytes container,
                          mesos_bytes sandbox, mesos_bytes mapped, mesos_bytes environment, mesos_sink* result, mesos_error* error) {
  (void)object, (void)context, (void)container, (void)sandbox, (void)mapped, (void)result;
  return mesos_fail(error, "task %d, executor %d, environment %d of %d", task.data != NULL, executor.data != NULL,
                    environment.data != NULL, (int)environment.size);
}

static const mesos_hook_table teller_table = {MESOS_HOOK_HEAD, .slave_pre_launch_docker_task_executor_decorator = pre_launch};
static const mesos_hook_table* const teller_object = &teller_table;

static int32_t lost(void* object, const mesos_context* context, mesos_bytes agent, mesos_error* error) {
  (void)object, (void)context, (void)agent;
  return mesos_fail(error, "the old one is called");
}

/* A hook of a release that had three methods, with something else behind its table. */
static const struct {
  mesos_role_table head;
  void* functions[3];
  uintptr_t behind[8];
} young_table = {{MESOS_ROLE_MAGIC, offsetof(mesos_hook_table, slave_run_task_label_decorator), 0, "Hook"},
                 {NULL, NULL, (void*)lost},
                 {1, 1, 1, 1, 1, 1, 1, 1}};
static const void* const young_object = &young_table;

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
  IS("keeper", &keeper_object)
  IS("teller", &teller_object)
  IS("young", &young_object)
  return 0;
}

uintptr_t mms_test_function(void) { return (uintptr_t)add; }

int64_t mms_test_entered(void) { return __atomic_load_n(&entered, __ATOMIC_SEQ_CST); }
