#include "report/progress.h"

#include "core/clock.h"
#include "core/log.h"

#include <inttypes.h>
#include <stdio.h>

static const double live_interval = 0.2, plain_interval = 15.0; /* seconds */

void clc_progress_start(clc_progress *progress, int64_t first, int64_t last,
                        int64_t steps_per_epoch, int samples, const char *unit) {
    const double now = clc_seconds();
    *progress = (clc_progress){first, last, steps_per_epoch, samples, unit, now, now};
}

double clc_progress_rate(const clc_progress *progress, int64_t steps_done) {
    double seconds = clc_seconds() - progress->started;
    return seconds > 0 ? (double)((steps_done - progress->first) * progress->samples) / seconds : 0;
}

double clc_progress_left(const clc_progress *progress, int64_t steps_done) {
    const int64_t done = steps_done - progress->first, remaining = progress->last - steps_done;
    const double spent = clc_seconds() - progress->started;
    return done > 0 ? spent / (double)done * (double)remaining : 0;
}

void clc_progress_time(double seconds, char *text, size_t size) {
    long total = (long)(seconds + 0.5);
    if (total >= 3600)
        snprintf(text, size, "%ld:%02ld:%02ld", total / 3600, total / 60 % 60, total % 60);
    else
        snprintf(text, size, "%ld:%02ld", total / 60, total % 60);
}

void clc_progress_show(clc_progress *progress, int64_t steps_done, double loss, double rate,
                       int force) {
    const double now = clc_seconds();
    const double interval = clc_live_enabled() ? live_interval : plain_interval;
    if (!force && now - progress->shown < interval)
        return;
    progress->shown = now;
    char left[32], line[256];
    int64_t per = progress->steps_per_epoch, at = steps_done > 0 ? steps_done - 1 : 0;
    clc_progress_time(clc_progress_left(progress, steps_done), left, sizeof left);
    snprintf(line, sizeof line,
             "epoch %" PRId64 "/%" PRId64 "  step %" PRId64 "/%" PRId64
             "  loss %.4f  rate %.4g  %.0f %s/s  %s left",
             at / per + 1, (progress->last + per - 1) / per, at % per + 1, per, loss, rate,
             clc_progress_rate(progress, steps_done), progress->unit, left);
    if (clc_live_enabled() && !force)
        clc_live("%s", line);
    else
        clc_log("%s", line);
}
