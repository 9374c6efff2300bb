#include "tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void pass_on(FILE *in) {
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, in) > 0) {
        int number, name = 0;
        if (sscanf(line, "not ok %d # SKIP %n", &number, &name) == 1 && name)
            printf("ok %d - %.*s # SKIP\n", number, (int)strcspn(line + name, "\n"), line + name);
        else
            fputs(line, stdout);
        fflush(stdout);
    }
    free(line);
}

/* Ends as the child did. */
static void end(pid_t child) {
    int status = 0;
    if (waitpid(child, &status, 0) != child)
        _exit(1);
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

void tap_begin(void) {
    int ends[2];
    fflush(NULL);
    if (pipe(ends))
        return;
    const pid_t child = fork();
    if (child > 0) {
        close(ends[1]);
        pass_on(fdopen(ends[0], "r"));
        end(child);
    }
    if (child == 0)
        dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
}
