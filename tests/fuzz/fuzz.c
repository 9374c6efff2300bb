#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

const char *fuzz_file(const uint8_t *bytes, size_t n) {
    static char path[64];
    static int file = -1;
    if (file < 0) {
        file = memfd_create("fuzz", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    const bool written = ftruncate(file, 0) == 0 && pwrite(file, bytes, n, 0) == (ssize_t)n;
    fuzz_require(written, "the file of the input can't be written");
    return path;
}

void fuzz_require(bool right, const char *what) {
    if (right)
        return;
    fprintf(stderr, "not as it must be: %s (message: \"%s\")\n", what, clc_error());
    abort();
}

void fuzz_require_status(clc_status status) {
    fuzz_require(status == CLC_OK || clc_error()[0], "a failure without a message");
    fuzz_require(status == CLC_OK || status == CLC_FORMAT || status == CLC_INVALID,
                 clc_status_name(status));
}

void fuzz_touch(const void *data, size_t n) {
    static volatile uint8_t sink;
    const uint8_t *bytes = data;
    uint8_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + bytes[i]);
    sink = sum;
}
