#include "check/family.h"

#include "core/clock.h"
#include "core/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* An interpreter takes minutes for one case. */
enum { SILENT_SECONDS = 900, TEXT_MOST = 64 * 1024 };
static const char small_work[] = "40000"; /* multiply-adds */

extern char **environ;

static bool is_program(const char *path) {
    return access(path, X_OK) == 0;
}

clc_status clc_family_program(char path[CLC_PATH_BYTES]) {
    static const char *const places[] = {"../libexec/clcontrast", "../tests/check"};
    clc_status status = CLC_OK;
    char self[CLC_PATH_BYTES];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = NULL;
    if (length > 0) {
        self[length] = '\0';
        slash = strrchr(self, '/');
    }
    for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
        *slash = '\0';
        CLC_TRY(clc_path_format(path, "%s/%s/clcontrast-check", self, places[i]));
        if (is_program(path))
            return CLC_OK;
    }
    CLC_TRY(clc_path_format(path, "%s/clcontrast-check", CLC_LIBEXEC));
    if (!is_program(path))
        status = clc_fail(CLC_IO,
                          "%s, which has the tests, is not there; install it with the "
                          "program (meson install)",
                          path);
fail:
    return status;
}

/* A process and the end of what it says. */
typedef struct process {
    pid_t id;
    int out;
    double heard; /* when it said something last */
} process;

static clc_status start(const char *const *arguments, process *p) {
    int ends[2];
    posix_spawn_file_actions_t actions;
    if (pipe(ends))
        return clc_fail(CLC_IO, "no pipe: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    const int code = posix_spawn(&p->id, arguments[0], &actions, NULL, (char **)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    p->out = ends[0];
    p->heard = clc_seconds();
    if (!code)
        return CLC_OK;
    close(ends[0]);
    return clc_fail(CLC_IO, "%s can't be started: %s", arguments[0], strerror(code));
}

/* Bytes read; 0 at the end, or when it is to be ended. */
static size_t listen_to(process *p, char *data, size_t size, bool *stuck) {
    for (;;) {
        struct pollfd waits = {.fd = p->out, .events = POLLIN};
        const int ready = poll(&waits, 1, 500);
        *stuck = clc_seconds() - p->heard > SILENT_SECONDS;
        if (*stuck || clc_signals_stop()) {
            kill(p->id, SIGKILL);
            return 0;
        }
        if (ready <= 0)
            continue;
        const ssize_t n = read(p->out, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        p->heard = clc_seconds();
        return n > 0 ? (size_t)n : 0;
    }
}

/* Its exit status, or minus the signal that ended it. */
static int finish(process *p) {
    int how = 0;
    close(p->out);
    while (waitpid(p->id, &how, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(how) ? -WTERMSIG(how) : WEXITSTATUS(how);
}

/* All that it says, and how it ends. */
static clc_status hear(const char *const *arguments, char **text, int *how, bool *stuck) {
    clc_status status = CLC_OK;
    process p;
    size_t length = 0, capacity = 0;
    char block[4096];
    *text = NULL;
    CLC_TRY(start(arguments, &p));
    for (size_t n; (n = listen_to(&p, block, sizeof block, stuck)) > 0;) {
        if (length + n + 1 > capacity) {
            char *more = realloc(*text, capacity = 2 * (length + n + 1));
            if (!more) {
                status = clc_fail_alloc(capacity);
                kill(p.id, SIGKILL);
                break;
            }
            *text = more;
        }
        memcpy(*text + length, block, n);
        (*text)[length += n] = '\0';
    }
    *how = finish(&p);
fail:
    return status;
}

clc_status clc_family_names(const char *program, clc_names *names) {
    const char *const arguments[] = {program, NULL};
    clc_status status = CLC_OK;
    char *text = NULL;
    int how = 0;
    bool stuck = false;
    CLC_TRY(hear(arguments, &text, &how, &stuck));
    if (how || !text)
        CLC_TRY(clc_fail(CLC_IO, "%s doesn't run: %s", program, text ? text : "it says nothing"));
    for (const char *line = text; *line;) {
        const size_t length = strcspn(line, "\n");
        CLC_TRY(clc_names_add(names, line, length));
        line += length + (line[length] == '\n');
    }
fail:
    free(text);
    return status;
}

static bool begins(const char *line, const char *word) {
    return !strncmp(line, word, strlen(word));
}

/* Takes the numbers of the last line; true if the line is one of those that explain a failure. */
static bool note(clc_family_result *r, const char *line) {
    unsigned long long digest = 0;
    int name = 0;
    if (begins(line, "test ") || begins(line, "source "))
        return false;
    if (sscanf(line, "end %zu %zu %zu %zu %lf %lf %zu %llx %n", &r->tests, &r->failed, &r->skipped,
               &r->comparisons, &r->error, &r->tolerance, &r->reads, &digest, &name) < 8)
        return true;
    r->digest = digest;
    r->ended = true;
    if (name)
        snprintf(r->name, sizeof r->name, "%s", line + name);
    return false;
}

/* Leaves of `text` the lines that explain failures. */
static void digest_lines(clc_family_result *r) {
    char *to = r->text, *line = r->text;
    while (line && *line) {
        char *end = line + strcspn(line, "\n");
        char *next = *end ? end + 1 : end;
        *end = '\0';
        if (note(r, line)) {
            const size_t length = strlen(line);
            memmove(to, line, length);
            to += length;
            *to++ = '\n';
        }
        line = next;
    }
    if (to)
        *to = '\0';
    if (to && to - r->text > TEXT_MOST)
        strcpy(r->text + TEXT_MOST, "... (cut)\n");
}

clc_status clc_family_run(const clc_family_call *call, clc_family_result *result) {
    clc_status status = CLC_OK;
    const char *arguments[8];
    char device[16];
    int n = 0, how = 0;
    const double began = clc_seconds();
    *result = (clc_family_result){0};
    snprintf(device, sizeof device, "%d", call->device);
    arguments[n++] = call->program;
    if (call->sync)
        arguments[n++] = "-s";
    if (call->small) {
        arguments[n++] = "-w";
        arguments[n++] = small_work;
    }
    arguments[n++] = device;
    arguments[n++] = call->profile;
    arguments[n++] = call->name;
    arguments[n] = NULL;
    CLC_TRY(hear(arguments, &result->text, &how, &result->stuck));
    digest_lines(result);
    result->signal = how < 0 ? -how : 0;
    result->seconds = clc_seconds() - began;
fail:
    return status;
}

void clc_family_free(clc_family_result *result) {
    free(result->text);
    result->text = NULL;
}
