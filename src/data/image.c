#include "data/decode.h"
#include "data/scale.h"

#include <string.h>

void clc_image_free(clc_image *image) {
    if (!image)
        return;
    free(image->pixels);
    *image = (clc_image){0};
}

clc_image_options clc_image_options_from_config(const clc_config_data *config, int side,
                                                int channels) {
    clc_image_options options = {
        .channels = channels,
        .side = side,
        .orientation = config->orientation,
        .max_pixels = config->max_megapixels * 1e6,
    };
    for (int c = 0; c < 3; c++)
        options.background[c] = (uint8_t)config->background.values[c];
    if (config->range.count == 2) {
        options.low = config->range.values[0];
        options.high = config->range.values[1];
    }
    return options;
}

/* size * over / under, rounded, a half up; at least 1. */
static int share(int64_t size, int64_t over, int64_t under) {
    const int64_t rounded = (2 * size * over + under) / (2 * under);
    return rounded < 1 ? 1 : (int)rounded;
}

void clc_image_fitted(const clc_image_options *options, int height, int width, int *fitted_height,
                      int *fitted_width) {
    const int64_t shorter = height < width ? height : width;
    const int64_t longer = height < width ? width : height;
    int64_t over = options->side, under = shorter;
    if (longer > 2 * shorter) {
        over *= 2;
        under = longer;
    }
    const bool fits = options->side <= 0 || over >= under;
    *fitted_height = fits ? height : share(height, over, under);
    *fitted_width = fits ? width : share(width, over, under);
}

/* ITU-R 601 in 16 bits, rounded: what PIL's "L" has. */
static uint8_t grey_of(const uint8_t *rgb) {
    return (uint8_t)((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

/* Frees the former pixels. */
static void replace(clc_image *image, uint8_t *pixels) {
    free(image->pixels);
    image->pixels = pixels;
}

static clc_status convert_channels(clc_image *image, int channels) {
    clc_status status = CLC_OK;
    const size_t n = (size_t)image->height * (size_t)image->width;
    const int own = image->channels;
    uint8_t *pixels = NULL;
    if (channels == 0 || channels == own)
        return CLC_OK;
    if (!(own == 1 && channels == 3) && !(own == 3 && channels == 1))
        return clc_fail(CLC_FORMAT,
                        "has %d channels, which can't be brought to %d (data.channels): only 1 "
                        "and 3 are converted to each other",
                        own, channels);
    CLC_NEW(pixels, n * (size_t)channels);
    for (size_t i = 0; i < n; i++) {
        if (channels == 1)
            pixels[i] = grey_of(image->pixels + 3 * i);
        else
            memset(pixels + 3 * i, image->pixels[i], 3);
    }
    replace(image, pixels);
    image->channels = channels;
fail:
    return status;
}

clc_status clc_image_fit_part(clc_image *image, const clc_image_options *options,
                              const clc_image_part *part) {
    clc_status status = CLC_OK;
    uint8_t *pixels = NULL;
    int height, width;
    clc_image_fitted(options, part->full_height, part->full_width, &height, &width);
    const bool spread = options->channels > image->channels; /* after scaling: less to scale */
    if (!spread)
        CLC_TRY(convert_channels(image, options->channels));
    if (height != part->rows || width != part->columns) {
        const clc_scale_from from = {image->pixels,   image->height, image->width,
                                     image->channels, part->rows,    part->columns};
        CLC_NEW(pixels, (size_t)height * (size_t)width * (size_t)image->channels);
        CLC_TRY(clc_scale(&from, pixels, height, width));
        replace(image, pixels);
        pixels = NULL;
        image->height = height;
        image->width = width;
    }
    if (spread)
        CLC_TRY(convert_channels(image, options->channels));
fail:
    free(pixels);
    return status;
}

clc_status clc_image_fit(clc_image *image, const clc_image_options *options) {
    const clc_image_part whole = {image->height, image->width, image->height, image->width};
    return clc_image_fit_part(image, options, &whole);
}
