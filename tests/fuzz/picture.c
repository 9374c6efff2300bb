/* A decoder, DECODER, by itself; or, without that, whatever the bytes are taken for. */
#include "data/decode.h"
#include "fuzz.h"

#define PIXELS_MOST (1 << 16)

#ifdef DECODER
static clc_status decode(const uint8_t *bytes, size_t n, const clc_image_options *options,
                         clc_image *image, clc_image_info *info, bool *known) {
    clc_status status = CLC_OK;
    clc_raster raster = {0};
    *known = false;
    if (!DECODER.recognise(bytes, n))
        return clc_fail(CLC_FORMAT, "of another format");
    *known = DECODER.probe(bytes, n, options, info) == CLC_OK &&
             clc_check_size(info->height, info->width, options) == CLC_OK;
    CLC_TRY(DECODER.decode(bytes, n, options, &raster));
    CLC_TRY(clc_raster_finish(&raster, options, image));
fail:
    clc_raster_free(&raster);
    return status;
}
#else
static clc_status decode(const uint8_t *bytes, size_t n, const clc_image_options *options,
                         clc_image *image, clc_image_info *info, bool *known) {
    *known = clc_image_probe(bytes, n, options, info) == CLC_OK;
    return clc_image_decode(bytes, n, options, image);
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static const int channels[] = {0, 1, 3, 4};
    const uint8_t choice = n ? bytes[n - 1] : 0;
    const clc_image_options options = {.channels = channels[choice & 3],
                                       .side = choice & 4 ? 16 : 0,
                                       .background = {255, 128, 0},
                                       .orientation = choice & 8,
                                       .low = choice & 16 ? 10 : 0,
                                       .high = choice & 16 ? 300 : 0,
                                       .max_pixels = PIXELS_MOST};
    clc_image image = {0};
    clc_image_info info = {0};
    bool known;
    const clc_status status = decode(bytes, n, &options, &image, &info, &known);
    fuzz_require_status(status);
    if (status != CLC_OK) {
        fuzz_require(!image.pixels, "pixels in spite of a failure");
        return 0;
    }
    fuzz_require(known, "decoded, but the header was refused");
    fuzz_require(image.height > 0 && image.width > 0 && image.channels > 0 &&
                     image.channels <= 16 && (double)image.height * image.width <= PIXELS_MOST,
                 "a size out of bounds");
    fuzz_require(options.channels == 0 || image.channels == options.channels, "channels");
    fuzz_touch(image.pixels, (size_t)image.height * (size_t)image.width * (size_t)image.channels);
    clc_image_free(&image);
    return 0;
}
