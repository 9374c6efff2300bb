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
    const char *device, *checkpoint, *tasks, *data, *output, *tower, *classes, *templates, *as;
    const char *encoder, *against, *html, *by, *tokenizer;
    bool json, layers, once, pixels, preprocess, fp16, quick, dry_run, overwrite, resume;
    bool allow_changes;
    int most, k, n, opset;
    double threshold;
    bool quiet, help, version;
} clc_arguments;

/* An option as --help, the manual page and shells know it. */
typedef struct clc_option {
    const char *name, *value; /* what its value is called; NULL: it has none */
    const char *help;
} clc_option;

/* The options by number; false behind the last. */
bool clc_arguments_option(size_t i, clc_option *option);

/* Takes the options out of argv; what is left are words from *first on. */
clc_status clc_arguments_parse(clc_arguments *a, int argc, char **argv, int *first);

/* A line of help for each option. */
void clc_arguments_print(FILE *file);

#endif
