extern int defined_nowhere(void);
extern int weak(void) __attribute__((weak));
#include <mesos/module.h>
MESOS_MODULE_LIBRARY()
int f(void) { return defined_nowhere() + (weak ? weak() : 0); }
