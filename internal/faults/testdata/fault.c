/* A calculator that misbehaves where it is told to: INIT when it is opened, CREATE when it is made, COMPUTE when it is called,
   DESTROY when it is closed. Each is a statement; the rest works. */
#define _GNU_SOURCE
#include <mesos/roles/calculator.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef INIT
#define INIT
#endif
#ifndef CREATE
#define CREATE
#endif
#ifndef COMPUTE
#define COMPUTE
#endif
#ifndef DESTROY
#define DESTROY
#endif
#ifndef NAME
#define NAME org_example_faulty
#endif
#ifndef HEAD
#define HEAD MESOS_CALCULATOR_HEAD
#endif

#ifndef NO_LIBRARY
MESOS_MODULE_LIBRARY()
#endif

/* Waits until a test opens the pipe. */
__attribute__((unused)) static void hang(void) {
  char c;
  int fd = open(getenv("GATE"), O_RDONLY);
  while (read(fd, &c, 1) > 0) {
  }
  close(fd);
}

__attribute__((constructor)) static void init(void) { INIT; }

static int32_t compute(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
  (void)object, (void)context, (void)error;
  COMPUTE;
  *result = (int32_t)(a + b);
  return 0;
}

static const mesos_calculator_table table = {.head = HEAD, .compute = compute};
static const mesos_calculator_table* const object = &table;

static void* create(const mesos_module* self, const mesos_context* context, const mesos_host* host,
                    const mesos_parameters* parameters, mesos_error* error) {
  (void)self, (void)context, (void)host, (void)parameters, (void)error;
  CREATE;
  return (void*)&object;
}

static int32_t destroy(const mesos_module* self, const mesos_context* context, void* o, mesos_error* error) {
  (void)self, (void)context, (void)o, (void)error;
  DESTROY;
  return 0;
}

#ifdef REQUIRED
static const mesos_requirement required = {MESOS_REQUIRES_MODULE, 0, REQUIRED};
#define FIELDS                                                                                           \
  MESOS_MODULE_HEAD("Calculator"), .version = "1.0.0", .create = create, .destroy = destroy,             \
      .requirements = &required, .requirement_count = 1
#endif
#ifndef FIELDS
#define FIELDS MESOS_MODULE_HEAD("Calculator"), .version = "1.0.0", .create = create, .destroy = destroy
#endif
#ifndef NO_MODULE
MESOS_EXPORT const mesos_module NAME;
const mesos_module NAME = {FIELDS};
#endif
