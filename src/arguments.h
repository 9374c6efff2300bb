/* The options of the command line. The only exit is main's. */
#ifndef CLC_ARGUMENTS_H
#define CLC_ARGUMENTS_H

#include "core/status.h"

#include <stdbool.h>
#include <stdio.h>

enum { CLC_MAX_OVERRIDES = 64 };

typedef struct clc_arguments {
    char **positionals; /* without the command */
    int positional_count;
    const char *overrides[CLC_MAX_OVERRIDES];
    size_t override_count;
    const char *device, *checkpoint, *tasks, *output, *tower, *classes, *templates, *as;
    bool json, layers, dry_run, overwrite, resume, allow_changes;
    int most;
    bool quiet, help, version;
} clc_arguments;

/* Takes the options out of argv; what is left are words from *first on. */
clc_status clc_arguments_parse(clc_arguments *a, int argc, char **argv, int *first);

/* A line of help for each option. */
void clc_arguments_print(FILE *file);

#endif
