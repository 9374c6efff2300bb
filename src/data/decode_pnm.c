/* The portable anymaps of netpbm, P1 to P6: bitmap, grey and colour, as text and binary. */
#include "data/decode.h"

#include <string.h>

typedef struct reader {
    const uint8_t *at, *end;
} reader;

static clc_status fail_cut(void) {
    return clc_fail(CLC_FORMAT, "cut short: the file ends within the picture");
}

static bool is_space(uint8_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Passes over white space and comments, which begin with "#" and end with the line. */
static void skip_space(reader *r) {
    bool comment = false;
    for (; r->at < r->end && (comment || is_space(*r->at) || *r->at == '#'); r->at++)
        comment = *r->at == '#' || (comment && *r->at != '\n' && *r->at != '\r');
}

/* A number of the header or of text, at most `most`. */
static clc_status read_number(reader *r, const char *what, double most, double *value) {
    const uint8_t *start;
    skip_space(r);
    start = r->at;
    *value = 0;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9' && *value <= most; r->at++)
        *value = *value * 10 + (*r->at - '0');
    if (r->at == r->end && r->at == start)
        return fail_cut();
    if (r->at == start)
        return clc_fail(CLC_FORMAT, "damaged: the byte 0x%02x in place of %s", *r->at, what);
    return *value <= most ? CLC_OK
                          : clc_fail(CLC_FORMAT, "damaged: %s is more than %.0f", what, most);
}

typedef struct header {
    int kind; /* 1 to 6 */
    double width, height, white;
} header;

static clc_status read_header(reader *r, header *h) {
    clc_status status = CLC_OK;
    const double most_side = 1e12; /* clc_check_size says it better */
    *h = (header){.kind = r->at[1] - '0', .white = 1};
    r->at += 2;
    CLC_TRY(read_number(r, "the width", most_side, &h->width));
    CLC_TRY(read_number(r, "the height", most_side, &h->height));
    if (h->kind % 3 != 1)
        CLC_TRY(read_number(r, "the largest value", 65535, &h->white));
    if (h->white < 1)
        return clc_fail(CLC_FORMAT, "damaged: its largest value is 0");
    if (r->at == r->end)
        return fail_cut();
    if (!is_space(*r->at))
        return clc_fail(CLC_FORMAT, "damaged: the byte 0x%02x behind the header", *r->at);
    r->at++;
fail:
    return status;
}

static clc_status probe(const uint8_t *bytes, size_t n, const clc_image_options *options,
                        clc_image_info *info) {
    clc_status status = CLC_OK;
    reader r = {bytes, bytes + n};
    header h;
    CLC_TRY(read_header(&r, &h));
    CLC_TRY(clc_check_size(h.height, h.width, options));
    *info = (clc_image_info){"pnm", (int)h.height, (int)h.width, h.kind % 3 == 0 ? 3 : 1};
fail:
    return status;
}

/* Bits: 1 is black. */
static void read_bits(const uint8_t *from, clc_raster *raster) {
    uint8_t *to = raster->samples;
    const int width = raster->width;
    for (int y = 0; y < raster->height; y++, from += (width + 7) / 8)
        for (int x = 0; x < width; x++)
            *to++ = (from[x / 8] >> (7 - x % 8) & 1) == 0;
}

static clc_status read_text(reader *r, int kind, size_t n, clc_raster *raster) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < n; i++) {
        double value;
        if (kind == 1) { /* digits need no space between them */
            skip_space(r);
            if (r->at == r->end)
                return fail_cut();
            if (*r->at != '0' && *r->at != '1')
                return clc_fail(CLC_FORMAT, "damaged: the byte 0x%02x in place of 0 or 1", *r->at);
            value = *r->at++ == '0';
        } else {
            CLC_TRY(read_number(r, "a value", raster->white, &value));
        }
        if (raster->sample == CLC_SAMPLE_U8)
            ((uint8_t *)raster->samples)[i] = (uint8_t)value;
        else
            ((uint16_t *)raster->samples)[i] = (uint16_t)value;
    }
fail:
    return status;
}

static clc_status decode(const uint8_t *bytes, size_t n, const clc_image_options *options,
                         clc_raster *raster) {
    clc_status status = CLC_OK;
    reader r = {bytes, bytes + n};
    header h;
    CLC_TRY(read_header(&r, &h));
    CLC_TRY(clc_check_size(h.height, h.width, options));
    const clc_sample sample = h.white > 255 ? CLC_SAMPLE_U16 : CLC_SAMPLE_U8;
    const size_t height = (size_t)h.height, width = (size_t)h.width;
    const size_t channels = h.kind % 3 == 0 ? 3 : 1, count = height * width * channels;
    const size_t needed = h.kind < 4    ? count /* a byte each, at least */
                          : h.kind == 4 ? height * ((width + 7) / 8)
                                        : count * clc_sample_bytes(sample);
    if ((size_t)(r.end - r.at) < needed)
        return fail_cut();
    CLC_TRY(clc_raster_new(raster, (int)h.height, (int)h.width, (int)channels, false, sample));
    raster->white = h.white;
    if (h.kind < 4)
        return read_text(&r, h.kind, count, raster);
    if (h.kind == 4)
        read_bits(r.at, raster);
    else if (sample == CLC_SAMPLE_U8)
        memcpy(raster->samples, r.at, count);
    else
        for (size_t i = 0; i < count; i++)
            ((uint16_t *)raster->samples)[i] = (uint16_t)(r.at[2 * i] << 8 | r.at[2 * i + 1]);
fail:
    return status;
}

static bool recognise(const uint8_t *bytes, size_t n) {
    return n > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
           (is_space(bytes[2]) || bytes[2] == '#');
}

const clc_decoder clc_decoder_pnm = {"pnm", recognise, probe, decode};
