/* Training by another program: it is told what happens, ends it, and keeps its signal handlers.
 *
 *     callbacks CONFIG FOLDER */
#include <clcontrast/train.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s; %s\n", __LINE__, #condition, clc_error());               \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

typedef struct told {
    pthread_t caller;
    int64_t stop_at; /* after that step; 0: never */
    int64_t steps, of;
    int lines, warnings, results;
    bool evaluation;
    const clc_train_options *options;
} told;

static void own_handler(int number) {
    (void)number;
}

static void (*handler_now(void))(int) {
    struct sigaction action;
    REQUIRE(sigaction(SIGINT, NULL, &action) == 0);
    return action.sa_handler;
}

static void take_text(void *context, clc_log_level level, const char *text) {
    told *t = (told *)context;
    /* Later, an OpenCL driver may have its compiler's. */
    if (t->lines++ == 0)
        REQUIRE(handler_now() == own_handler);
    t->warnings += level == CLC_LOG_WARNING;
    t->results += level == CLC_LOG_RESULT;
    t->evaluation = t->evaluation || (level == CLC_LOG_RESULT && strstr(text, "kNN"));
    REQUIRE(*text && text[strlen(text) - 1] != '\n');
}

static void *train_too(void *context) {
    const told *t = (const told *)context;
    REQUIRE(clc_train(t->options) == CLC_INVALID);
    REQUIRE(strstr(clc_error(), "one at a time"));
    return NULL;
}

static void take_step(void *context, const clc_train_progress *p) {
    told *t = (told *)context;
    pthread_t other;
    REQUIRE(pthread_equal(pthread_self(), t->caller));
    REQUIRE(p->step == t->steps + 1 && p->step <= p->steps);
    REQUIRE(p->epoch >= 1 && p->epoch <= p->epochs && p->seconds_left >= 0);
    REQUIRE(p->loss > 0 && p->rate > 0);
    t->steps = p->step;
    t->of = p->steps;
    if (p->step == 2) {
        REQUIRE(pthread_create(&other, NULL, train_too, t) == 0);
        REQUIRE(pthread_join(other, NULL) == 0);
    }
}

/* "Yes" once. */
static bool ask(void *context) {
    told *t = (told *)context;
    if (!t->stop_at || t->steps < t->stop_at)
        return false;
    t->stop_at = 0;
    return true;
}

int main(int argc, char **argv) {
    char folder[4096];
    told t = {0};
    clc_train_options options = {0};
    const char *const overrides[] = {folder};
    REQUIRE(argc == 3);
    snprintf(folder, sizeof folder, "output.folder=%s", argv[2]);
    signal(SIGINT, own_handler);
    t.caller = pthread_self();
    t.options = &options;
    options.config = argv[1];
    options.overrides = overrides;
    options.override_count = 1;
    options.device = getenv("CLC_TEST_DEVICE");
    options.context = &t;
    options.log = take_text;
    options.progress = take_step;
    options.stop = ask;

    t.stop_at = 3;
    REQUIRE(clc_train(&options) == CLC_INTERRUPTED);
    REQUIRE(strstr(clc_error(), "interrupted after step"));
    REQUIRE(t.steps >= 3 && t.steps < t.of && t.results == 0);

    options.resume = true;
    REQUIRE(clc_train(&options) == CLC_OK);
    REQUIRE(t.steps == t.of && t.lines > 5 && t.evaluation);

    /* Without `log` there is silence. */
    options.log = NULL;
    options.resume = false;
    options.dry_run = true;
    REQUIRE(clc_train(&options) == CLC_OK);
    return 0;
}
