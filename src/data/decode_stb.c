/* BMP, PSD and TGA by stb_image, which has no limits and takes what ends early for whole: both
 * are seen to here. */
#include "data/decode.h"

#include <math.h>
#include <string.h>

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_NO_JPEG
#define STBI_NO_PNG
#define STBI_NO_PIC
#define STBI_NO_GIF
#define STBI_NO_PNM
#define STBI_NO_FAILURE_STRINGS
/* What is left out is declared all the same, which compilers notice at the end of this file. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image.h>

/* The bytes of a file, and whether more was asked for than there is. */
typedef struct stream {
    const uint8_t *bytes;
    size_t n, at;
    const char *ahead; /* stb's own buffer, which it fills ahead of what it needs: less will do */
    bool beyond;
} stream;

static int read_bytes(void *user, char *to, int size) {
    stream *s = user;
    const size_t left = s->n - s->at, n = left < (size_t)size ? left : (size_t)size;
    if (!s->ahead)
        s->ahead = to;
    s->beyond |= n == 0 || (to != s->ahead && n < (size_t)size);
    memcpy(to, s->bytes + s->at, n);
    s->at += n;
    return (int)n;
}

static void skip_bytes(void *user, int n) {
    stream *s = user;
    const size_t left = s->n - s->at;
    s->beyond |= n < 0 || (size_t)n > left;
    s->at += n < 0 ? 0 : (size_t)n < left ? (size_t)n : left;
}

static int at_end(void *user) {
    const stream *s = user;
    return s->at == s->n;
}

static const stbi_io_callbacks callbacks = {read_bytes, skip_bytes, at_end};

static clc_status fail_stb(const stream *s) {
    if (s->beyond)
        return clc_fail(CLC_FORMAT, "cut short: the file ends within the picture");
    return clc_fail(CLC_FORMAT, "damaged, or of a kind that is not supported");
}

static clc_status probe(const uint8_t *bytes, size_t n, const clc_image_options *options,
                        clc_image_info *info) {
    stream s = {.bytes = bytes, .n = n};
    int width, height, elements;
    (void)options;
    if (!stbi_info_from_callbacks(&callbacks, &s, &width, &height, &elements))
        return fail_stb(&s);
    /* A BMP that begins at its top has a negative height. */
    const double down = fabs((double)height);
    if (down > INT32_MAX)
        return clc_fail(CLC_FORMAT, "too large: %.0f rows", down);
    info->height = (int)down;
    info->width = width;
    info->channels = elements <= 2 ? 1 : 3;
    return CLC_OK;
}

static clc_status decode(const uint8_t *bytes, size_t n, const clc_image_options *options,
                         clc_raster *raster) {
    clc_status status = CLC_OK;
    clc_image_info info = {0};
    stream s = {.bytes = bytes, .n = n}, depth = s;
    int width, height, elements;
    void *samples = NULL;
    CLC_TRY(probe(bytes, n, options, &info));
    CLC_TRY(clc_check_size(info.height, info.width, options));
    const bool deep = stbi_is_16_bit_from_callbacks(&callbacks, &depth);
    samples =
        deep ? (void *)stbi_load_16_from_callbacks(&callbacks, &s, &width, &height, &elements, 0)
             : stbi_load_from_callbacks(&callbacks, &s, &width, &height, &elements, 0);
    if (!samples || s.beyond) {
        stbi_image_free(samples);
        return fail_stb(&s);
    }
    *raster = (clc_raster){.height = height,
                           .width = width,
                           .channels = elements <= 2 ? 1 : 3,
                           .alpha = elements == 2 || elements == 4,
                           .sample = deep ? CLC_SAMPLE_U16 : CLC_SAMPLE_U8,
                           .white = deep ? 65535 : 255,
                           .orientation = 1,
                           .samples = samples};
fail:
    return status;
}

static bool is_bmp(const uint8_t *bytes, size_t n) {
    static const uint8_t headers[] = {12, 40, 52, 56, 64, 108, 124};
    const bool tells = clc_begins(bytes, n, "BM", 2) && n >= 18;
    return tells && memchr(headers, bytes[14], sizeof headers) && !bytes[15] && !bytes[16];
}

static bool is_psd(const uint8_t *bytes, size_t n) {
    return clc_begins(bytes, n, "8BPS\0\1", 6);
}

/* What stb does about alpha there leaves the range of a byte. */
static clc_status check_psd(const uint8_t *bytes, size_t n) {
    enum { CHANNELS = 12 };
    if (n > CHANNELS + 1 && (bytes[CHANNELS] || bytes[CHANNELS + 1] > 3))
        return clc_fail(CLC_FORMAT, "not supported (more than 3 channels)");
    return CLC_OK;
}

static clc_status probe_psd(const uint8_t *bytes, size_t n, const clc_image_options *options,
                            clc_image_info *info) {
    const clc_status status = check_psd(bytes, n);
    return status == CLC_OK ? probe(bytes, n, options, info) : status;
}

static clc_status decode_psd(const uint8_t *bytes, size_t n, const clc_image_options *options,
                             clc_raster *raster) {
    const clc_status status = check_psd(bytes, n);
    return status == CLC_OK ? decode(bytes, n, options, raster) : status;
}

/* There is no magic number: every field of the header must make sense. */
static bool is_tga(const uint8_t *bytes, size_t n) {
    enum { HEADER = 18, MAP = 1, TYPE = 2, MAP_BITS = 7, WIDTH = 12, BITS = 16, FLAGS = 17 };
    if (n <= HEADER)
        return false;
    const uint8_t bits = bytes[BITS], type = bytes[TYPE] & 7, entry = bytes[MAP_BITS];
    const bool mapped = bytes[MAP] == 1;
    const bool size = (bytes[WIDTH] || bytes[WIDTH + 1]) && (bytes[WIDTH + 2] || bytes[WIDTH + 3]);
    if (!size || bytes[MAP] > 1 || (bytes[TYPE] & ~8) != type || (bytes[FLAGS] & 0xc0))
        return false;
    if (mapped)
        return type == 1 && bits == 8 && (entry == 15 || entry == 16 || entry == 24 || entry == 32);
    if (entry)
        return false;
    return type == 3 ? bits == 8 || bits == 16
                     : type == 2 && (bits == 15 || bits == 16 || bits == 24 || bits == 32);
}

const clc_decoder clc_decoder_bmp = {"bmp", is_bmp, probe, decode};
const clc_decoder clc_decoder_psd = {"psd", is_psd, probe_psd, decode_psd};
const clc_decoder clc_decoder_tga = {"tga", is_tga, probe, decode};
