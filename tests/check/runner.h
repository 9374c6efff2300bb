/* The program behind `clcontrast check`: the tests of kernels, a family at a time.
 *
 *     clcontrast-check                                      names of all families, a line each
 *     clcontrast-check [-s] [-w N] DEVICE PROFILE FAMILY  runs one; -s: device.sync = every, -w:
 * the most multiply-adds of a case
 *
 * Each line that it prints begins with a word:
 *
 *     test NAME                   a test begins
 *     failed TEXT                 it failed, or crashed; what follows belongs to it
 *     kernel SOURCE NAME OPTIONS  what it ran last
 *     seed N                      of the values that it had
 *     source SOURCE               a kernel source that the family ran
 *     end TESTS FAILED SKIPPED COMPARISONS ERROR TOLERANCE READS DIGEST NAME
 *
 * ERROR is the greatest beside what is allowed (TOLERANCE) of the COMPARISONS, that of NAME; DIGEST
 * is of all that was read from the device, in READS parts. Other lines explain. */
#ifndef TESTS_CHECK_RUNNER_H
#define TESTS_CHECK_RUNNER_H

#include <stddef.h>
#include <stdint.h>

/* What trace.c has seen. */
typedef struct check_reads {
    size_t count;
    uint64_t digest;
} check_reads;
check_reads check_reads_get(void);

/* Prints kernels and seeds of the running test; forgets them. */
void check_trace_print(void);
void check_trace_forget(void);

/* Prints the sources that ran. */
void check_sources_print(void);

#endif
