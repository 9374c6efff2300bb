#include "method/views.h"

#include "method/setup.h"

/* ---- planning ---- */

/* Adds `views` views of crop number `crop`, whose set is all set but for its places. */
static void add_set(clc_views *v, const clc_view_set *set, int crop, int views) {
    clc_crop_views *c = &v->crops[crop];
    clc_view_set *added = &v->sets[v->set_count++];
    *added = *set;
    added->crop = crop;
    added->first = c->views;
    added->views = views;
    added->first_view = v->count;
    if (c->kind == CLC_KIND_IMAGES)
        c->size = set->augment.settings.size;
    else
        c->context = c->kind == CLC_KIND_TOKENS ? set->tokens.context : set->series.context;
    c->views += views;
    v->count += views;
}

static void add_crop(clc_views *v, const clc_dataset *data, int field) {
    const clc_field *f = &data->fields[field];
    const bool pictures = f->kind == CLC_KIND_IMAGES;
    v->crops[v->crop_count++] =
        (clc_crop_views){.field = field,
                         .kind = f->kind,
                         .channels = pictures ? data->channels : f->channels,
                         .vocabulary = f->vocabulary};
}

/* The transform of first views of a field. */
static clc_status make_set(const clc_config *config, const clc_method *method,
                           const clc_dataset *data, int field, clc_view_set *set) {
    const clc_config_encoder *encoder =
        method->towers == 2 && field == 1 ? &config->text_encoder : &config->encoder;
    *set = (clc_view_set){.crop = 0};
    if (data->fields[field].kind == CLC_KIND_IMAGES)
        return clc_augment_from_config(config, data, &set->augment);
    if (data->fields[field].kind == CLC_KIND_SERIES)
        return clc_series_from_config(config, encoder, &data->fields[field], &set->series);
    return clc_tokens_from_config(config, encoder, &data->fields[field], &set->tokens);
}

/* Two views of field 0, or as many as the method says; the second, if it is a picture, may be
 * blurred or solarised with another probability. */
static void add_large_views(clc_views *v, const clc_config *config, const clc_dataset *data,
                            const clc_method *method, const clc_view_set *first) {
    const bool split = method->split;
    const double blur = config->augmentation.second_blur;
    const double solarise = config->augmentation.second_solarise;
    clc_view_set second = *first;
    add_crop(v, data, 0);
    if (split)
        add_crop(v, data, 0);
    v->teacher_crop = v->crop_count - 1;
    if (method->views ||
        (!split && (!clc_dataset_has_pictures(data) || (blur < 0 && solarise < 0)))) {
        add_set(v, first, 0, method->views ? method->views : 2);
        return;
    }
    second.augment.settings.blur = blur < 0 ? second.augment.settings.blur : blur;
    second.augment.settings.solarise = solarise < 0 ? second.augment.settings.solarise : solarise;
    add_set(v, first, 0, 1);
    add_set(v, &second, v->teacher_crop, 1);
}

static clc_status add_small_views(clc_views *v, const clc_config *config, const clc_dataset *data,
                                  clc_view_set set) {
    clc_status status = CLC_OK;
    const clc_ints *crops = &config->method.crops;
    if (crops->count && !clc_dataset_has_pictures(data))
        return clc_fail(CLC_INVALID,
                        "method.crops: small views are of pictures, which %s has not; leave it "
                        "empty",
                        data->name);
    for (size_t i = 0; i < crops->count; i++) {
        set.augment.settings.size = config->method.crop_sizes.values[i];
        set.augment.settings.crop_scale = config->method.crop_scale;
        add_crop(v, data, 0);
        add_set(v, &set, v->crop_count - 1, crops->values[i]);
        CLC_TRY(clc_augment_check(&set.augment));
    }
fail:
    return status;
}

/* View f of field f. */
static clc_status add_field_views(clc_views *v, const clc_config *config, const clc_method *method,
                                  const clc_dataset *data) {
    clc_status status = CLC_OK;
    clc_view_set set;
    const int most = method->towers == 2 ? 2 : CLC_FIELDS_MAX;
    for (int f = 0; f < data->field_count && f < most; f++) {
        CLC_TRY(make_set(config, method, data, f, &set));
        add_crop(v, data, f);
        add_set(v, &set, f, 1);
    }
    v->teacher_crop = v->crop_count - 1;
fail:
    return status;
}

