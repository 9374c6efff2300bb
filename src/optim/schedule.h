/* The learning rate of each step. */
#ifndef CLC_OPTIM_SCHEDULE_H
#define CLC_OPTIM_SCHEDULE_H

#include "core/config.h"

/* A linear warm-up comes first; then what the configuration says. */
typedef struct clc_schedule {
    const clc_config_optimizer *optimizer;
    double greatest;       /* its learning rate, scaled by the batch as it says */
    int64_t epoch;         /* steps of one */
    int64_t warmup, total; /* steps */
} clc_schedule;

/* `config` must outlive it. */
clc_schedule clc_schedule_make(const clc_config *config, int64_t steps_per_epoch);

/* The rate of step `step`, from 0. The first step of a warm-up has rate / warmup, not 0. */
double clc_schedule_rate(const clc_schedule *schedule, int64_t step);

#endif
