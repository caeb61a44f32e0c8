#include "leash.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static pid_t parent;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void before(void) { parent = getpid(); }

// The parent may have ended before the kernel was asked.
static void copied(void) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent) _exit(0);
}

static void hold(void) { pthread_atfork(before, NULL, copied); }

void mms_leash(void) { pthread_once(&once, hold); }
