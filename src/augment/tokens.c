#include "augment/tokens.h"

#include "core/math.h"
#include "text/tokenizer.h"

#include <stdio.h>
#include <string.h>

enum { OPTIONS = 1024, MAX_CONTEXT = 1 << 20 };

/* One of the changes: its probability, and the range of its rate. */
typedef struct change {
    const char *key, *name; /* in the configuration, in the kernel */
    double probability;
    const clc_floats *range;
} change;

enum { CHANGES = 5 };

static void list_changes(const clc_config_tokens *s, change changes[CHANGES]) {
    const change all[CHANGES] = {{"crop", "CROP", s->crop, &s->crop_range},
                                 {"delete", "DELETE", s->delete, &s->delete_range},
                                 {"synonym", "SYNONYM", s->synonym, &s->synonym_range},
                                 {"mask", "MASK", s->mask, &s->mask_range},
                                 {"swap", "SWAP", s->swap, &s->swap_range}};
    memcpy(changes, all, sizeof all);
}

clc_status clc_token_augment_check(const clc_token_augment *a) {
    change changes[CHANGES];
    const int least = a->ends ? 3 : 1;
    list_changes(&a->settings, changes);
    if (a->context < least || a->context > MAX_CONTEXT)
        return clc_fail(CLC_INVALID, "a context of %d tokens; %d to %d are possible", a->context,
                        least, MAX_CONTEXT);
    for (int i = 0; i < CHANGES; i++) {
        const change *c = &changes[i];
        const double low = c->range->values[0], high = c->range->values[1];
        if (!(c->probability >= 0 && c->probability <= 1))
            return clc_fail(CLC_INVALID, "tokens.%s is %g, but a probability is 0 to 1", c->key,
                            c->probability);
        if (!(low >= 0 && low <= high && high <= 1))
            return clc_fail(CLC_INVALID,
                            "tokens.%s_range is %g, %g, but must be two parts of 1, the lower one "
                            "first",
                            c->key, low, high);
    }
    return CLC_OK;
}

clc_token_augment clc_token_augment_evaluation(const clc_token_augment *train) {
    return (clc_token_augment){.context = train->context, .ends = train->ends, .seed = train->seed};
}

static void make_options(const clc_device *device, const clc_token_augment *a, bool synonyms,
                         char options[OPTIONS]) {
    change changes[CHANGES];
    list_changes(&a->settings, changes);
    int n = snprintf(options, OPTIONS, "-DLS=%u -DCONTEXT=%d -DENDS=%d -DUNKNOWN=%d -DSYNONYMS=%d",
                     device->group_size, a->context, a->ends, CLC_TOKEN_UNKNOWN,
                     synonyms && a->settings.synonym > 0);
    for (int i = 0; i < CHANGES; i++) {
        const change *c = &changes[i];
        const float low = (float)c->range->values[0], high = (float)c->range->values[1];
        n += snprintf(options + n, OPTIONS - (size_t)n, " -DP_%s=%af -D%s_LOW=%af -D%s_SPAN=%af",
                      c->name, (double)(float)c->probability, c->name, (double)low, c->name,
                      (double)(high - low));
    }
}

clc_status clc_token_augment_build(clc_sequence *sequence, clc_device *device,
                                   const clc_token_augment *a, const clc_augment_batch *b,
                                   const clc_token_texts *texts, cl_mem step_state, cl_mem out,
                                   cl_mem lengths) {
    clc_status status = CLC_OK;
    char options[OPTIONS];
    const size_t views = (size_t)b->images * (size_t)b->views, local = device->group_size;
    const size_t groups = clc_ceil_div(views, local);
    CLC_TRY(clc_token_augment_check(a));
    make_options(device, a, texts->synonym_starts, options);
    const clc_launch_spec spec = {.source = "augment/tokens.cl",
                                  .kernel = "tokens_view",
                                  .options = options,
                                  .groups = {groups < device->groups ? groups : device->groups},
                                  .local = {local},
                                  .op = "tokens_view",
                                  .bytes = (double)views * a->context * 2 * sizeof(cl_int)};
    /* Without a table, the kernel doesn't look at these. */
    const cl_mem starts = texts->synonym_starts ? texts->synonym_starts : texts->indices;
    const cl_mem synonyms = texts->synonym_starts ? texts->synonyms : texts->indices;
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(texts->ids), CLC_MEM(texts->places),
                       CLC_MEM(texts->firsts), CLC_MEM(texts->indices), CLC_MEM(step_state),
                       CLC_MEM(starts), CLC_MEM(synonyms), CLC_MEM(out), CLC_MEM(lengths),
                       CLC_INT(b->images), CLC_INT(b->views), CLC_INT(b->first_image),
                       CLC_INT(b->first_view), CLC_INT(b->first_row),
                       CLC_UINT(a->seed & 0xFFFFFFFFu), CLC_UINT(a->seed >> 32)));
fail:
    return status;
}
