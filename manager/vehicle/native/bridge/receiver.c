#include "receiver.h"

#include <pthread.h>

/* An id is a place in slots and, above it, how often the place was used; what is shut is used once more. */
typedef struct {
  uint32_t uses;
  int32_t open;
} mms_slot;

struct mms_queue {
  pthread_mutex_t lock;
  int wake; /* -1: it has ended */
  mms_slot* slots;
  uint32_t slot_count;
  mms_sent* first;
  mms_sent** last;
  size_t unread;
};

static mms_slot* find(mms_queue* q, uint64_t id) {
  uint32_t at = (uint32_t)id;
  if (at >= q->slot_count || q->slots[at].uses != (uint32_t)(id >> 32) || !q->slots[at].open) {
    return NULL;
  }
  return &q->slots[at];
}

uintptr_t mms_queue_new(int wake) {
  mms_queue* q = calloc(1, sizeof *q);
  if (q != NULL) {
    pthread_mutex_init(&q->lock, NULL);
    q->wake = wake;
    q->last = &q->first;
  }
  return (uintptr_t)q;
}

/* A place that is free, made if there is none. */
static mms_slot* vacant(mms_queue* q) {
  uint32_t i;
  for (i = 0; i < q->slot_count; i++) {
    if (!q->slots[i].open && q->slots[i].uses < UINT32_MAX) {
      return &q->slots[i];
    }
  }
  mms_slot* grown = realloc(q->slots, (2 * (size_t)q->slot_count + 8) * sizeof *grown);
  if (grown == NULL) {
    return NULL;
  }
  memset(grown + q->slot_count, 0, (q->slot_count + (size_t)8) * sizeof *grown);
  q->slots = grown;
  q->slot_count = 2 * q->slot_count + 8;
  return &grown[i];
}

uint64_t mms_queue_open(uintptr_t queue) {
  mms_queue* q = (mms_queue*)queue;
  uint64_t id = 0;
  pthread_mutex_lock(&q->lock);
  mms_slot* slot = q->wake < 0 ? NULL : vacant(q);
  if (slot != NULL) {
    slot->open = 1;
    slot->uses++; /* so that no id is 0 */
    id = (uint64_t)slot->uses << 32 | (uint64_t)(slot - q->slots);
  }
  pthread_mutex_unlock(&q->lock);
  return id;
}

void mms_queue_shut(uintptr_t queue, uint64_t id) {
  mms_queue* q = (mms_queue*)queue;
  pthread_mutex_lock(&q->lock);
  mms_slot* slot = find(q, id);
  if (slot != NULL) {
    slot->open = 0;
  }
  pthread_mutex_unlock(&q->lock);
}

mms_sent* mms_queue_take(uintptr_t queue) {
  mms_queue* q = (mms_queue*)queue;
  pthread_mutex_lock(&q->lock);
  mms_sent* all = q->first;
  q->first = NULL;
  q->last = &q->first;
  q->unread = 0;
  pthread_mutex_unlock(&q->lock);
  return all;
}

void mms_queue_end(uintptr_t queue) {
  mms_queue* q = (mms_queue*)queue;
  pthread_mutex_lock(&q->lock);
  q->wake = -1;
  free(q->slots);
  q->slots = NULL;
  q->slot_count = 0;
  pthread_mutex_unlock(&q->lock);
  for (mms_sent *s = mms_queue_take(queue), *next; s != NULL; s = next) {
    next = s->next;
    free(s);
  }
}

int32_t mms_receiver_send(void* queue, uint64_t id, const void* data, size_t size) {
  mms_queue* q = queue;
  int32_t answer = MESOS_RECEIVER_TAKEN;
  if (q == NULL || id == 0) {
    return MESOS_RECEIVER_CLOSED;
  }
  /* The copy is made without the lock. */
  mms_sent* sent = size > MMS_MAX_UNREAD ? NULL : malloc(sizeof *sent + size);
  if (sent == NULL) {
    return MESOS_RECEIVER_FULL;
  }
  sent->next = NULL;
  sent->id = id;
  sent->size = size;
  if (size > 0) {
    memcpy(sent->data, data, size);
  }
  pthread_mutex_lock(&q->lock);
  if (find(q, id) == NULL) {
    answer = MESOS_RECEIVER_CLOSED;
  } else if (q->unread + sizeof *sent + size > MMS_MAX_UNREAD) {
    answer = MESOS_RECEIVER_FULL;
  } else {
    int quiet = q->first == NULL;
    *q->last = sent;
    q->last = &sent->next;
    q->unread += sizeof *sent + size;
    sent = NULL;
    if (quiet) {
      static const uint64_t one = 1;
      ssize_t written = write(q->wake, &one, sizeof one); /* never waits: it is an eventfd that does not block */
      (void)written;
    }
  }
  pthread_mutex_unlock(&q->lock);
  free(sent);
  return answer;
}

int32_t mms_receiver_open(void* queue, uint64_t id) {
  mms_queue* q = queue;
  if (q == NULL || id == 0) {
    return 0;
  }
  pthread_mutex_lock(&q->lock);
  int32_t open = find(q, id) != NULL;
  pthread_mutex_unlock(&q->lock);
  return open;
}
