/*
 * mesos/module.h: the C ABI of the Mesos module system, and all that a module in C needs.
 * C++ authors include mesos/module.hpp, which is inline sugar over this file.
 *
 * Rules that every version of this file keeps:
 *   - The first 16 bytes of a descriptor, magic and size, never change.
 *   - Every struct grows at its end only, and says its size. Elements of arrays have their size beside their count.
 *   - Who allocates frees. Texts in descriptors live as long as the library.
 *   - No exception leaves a function of this ABI.
 *   - Descriptors are constant-initialised, so that they can be read from the file without running anything of it.
 *   - Every object begins with a pointer to its role's table, and the table names the role.
 */
#ifndef MESOS_MODULE_H
#define MESOS_MODULE_H

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The Mesos release these headers belong to. It is baked into every library. */
#ifndef MESOS_VERSION
#define MESOS_VERSION "1.12.0"
#endif

/* The version of the module management system: what library and daemon shake hands on. */
#ifndef MESOS_MODULE_API_VERSION
#define MESOS_MODULE_API_VERSION "1"
#endif

/* The oldest Mesos the library works with. Daemons older than MESOS_VERSION refuse the library anyway: it can only tighten. */
#ifndef MESOS_MODULE_MIN_MESOS
#define MESOS_MODULE_MIN_MESOS MESOS_VERSION
#endif

/* What the library was compiled with; shown, never judged. */
#ifdef __clang__
#define MESOS_MODULE_COMPILER __VERSION__
#else
#define MESOS_MODULE_COMPILER "GCC " __VERSION__
#endif

/* A const at namespace scope is local to its file in C++, so what is exported is declared first, with C linkage. */
#ifdef __cplusplus
#define MESOS_EXTERN_C extern "C"
#else
#define MESOS_EXTERN_C extern
#endif

#define MESOS_EXPORT __attribute__((visibility("default")))
#define MESOS_HIDDEN __attribute__((visibility("hidden")))

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Where a call says what went wrong. The daemon owns it; text is always terminated. Write it through mesos_fail. May be
 * NULL where the caller does not want to know.
 */
typedef struct mesos_error {
  uint32_t size;
  uint32_t reserved;
  char text[1016];
} mesos_error;

/* Cancel and deadline of one call. NULL where the caller has neither. */
typedef struct mesos_context {
  uint32_t size;
  int32_t cancelled;   /* read it through mesos_cancelled: the daemon writes it from another thread */
  int64_t deadline_ns; /* nanoseconds since the epoch; 0: none */
} mesos_context;

/* The parameters of the manifest, in their order; keys may repeat. */
typedef struct mesos_parameters {
  uint32_t size;
  uint32_t count;
  const char* const* keys;
  const char* const* values;
} mesos_parameters;

/* What else is loaded; valid during the call that gets it. */
typedef struct mesos_view_module {
  const char* name;
  const char* role;
  const char* version;       /* "" if the module declares none */
  const char* library;       /* path; "" for the daemon itself */
  const char* mesos_version; /* of its library */
} mesos_view_module;

typedef struct mesos_view {
  uint32_t size;
  uint32_t module_count;
  uint32_t module_size; /* of one element */
  uint32_t reserved;
  const mesos_view_module* modules; /* sorted by name; read through mesos_view_at */
  const char* mesos_version;        /* of the daemon */
} mesos_view;

/* What the daemon gives to an instance. Valid as long as the instance lives, but for view: during create only. */
typedef struct mesos_host {
  uint32_t size;
  int32_t log_fd; /* -1: none; write through mesos_log, which says what a message looks like */
  const char* module;
  const char* state_dir; /* a folder of the module's own; "" if there is none */
  const mesos_context* lifetime; /* cancelled when teardown begins */
  const mesos_view* view;
} mesos_host;

/*
 * Takes results that have no fixed size. The daemon owns it, copies what it is given, and limits the sum. Each call of
 * write adds one element: a text or a serialised API message as its bytes, a number as its bytes in memory. A result that
 * is no list is one element; none at all is the empty text. Write only during the call, from the thread that was called.
 */
typedef struct mesos_sink {
  uint32_t size;
  uint32_t reserved;
  void (*write)(struct mesos_sink* sink, const void* data, size_t size);
} mesos_sink;

/*
 * Bytes handed in: text, or a serialised API message. Not terminated. The caller owns them. Where a role's contract allows
 * a message not to be there, data is then NULL; one that says nothing has data, and the size 0.
 */
typedef struct mesos_bytes {
  const void* data;
  size_t size;
} mesos_bytes;

/*
 * Takes what a module has to say later: the functions that a role's Go interface calls sinks. Valid during the call that
 * gets it; a copy of it is good for as long as the daemon runs, so a module cannot call too late. Both functions may be
 * called from any thread, also before the call that brought the receiver has returned, and never wait.
 */
