/* From a picture as its file holds it to one as the data set needs it. */
#include "data/decode.h"

#include <math.h>
#include <string.h>

size_t clc_sample_bytes(clc_sample sample) {
    return sample == CLC_SAMPLE_U8 ? 1 : sample == CLC_SAMPLE_U16 ? 2 : 4;
}

clc_status clc_raster_new(clc_raster *raster, int height, int width, int channels, bool alpha,
                          clc_sample sample) {
    static const double whites[] = {255, 65535, 1};
    const size_t pixels = (size_t)height * (size_t)width;
    const size_t bytes = pixels * (size_t)(channels + alpha) * clc_sample_bytes(sample);
    *raster = (clc_raster){.height = height,
                           .width = width,
                           .channels = channels,
                           .alpha = alpha,
                           .sample = sample,
                           .white = whites[sample],
                           .orientation = 1};
    raster->samples = calloc(bytes, 1);
    return raster->samples ? CLC_OK : clc_fail_alloc(bytes);
}

void clc_raster_free(clc_raster *raster) {
    free(raster->samples);
    *raster = (clc_raster){0};
}

clc_status clc_check_size(double height, double width, const clc_image_options *options) {
    if (!(height >= 1) || !(width >= 1))
        return clc_fail(CLC_FORMAT, "damaged: its size is %.0f x %.0f pixels", width, height);
    if (!(height * width <= options->max_pixels) || height > INT32_MAX || width > INT32_MAX)
        return clc_fail(CLC_FORMAT,
                        "too large: %.0f x %.0f pixels are more than %.6g million "
                        "(data.max_megapixels)",
                        width, height, options->max_pixels / 1e6);
    return CLC_OK;
}

/* v (n) to bytes in place: black to 0, white to 255, alpha from its own range always. Narrower
 * elements are written behind the place that is read. */
#define TO_BYTES(type)                                                                             \
    static void bytes_of_##type(void *samples, size_t pixels, int channels, bool alpha,            \
                                float black, float factor, float alpha_factor) {                   \
        const type *from = samples;                                                                \
        uint8_t *to = samples;                                                                     \
        for (size_t i = 0; i < pixels; i++) {                                                      \
            for (int c = 0; c < channels; c++, from++)                                             \
                *to++ = byte_of(((float)*from - black) * factor);                                  \
            if (alpha)                                                                             \
                *to++ = byte_of((float)*from++ * alpha_factor);                                    \
        }                                                                                          \
    }

/* Not a number is black. */
static uint8_t byte_of(float value) {
    return !(value > 0) ? 0 : value > 255 ? 255 : (uint8_t)(value + 0.5f);
}

TO_BYTES(uint8_t)
TO_BYTES(uint16_t)
TO_BYTES(float)

static void to_bytes(clc_raster *raster, const clc_image_options *options) {
    const bool window = raster->sample != CLC_SAMPLE_U8 && options->high != options->low;
    const double low = window ? options->low : 0, high = window ? options->high : raster->white;
    const float factor = (float)(255 / (high - low)), alpha_factor = (float)(255 / raster->white);
    const size_t pixels = (size_t)raster->height * (size_t)raster->width;
    if (raster->sample == CLC_SAMPLE_U8 && raster->white == 255)
        return;
    (raster->sample == CLC_SAMPLE_U8    ? bytes_of_uint8_t
     : raster->sample == CLC_SAMPLE_U16 ? bytes_of_uint16_t
                                        : bytes_of_float)(
        raster->samples, pixels, raster->channels, raster->alpha, (float)low, factor, alpha_factor);
    raster->sample = CLC_SAMPLE_U8;
    raster->white = 255;
}

/* a * b / 255, rounded. */
static uint8_t times(int a, int b) {
    return (uint8_t)((a * b + 127) / 255);
}

/* Ink to light, in place; without a profile. */
static void cmyk_to_rgb(clc_raster *raster) {
    const size_t pixels = (size_t)raster->height * (size_t)raster->width;
    const uint8_t *from = raster->samples;
    uint8_t *to = raster->samples;
    for (size_t i = 0; i < pixels; i++) {
        const int light = 255 - from[3];
        for (int c = 0; c < 3; c++)
            *to++ = times(255 - from[c], light);
        from += 4;
        if (raster->alpha)
            *to++ = *from++;
    }
    raster->channels = 3;
    raster->cmyk = false;
}

