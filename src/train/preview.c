#include "train/preview.h"

#include "augment/preview.h"
#include "core/log.h"
#include "data/dataset_kinds.h"
#include "device/open.h"
#include "method/method.h"
#include "method/setup.h"
#include "model/run_folder.h"
#include "train/preview_series.h"

#include <stdio.h>

enum { IMAGES = 12, VIEWS = 10, RUN_IMAGES = 8, RUN_VIEWS = 7 };

/* Reads the first images that can be read; *count of them. The bounds are those of all. */
static clc_status read_first(const clc_config *config, clc_image images[IMAGES], int *count,
                             clc_dataset *bounds) {
    clc_status status = CLC_OK;
    clc_source *source = NULL;
    clc_image_options own;
    *count = 0;
    CLC_TRY(clc_source_open(&config->data, CLC_SPLIT_TRAIN, NULL, &source));
    CLC_TRY(clc_dataset_form(config, source, &own, &bounds->view));
    for (size_t i = 0; i < source->count && *count < IMAGES; i++) {
        clc_image *image = &images[*count];
        if (clc_source_read(source, i, &own, image) != CLC_OK) {
            clc_warn("%s: %s", clc_names_at(&source->names, i), clc_error());
            continue;
        }
        bounds->height = image->height > bounds->height ? image->height : bounds->height;
        bounds->width = image->width > bounds->width ? image->width : bounds->width;
        bounds->uniform =
            bounds->uniform && image->height == images->height && image->width == images->width;
        ++*count;
    }
    bounds->channels = own.channels;
    snprintf(bounds->name, sizeof bounds->name, "%s", source->name);
    if (!*count)
        status = clc_fail(CLC_FORMAT, "%s: there is no image", source->name);
fail:
    clc_source_close(&source);
    return status;
}

static clc_status preview_images(const clc_config *given, const char *name, const char *png) {
    clc_status status = CLC_OK;
    const clc_config config = *given;
    clc_image images[IMAGES] = {{0}};
    clc_dataset bounds = {.uniform = true};
    clc_device *device = NULL;
    clc_augment augment;
    int count = 0;
    CLC_TRY(read_first(&config, images, &count, &bounds));
    for (int c = 0; c < bounds.channels; c++)
        bounds.deviation[c] = 1;
    CLC_TRY(clc_device_open_as(name, &config.device, &device));
    CLC_TRY(clc_augment_from_config(&config, &bounds, &augment));
    CLC_TRY(clc_augment_preview(device, &augment, images, count, VIEWS, png));
    clc_log("%s: %d images, %d views of each", png, count, VIEWS);
fail:
    clc_device_close(&device);
    for (int i = 0; i < IMAGES; i++)
        clc_image_free(&images[i]);
    return status;
}

/* Up to RUN_IMAGES pictures that can be read. */
static clc_status run_images(const clc_config *config, clc_device *device, const clc_dataset *data,
                             const char *path) {
    clc_status status = CLC_OK;
    clc_image images[RUN_IMAGES] = {{0}};
    clc_augment augment;
    int count = 0;
    for (size_t i = 0; i < data->count && count < RUN_IMAGES; i++)
        count += clc_dataset_picture(data, i, &images[count]) == CLC_OK;
    CLC_TRY(clc_augment_from_config(config, data, &augment));
    if (count)
        CLC_TRY(clc_augment_preview(device, &augment, images, count, RUN_VIEWS, path));
fail:
    for (int i = 0; i < RUN_IMAGES; i++)
        clc_image_free(&images[i]);
    return status;
}

/* Texts alone, or those of a second tower; captions beside pictures that stand alone are no views.
 */
static clc_status run_texts(const clc_config *config, clc_device *device, const clc_dataset *data) {
    clc_status status = CLC_OK;
    const clc_method *method = clc_method_find(clc_config_choice(config, "method", "name"));
    const bool second = clc_dataset_has_pictures(data);
    char path[CLC_PATH_BYTES];
    if (!data->texts || (second && method->towers != 2))
        return CLC_OK;
    CLC_TRY(clc_run_path(config->output.folder, CLC_RUN_VIEWS_TEXT, path));
    status = clc_preview_text_of(config, second ? &config->text_encoder : &config->encoder, device,
                                 data, path);
fail:
    return status;
}

clc_status clc_preview_run(const clc_config *config, clc_device *device, const clc_dataset *data) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    CLC_TRY(clc_run_path(config->output.folder, CLC_RUN_VIEWS, path));
    if (clc_dataset_has_pictures(data))
        CLC_TRY(run_images(config, device, data, path));
    else if (data->fields[0].kind == CLC_KIND_SERIES)
        CLC_TRY(clc_preview_series_of(config, device, data, path));
    status = run_texts(config, device, data);
fail:
    return status;
}

clc_status clc_preview(const clc_train_options *options, const char *png) {
    clc_status status = CLC_OK;
    clc_config config;
    clc_names paths = {0};
    bool share;
    int as;
    CLC_TRY(clc_config_load(options->config, options->overrides, options->override_count, &config));
    CLC_TRY(clc_config_require_data(&config));
    CLC_TRY(clc_dataset_find(&config.data, CLC_SPLIT_TRAIN, &as, &paths, &share));
    if (as == CLC_CONFIG_AS_TOKENS)
        CLC_TRY(clc_fail(CLC_INVALID,
                         "%s: its samples are texts, whose views are written to a "
                         "file named .txt, not %s",
                         config.data.train, png));
    if (as == CLC_CONFIG_AS_SERIES)
        CLC_TRY(clc_preview_series(&config, options->device, png));
    else
        CLC_TRY(preview_images(&config, options->device, png));
fail:
    clc_names_free(&paths);
    return status;
}
