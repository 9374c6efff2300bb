#include "optim/schedule.h"

#include <math.h>

static double cosine(const clc_schedule *s, int64_t step) {
    const double length = (double)(s->total - s->warmup);
    double share = length > 0 ? (double)(step - s->warmup) / length : 1;
    share = share > 1 ? 1 : share;
    return s->floor + (1 - s->floor) * 0.5 * (1 + cos(3.14159265358979323846 * share));
}

double clc_schedule_rate(const clc_schedule *s, int64_t step) {
    double share = 1;
    if (step < s->warmup)
        return s->rate * (double)(step + 1) / (double)s->warmup;
    if (s->kind == CLC_SCHEDULE_COSINE)
        share = cosine(s, step);
    for (int i = 0; s->kind == CLC_SCHEDULE_STEP && i < s->drop_count; i++)
        share *= step >= s->drops[i] ? s->factor : 1;
    return s->rate * share;
}
