#include "method/setup.h"

#include <math.h>
#include <string.h>

/* Mean and standard deviation of each channel over all pixels, white being 1. */
static void measure(const clc_dataset *data, double mean[3], double deviation[3]) {
    const size_t pixels = data->count * (size_t)data->height * (size_t)data->width;
    const size_t channels = (size_t)data->channels;
    for (size_t c = 0; c < channels; c++) {
        uint64_t sum = 0, squares = 0;
        for (size_t i = 0; i < pixels; i++) {
            uint64_t v = data->pixels[i * channels + c];
            sum += v;
            squares += v * v;
        }
        mean[c] = (double)sum / (double)pixels / 255;
        double variance = (double)squares / (double)pixels / (255.0 * 255.0) - mean[c] * mean[c];
        /* Images all alike: nothing to scale. */
        deviation[c] = variance > 1e-6 ? sqrt(variance) : 1;
    }
}

static clc_status set_normalisation(const clc_config *config, const clc_dataset *data,
                                    clc_augment *augment) {
    const clc_floats *const given[2] = {&config->augmentation.mean, &config->augmentation.std};
    const char *const names[2] = {"mean", "std"};
    float *const to[2] = {augment->mean, augment->std};
    double measured[2][3];
    if (!given[0]->count || !given[1]->count)
        measure(data, measured[0], measured[1]);
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
    *augment = (clc_augment){
        .height = data->height,
        .width = data->width,
        .channels = data->channels,
        .size = config->augmentation.size ? config->augmentation.size : data->height,
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
