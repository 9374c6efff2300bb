/* What tests of files share: checks of a status with its message, and a folder of their own. */
#ifndef TESTS_DATA_SUPPORT_H
#define TESTS_DATA_SUPPORT_H

#include "core/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Fails the running test with clc_error() unless `call` returns CLC_OK. */
#define CHECK(call)                                                                                \
    do {                                                                                           \
        if ((call) != CLC_OK)                                                                      \
            fail_msg("%s: %s", #call, clc_error());                                                \
    } while (0)

/* Fails it unless `call` returns the status with a message that contains `text`. */
#define CHECK_FAILS(call, expected, text)                                                          \
    do {                                                                                           \
        clc_status check_status = (call);                                                          \
        if (check_status != (expected) || !strstr(clc_error(), text))                              \
            fail_msg("%s: status %s, message \"%s\"; expected %s with \"%s\"", #call,              \
                     clc_status_name(check_status), clc_error(), #expected, text);                 \
    } while (0)

/* cmocka's group setup and teardown: makes a folder under TMPDIR, removes it with its contents. */
int make_test_folder(void **state);
int remove_test_folder(void **state);

/* The path of a file in that folder; valid for the next seven calls. */
const char *in_folder(const char *name);

/* Number of entries in that folder. */
int count_files(void);

/* Writes and reads a whole file by plain stdio. */
void put_file(const char *path, const void *data, size_t n);
uint8_t *get_file(const char *path, size_t *n);

#endif
