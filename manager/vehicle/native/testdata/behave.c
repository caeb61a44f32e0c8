// Modules that do one thing each, for the tests of the vehicle.
#include <mesos/module.h>
#include <mesos/roles/calculator.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

typedef struct object {
  const mesos_calculator_table* table;
  const mesos_host* host;
} object;

static int32_t compute(void* o, const mesos_context* c, uint8_t a, int64_t b, int32_t* result, mesos_error* e) {
  const object* self = o;
  (void)c;
  (void)e;
  if (b == -1) {
    *result = mesos_cancelled(self->host->lifetime);
  } else if (b == -2) {
    *(volatile int*)8 = 1;
  } else if (b == -3) {
    abort();
  } else {
    *result = (int32_t)(a + b);
  }
  return 0;
}

static const mesos_calculator_table calculator = {MESOS_CALCULATOR_HEAD, compute};
static const mesos_role_table other = {MESOS_ROLE_MAGIC, sizeof(mesos_role_table), 0, "TestModule"};
static const mesos_role_table bad_text = {MESOS_ROLE_MAGIC, sizeof(mesos_role_table), 0, "\xff\xfe"};

#define ARGS                                                                                                      \
  const mesos_module *self __attribute__((unused)), const mesos_context *context __attribute__((unused)),        \
      const mesos_host *host __attribute__((unused)), const mesos_parameters *parameters __attribute__((unused)), \
      mesos_error *error __attribute__((unused))

static void* make(const void* table, const mesos_host* host) {
  object* o = calloc(1, sizeof *o);
  o->table = table;
  o->host = host;
  return o;
}
static void* good(ARGS) { return make(&calculator, host); }
static void* null(ARGS) { return NULL; }
static void* reason(ARGS) { mesos_fail(error, "no disk left\n\x1b[31m in %s", self->name); return NULL; }
static void* endless(ARGS) { memset(error->text, 'x', sizeof error->text); return NULL; }
static void* wrong_role(ARGS) { return make(&other, host); }
static void* garbage(ARGS) { static const char text[32] = "this is no object"; return (void*)text; }
static void* no_table(ARGS) { return make(NULL, host); }
static void* not_a_table(ARGS) { return make("neither is this a table of a role", host); }
static void* odd_role(ARGS) { return make(&bad_text, host); }
static void* nowhere(ARGS) { return (void*)16; }
static void* segv(ARGS) { *(volatile int*)8 = 1; return NULL; }
static void* aborts(ARGS) { abort(); }
static void* thread(void* x) { (void)x; *(volatile int*)8 = 1; return NULL; }
static void* segv_thread(ARGS) {
  pthread_t t;
  pthread_create(&t, NULL, thread, NULL);
  pthread_join(t, NULL);
  return NULL;
}

// Says what it was given: through the log, one fact a line.
static void* says(ARGS) {
  char line[512];
  struct stat st;
  uint32_t i;
  for (i = 0; i < parameters->count; i++) {
    snprintf(line, sizeof line, "%s=%s", parameters->keys[i], parameters->values[i]);
    mesos_log(host, MESOS_LOG_INFO, line);
  }
  snprintf(line, sizeof line, "module %s, state %s, folder %d", host->module, host->state_dir,
           stat(host->state_dir, &st) == 0 && S_ISDIR(st.st_mode));
  mesos_log(host, MESOS_LOG_WARNING, line);
  snprintf(line, sizeof line, "cancelled %d, deadline %d, lifetime cancelled %d", mesos_cancelled(context),
           context->deadline_ns > 0, mesos_cancelled(host->lifetime));
  mesos_log(host, MESOS_LOG_DEBUG, line);
  for (i = 0; mesos_view_at(host->view, i) != NULL; i++) {
    const mesos_view_module* m = mesos_view_at(host->view, i);
    snprintf(line, sizeof line, "beside %s %s %s %s %s of %s", m->name, m->role, m->version, m->library, m->mesos_version,
             host->view->mesos_version);
    mesos_log(host, MESOS_LOG_ERROR, line);
  }
  if (write(host->log_fd, "no level\nX unknown\n", 19) != 19) abort();
  return make(&calculator, host);
}

// More than a pipe holds, before anybody needs to read it.
static void* floods(ARGS) {
  int i;
  for (i = 0; i < 100000; i++) mesos_log(host, MESOS_LOG_INFO, "a message that is repeated much more often than a pipe can hold");
  return make(&calculator, host);
}

// Makes nothing until it is told to stop.
static void* waits(ARGS) {
  mesos_log(host, MESOS_LOG_INFO, "waiting");
  while (!mesos_cancelled(context)) {
  }
  mesos_fail(error, "told to stop");
  return NULL;
}

#define DESTROY const mesos_module *self, const mesos_context *context __attribute__((unused)), void *o, mesos_error *error
static int32_t destroy(DESTROY) { (void)self; (void)error; free(o); return 0; }
static int32_t destroy_static(DESTROY) { (void)self; (void)error; (void)o; return 0; }
static int32_t destroy_fails(DESTROY) { (void)self; free(o); return mesos_fail(error, "the disk is full"); }
static int32_t destroy_fails_silently(DESTROY) { (void)self; (void)error; free(o); return 7; }
static int32_t destroy_says(DESTROY) {
  mesos_log(((object*)o)->host, MESOS_LOG_INFO, "last words");
  (void)error;
  return destroy(self, context, o, error);
}

static int32_t yes(const mesos_module* self, const mesos_view* view, mesos_error* error) { (void)self; (void)view; (void)error; return 0; }
static int32_t no(const mesos_module* self, const mesos_view* view, mesos_error* error) { (void)self; (void)view; (void)error; return 1; }
static int32_t asks(const mesos_module* self, const mesos_view* view, mesos_error* error) {
  const mesos_view_module* first = mesos_view_at(view, 0);
  (void)self;
  return mesos_fail(error, "%u modules, first %s %s in Mesos %s", view->module_count, first ? first->name : "none",
                    first ? first->version : "", view->mesos_version);
}

#define MODULE(name_, create_, destroy_, compatible_)                                                          \
  MESOS_EXPORT const mesos_module module_##name_ = {MESOS_MODULE_HEAD("Calculator"), .name = #name_, .create = create_, \
                                           .destroy = destroy_, .compatible = compatible_};
MESOS_MODULE_LIBRARY()
MODULE(good, good, destroy, yes)
MODULE(null, null, destroy, no)
MODULE(reason, reason, destroy, asks)
MODULE(endless, endless, destroy, NULL)
MODULE(wrong_role, wrong_role, destroy, NULL)
MODULE(garbage, garbage, destroy_static, NULL)
MODULE(no_table, no_table, destroy, NULL)
MODULE(not_a_table, not_a_table, destroy, NULL)
MODULE(odd_role, odd_role, destroy, NULL)
MODULE(nowhere, nowhere, destroy_static, NULL)
MODULE(segv, segv, destroy, NULL)
MODULE(aborts, aborts, destroy, NULL)
MODULE(segv_thread, segv_thread, destroy, NULL)
MODULE(says, says, destroy_says, NULL)
MODULE(floods, floods, destroy, NULL)
MODULE(waits, waits, destroy, NULL)
MODULE(destroy_fails, good, destroy_fails, NULL)
MODULE(destroy_fails_silently, good, destroy_fails_silently, NULL)
