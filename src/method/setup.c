#include "method/setup.h"

#include "core/log.h"
#include "data/labelled.h"
#include "method/method.h"

#include <math.h>
#include <string.h>

static clc_status set_normalisation(const clc_dataset *data, clc_config_augmentation *settings) {
    clc_floats *const lists[2] = {&settings->mean, &settings->std};
    const char *const names[2] = {"mean", "std"};
    const double *const measured[2] = {data->mean, data->deviation};
    const size_t channels = (size_t)data->channels;
    for (int i = 0; i < 2; i++) {
        if (lists[i]->count && lists[i]->count != channels)
            return clc_fail(
                CLC_INVALID, "augmentation.%s has %zu values, but the images have %d channel%s",
                names[i], lists[i]->count, data->channels, data->channels == 1 ? "" : "s");
        for (; lists[i]->count < channels; lists[i]->count++)
            lists[i]->values[lists[i]->count] = measured[i][lists[i]->count];
    }
    return CLC_OK;
}

clc_status clc_augment_from_config(const clc_config *config, const clc_dataset *data,
                                   clc_augment *augment) {
    const int size = config->augmentation.size ? config->augmentation.size : data->view;
    if (!size && !data->uniform)
        return clc_fail(CLC_INVALID,
                        "the images of %s differ in size: set augmentation.size to the "
                        "side that views of them are to have, such as 96",
                        data->name);
    *augment = (clc_augment){.height = data->height,
                             .width = data->width,
                             .channels = data->channels,
                             .settings = config->augmentation,
                             .seed = config->training.seed};
    augment->settings.size = size ? size : data->height;
    const clc_status status = set_normalisation(data, &augment->settings);
    return status == CLC_OK ? clc_augment_check(augment) : status;
}

/* The least side that scales none of the pictures down, nor what comes near a view's size: what
 * comes later and is larger than all of them comes to the size of the largest. */
static int side_of_all(const clc_dataset *data, int view) {
    const int shorter = data->height < data->width ? data->height : data->width;
    const int longer = data->height < data->width ? data->width : data->height;
    int side = (3 * view + 1) / 2;
    side = shorter > side ? shorter : side;
    return (longer + 1) / 2 > side ? (longer + 1) / 2 : side;
}

static clc_status context_of(const clc_config_encoder *encoder, const clc_field *field,
                             int *context) {
    clc_status status = CLC_OK;
    *context = encoder->context;
    if (*context)
        return CLC_OK;
    CLC_TRY(clc_field_holding(field, 0.99, context));
    *context = *context < CLC_CONTEXT_MIN ? CLC_CONTEXT_MIN : *context;
    *context = *context > CLC_CONTEXT_MOST ? CLC_CONTEXT_MOST : *context;
fail:
    return status;
}

clc_status clc_tokens_from_config(const clc_config *config, const clc_config_encoder *encoder,
                                  const clc_field *field, clc_token_augment *augment) {
    clc_status status = CLC_OK;
    *augment = (clc_token_augment){
        .ends = true, .settings = config->tokens, .seed = config->training.seed};
    CLC_TRY(context_of(encoder, field, &augment->context));
    status = clc_token_augment_check(augment);
fail:
    return status;
}

clc_status clc_series_from_config(const clc_config *config, const clc_config_encoder *encoder,
                                  const clc_field *field, clc_series_augment *augment) {
    const int longest = field->longest < CLC_STEPS_MOST ? field->longest : CLC_STEPS_MOST;
    *augment = (clc_series_augment){.context = encoder->context ? encoder->context : longest,
                                    .channels = field->channels,
                                    .window = true,
                                    .settings = config->series,
                                    .seed = config->training.seed};
    return clc_series_augment_check(augment);
}

static clc_status settle_images(clc_config *config, const clc_dataset *data) {
    clc_status status = CLC_OK;
    clc_augment augment;
    CLC_TRY(clc_augment_from_config(config, data, &augment));
    config->augmentation.size = augment.settings.size;
    config->augmentation.mean = augment.settings.mean;
    config->augmentation.std = augment.settings.std;
    config->data.channels = data->channels;
    config->data.store_side =
        data->image.side ? data->image.side : side_of_all(data, augment.settings.size);
fail:
    return status;
}

static int as_of(const clc_dataset *data) {
    if (data->fields[0].kind == CLC_KIND_SERIES)
        return CLC_CONFIG_AS_SERIES;
    if (data->fields[0].kind == CLC_KIND_TOKENS)
        return CLC_CONFIG_AS_TOKENS;
    return data->field_count > 1 ? CLC_CONFIG_AS_PAIRS : CLC_CONFIG_AS_IMAGES;
}