static clc_status add_views(clc_views *v, const clc_config *config, const clc_method *method,
                            const clc_dataset *data) {
    clc_status status = CLC_OK;
    clc_view_set set;
    if (method->by_field && data->field_count > 1)
        return add_field_views(v, config, method, data);
    CLC_TRY(make_set(config, method, data, 0, &set));
    add_large_views(v, config, data, method, &set);
    if (config->method.crops.count && !method->multicrop)
        return clc_fail(CLC_INVALID,
                        "method.crops: %s has no small views; leave it empty, or use swav "
                        "or dino",
                        method->name);
    status = add_small_views(v, config, data, set);
fail:
    return status;
}

clc_status clc_views_plan(clc_views *v, const clc_device *device, const clc_config *config,
                          const clc_method *method, const clc_dataset *data, int images) {
    clc_status status = CLC_OK;
    v->images = images;
    CLC_TRY(add_views(v, config, method, data));
    for (int i = 0; i < v->set_count; i++) {
        const clc_view_set *set = &v->sets[i];
        if (v->crops[set->crop].kind != CLC_KIND_IMAGES)
            continue;
        const size_t bytes = clc_augment_workspace(device, &set->augment, set->views * images);
        v->workspace_bytes = bytes > v->workspace_bytes ? bytes : v->workspace_bytes;
    }
fail:
    return status;
}

size_t clc_views_rows(const clc_views *v, int crop) {
    return (size_t)v->crops[crop].views * (size_t)v->images;
}

size_t clc_views_bytes(const clc_views *v, int crop) {
    const clc_crop_views *c = &v->crops[crop];
    const size_t channels = (size_t)c->channels;
    const size_t each[CLC_KINDS] = {[CLC_KIND_IMAGES] =
                                        (size_t)c->size * (size_t)c->size * channels,
                                    [CLC_KIND_TOKENS] = (size_t)c->context,
                                    [CLC_KIND_SERIES] = (size_t)c->context * channels};
    return clc_views_rows(v, crop) * each[c->kind] * sizeof(float);
}

/* ---- building ---- */

static clc_status build_tokens(const clc_view_set *set, const clc_crop_views *crop,
                               const clc_augment_batch *batch, clc_sequence *sequence,
                               clc_device *device, const clc_samples *samples, cl_mem step_state) {
    const clc_field_buffers *field = &samples->fields[crop->field];
    const clc_token_texts texts = {.ids = field->data,
                                   .places = field->places,
                                   .firsts = field->firsts,
                                   .indices = samples->images.indices,
                                   .synonym_starts = samples->synonym_starts,
                                   .synonyms = samples->synonyms};
    return clc_token_augment_build(sequence, device, &set->tokens, batch, &texts, step_state,
                                   crop->values, crop->lengths);
}

static clc_status build_series(const clc_view_set *set, const clc_crop_views *crop,
                               const clc_augment_batch *batch, clc_sequence *sequence,
                               clc_device *device, const clc_samples *samples, cl_mem step_state) {
    const clc_field_buffers *field = &samples->fields[crop->field];
    const clc_series_samples series = {.values = field->data,
                                       .places = field->places,
                                       .firsts = field->firsts,
                                       .indices = samples->images.indices,
                                       .norm = field->norm};
    return clc_series_augment_build(sequence, device, &set->series, batch, &series, step_state,
                                    crop->values, crop->lengths);
}

clc_status clc_views_build(const clc_views *v, clc_sequence *sequence, clc_device *device,
                           int micro, const clc_samples *samples, cl_mem step_state) {
    clc_status status = CLC_OK;
    for (int i = 0; i < v->set_count; i++) {
        const clc_view_set *set = &v->sets[i];
        const clc_crop_views *crop = &v->crops[set->crop];
        const clc_augment_batch batch = {.images = v->images,
                                         .views = set->views,
                                         .first_image = micro * v->images,
                                         .first_view = set->first_view,
                                         .first_row = set->first * v->images};
        if (crop->kind == CLC_KIND_TOKENS)
            CLC_TRY(build_tokens(set, crop, &batch, sequence, device, samples, step_state));
        else if (crop->kind == CLC_KIND_SERIES)
            CLC_TRY(build_series(set, crop, &batch, sequence, device, samples, step_state));
        else
            CLC_TRY(clc_augment_build(sequence, device, &set->augment, &batch, &samples->images,
                                      step_state, crop->values, v->workspace));
    }
fail:
    return status;
}
