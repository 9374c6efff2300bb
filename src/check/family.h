/* A family of kernels' tests in a process of its own: clcontrast-check, of tests/check. */
#ifndef CLC_CHECK_FAMILY_H
#define CLC_CHECK_FAMILY_H

#include "core/names.h"
#include "core/path.h"

#include <stdbool.h>
#include <stdint.h>

/* What such a process said; free with clc_family_free. */
typedef struct clc_family_result {
    bool ended; /* it came to its end */
    bool stuck; /* it was ended, having said nothing for too long */
    int signal; /* that ended it, or 0 */
    size_t tests, failed, skipped;
    size_t comparisons;      /* with references, within a tolerance */
    double error, tolerance; /* the greatest error beside what is allowed */
    char name[160];          /* the case that had it */
    size_t reads;            /* results that were read */
    uint64_t digest;         /* of all those results */
    double seconds;
    char *text; /* failures, and what was said of them; NULL: nothing */
} clc_family_result;

/* How it is run. */
typedef struct clc_family_call {
    const char *program, *name;
    int device;          /* its number */
    const char *profile; /* "cpu" or "gpu" */
    bool sync;           /* launch by launch */
    bool small;          /* small cases only */
} clc_family_call;

/* Finds the program with the tests: below the folder of the running program, or where it was
 * installed. */
clc_status clc_family_program(char path[CLC_PATH_BYTES]);

/* Appends the names of its families. */
clc_status clc_family_names(const char *program, clc_names *names);

/* Runs one and waits. CLC_OK whatever the tests said. */
clc_status clc_family_run(const clc_family_call *call, clc_family_result *result);
void clc_family_free(clc_family_result *result);

#endif
