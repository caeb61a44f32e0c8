#include <mesos/module.h>
MESOS_MODULE_LIBRARY()
extern int plain(void);
int f(void) { return plain(); }
