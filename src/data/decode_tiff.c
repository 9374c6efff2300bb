/* TIFF by libtiff: the first page. Grey, RGB, palette and ink of 1 to 32 bits with any further
 * channels are unpacked here, as libtiff's own conversion knows 8 bits only; rarer colour models
 * are left to that. */
#include "data/tiff_page.h"

#include <string.h>

/* One sample of a row, as libtiff leaves it: in the processor's order of bytes. */
static float sample_at(const clc_tiff_layout *l, const uint8_t *row, size_t i) {
    const size_t bit = i * l->bits;
    uint16_t half;
    uint32_t word;
    float real;
    switch (l->bits) {
    case 8:
        return row[i];
    case 16:
        memcpy(&half, row + 2 * i, sizeof half);
        return l->format == SAMPLEFORMAT_INT ? (int16_t)half : half;
    case 32:
        memcpy(&word, row + 4 * i, sizeof word);
        memcpy(&real, &word, sizeof real);
        return l->format == SAMPLEFORMAT_IEEEFP ? real
               : l->format == SAMPLEFORMAT_INT  ? (float)(int32_t)word
                                                : (float)word;
    default:
        return (float)(row[bit / 8] >> (8 - l->bits - bit % 8) & ((1 << l->bits) - 1));
    }
}

static void put_sample(clc_raster *raster, size_t place, float value) {
    if (raster->sample == CLC_SAMPLE_U8)
        ((uint8_t *)raster->samples)[place] = (uint8_t)value;
    else if (raster->sample == CLC_SAMPLE_U16)
        ((uint16_t *)raster->samples)[place] = (uint16_t)value;
    else
        ((float *)raster->samples)[place] = value;
}

/* Writes `n` pixels of a row, from (y,x) on. plane: the only sample that the row has, or -1. */
static void unpack_row(const clc_tiff_layout *l, const uint8_t *row, size_t n, uint32_t y,
                       uint32_t x, int plane, clc_raster *raster) {
    const size_t elements = (size_t)(raster->channels + raster->alpha);
    const size_t start = ((size_t)y * l->width + x) * elements;
    const int begin = plane < 0 ? 0 : plane, end = plane < 0 ? l->samples : plane + 1;
    for (size_t i = 0; i < n; i++) {
        for (int s = begin; s < end; s++) {
            float value = sample_at(l, row, i * (size_t)(end - begin) + (size_t)(s - begin));
            const int element = l->alpha < 0 || s < l->alpha ? s
                                : s == l->alpha              ? raster->channels
                                                             : s - 1;
            if (l->photometric == PHOTOMETRIC_MINISWHITE && s < l->colours)
                value = (float)raster->white - value;
            if (l->photometric != PHOTOMETRIC_PALETTE)
                put_sample(raster, start + i * elements + (size_t)element, value);
            else
                for (int c = 0; c < 3; c++)
                    put_sample(raster, start + i * elements + (size_t)c,
                               (float)(uint8_t)(l->palette[c][(int)value] >> l->palette_shift));
        }
    }
}

/* One strip or tile. */
static clc_status read_unit(clc_tiff *r, const clc_tiff_layout *l, uint32_t y, uint32_t x,
                            int plane, uint8_t *buffer, clc_raster *raster) {
    TIFF *tiff = r->tiff;
    const uint16_t index = (uint16_t)(plane < 0 ? 0 : plane);
    const uint32_t rows = l->unit_height < l->height - y ? l->unit_height : l->height - y;
    const uint32_t columns = l->unit_width < l->width - x ? l->unit_width : l->width - x;
    const bool tiled = TIFFIsTiled(tiff);
    const tmsize_t stride = tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff);
    const tmsize_t bytes = stride * (tmsize_t)(tiled ? l->unit_height : rows);
    const tmsize_t got =
        tiled ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, x, y, 0, index), buffer, bytes)
              : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, index), buffer, bytes);
    if (got != bytes || r->message[0])
        return clc_tiff_fail(r);
    for (uint32_t i = 0; i < rows; i++)
        unpack_row(l, buffer + (size_t)stride * i, columns, y + i, x, plane, raster);
    return CLC_OK;
}

static clc_status read_native(clc_tiff *r, const clc_tiff_layout *l, clc_raster *raster) {
    clc_status status = CLC_OK;
    uint8_t *buffer = NULL;
    const bool separate = l->planar == PLANARCONFIG_SEPARATE && l->samples > 1;
    const size_t row_bits = (size_t)l->unit_width * l->bits * (separate ? 1 : l->samples);
    const size_t stride = (row_bits + 7) / 8;
    const tmsize_t own =
        TIFFIsTiled(r->tiff) ? TIFFTileRowSize(r->tiff) : TIFFScanlineSize(r->tiff);
    if (own < 0 || (size_t)own != stride)
        return clc_fail(CLC_FORMAT, "not supported (rows of %lld bytes instead of %zu)",
                        (long long)own, stride);
    CLC_NEW(buffer, stride * l->unit_height);
    for (int plane = separate ? 0 : -1; plane < (separate ? l->samples : 0); plane++)
        for (uint32_t y = 0; y < l->height; y += l->unit_height)
            for (uint32_t x = 0; x < l->width; x += l->unit_width)
                CLC_TRY(read_unit(r, l, y, x, plane, buffer, raster));
fail:
    free(buffer);
    return status;
}

