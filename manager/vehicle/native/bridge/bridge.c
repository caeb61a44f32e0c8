#include "bridge.h"

mms_head mms_head_read(uintptr_t object) {
  static const char magic[8] = MESOS_ROLE_MAGIC;
  mms_head head;
  memset(&head, 0, sizeof head);
  if (object == 0) {
    head.problem = MMS_HEAD_NO_OBJECT;
    return head;
  }
  const mesos_role_table* table = ((const mesos_object*)object)->table;
  if (table == NULL) {
    head.problem = MMS_HEAD_NO_TABLE;
    return head;
  }
  if (memcmp(table->magic, magic, sizeof magic) != 0) {
    head.problem = MMS_HEAD_MAGIC;
    return head;
  }
  head.size = table->size;
  if (table->size < sizeof *table || table->size > MMS_MAX_TABLE) {
    head.problem = MMS_HEAD_SIZE;
    return head;
  }
  if (table->role == NULL) {
    head.problem = MMS_HEAD_NO_ROLE;
    return head;
  }
  while (head.role_size < MMS_MAX_ROLE && table->role[head.role_size] != 0) {
    head.role[head.role_size] = table->role[head.role_size];
    head.role_size++;
  }
  if (head.role_size == 0 || head.role_size == MMS_MAX_ROLE) {
    head.problem = MMS_HEAD_ROLE_LENGTH;
  }
  return head;
}

void mms_sink_write(mesos_sink* head, const void* data, size_t size) {
  mms_sink* sink = (mms_sink*)head;
  uint64_t record = size;
  if (sink->problem != MMS_SINK_OK) {
    return;
  }
  if (size > MMS_MAX_RESULT || sink->used + sizeof record + size > MMS_MAX_RESULT) {
    sink->problem = MMS_SINK_TOO_LARGE;
    return;
  }
  size_t need = sink->used + sizeof record + size;
  if (need > sink->capacity) {
    size_t capacity = need < 256 ? 256 : 2 * need;
    char* grown = realloc(sink->data, capacity);
    if (grown == NULL) {
      sink->problem = MMS_SINK_NO_MEMORY;
      return;
    }
    sink->data = grown;
    sink->capacity = capacity;
  }
  memcpy(sink->data + sink->used, &record, sizeof record);
  if (size > 0) {
    memcpy(sink->data + sink->used + sizeof record, data, size);
  }
  sink->used = need;
  sink->count++;
}

uintptr_t mms_failure_of(mesos_error* error, int32_t code) {
  mms_failure* failure = malloc(sizeof *failure);
  if (failure == NULL) {
    abort(); /* as Go does where a kilobyte is not to be had */
  }
  failure->code = code;
  memcpy(failure->text, error->text, sizeof failure->text);
  failure->text[sizeof failure->text - 1] = 0;
  return (uintptr_t)failure;
}
