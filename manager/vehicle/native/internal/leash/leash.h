#ifndef MMS_LEASH_H
#define MMS_LEASH_H

// From now on, copies that C code forks off this process end with it.
void mms_leash(void);

#endif
