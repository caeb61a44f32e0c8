/*
 * A host in C for the tests: opens libraries, makes one instance of a module of each, calls it and prints what comes back.
 *
 *   host [LIBRARY SYMBOL [KEY=VALUE | @A,B | !]...]...
 *
 * KEY=VALUE is a parameter, @A,B a call (of compute or foo), ! cancels the calls. All libraries stay open until the end.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <mesos/roles/calculator.h>
#include <mesos/roles/test_module.h>
#include <stdlib.h>

static void print(mesos_sink* sink, const void* data, size_t size) {
  (void)sink;
  printf("element %.*s\n", (int)size, (const char*)data);
}

static void call(void* object, const mesos_context* context, uint8_t a, int64_t b) {
  const mesos_role_table* head = ((const mesos_object*)object)->table;
  mesos_error error = {sizeof error, 0, ""};
  int32_t result = 0, code;
  if (strcmp(head->role, "Calculator") == 0) {
    code = ((const mesos_calculator_table*)head)->compute(object, context, a, b, &result, &error);
  } else {
    code = ((const mesos_test_module_table*)head)->foo(object, context, a, b, &result, &error);
  }
  if (code == 0) {
    printf("result %d\n", result);
  } else {
    printf("failed %s\n", error.text);
  }
}

static int is_call(const char* word) { return word[0] == '@' || word[0] == '!'; }

static int one(void* library, const char* symbol, char** words, int count) {
  const mesos_module* module = dlsym(library, symbol);
  const char *keys[16], *values[16];
  mesos_error error = {sizeof error, 0, ""};
  mesos_context context = {sizeof context, 0, 0};
  mesos_parameters parameters = {sizeof parameters, 0, keys, values};
  mesos_view_module rude = {"org_example_rude", "Calculator", "1.0.0", "", "1.12.0"};
  mesos_view views[2] = {{sizeof views[0], 0, sizeof rude, 0, NULL, "1.12.0"}, {sizeof views[1], 1, sizeof rude, 0, &rude, "1.13.0"}};
  mesos_host host = {sizeof host, 1, symbol, "/state", NULL, &views[0]};
  void* object;
  int i;
  if (module == NULL) {
    printf("no symbol\n");
    return 1;
  }
  printf("module %s %s %s %u+%u\n", module->name == NULL ? "-" : module->name, module->role, module->version,
         module->requirement_count, module->parameter_count);
  for (i = 0; module->compatible != NULL && i < 2; i++) {
    error.text[0] = 0;
    printf("%s %s\n", module->compatible(module, &views[i], &error) == 0 ? "admits" : "refuses", error.text);
  }
  for (i = 0; i < count; i++) {
    char* equals = strchr(words[i], '=');
    if (!is_call(words[i]) && equals != NULL) {
      *equals = 0;
      keys[parameters.count] = words[i];
      values[parameters.count++] = equals + 1;
    }
  }
  fflush(stdout);
  object = module->create(module, NULL, &host, &parameters, &error);
  if (object == NULL) {
    printf("not made: %s\n", error.text);
    return 0;
  }
  printf("table %s %u\n", ((const mesos_object*)object)->table->role, ((const mesos_object*)object)->table->size);
  for (i = 0; i < count; i++) {
    if (words[i][0] == '!') {
      context.cancelled = 1;
      context.deadline_ns = 1;
    } else if (words[i][0] == '@') {
      char* comma = strchr(words[i], ',');
      call(object, context.cancelled ? &context : NULL, (uint8_t)atoi(words[i] + 1), atoll(comma + 1));
    }
  }
  if (strcmp(module->role, "TestModule") == 0) {
    const mesos_test_module_table* table = (const mesos_test_module_table*)((const mesos_object*)object)->table;
    mesos_sink sink = {sizeof sink, 0, print};
    if (table->parameters != NULL) {
      table->parameters(object, NULL, &sink, &error);
    }
  }
  error.text[0] = 0;
  if (module->destroy(module, NULL, object, &error) == 0) {
    printf("destroyed\n");
  } else {
    printf("not destroyed: %s\n", error.text);
  }
  return 0;
}

static int mapped(const char* path) {
  char line[4096];
  FILE* maps = fopen("/proc/self/maps", "r");
  int found = 0;
  while (fgets(line, sizeof line, maps) != NULL) {
    found |= strstr(line, path) != NULL;
  }
  fclose(maps);
  return found;
}

int main(int argc, char** argv) {
  void* libraries[16];
  char* paths[16];
  int i = 1, n = 0, open = 0;
  dlopen("libstdc++.so.6", RTLD_NOW | RTLD_GLOBAL);
  for (i = 1; i < argc; i++) {
    if (argv[i][0] == '/') {
      paths[n] = argv[i];
      libraries[n++] = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
      if (libraries[n - 1] == NULL) {
        printf("%s\n", dlerror());
        return 1;
      }
    }
  }
  for (i = 1; i < argc; open++) {
    int first = i + 2, last = first;
    while (last < argc && argv[last][0] != '/') {
      last++;
    }
    if (one(libraries[open], argv[i + 1], argv + first, last - first) != 0) {
      return 1;
    }
    i = last;
  }
  for (i = 0; i < n; i++) {
    dlclose(libraries[i]);
  }
  for (i = 0; i < n; i++) {
    printf("%s\n", mapped(paths[i]) ? "still there" : "closed");
  }
  return 0;
}
