#define _GNU_SOURCE
#include "entered.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

enum { SIGNALS = 6, TEXT = 1024 };
static const int signals[SIGNALS] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
static const char* const names[SIGNALS] = {"SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP"};

// A range of addresses that stands for a module: its label, an object, or the
// memory of its library. Notes are never given back to the allocator, only used
// again, so that the handler can walk the list without a lock.
typedef struct note {
  struct note* next;
  struct note* next_free;
  uintptr_t start, end;
  int is_code;
  char text[TEXT];
} note;

static note* notes;
static note* free_notes;
static pthread_mutex_t writers = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before[SIGNALS];
static int alone;

void* mms_note_new(uintptr_t start, uintptr_t end, int is_code, const char* text) {
  pthread_mutex_lock(&writers);
  note* n = free_notes;
  int fresh = n == NULL;
  if (fresh) {
    n = calloc(1, sizeof *n);
  } else {
    free_notes = n->next_free;
  }
  if (n != NULL) {
    strncpy(n->text, text, TEXT - 1);
    n->is_code = is_code;
    __atomic_store_n(&n->start, start != 0 ? start : (uintptr_t)n, __ATOMIC_RELEASE);
    __atomic_store_n(&n->end, start != 0 ? end : (uintptr_t)n + 1, __ATOMIC_RELEASE);
    if (fresh) {
      n->next = notes;
      __atomic_store_n(&notes, n, __ATOMIC_RELEASE);
    }
  }
  pthread_mutex_unlock(&writers);
  return n;
}

void mms_note_free(void* which) {
  if (which == NULL) return;
  pthread_mutex_lock(&writers);
  note* n = which;
  __atomic_store_n(&n->end, 0, __ATOMIC_RELEASE);
  n->next_free = free_notes;
  free_notes = n;
  pthread_mutex_unlock(&writers);
}

static const note* find(uintptr_t at) {
  const note* n = __atomic_load_n(&notes, __ATOMIC_ACQUIRE);
  for (; n != NULL; n = n->next) {
    if (at != 0 && at >= n->start && at < __atomic_load_n(&n->end, __ATOMIC_ACQUIRE)) return n;
  }
  return NULL;
}

// The interrupted instruction and the top of its stack; 0 where unknown.
static void where(const void* context, uintptr_t* code, uintptr_t* stack) {
  const ucontext_t* u = context;
#if defined(__x86_64__)
  *code = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
  *stack = (uintptr_t)u->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
  *code = (uintptr_t)u->uc_mcontext.pc;
  *stack = (uintptr_t)u->uc_mcontext.sp;
#else
  (void)u;
  *code = *stack = 0;
#endif
}

// The program's own code: Go's and that of cgo.
extern const char __executable_start, etext;

// Looks for a return address into a library among the topmost words of the stack:
// who called abort is not the code that is interrupted by it. The kernel reads, so
// that the end of the stack is an error and no second signal.
static const note* caller(uintptr_t stack) {
  enum { PAGE = 4096, PAGES = 16, WORDS = PAGE / sizeof(uintptr_t) };
  uintptr_t words[WORDS];
  stack &= ~(uintptr_t)(sizeof(uintptr_t) - 1);
  for (int i = 0; i < PAGES && stack != 0; i++) {
    size_t n = PAGE - stack % PAGE;
    struct iovec to = {words, n}, from = {(void*)stack, n};
    if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != (ssize_t)n) return NULL;
    for (size_t k = 0; k < n / sizeof(uintptr_t); k++) {
      const note* found = find(words[k]);
      if (found != NULL && found->is_code) return found;
    }
    stack += n;
  }
  return NULL;
}

// What this thread is in: what it has entered, else the library whose code runs,
// else the one that called what runs.
static const note* whose(const void* context) {
  uintptr_t code, stack;
  const note* n = find(mms_entered);
  if (n != NULL) return n;
  where(context, &code, &stack);
  n = find(code);
  if (n != NULL || code == 0) return n;
  if (code >= (uintptr_t)&__executable_start && code < (uintptr_t)&etext) return NULL;
  return caller(stack);
}

static size_t append(char* line, size_t n, const char* text) {
  while (*text != 0 && n < TEXT + 128) line[n++] = *text++;
  return n;
}

// Async-signal-safe: no locks, no allocation. A nil dereference in Go also comes
// by here, on a thread that is in no module, and passes silently.
static void handle(int sig, siginfo_t* info, void* context) {
  int kept = errno;
  int i = 0;
  while (i < SIGNALS - 1 && signals[i] != sig) i++;
  const note* n = whose(context);
  if (n != NULL) {
    char line[TEXT + 160];
    size_t k = append(line, 0, "\nmesos: ");
    k = append(line, k, names[i]);
    k = append(line, k, " in native code that cannot be stopped: ");
    k = append(line, k, n->text);
    line[k++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, k);
    (void)ignored;
    if (alone) {
      signal(sig, SIG_DFL);
      raise(sig);  // comes when this returns
      errno = kept;
      return;
    }
  }
  errno = kept;
  if (before[i].sa_flags & SA_SIGINFO) {
    before[i].sa_sigaction(sig, info, context);
  } else if (before[i].sa_handler != SIG_DFL && before[i].sa_handler != SIG_IGN) {
    before[i].sa_handler(sig);
  } else {
    signal(sig, SIG_DFL);
    raise(sig);
  }
}

// Puts the handler before the one that is there, with the same mask and flags, once
// in the life of the process: a library may have put one of its own before it since
// then, which calls this one, and the two must not call each other in turns.
void mms_guard(void) {
  static int guarded;
  pthread_mutex_lock(&writers);
  for (int i = 0; i < SIGNALS && !guarded; i++) {
    struct sigaction now;
    if (sigaction(signals[i], NULL, &now) != 0) continue;
    before[i] = now;
    now.sa_flags |= SA_SIGINFO | SA_ONSTACK;
    now.sa_sigaction = handle;
    sigaction(signals[i], &now, NULL);
  }
  guarded = 1;
  pthread_mutex_unlock(&writers);
}

void mms_alone(void) { __atomic_store_n(&alone, 1, __ATOMIC_RELAXED); }

uintptr_t mms_saved_size(void) { return sizeof(struct sigaction) * SIGNALS; }

void mms_plain(void* saved) {
  struct sigaction plain;
  memset(&plain, 0, sizeof plain);
  plain.sa_handler = SIG_DFL;
  for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &plain, saved != NULL ? (struct sigaction*)saved + i : NULL);
}

void mms_restore(const void* saved) {
  for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], (const struct sigaction*)saved + i, NULL);
}
