#include "optim/reference.h"

#include <math.h>

static double length(const double *values, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sqrt(sum);
}

double reference_clip(const reference_tensor *tensors, size_t n, double clip_norm, double *norm) {
    double sum = 0;
    for (size_t t = 0; t < n; t++)
        sum += pow(length(tensors[t].grad, tensors[t].count), 2);
    *norm = sqrt(sum);
    return clip_norm > 0 && *norm > clip_norm ? clip_norm / *norm : 1;
}

/* torch.optim.AdamW (arXiv 1711.05101). */
static void adamw(const clc_config_optimizer *o, reference_tensor *t, double rate, double clip,
                  int step) {
    const double decay = t->decay ? o->weight_decay : 0;
    for (size_t i = 0; i < t->count; i++) {
        const double g = clip * t->grad[i];
        double *m = &t->state[0][i], *v = &t->state[1][i];
        t->value[i] *= 1 - rate * decay;
        *m = o->beta1 * *m + (1 - o->beta1) * g;
        *v = o->beta2 * *v + (1 - o->beta2) * g * g;
        t->value[i] -= rate * (*m / (1 - pow(o->beta1, step))) /
                       (sqrt(*v / (1 - pow(o->beta2, step))) + o->epsilon);
    }
}

/* torch.optim.SGD; with LARS's factor (arXiv 1708.03888) the step that enters the momentum is
 * scaled. */
static double momentum(const clc_config_optimizer *o, reference_tensor *t, double rate,
                       double clip) {
    const double decay = t->decay ? o->weight_decay : 0;
    double factor = 1;
    for (size_t i = 0; i < t->count; i++)
        t->grad[i] = clip * t->grad[i] + decay * t->value[i];
    if (o->name == CLC_CONFIG_OPTIMIZER_LARS && t->adapt) {
        const double w = length(t->value, t->count), g = length(t->grad, t->count);
        factor = w > 0 && g > 0 ? o->trust_coefficient * w / (g + o->epsilon) : 1;
    }
    for (size_t i = 0; i < t->count; i++) {
        const double g = factor * t->grad[i];
        double *m = &t->state[0][i];
        *m = o->momentum * *m + g;
        t->value[i] -= rate * (o->nesterov ? g + o->momentum * *m : *m);
    }
    return factor;
}

double reference_step(const clc_config_optimizer *o, reference_tensor *t, double rate, double clip,
                      int step) {
    if (o->name != CLC_CONFIG_OPTIMIZER_ADAMW)
        return momentum(o, t, rate, clip);
    adamw(o, t, rate, clip, step);
    return 1;
}
