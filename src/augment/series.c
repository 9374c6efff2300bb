#include "augment/series.h"

#include "core/math.h"

#include <stdio.h>

enum { OPTIONS = 1024, MAX_CONTEXT = 1 << 20, MAX_VALUES = 1 << 26 };

/* One of the changes: its probability, the range of its amount, and what that may be. */
typedef struct change {
    const char *key, *name; /* in the configuration, in the kernel */
    double probability;
    const clc_floats *range;
    double least, most;
} change;

enum { CHANGES = 6 };

static void list_changes(const clc_config_series *s, change changes[CHANGES]) {
    const change all[CHANGES] = {
        {"crop", "CROP", s->crop, &s->crop_range, 0, 1},
        {"warp", "WARP", s->warp, &s->warp_range, 0, 0.9},
        {"permute", "PERMUTE", s->permute, &s->permute_range, 1, SERIES_SEGMENTS_MAX},
        {"scale", "SCALE", s->scale, &s->scale_range, 0, 10},
        {"jitter", "JITTER", s->jitter, &s->jitter_range, 0, 10},
        {"drop", "DROP", s->drop, &s->drop_range, 0, 1}};
    for (int i = 0; i < CHANGES; i++)
        changes[i] = all[i];
}

static clc_status check_probability(const char *key, double p) {
    return p >= 0 && p <= 1
               ? CLC_OK
               : clc_fail(CLC_INVALID, "series.%s is %g, but a probability is 0 to 1", key, p);
}

clc_status clc_series_augment_check(const clc_series_augment *a) {
    clc_status status = CLC_OK;
    change changes[CHANGES];
    list_changes(&a->settings, changes);
    if (a->context < 1 || a->context > MAX_CONTEXT || a->channels < 1 ||
        (double)a->context * a->channels > MAX_VALUES)
        return clc_fail(CLC_INVALID,
                        "views of %d steps of %d channels; 1 to %d steps and %d values are "
                        "possible: set encoder.context",
                        a->context, a->channels, MAX_CONTEXT, MAX_VALUES);
    CLC_TRY(check_probability("flip", a->settings.flip));
    for (int i = 0; i < CHANGES; i++) {
        const change *c = &changes[i];
        const double low = c->range->values[0], high = c->range->values[1];
        CLC_TRY(check_probability(c->key, c->probability));
        if (!(low >= c->least && low <= high && high <= c->most))
            return clc_fail(CLC_INVALID,
                            "series.%s_range is %g, %g, but must be two numbers from %g to %g, "
                            "the lower one first",
                            c->key, low, high, c->least, c->most);
    }
fail:
    return status;
}

clc_series_augment clc_series_augment_evaluation(const clc_series_augment *train) {
    return (clc_series_augment){.context = train->context,
                                .channels = train->channels,
                                .settings = {.crop_range = train->settings.crop_range,
                                             .warp_range = train->settings.warp_range,
                                             .permute_range = train->settings.permute_range,
                                             .scale_range = train->settings.scale_range,
                                             .jitter_range = train->settings.jitter_range,
                                             .drop_range = train->settings.drop_range},
                                .seed = train->seed};
}

static void make_options(const clc_device *device, const clc_series_augment *a,
                         char options[OPTIONS]) {
    change changes[CHANGES];
    list_changes(&a->settings, changes);
    int n = snprintf(options, OPTIONS, "-DLS=%u -DCONTEXT=%d -DC=%d -DWINDOW=%d -DP_FLIP=%af",
                     device->group_size, a->context, a->channels, a->window,
                     (double)(float)a->settings.flip);
    for (int i = 0; i < CHANGES; i++) {
        const change *c = &changes[i];
        const float low = (float)c->range->values[0], high = (float)c->range->values[1];
        n += snprintf(options + n, OPTIONS - (size_t)n, " -DP_%s=%af", c->name,
                      (double)(float)c->probability);
        if (c->range == &a->settings.permute_range)
            n += snprintf(options + n, OPTIONS - (size_t)n, " -D%s_LOW=%d -D%s_SPAN=%d", c->name,
                          (int)low, c->name, (int)high - (int)low);
        else
            n += snprintf(options + n, OPTIONS - (size_t)n, " -D%s_LOW=%af -D%s_SPAN=%af", c->name,
                          (double)low, c->name, (double)(high - low));
    }
}

clc_status clc_series_augment_build(clc_sequence *sequence, clc_device *device,
                                    const clc_series_augment *a, const clc_augment_batch *b,
                                    const clc_series_samples *samples, cl_mem step_state,
                                    cl_mem out, cl_mem lengths) {
    clc_status status = CLC_OK;
    char options[OPTIONS];
    const size_t views = (size_t)b->images * (size_t)b->views, local = device->group_size;
    /* At least; items go on to further ones. */
    const size_t groups = clc_ceil_div(views * (size_t)clc_ceil_div_int(a->channels, 16), local);
    CLC_TRY(clc_series_augment_check(a));
    make_options(device, a, options);
    const clc_launch_spec spec = {.source = "augment/series.cl",
                                  .kernel = "series_view_make",
                                  .options = options,
                                  .groups = {groups < device->groups ? groups : device->groups},
                                  .local = {local},
                                  .op = "series_view",
                                  .bytes = (double)views * a->context * a->channels * 2 *
                                           sizeof(cl_float)};
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(samples->values), CLC_MEM(samples->places),
                       CLC_MEM(samples->firsts), CLC_MEM(samples->indices), CLC_MEM(step_state),
                       CLC_MEM(samples->norm), CLC_MEM(out), CLC_MEM(lengths), CLC_INT(b->images),
                       CLC_INT(b->views), CLC_INT(b->first_image), CLC_INT(b->first_view),
                       CLC_INT(b->first_row), CLC_UINT(a->seed & 0xFFFFFFFFu),
                       CLC_UINT(a->seed >> 32)));
fail:
    return status;
}