/* Lays the picture on the background, in place. */
static void flatten(clc_raster *raster, const clc_image_options *options) {
    const size_t pixels = (size_t)raster->height * (size_t)raster->width;
    const int channels = raster->channels;
    const uint8_t *background = options->background;
    const uint8_t grey =
        (uint8_t)lrint(0.299 * background[0] + 0.587 * background[1] + 0.114 * background[2]);
    const uint8_t *from = raster->samples;
    uint8_t *to = raster->samples;
    for (size_t i = 0; i < pixels; i++, from += channels + 1) {
        const int alpha = from[channels];
        for (int c = 0; c < channels; c++) {
            const int behind = channels == 3 ? background[c] : grey;
            const int before = from[c] * (raster->premultiplied ? 255 : alpha);
            const int sum = (before + behind * (255 - alpha) + 127) / 255;
            *to++ = (uint8_t)(sum < 255 ? sum : 255);
        }
    }
    raster->alpha = false;
}

/* Grey with alpha before a coloured background is coloured. */
static clc_status spread_grey(clc_raster *raster) {
    clc_status status = CLC_OK;
    const size_t pixels = (size_t)raster->height * (size_t)raster->width;
    const uint8_t *from = raster->samples;
    uint8_t *spread = NULL;
    CLC_NEW(spread, 4 * pixels);
    for (size_t i = 0; i < pixels; i++, from += 2) {
        memset(spread + 4 * i, from[0], 3);
        spread[4 * i + 3] = from[1];
    }
    free(raster->samples);
    raster->samples = spread;
    raster->channels = 3;
fail:
    return status;
}

/* Where EXIF's orientation shows the pixel (y,x) of a stored (height,width) picture; place counts
 * pixels in the upright one. */
static size_t upright_place(int orientation, int height, int width, int y, int x) {
    const bool turned = orientation >= 5;
    const bool down = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    const bool back = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    const int row = turned ? x : y, column = turned ? y : x;
    const int rows = turned ? width : height, columns = turned ? height : width;
    return (size_t)(down ? rows - 1 - row : row) * (size_t)columns +
           (size_t)(back ? columns - 1 - column : column);
}

static clc_status turn(clc_image *image, int orientation) {
    clc_status status = CLC_OK;
    const int height = image->height, width = image->width;
    const size_t channels = (size_t)image->channels;
    const uint8_t *from = image->pixels;
    uint8_t *upright = NULL;
    if (orientation <= 1)
        return CLC_OK;
    CLC_NEW(upright, (size_t)height * (size_t)width * channels);
    for (int y = 0; y < height; y++) {
        const size_t start = upright_place(orientation, height, width, y, 0);
        const ptrdiff_t step =
            (ptrdiff_t)upright_place(orientation, height, width, y, 1) - (ptrdiff_t)start;
        uint8_t *to = upright + channels * start;
        for (int x = 0; x < width; x++, from += channels, to += step * (ptrdiff_t)channels)
            for (size_t c = 0; c < channels; c++)
                to[c] = from[c];
    }
    free(image->pixels);
    image->pixels = upright;
    image->height = orientation >= 5 ? width : height;
    image->width = orientation >= 5 ? height : width;
fail:
    return status;
}

clc_status clc_raster_finish(clc_raster *raster, const clc_image_options *options,
                             clc_image *image) {
    clc_status status = CLC_OK;
    const size_t pixels = (size_t)raster->height * (size_t)raster->width;
    const bool narrows = raster->alpha || raster->cmyk || raster->sample != CLC_SAMPLE_U8;
    const uint8_t *const b = options->background;
    to_bytes(raster, options);
    if (raster->cmyk)
        cmyk_to_rgb(raster);
    if (raster->alpha && raster->channels == 1 && options->channels == 3 &&
        (b[0] != b[1] || b[1] != b[2]))
        CLC_TRY(spread_grey(raster));
    if (raster->alpha)
        flatten(raster, options);
    *image = (clc_image){.height = raster->height,
                         .width = raster->width,
                         .channels = raster->channels,
                         .pixels = raster->samples};
    raster->samples = NULL;
    if (narrows) { /* gives back what the wider elements took */
        uint8_t *less = realloc(image->pixels, pixels * (size_t)image->channels);
        image->pixels = less ? less : image->pixels;
    }
    CLC_TRY(raster->part.full_height ? clc_image_fit_part(image, options, &raster->part)
                                     : clc_image_fit(image, options));
    CLC_TRY(turn(image, options->orientation ? raster->orientation : 1));
fail:
    if (status != CLC_OK)
        clc_image_free(image);
    return status;
}
