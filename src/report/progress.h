/* Progress of training: one live line on a terminal, plain lines now and then otherwise. */
#ifndef CLC_REPORT_PROGRESS_H
#define CLC_REPORT_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

typedef struct clc_progress {
    int64_t first, last, steps_per_epoch; /* steps of this session: [first, last) */
    int samples;                          /* a step */
    const char *unit;                     /* what they are called */
    double started, shown;                /* seconds; when it began and was last shown */
} clc_progress;

/* Such as 1:05 or 1:00:00. */
void clc_progress_time(double seconds, char *text, size_t size);

void clc_progress_start(clc_progress *progress, int64_t first, int64_t last,
                        int64_t steps_per_epoch, int samples, const char *unit);

/* Samples a second since the start of the session. */
double clc_progress_rate(const clc_progress *progress, int64_t steps_done);

/* Seconds that the rest of the session takes, as far as is known; 0 before a step is timed. */
double clc_progress_left(const clc_progress *progress, int64_t steps_done);

/* Shows the state after `steps_done` steps, unless it was shown a moment ago (`force`: always). */
void clc_progress_show(clc_progress *progress, int64_t steps_done, double loss, double rate,
                       int force);

#endif
