#include "method/setup.h"

#include <math.h>
#include <string.h>

static clc_status set_normalisation(const clc_config *config, const clc_dataset *data,
                                    clc_augment *augment) {
    const clc_floats *const given[2] = {&config->augmentation.mean, &config->augmentation.std};
    const char *const names[2] = {"mean", "std"};
    float *const to[2] = {augment->mean, augment->std};
    const double *const measured[2] = {data->mean, data->deviation};
    for (int i = 0; i < 2; i++) {
        if (given[i]->count && given[i]->count != (size_t)data->channels)
            return clc_fail(
                CLC_INVALID, "augmentation.%s has %zu values, but the images have %d channel%s",
                names[i], given[i]->count, data->channels, data->channels == 1 ? "" : "s");
        for (int c = 0; c < data->channels; c++)
            to[i][c] = (float)(given[i]->count ? given[i]->values[c] : measured[i][c]);
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
    *augment = (clc_augment){
        .height = data->height,
        .width = data->width,
        .channels = data->channels,
        .size = size ? size : data->height,
        .crop = (clc_crop)config->augmentation.crop,
        .crop_padding = config->augmentation.crop_padding,
        .crop_probability = (float)config->augmentation.crop_probability,
        .horizontal_flip = (float)config->augmentation.horizontal_flip,
        .vertical_flip = (float)config->augmentation.vertical_flip,
        .rotation = (float)config->augmentation.rotation,
        .rotation_probability = (float)config->augmentation.rotation_probability,
        .jitter = (float)config->augmentation.jitter,
        .brightness = (float)config->augmentation.brightness,
        .contrast = (float)config->augmentation.contrast,
        .saturation = (float)config->augmentation.saturation,
        .hue = (float)config->augmentation.hue,
        .grey = (float)config->augmentation.grey,
        .blur = (float)config->augmentation.blur,
        .blur_kernel = config->augmentation.blur_kernel,
        .solarise = (float)config->augmentation.solarise,
        .solarise_threshold = (float)config->augmentation.solarise_threshold,
        .seed = config->training.seed,
    };
    for (int i = 0; i < 2; i++) {
        augment->crop_scale[i] = (float)config->augmentation.crop_scale.values[i];
        augment->crop_ratio[i] = (float)config->augmentation.crop_ratio.values[i];
        augment->blur_sigma[i] = (float)config->augmentation.blur_sigma.values[i];
    }
    clc_status status = set_normalisation(config, data, augment);
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

clc_status clc_config_settle(clc_config *config, const clc_dataset *data) {
    clc_status status = CLC_OK;
    clc_augment augment;
    CLC_TRY(clc_augment_from_config(config, data, &augment));
    config->augmentation.size = augment.size;
    config->data.channels = data->channels;
    config->data.store_side = data->image.side ? data->image.side : side_of_all(data, augment.size);
    clc_floats *const to[2] = {&config->augmentation.mean, &config->augmentation.std};
    const double *const measured[2] = {data->mean, data->deviation};
    for (int i = 0; i < 2; i++)
        for (; to[i]->count < (size_t)data->channels; to[i]->count++)
            to[i]->values[to[i]->count] = measured[i][to[i]->count];
fail:
    return status;
}

void clc_config_adopt(clc_config *config, const clc_config *settled) {
    clc_config_augmentation *a = &config->augmentation;
    a->size = a->size ? a->size : settled->augmentation.size;
    a->mean = a->mean.count ? a->mean : settled->augmentation.mean;
    a->std = a->std.count ? a->std : settled->augmentation.std;
    if (!config->data.channels)
        config->data.channels = settled->data.channels;
    if (!config->data.store_side)
        config->data.store_side = settled->data.store_side;
}
