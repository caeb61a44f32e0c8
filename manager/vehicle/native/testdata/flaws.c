// Declarations with one fault each; and sound ones that look odd.
#include <mesos/module.h>

static void* create(const mesos_module* m, const mesos_context* c, const mesos_host* h, const mesos_parameters* p, mesos_error* e) {
  (void)m; (void)c; (void)h; (void)p; (void)e;
  return NULL;
}
static int32_t destroy(const mesos_module* m, const mesos_context* c, void* o, mesos_error* e) {
  (void)m; (void)c; (void)o; (void)e;
  return 0;
}

#define BODY .create = create, .destroy = destroy
#define MODULE(name_, ...) MESOS_EXPORT const mesos_module name_ = {MESOS_MODULE_HEAD("Calculator"), BODY, __VA_ARGS__};

MESOS_MODULE_LIBRARY()

MODULE(named_by_symbol, .name = NULL)
MODULE(symbol_of_another_name, .name = "org_example_named", .version = "1.2.0", .author = "Ann", .email = "a@b.c", .description = "größer")
MODULE(null_role, .role = NULL)
MODULE(null_versions, .mms_version = NULL, .mesos_version = NULL)
MODULE(null_functions, .create = NULL, .destroy = NULL)
MODULE(empty_name, .name = "")
MODULE(not_utf8, .author = "\xff\xfe\xfd")
MODULE(control, .description = "a\x1b[31mred")
MODULE(duplicate_a, .name = "twice")
MODULE(duplicate_b, .name = "twice")

#define X16(x) x x x x x x x x x x x x x x x x
MODULE(long_name, .name = X16(X16("ab")))
MODULE(long_text, .description = X16(X16(X16("ab"))))
static char endless[5000] __attribute__((section(".data"))) = {[0 ... 4999] = 'x'};
MODULE(no_end, .email = endless)
MODULE(no_address, .author = (const char*)12345)
extern const char elsewhere[] __attribute__((weak));
MODULE(outside, .author = elsewhere)

static const mesos_requirement all_kinds[] = {
    {MESOS_REQUIRES_MODULE, 0, "base", ">=1.1 <2"}, {MESOS_REQUIRES_ROLE, 0, "TestModule", NULL},
    {MESOS_REQUIRES_OPTIONAL, 0, "log", ""},        {MESOS_CONFLICTS, 0, "evil", "<3"},
    {MESOS_AFTER, 0, "first", NULL},
};
MODULE(requires_all, .requirements = all_kinds, .requirement_count = 5)
static const mesos_requirement odd[] = {{99, 0, "base", NULL}, {0, 0, NULL, NULL}, {MESOS_AFTER, 0, "x", ">1"}};
MODULE(requires_odd, .requirements = odd, .requirement_count = 3)
MODULE(requires_null, .requirements = NULL, .requirement_count = 3)
MODULE(requires_too_many, .requirements = all_kinds, .requirement_count = 0xffffffffu)
MODULE(requires_beyond, .requirements = all_kinds, .requirement_count = 1000)
MODULE(requires_tiny, .requirements = all_kinds, .requirement_count = 1, .requirement_size = 8)
MODULE(requires_huge, .requirements = all_kinds, .requirement_count = 1, .requirement_size = 0x7fffffff)

typedef struct { mesos_requirement known; const char* later; } longer_requirement;
static const longer_requirement longer[] = {{{0, 0, "one", NULL}, "x"}, {{0, 0, "two", "1.0.0"}, "y"}};
MODULE(requires_longer, .requirements = (const mesos_requirement*)longer, .requirement_count = 2, .requirement_size = sizeof(longer_requirement))

static const mesos_parameter_spec specs[] = {
    {MESOS_PARAMETER_REQUIRED | MESOS_PARAMETER_SECRET, 0, "token", "string", NULL, "what to say"},
    {MESOS_PARAMETER_REPEATED, 0, "host", "string", "localhost", NULL},
};
MODULE(parameters, .parameters = specs, .parameter_count = 2)
MODULE(no_parameters, .parameters = specs, .parameter_count = 0)
static const mesos_parameter_spec odd_specs[] = {{64, 0, NULL, "colour", NULL, NULL}};
MODULE(parameters_odd, .parameters = odd_specs, .parameter_count = 1)

// Sizes: what an older header knew, what a later one will know, and nonsense.
typedef struct { char magic[8]; uint32_t size, reserved; const char* name; const char* mms; const char* mesos; const char* role; } older_module;
MESOS_EXPORT const older_module older = {MESOS_MODULE_MAGIC, sizeof(older_module), 0, "older", "1", "1.11.0", "Calculator"};
typedef struct { mesos_module known; void* later[4]; } newer_module;
MESOS_EXPORT const newer_module newer = {
    {MESOS_MODULE_HEAD("Calculator"), BODY, .size = sizeof(newer_module), .name = "newer"}, {(void*)create}};
MODULE(size_zero, .size = 0)
MODULE(size_absurd, .size = 0xffffffffu)
MODULE(size_beyond_symbol, .size = sizeof(mesos_module) + 8)
