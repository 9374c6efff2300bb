/* The commands of the program. */
#ifndef CLC_COMMANDS_H
#define CLC_COMMANDS_H

#include "arguments.h"

typedef struct clc_command {
    const char *name, *usage, *meaning;
    int least, most; /* positional arguments */
    clc_status (*run)(const clc_arguments *);
} clc_command;

/* In the order of --help; the first is what a configuration alone stands for. */
extern const clc_command clc_commands[];
extern const size_t clc_command_count;

#endif
