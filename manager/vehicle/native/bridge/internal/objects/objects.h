/* Objects in plain C for the tests of the bridge. */
#ifndef MMS_TEST_OBJECTS_H
#define MMS_TEST_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

uintptr_t mms_test_object(const char* name);
uintptr_t mms_test_function(void);
int64_t mms_test_entered(void);
int32_t mms_test_send(const void* data, size_t size);
int32_t mms_test_open(void);

#endif
