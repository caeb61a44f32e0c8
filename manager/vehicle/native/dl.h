// The dynamic loader, in a form that keeps its errors: dlerror belongs to the
// thread, and a goroutine may change threads between two calls.
#ifndef MMS_DL_H
#define MMS_DL_H

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

#include "internal/entered/entered.h"

static char* dl_why(void) {
  const char* why = dlerror();
  return strdup(why != NULL ? why : "the dynamic loader gives no reason");
}

// Returns NULL, or why not, which the caller frees.
static inline char* dl_open(const char* path, int flags, uintptr_t note, uintptr_t* handle) {
  uintptr_t outer = mms_enter(note);
  void* h = dlopen(path, flags);
  char* why = h == NULL ? dl_why() : NULL;
  mms_leave(outer);
  *handle = (uintptr_t)h;
  return why;
}

static inline char* dl_close(uintptr_t handle, uintptr_t note) {
  uintptr_t outer = mms_enter(note);
  char* why = dlclose((void*)handle) != 0 ? dl_why() : NULL;
  mms_leave(outer);
  return why;
}

// Where the library was loaded, as the distance from the addresses in its file.
static inline uintptr_t dl_base(uintptr_t handle) {
  struct link_map* map = NULL;
  return dlinfo((void*)handle, RTLD_DI_LINKMAP, &map) == 0 && map != NULL ? (uintptr_t)map->l_addr : 0;
}

static inline uintptr_t dl_symbol(uintptr_t handle, const char* name) {
  return (uintptr_t)dlsym(handle != 0 ? (void*)handle : RTLD_DEFAULT, name);
}

static inline int dl_loaded(const char* path) {
  void* h = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
  if (h != NULL) dlclose(h);
  return h != NULL;
}

#endif
