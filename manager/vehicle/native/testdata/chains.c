// A library that puts a signal handler of its own before the one that is there, as libraries that report crashes do.
#include <mesos/module.h>

#include <signal.h>

MESOS_MODULE_LIBRARY()

static struct sigaction before;

static void handle(int sig, siginfo_t* info, void* context) { before.sa_sigaction(sig, info, context); }

__attribute__((constructor)) static void init(void) {
  struct sigaction own;
  sigaction(SIGSEGV, NULL, &before);
  own = before;
  own.sa_flags |= SA_SIGINFO | SA_ONSTACK;
  own.sa_sigaction = handle;
  sigaction(SIGSEGV, &own, NULL);
}
