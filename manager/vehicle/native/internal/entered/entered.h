// What native code this thread is in, for the line that is written when a signal
// ends the daemon there. Written by whoever calls into a module, read by the
// signal handler in entered.c.
#ifndef MMS_ENTERED_H
#define MMS_ENTERED_H

#include <stdint.h>

// The step of a module that runs on this thread; 0 outside of these. Weak, so that every cgo package that includes this header links by
// itself, and all of them share one variable in the daemon.
__attribute__((weak)) __thread volatile uintptr_t mms_entered;

static inline __attribute__((unused)) uintptr_t mms_enter(uintptr_t what) {
  uintptr_t outer = mms_entered;
  mms_entered = what;
  return outer;
}

static inline __attribute__((unused)) void mms_leave(uintptr_t outer) { mms_entered = outer; }

void mms_guard(void);
void mms_alone(void);
void* mms_note_new(uintptr_t start, uintptr_t end, int is_code, const char* text);
void mms_note_free(void* note);
void mms_plain(void* saved);
void mms_restore(const void* saved);
uintptr_t mms_saved_size(void);

#endif