/* By libtiff's conversion to RGBA, in the stored order of rows. */
static clc_status read_converted(clc_tiff *r, clc_raster *raster) {
    TIFFRGBAImage image;
    char why[1024] = "";
    if (!TIFFRGBAImageBegin(&image, r->tiff, 1, why))
        return clc_fail(CLC_FORMAT, "not supported (%s)", why);
    image.orientation = image.req_orientation = ORIENTATION_TOPLEFT;
    uint32_t *pixels = raster->samples;
    const size_t n = (size_t)raster->height * (size_t)raster->width;
    const int read =
        TIFFRGBAImageGet(&image, pixels, (uint32_t)raster->width, (uint32_t)raster->height);
    TIFFRGBAImageEnd(&image);
    if (!read || r->message[0])
        return clc_tiff_fail(r);
    for (size_t i = 0; i < n; i++) {
        const uint32_t pixel = pixels[i];
        const uint8_t bytes[] = {(uint8_t)TIFFGetR(pixel), (uint8_t)TIFFGetG(pixel),
                                 (uint8_t)TIFFGetB(pixel), (uint8_t)TIFFGetA(pixel)};
        memcpy((uint8_t *)raster->samples + 4 * i, bytes, 4);
    }
    return CLC_OK;
}

static clc_status new_raster(const clc_tiff_layout *l, clc_raster *raster) {
    clc_status status = CLC_OK;
    const bool palette = l->native && l->photometric == PHOTOMETRIC_PALETTE;
    const bool whole = l->format != SAMPLEFORMAT_INT && l->bits <= 16;
    const clc_sample sample = !l->native || l->bits <= 8 ? CLC_SAMPLE_U8
                              : whole                    ? CLC_SAMPLE_U16
                                                         : CLC_SAMPLE_F32;
    CLC_TRY(clc_raster_new(raster, (int)l->height, (int)l->width, clc_tiff_channels(l),
                           l->native ? l->alpha >= 0 : true, sample));
    raster->premultiplied = l->native ? l->premultiplied : true;
    raster->cmyk = l->native && l->photometric == PHOTOMETRIC_SEPARATED && raster->channels == 4;
    if (l->native && !palette && l->format != SAMPLEFORMAT_IEEEFP)
        raster->white = (double)((1LL << (l->bits - (l->format == SAMPLEFORMAT_INT))) - 1);
fail:
    return status;
}

static clc_status decode(const uint8_t *bytes, size_t n, const clc_image_options *options,
                         clc_raster *raster) {
    clc_status status = CLC_OK;
    clc_tiff r = {.bytes = bytes, .n = n};
    clc_tiff_layout l;
    CLC_TRY(clc_tiff_open(&r, options));
    CLC_TRY(clc_tiff_read_layout(&r, options, &l));
    CLC_TRY(new_raster(&l, raster));
    r.reading = true;
    r.message[0] = 0;
    CLC_TRY(l.native ? read_native(&r, &l, raster) : read_converted(&r, raster));
    const int orientation = clc_tiff_tag(r.tiff, TIFFTAG_ORIENTATION);
    raster->orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
fail:
    if (r.tiff)
        TIFFClose(r.tiff);
    return status;
}

static clc_status probe(const uint8_t *bytes, size_t n, const clc_image_options *options,
                        clc_image_info *info) {
    clc_status status = CLC_OK;
    clc_tiff r = {.bytes = bytes, .n = n};
    clc_tiff_layout l;
    CLC_TRY(clc_tiff_open(&r, options));
    CLC_TRY(clc_tiff_read_layout(&r, options, &l));
    info->height = (int)l.height;
    info->width = (int)l.width;
    info->channels = clc_tiff_channels(&l);
    if (l.native && l.photometric == PHOTOMETRIC_SEPARATED && info->channels == 4)
        info->channels = 3;
fail:
    if (r.tiff)
        TIFFClose(r.tiff);
    return status;
}

static bool recognise(const uint8_t *bytes, size_t n) {
    const bool raw = n >= 10 && clc_begins(bytes + 8, 2, "CR", 2); /* Canon's */
    return !raw && (clc_begins(bytes, n, "II*\0", 4) || clc_begins(bytes, n, "MM\0*", 4) ||
                    clc_begins(bytes, n, "II+\0", 4) || clc_begins(bytes, n, "MM\0+", 4));
}

const clc_decoder clc_decoder_tiff = {"tiff", recognise, probe, decode};