typedef struct mesos_receiver {
  uint32_t size;
  uint32_t reserved;
  void* daemon;
  uint64_t id;
  /*
   * Hands over one element, as with a mesos_sink. Returns 0 if it was taken, else one of MESOS_RECEIVER_: the caller has
   * nothing to do then.
   */
  int32_t (*send)(void* daemon, uint64_t id, const void* data, size_t size);
  /* Whether somebody still listens: 0 once the context of the call that brought it has ended, or the object is gone. */
  int32_t (*open)(void* daemon, uint64_t id);
} mesos_receiver;

enum { MESOS_RECEIVER_TAKEN = 0, MESOS_RECEIVER_CLOSED = 1, MESOS_RECEIVER_FULL = 2 };

/*
 * The head of every role's table; the role's functions follow, in the order in which its interface grew. What a table is
 * too short for, or has as NULL, the daemon answers with the method's default; a method without one must be there.
 * A function gets the object, the context (NULL: cannot be cancelled, has no deadline), the arguments, where the result
 * goes, and where the error goes; it returns 0, or anything else if it failed. mesos/roles/ has the tables.
 */
typedef struct mesos_role_table {
  char magic[8]; /* MESOS_ROLE_MAGIC */
  uint32_t size; /* of the whole table, as its author's header knew it */
  uint32_t reserved;
  const char* role;
} mesos_role_table;

/* The head of every object that create returns. */
typedef struct mesos_object {
  const mesos_role_table* table;
} mesos_object;

enum {
  MESOS_REQUIRES_MODULE = 0,
  MESOS_REQUIRES_ROLE = 1,
  MESOS_REQUIRES_OPTIONAL = 2, /* ordered and checked when it is there */
  MESOS_CONFLICTS = 3,
  MESOS_AFTER = 4 /* order only */
};

typedef struct mesos_requirement {
  uint32_t kind;
  uint32_t reserved;
  const char* target;     /* a module, or a role */
  const char* constraint; /* semver (">=1.1 <2"); "" or NULL: any */
} mesos_requirement;

enum { MESOS_PARAMETER_REQUIRED = 1, MESOS_PARAMETER_SECRET = 2, MESOS_PARAMETER_REPEATED = 4 };

typedef struct mesos_parameter_spec {
  uint32_t flags;
  uint32_t reserved;
  const char* key;
  const char* type;          /* string, bool, int, uint, float, duration, bytes */
  const char* default_value; /* NULL: none */
  const char* doc;           /* NULL: none */
} mesos_parameter_spec;

/*
 * One per library: MESOS_MODULE_LIBRARY() defines it under the name mesos_module_library.
 *
 * The C++ header leaves a second one in every library, under the name mesos_module_header and with the magic
 * MESOS_HEADER_MAGIC: weak, so that every file may have it, exported, and a plain constant. A library that has it and no
 * descriptor with a magic of its own in the file was built with these headers all the same: its descriptors are filled when
 * it is opened (a Module object whose create is a lambda, before C++17).
 */
typedef struct mesos_library {
  char magic[8]; /* MESOS_LIBRARY_MAGIC */
  uint32_t size;
  uint32_t reserved;
  const char* mms_version;
  const char* mesos_version;
  const char* min_mesos;
  const char* compiler;
} mesos_library;

/* One per module. Exported under any name; the daemon finds it by its magic. */
typedef struct mesos_module {
  char magic[8]; /* MESOS_MODULE_MAGIC */
  uint32_t size;
  uint32_t reserved;
  const char* name; /* NULL: the name of the symbol */
  const char* mms_version;
  const char* mesos_version;
  const char* role;
  const char* version; /* the module's own; "" if it has none */
  const char* author;
  const char* email;
  const char* description;
  const mesos_requirement* requirements;
  uint32_t requirement_count;
  uint32_t requirement_size; /* of one element */
  const mesos_parameter_spec* parameters; /* NULL: not described */
  uint32_t parameter_count;
  uint32_t parameter_size; /* of one element */
  /* NULL: versions have to be equal. Returns 0 to admit; otherwise error says why not. */
  int32_t (*compatible)(const struct mesos_module* self, const mesos_view* view, mesos_error* error);
  /* Returns an object, or NULL with the reason in error. */
  void* (*create)(const struct mesos_module* self, const mesos_context* context, const mesos_host* host,
                  const mesos_parameters* parameters, mesos_error* error);
  /* Gives an object back. Returns 0, or error says what went wrong; the object is gone in either case. */
  int32_t (*destroy)(const struct mesos_module* self, const mesos_context* context, void* object, mesos_error* error);
} mesos_module;

