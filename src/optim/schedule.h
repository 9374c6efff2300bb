/* The learning rate of each step. */
#ifndef CLC_OPTIM_SCHEDULE_H
#define CLC_OPTIM_SCHEDULE_H

#include <stdint.h>

typedef enum clc_schedule_kind {
    CLC_SCHEDULE_COSINE, /* SGDR's, arXiv 1608.03983, without restarts */
    CLC_SCHEDULE_STEP,   /* times `factor` at each of `drops` */
    CLC_SCHEDULE_CONSTANT
} clc_schedule_kind;

enum { CLC_SCHEDULE_DROPS = 16 };

/* Everything in steps; a linear warm-up comes first. */
typedef struct clc_schedule {
    clc_schedule_kind kind;
    double rate;  /* the greatest */
    double floor; /* cosine: the last rate as a fraction of the greatest */
    double factor;
    int64_t warmup, total;
    int drop_count;
    int64_t drops[CLC_SCHEDULE_DROPS];
} clc_schedule;

/* The rate of step `step`, from 0. The first step of a warm-up has rate / warmup, not 0. */
double clc_schedule_rate(const clc_schedule *schedule, int64_t step);

#endif
