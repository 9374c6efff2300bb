#include "optim/schedule.h"

#include <math.h>

static double batch_scale(const clc_config *config) {
    const double ratio = config->training.batch / 256.0;
    switch (config->optimizer.learning_rate_scale) {
    case CLC_CONFIG_RATE_SCALE_LINEAR:
        return ratio;
    case CLC_CONFIG_RATE_SCALE_SQRT:
        return sqrt(ratio);
    default:
        return 1;
    }
}

/* One that isn't given ends before the rate falls first. */
static double warmup_epochs(const clc_config *config) {
    const clc_config_optimizer *o = &config->optimizer;
    const double tenth = fmin(10, 0.1 * config->training.epochs);
    if (o->warmup_epochs >= 0)
        return o->warmup_epochs;
    return o->step_epochs.count ? fmin(tenth, o->step_epochs.values[0]) : tenth;
}

clc_schedule clc_schedule_make(const clc_config *config, int64_t steps_per_epoch) {
    const double per = (double)steps_per_epoch;
    return (clc_schedule){
        .optimizer = &config->optimizer,
        .greatest = config->optimizer.learning_rate * batch_scale(config),
        .epoch = steps_per_epoch,
        .warmup = (int64_t)(warmup_epochs(config) * per + 0.5),
        .total = steps_per_epoch * config->training.epochs,
    };
}

/* SGDR's, arXiv 1608.03983, without restarts. */
static double cosine(const clc_schedule *s, int64_t step) {
    const double length = (double)(s->total - s->warmup), last = s->optimizer->final_learning_rate;
    double share = length > 0 ? (double)(step - s->warmup) / length : 1;
    share = share > 1 ? 1 : share;
    return last + (1 - last) * 0.5 * (1 + cos(3.14159265358979323846 * share));
}

static double drops(const clc_schedule *s, int64_t step) {
    const clc_ints *epochs = &s->optimizer->step_epochs;
    double share = 1;
    for (size_t i = 0; i < epochs->count; i++)
        share *= step >= epochs->values[i] * s->epoch ? s->optimizer->step_factor : 1;
    return share;
}

double clc_schedule_rate(const clc_schedule *s, int64_t step) {
    if (step < s->warmup)
        return s->greatest * (double)(step + 1) / (double)s->warmup;
    switch (s->optimizer->schedule) {
    case CLC_CONFIG_SCHEDULE_COSINE:
        return s->greatest * cosine(s, step);
    case CLC_CONFIG_SCHEDULE_STEP:
        return s->greatest * drops(s, step);
    default:
        return s->greatest;
    }
}
