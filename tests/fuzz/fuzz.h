/* What targets of libFuzzer share. A target is one file with LLVMFuzzerTestOneInput, named in
 * meson.build; its seeds are written by seeds.c to a folder of its name. Build and run all with
 * run.py. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The path of a file with these bytes, for what reads by name; valid until the next call. */
const char *fuzz_file(const uint8_t *bytes, size_t n);

/* Aborts, and so is a finding, unless `right`. */
void fuzz_require(bool right, const char *what);

/* A failure must say something, and bad bytes are no failure of another kind. */
void fuzz_require_status(clc_status status);

/* Reads all `n` bytes, so that a sanitizer sees what isn't there. */
void fuzz_touch(const void *data, size_t n);

#endif
