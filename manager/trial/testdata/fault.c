// A sound library, but for an initialiser that does what it was compiled for.
#define _GNU_SOURCE
#include <mesos/module.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

MESOS_MODULE_LIBRARY()

// Tells a test that the initialiser runs, and for how long: WATCH names a pipe.
__attribute__((unused)) static void here(void) {
  int fd = open(getenv("WATCH"), O_WRONLY);
  if (fd < 0 || write(fd, "x", 1) != 1) exit(90);
}

// Leaves a process behind that has left the group, and returns when it has.
__attribute__((unused)) static void escapes(void) {
  int ready[2];
  char c;
  if (pipe(ready) != 0) exit(91);
  if (fork() == 0) {
    setsid();
    here();
    if (write(ready[1], "x", 1) != 1) exit(92);
    for (;;) pause();
  }
  if (read(ready[0], &c, 1) != 1) exit(93);
}

__attribute__((unused)) static void closeall(void) {
  for (int fd = 0; fd < 1024; fd++) close(fd);
}

__attribute__((unused)) static void *call(void *f) { ((void (*)(void))f)(); return NULL; }

// Goes on when f has returned on a thread of its own.
__attribute__((unused)) static void onthread(void (*f)(void)) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, call, (void *)f) != 0 || pthread_join(thread, NULL) != 0) exit(94);
}

// Only where the child has its own descriptors: others may be a tool's.
__attribute__((unused)) static void junk(void) {
  for (int fd = 200; fd < 210; fd++) {
    ssize_t n = write(fd, "junk\n", 5);
    (void)n;
  }
}

__attribute__((unused)) static void chatter(void) {
  for (int i = 0; i < 20000; i++) {
    fprintf(stdout, "{\"index\":0,\"end\":true} out %d\n", i);
    fprintf(stderr, "{\"index\":0,\"end\":true} err %d\n", i);
  }
}

// Exits unless the process is as a trial child has to be.
__attribute__((unused)) static void surroundings(void) {
  char c;
  struct rlimit core;
  struct stat s;
  if (read(0, &c, 1) != 0) exit(81);
  if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0) exit(82);
  if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) exit(83);
  if (getpgrp() != getpid()) exit(84);
  for (int fd = 3; fd < 1024; fd++)
    if (fstat(fd, &s) == 0 && (S_ISSOCK(s.st_mode) || (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)) exit(86);
  if (getenv("GOTRACEBACK") == NULL || strcmp(getenv("GOTRACEBACK"), "single") != 0) exit(87);
  if (getenv("LD_LIBRARY_PATH") == NULL || strcmp(getenv("LD_LIBRARY_PATH"), "/for/the/test") != 0) exit(88);
}

#ifdef UNDEFINED
extern int nowhere(void);
int use(void) { return nowhere(); }
#endif

__attribute__((constructor)) static void init(void) { INIT; }