#define MESOS_LIBRARY_MAGIC {'M', 'M', 'S', 'L', 'I', 'B', 0, 1}
#define MESOS_MODULE_MAGIC {'M', 'M', 'S', 'M', 'O', 'D', 0, 1}
#define MESOS_ROLE_MAGIC {'M', 'M', 'S', 'R', 'O', 'L', 0, 1}
#define MESOS_HEADER_MAGIC {'M', 'M', 'S', 'H', 'D', 'R', 0, 1}

/* Declares the library. Once per library, at file scope; a semicolon behind it is not needed. */
#define MESOS_MODULE_LIBRARY()                                                                                   \
  MESOS_EXTERN_C MESOS_EXPORT const mesos_library mesos_module_library;                                          \
  const mesos_library mesos_module_library = {MESOS_LIBRARY_MAGIC, sizeof(mesos_library), 0,                     \
                                              MESOS_MODULE_API_VERSION, MESOS_VERSION, MESOS_MODULE_MIN_MESOS,   \
                                              MESOS_MODULE_COMPILER};

/*
 * What every descriptor in C begins with; further fields follow by name:
 *
 *   MESOS_EXPORT const mesos_module org_example_adder = {
 *     MESOS_MODULE_HEAD("Calculator"), .version = "1.0.0", .create = create, .destroy = destroy
 *   };
 */
#ifndef __cplusplus
#define MESOS_MODULE_HEAD(role_)                                                                                 \
  .magic = MESOS_MODULE_MAGIC, .size = sizeof(mesos_module), .mms_version = MESOS_MODULE_API_VERSION,            \
  .mesos_version = MESOS_VERSION, .role = (role_), .requirement_size = sizeof(mesos_requirement),                \
  .parameter_size = sizeof(mesos_parameter_spec)
#endif

/* Says what went wrong, cut to the room there is. Returns 1, so that a function may end in return mesos_fail(...). */
__attribute__((format(printf, 2, 3), unused)) static inline int32_t mesos_fail(mesos_error* error, const char* format, ...) {
  if (error != NULL && error->size > offsetof(mesos_error, text)) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, error->size - offsetof(mesos_error, text), format, arguments);
    va_end(arguments);
  }
  return 1;
}

/* Whether the caller has given up on the call, or the daemon on the instance. Cheap enough for an inner loop. */
__attribute__((unused)) static inline int mesos_cancelled(const mesos_context* context) {
  return context != NULL && __atomic_load_n(&context->cancelled, __ATOMIC_ACQUIRE) != 0;
}

/* Hands one element to a receiver. Returns 0 if it was taken. */
__attribute__((unused)) static inline int32_t mesos_send(const mesos_receiver* receiver, const void* data, size_t size) {
  return receiver == NULL || receiver->send == NULL ? MESOS_RECEIVER_CLOSED
                                                    : receiver->send(receiver->daemon, receiver->id, data, size);
}

/* The module at index of a view, whatever size the daemon's elements have; NULL past the end. */
__attribute__((unused)) static inline const mesos_view_module* mesos_view_at(const mesos_view* view, uint32_t index) {
  if (view == NULL || index >= view->module_count) {
    return NULL;
  }
  return (const mesos_view_module*)(const void*)((const char*)view->modules + (size_t)index * view->module_size);
}

/* The first value of key, or NULL. */
__attribute__((unused)) static inline const char* mesos_parameter(const mesos_parameters* parameters, const char* key) {
  uint32_t i;
  for (i = 0; parameters != NULL && i < parameters->count; i++) {
    if (strcmp(parameters->keys[i], key) == 0) {
      return parameters->values[i];
    }
  }
  return NULL;
}

enum { MESOS_LOG_DEBUG = 'D', MESOS_LOG_INFO = 'I', MESOS_LOG_WARNING = 'W', MESOS_LOG_ERROR = 'E' };

/*
 * Writes to the daemon's log, under the module's name. A message is one line, written at once so that threads do not mix:
 * the level's letter, a space, the text, a newline. Text is cut after 4000 bytes; control characters become spaces.
 * The call never waits: what the daemon does not keep up with is lost.
 */
__attribute__((unused)) static inline void mesos_log(const mesos_host* host, int level, const char* text) {
  char line[4004];
  size_t n = 2;
  const char* rest = line;
  if (host == NULL || host->log_fd < 0 || text == NULL) {
    return;
  }
  line[0] = (char)level;
  line[1] = ' ';
  for (; *text != 0 && n < 4002; text++) {
    line[n++] = (char)((unsigned char)*text < 0x20 ? ' ' : *text);
  }
  line[n++] = '\n';
  while (n > 0) {
    ssize_t written = write(host->log_fd, rest, n);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return;
    }
    rest += written;
    n -= (size_t)written;
  }
}

#ifdef __cplusplus
}
#endif
#endif
