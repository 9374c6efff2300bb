#include "core/parallel.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { MOST_THREADS = 256 };

typedef struct shared {
    clc_status (*work)(void *context);
    void *context;
    pthread_mutex_t lock;
    clc_status status;
    char message[2048];
} shared;

int clc_processors(void) {
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : (int)n;
}

static void *run(void *argument) {
    shared *s = argument;
    const clc_status status = s->work(s->context);
    if (status != CLC_OK) {
        pthread_mutex_lock(&s->lock);
        if (s->status == CLC_OK) {
            s->status = status;
            snprintf(s->message, sizeof s->message, "%s", clc_error());
        }
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

clc_status clc_parallel(int threads, clc_status (*work)(void *context), void *context) {
    pthread_t ids[MOST_THREADS];
    int started = 0;
    shared s = {.work = work, .context = context, .status = CLC_OK};
    pthread_mutex_init(&s.lock, NULL);
    while (started + 1 < threads && started < MOST_THREADS &&
           pthread_create(&ids[started], NULL, run, &s) == 0)
        started++;
    run(&s);
    for (int i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    pthread_mutex_destroy(&s.lock);
    return s.status == CLC_OK ? CLC_OK : clc_fail(s.status, "%s", s.message);
}