/* The context of views of a field of tokens or series. */
static clc_status settle_context(const clc_config *config, const clc_field *field,
                                 clc_config_encoder *encoder) {
    clc_status status = CLC_OK;
    clc_token_augment tokens;
    clc_series_augment series;
    if (field->kind == CLC_KIND_TOKENS) {
        CLC_TRY(clc_tokens_from_config(config, encoder, field, &tokens));
        encoder->context = tokens.context;
    } else {
        CLC_TRY(clc_series_from_config(config, encoder, field, &series));
        encoder->context = series.context;
    }
fail:
    return status;
}

/* Embeddings of two towers are comparable behind their projectors alone: those are kept. */
static void settle_towers(clc_config *config) {
    const clc_method *method = clc_method_find(clc_config_choice(config, "method", "name"));
    if (method->towers == CLC_TOWERS)
        config->projector.keep = config->text_projector.keep = CLC_KEEP_ALL;
}

/* The classes that a classifier scores. */
static clc_status settle_classes(clc_config *config, const clc_dataset *data) {
    int *classes = &config->method.classes;
    if (!clc_method_find(clc_config_choice(config, "method", "name"))->classifier)
        return CLC_OK;
    if (*classes && *classes < data->classes)
        return clc_fail(CLC_INVALID,
                        "method.classes = %d, but the samples of %s have %d classes; raise it, or "
                        "leave it at 0",
                        *classes, data->name, data->classes);
    *classes = *classes ? *classes : data->classes;
    return CLC_OK;
}

/* Of a classifier: to the labelled samples, or as many whole micro-batches of them. */
static void lower_batch(clc_config *config, const clc_dataset *data) {
    const int micro = config->training.micro_batch ? config->training.micro_batch : 1;
    const size_t labelled = clc_labelled_count(data);
    const size_t most = labelled - labelled % (size_t)micro;
    if (!config->finetune.lower_batch || !clc_method_of(config)->labels ||
        !config->method.classes || !most || labelled >= (size_t)config->training.batch)
        return;
    clc_log("training.batch: %zu in place of %d, as %zu samples have a label", most,
            config->training.batch, labelled);
    config->training.batch = (int)most;
}

clc_status clc_config_settle(clc_config *config, const clc_dataset *data) {
    clc_status status = CLC_OK;
    clc_config_encoder *const encoders[2] = {&config->encoder, &config->text_encoder};
    settle_towers(config);
    CLC_TRY(settle_classes(config, data));
    config->data.as = as_of(data);
    lower_batch(config, data);
    if (clc_dataset_has_pictures(data))
        CLC_TRY(settle_images(config, data));
    for (int i = 0; i < 2 && i < data->field_count; i++)
        if (data->fields[i].kind != CLC_KIND_IMAGES)
            CLC_TRY(settle_context(config, &data->fields[i], encoders[i]));
fail:
    return status;
}

void clc_config_adopt(clc_config *config, const clc_config *settled) {
    clc_config_augmentation *a = &config->augmentation;
    a->size = a->size ? a->size : settled->augmentation.size;
    a->mean = a->mean.count ? a->mean : settled->augmentation.mean;
    a->std = a->std.count ? a->std : settled->augmentation.std;
    if (config->data.as == CLC_CONFIG_AS_AUTO)
        config->data.as = settled->data.as;
    if (!config->encoder.context)
        config->encoder.context = settled->encoder.context;
    if (!config->text_encoder.context)
        config->text_encoder.context = settled->text_encoder.context;
    if (!config->method.classes)
        config->method.classes = settled->method.classes;
    if (!config->data.channels)
        config->data.channels = settled->data.channels;
    if (!config->data.store_side)
        config->data.store_side = settled->data.store_side;
    if (config->finetune.lower_batch && config->training.batch > settled->training.batch)
        config->training.batch = settled->training.batch;
}

clc_status clc_config_transfer(clc_config *config, const char *path) {
    clc_status status = CLC_OK;
    const clc_config_data was = config->data;
    const int size = config->augmentation.size;
    const char *const all_labels[] = {"finetune.labels=100%"};
    clc_config other;
    CLC_TRY(clc_config_load(path, NULL, 0, &other));
    CLC_TRY(clc_config_require_data(&other));
    if (other.data.as != CLC_CONFIG_AS_AUTO && other.data.as != was.as)
        CLC_TRY(clc_fail(CLC_INVALID, "%s: data.as = %s, but the encoder reads %s", path,
                         clc_config_choice(&other, "data", "as"),
                         clc_config_choice(config, "data", "as")));
    config->data = other.data;
    config->data.as = was.as;
    config->data.channels = was.channels;
    config->data.store_side = was.store_side;
    config->method.classes = 0;
    CLC_TRY(clc_config_override(all_labels, 1, config));
    if (was.channels)
        clc_log("data of %s: pictures come to the encoder's %d channel%s and %d x %d pixels", path,
                was.channels, was.channels == 1 ? "" : "s", size, size);
    else
        clc_log("data of %s", path);
fail:
    return status;
}
