/* What a module has to say later, on its way from any thread of C to Go. */
#ifndef MMS_RECEIVER_H
#define MMS_RECEIVER_H

#include <mesos/module.h>
#include <stdlib.h>

/*
 * One queue per object. Its memory is never given back, a few hundred bytes, since a module may call too late: then it finds
 * a queue in which nothing is open.
 */
typedef struct mms_queue mms_queue;

/* A receiver of a queue. id 0 is one that was never open. */
typedef struct {
  uintptr_t queue;
  uint64_t id;
} mms_receiver_id;

/* One element that was sent; whoever takes it frees it. */
typedef struct mms_sent {
  struct mms_sent* next;
  uint64_t id;
  size_t size;
  char data[];
} mms_sent;

/* cgo does not see the member itself. */
static inline const void* mms_sent_data(const mms_sent* sent) { return sent->data; }

/* The limit of what lies unread in a queue. */
#define MMS_MAX_UNREAD ((size_t)64 << 20)

/* wake is an eventfd, which is written to when something lies in the queue; it stays the caller's. 0: no memory. */
uintptr_t mms_queue_new(int wake);

/* Returns 0 if there is no memory. */
uint64_t mms_queue_open(uintptr_t queue);
void mms_queue_shut(uintptr_t queue, uint64_t id);

/* Takes all that lies in the queue, oldest first. */
mms_sent* mms_queue_take(uintptr_t queue);

/* Shuts all receivers and drops what is unread. wake is not written to any more. */
void mms_queue_end(uintptr_t queue);

int32_t mms_receiver_send(void* queue, uint64_t id, const void* data, size_t size);
int32_t mms_receiver_open(void* queue, uint64_t id);

static inline mesos_receiver mms_receiver(mms_receiver_id r) {
  mesos_receiver receiver = {sizeof receiver, 0, (void*)r.queue, r.id, mms_receiver_send, mms_receiver_open};
  return receiver;
}

#endif
