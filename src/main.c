/* The command line: reads the arguments, chooses a command and runs it. The only place that exits.
 */
#include "commands.h"

#include "core/log.h"
#include "core/status.h"
#include "eval/task.h"
#include "report/live.h"

#include <stdio.h>
#include <string.h>

static void print_help(void) {
    puts("clcontrast " CLC_VERSION ": contrastive training of encoders on any OpenCL device\n"
         "\nusage: clcontrast [options] train.ini\n       clcontrast COMMAND [options] "
         "...\n\ncommands:");
    for (size_t i = 0; i < clc_command_count; i++)
        printf("  %-8s %-25s %s\n", clc_commands[i].name, clc_commands[i].usage,
               clc_commands[i].meaning);
    puts("\noptions:");
    clc_arguments_print(stdout);
    puts("\ntasks of eval:");
    clc_tasks_print(stdout);
    puts("\nexit status: 0 success, else");
#define PRINT_STATUS(name, meaning)                                                                \
    if (CLC_##name != CLC_OK)                                                                      \
        printf("  %2d %s\n", (int)CLC_##name, meaning);
    CLC_STATUS_LIST(PRINT_STATUS)
#undef PRINT_STATUS
}

static const clc_command *find_command(const char *name) {
    for (size_t i = 0; i < clc_command_count; i++)
        if (!strcmp(clc_commands[i].name, name))
            return &clc_commands[i];
    return NULL;
}

/* A first word that is no command is a configuration file: the main job. */
static clc_status choose_command(clc_arguments *a, int count, char **words,
                                 const clc_command **chosen) {
    const clc_command *c = count ? find_command(words[0]) : NULL;
    int first = c ? 1 : 0;
    if (!count)
        return clc_fail(CLC_INVALID,
                        "nothing to do: name a train.ini or a command; see clcontrast --help");
    if (!c)
        c = &clc_commands[0];
    if (count - first < c->least || count - first > c->most)
        return clc_fail(CLC_INVALID, "usage: clcontrast %s %s [options]; see clcontrast --help",
                        c->name, c->usage);
    a->positionals = words + first;
    a->positional_count = count - first;
    *chosen = c;
    return CLC_OK;
}

static clc_status run(int argc, char **argv) {
    clc_arguments a;
    const clc_command *chosen = NULL;
    int first;
    clc_status status = clc_arguments_parse(&a, argc, argv, &first);
    if (status != CLC_OK)
        return status;
    clc_log_quiet(a.quiet);
    if (a.help)
        print_help();
    else if (a.version)
        puts("clcontrast " CLC_VERSION);
    if (a.help || a.version)
        return CLC_OK;
    status = choose_command(&a, argc - first, argv + first, &chosen);
    return status == CLC_OK ? chosen->run(&a) : status;
}

int main(int argc, char **argv) {
    clc_status status = run(argc, argv);
    if (status != CLC_OK) {
        clc_live("%s", "");
        fprintf(stderr, "clcontrast: %s\n", clc_error());
    }
    /* A full disk shows only when the results are flushed. */
    if (fflush(stdout) != 0 && status == CLC_OK) {
        fprintf(stderr, "clcontrast: standard output can't be written\n");
        status = CLC_IO;
    }
    return (int)status;
}
