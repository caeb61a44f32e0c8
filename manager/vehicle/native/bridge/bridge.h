/* What the generated bridges share in C. */
#ifndef MMS_BRIDGE_H
#define MMS_BRIDGE_H

#include <mesos/module.h>
#include <stdlib.h>

#include "receiver.h"

/* Into the function that cgo makes, which the error's kilobyte of stack keeps the compiler from doing by itself. */
#define MMS_INLINE static inline __attribute__((always_inline))

/* The object's head, read carefully: nothing behind it is looked at before magic, size and role are right. */
enum {
  MMS_HEAD_OK = 0,
  MMS_HEAD_NO_OBJECT,
  MMS_HEAD_NO_TABLE,
  MMS_HEAD_MAGIC,
  MMS_HEAD_SIZE,
  MMS_HEAD_NO_ROLE,
  MMS_HEAD_ROLE_LENGTH
};
enum { MMS_MAX_ROLE = 128, MMS_MAX_TABLE = 65536 };

typedef struct {
  int32_t problem;
  uint32_t size;
  uint32_t role_size;
  char role[MMS_MAX_ROLE];
} mms_head;

mms_head mms_head_read(uintptr_t object);

/* The limit of what one call may write into a sink, records included. */
#define MMS_MAX_RESULT ((size_t)64 << 20)

/* Collects elements, each as its size in 8 bytes and its content. */
typedef struct {
  mesos_sink head;
  char* data;
  size_t used;
  size_t capacity;
  uint64_t count;
  int32_t problem;
} mms_sink;

enum { MMS_SINK_OK = 0, MMS_SINK_TOO_LARGE, MMS_SINK_NO_MEMORY };

/* What a sink has collected. Whoever gets it frees data. */
typedef struct {
  uintptr_t data;
  uint64_t used;
  uint64_t count;
  int32_t problem;
} mms_result;

void mms_sink_write(mesos_sink* sink, const void* data, size_t size);

static inline void mms_sink_begin(mms_sink* sink) {
  memset(sink, 0, sizeof *sink);
  sink->head.size = sizeof sink->head;
  sink->head.write = mms_sink_write;
}

static inline mms_result mms_sink_end(mms_sink* sink) {
  mms_result result = {(uintptr_t)sink->data, sink->used, sink->count, sink->problem};
  return result;
}

static inline void mms_error_begin(mesos_error* error) {
  error->size = sizeof *error;
  error->reserved = 0;
  error->text[0] = 0;
}

/* What a call returned other than 0, on the heap. */
typedef struct {
  int32_t code;
  char text[sizeof(((mesos_error*)0)->text)]; /* terminated, whatever the module has written */
} mms_failure;

uintptr_t mms_failure_of(mesos_error* error, int32_t code);

/* Set in the one word that a call with a narrow result returns, if the rest of it is an mms_failure. */
#define MMS_FAILED (UINT64_C(1) << 63)

/* 0 if the call went well, else an mms_failure. */
static inline uintptr_t mms_error_end(mesos_error* error, int32_t code) {
  return __builtin_expect(code == 0, 1) ? 0 : mms_failure_of(error, code);
}

static inline mesos_bytes mms_bytes(const uint8_t* data, size_t size) {
  mesos_bytes bytes = {data, size};
  return bytes;
}

#endif
