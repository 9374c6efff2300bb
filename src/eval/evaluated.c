#include "eval/evaluated.h"

#include "core/clock.h"
#include "core/math.h"

enum { LABELLED, ALL };

/* `params` NULL: of raw features, or a histogram. */
static clc_status make_embedder(const clc_evaluation *e, int tower, clc_params *params,
                                bool histogram, clc_embedder *embedder) {
    enum { PIXELS_SIDE = 32 };
    const clc_dataset *known = clc_evaluation_known(e);
    const clc_dataset *test = e->sets.test ? e->sets.test : known;
    const int side = e->config->augmentation.size;
    const clc_embedder_input input = {.tower = tower,
                                      .field = tower,
                                      .like = &known->fields[tower],
                                      .height = clc_larger_int(known->height, test->height),
                                      .width = clc_larger_int(known->width, test->width),
                                      .pixels_side = side < PIXELS_SIDE ? side : PIXELS_SIDE,
                                      .histogram = histogram};
    return clc_embedder_create(embedder, e->device, e->config, params, &input);
}

/* The encoder as it was before training: the same initial weights, from the same seed. Of two
 * towers the first: no cosine between untrained towers means anything. */
static clc_status open_untrained(clc_evaluated *row) {
    clc_status status = CLC_OK;
    const clc_evaluation *e = row->of;
    CLC_TRY(make_embedder(e, 0, &row->untrained, false, &row->embedders[0]));
    clc_embedder_release(&row->embedders[0]);
    CLC_TRY(clc_params_initialise(&row->untrained, e->device, e->config->training.seed));
    CLC_TRY(make_embedder(e, 0, &row->untrained, false, &row->embedders[0]));
fail:
    return status;
}

static const char *name_of(const clc_evaluation *e, clc_evaluated_kind kind) {
    static const char *const raw[CLC_KINDS] = {"raw pixels", "bag of tokens", "raw series"};
    return kind == CLC_EVALUATED_HISTOGRAM   ? "colour histogram"
           : kind == CLC_EVALUATED_RAW       ? raw[clc_evaluation_known(e)->fields[0].kind]
           : kind == CLC_EVALUATED_UNTRAINED ? "untrained encoder"
                                             : "encoder";
}

bool clc_evaluated_possible(const clc_evaluation *e, clc_evaluated_kind kind) {
    const bool images = clc_evaluation_known(e)->fields[0].kind == CLC_KIND_IMAGES;
    return kind == CLC_EVALUATED_ENCODER ||
           (e->config->evaluation.baselines && (kind != CLC_EVALUATED_HISTOGRAM || images));
}

clc_status clc_evaluated_open(const clc_evaluation *e, clc_evaluated_kind kind,
                              clc_params *const params[CLC_TOWERS], clc_evaluated *row) {
    clc_status status = CLC_OK;
    *row = (clc_evaluated){
        .of = e, .kind = kind, .name = name_of(e, kind), .towers = 1, .started = clc_seconds()};
    if (kind == CLC_EVALUATED_RAW || kind == CLC_EVALUATED_HISTOGRAM)
        CLC_TRY(make_embedder(e, 0, NULL, kind == CLC_EVALUATED_HISTOGRAM, &row->embedders[0]));
    if (kind == CLC_EVALUATED_UNTRAINED)
        CLC_TRY(open_untrained(row));
    if (kind == CLC_EVALUATED_ENCODER)
        for (row->towers = 0; row->towers < e->towers; row->towers++)
            CLC_TRY(make_embedder(e, row->towers, params[row->towers], false,
                                  &row->embedders[row->towers]));
    row->dim = clc_embedder_features(&row->embedders[0]);
fail:
    return status;
}

static void free_set(clc_device *device, clc_evaluated_set *set) {
    clc_buffer_release(device, &set->features.data);
    free(set->labels);
    free(set->samples);
    *set = (clc_evaluated_set){0};
}

void clc_evaluated_release(clc_evaluated *row) {
    if (!row->of)
        return;
    clc_device *device = row->of->device;
    for (int split = 0; split < 2; split++)
        for (int which = 0; which < 2; which++)
            free_set(device, &row->sets[split][which]);
    for (int i = 0; i < CLC_TOWERS; i++)
        clc_embedder_release(&row->embedders[i]);
    clc_params_release(&row->untrained, device);
    free(row->predicted);
    *row = (clc_evaluated){0};
}

static int32_t label_of(const clc_dataset *data, size_t i) {
    return data->labels ? data->labels[i] : -1;
}

static size_t count_labelled(const clc_dataset *data) {
    size_t count = 0;
    for (size_t i = 0; i < data->count; i++)
        count += label_of(data, i) >= 0;
    return count;
}

/* Embeds samples of a set; what can't be read any more is left out. */
static clc_status embed(clc_evaluated *row, size_t count, clc_evaluated_set *set) {
    clc_status status = CLC_OK;
    clc_embedder *embedder = &row->embedders[0];
    clc_features *f = &set->features;
    bool *bad = NULL;
    size_t kept = 0;
    CLC_NEW(bad, count);
    CLC_NEW(set->labels, count);
    *f = (clc_features){.dim = row->dim, .labels = set->labels, .classes = row->of->classes};
    CLC_TRY(clc_buffer_create(embedder->device, count * (size_t)row->dim * sizeof(float),
                              "features", &f->data));
    CLC_TRY(clc_embedder_run(embedder, set->data, set->samples, count, f->data, bad, &f->rows));
    for (size_t i = 0; i < count; i++)
        if (!bad[i]) {
            set->labels[kept] = label_of(set->data, (size_t)set->samples[i]);
            set->samples[kept++] = set->samples[i];
        }
    if (!kept)
        status = clc_fail(CLC_INVALID, "none of %zu samples of %s could be read", count,
                          set->data->name);
fail:
    free(bad);
    return status;
}

static clc_status make(clc_evaluated *row, clc_split split, int which, clc_evaluated_set *set) {
    clc_status status = CLC_OK;
    const clc_evaluation *e = row->of;
    const clc_dataset *data = split == CLC_SPLIT_TRAIN ? e->sets.train : e->sets.test;
    size_t count = 0;
    *set = (clc_evaluated_set){.data = data};
    CLC_NEW(set->samples, data->count);
    for (size_t i = 0; i < data->count; i++)
        if (which == ALL || label_of(data, i) >= 0)
            set->samples[count++] = (int32_t)i;
    CLC_TRY(embed(row, count, set));
fail:
    if (status != CLC_OK)
        free_set(e->device, set);
    return status;
}

static clc_status get(clc_evaluated *row, clc_split split, int which,
                      const clc_evaluated_set **set) {
    clc_status status = CLC_OK;
    const clc_evaluation *e = row->of;
    const clc_dataset *data = split == CLC_SPLIT_TRAIN ? e->sets.train : e->sets.test;
    if (count_labelled(data) == data->count)
        which = LABELLED;
    clc_evaluated_set *own = &row->sets[split][which];
    if (!row->made[split][which])
        CLC_TRY(make(row, split, which, own));
    row->made[split][which] = true;
    *set = own;
fail:
    return status;
}

clc_status clc_evaluated_labelled(clc_evaluated *row, clc_split split,
                                  const clc_evaluated_set **set) {
    return get(row, split, LABELLED, set);
}

clc_status clc_evaluated_all(clc_evaluated *row, clc_split split, const clc_evaluated_set **set) {
    return get(row, split, ALL, set);
}
