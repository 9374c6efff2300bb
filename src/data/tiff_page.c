#include "data/tiff_page.h"

#include <stdio.h>
#include <string.h>

enum { SAMPLES_MAX = 16, DNG_VERSION = 50706, LINEAR_RAW = 34892 };

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t n) {
    clc_tiff *r = handle;
    const size_t left = r->n - r->at, taken = n < 0 ? 0 : (size_t)n < left ? (size_t)n : left;
    memcpy(to, r->bytes + r->at, taken);
    r->at += taken;
    return (tmsize_t)taken;
}

static tmsize_t write_bytes(thandle_t handle, void *from, tmsize_t n) {
    (void)handle;
    (void)from;
    (void)n;
    return 0;
}

static toff_t seek_to(thandle_t handle, toff_t offset, int from) {
    clc_tiff *r = handle;
    const uint64_t start = from == SEEK_SET ? 0 : from == SEEK_CUR ? r->at : r->n;
    const uint64_t at = start + offset;
    if (at < start || at > r->n) {
        r->at = r->n; /* nothing can be read there */
        return r->n;
    }
    r->at = (size_t)at;
    return at;
}

static int close_nothing(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t size_of(thandle_t handle) {
    const clc_tiff *r = handle;
    return r->n;
}

static int keep_error(TIFF *tiff, void *user, const char *module, const char *format,
                      va_list arguments) {
    clc_tiff *r = user;
    (void)tiff;
    (void)module;
    if (!r->message[0])
        vsnprintf(r->message, sizeof r->message, format, arguments);
    return 1;
}

/* libtiff only warns of damaged fax and JPEG data. That old LZW is old is no fault. */
static int keep_warning(TIFF *tiff, void *user, const char *module, const char *format,
                        va_list arguments) {
    const clc_tiff *r = user;
    if (r->reading && strcmp(module, "LZWPreDecode"))
        keep_error(tiff, user, module, format, arguments);
    return 1;
}

clc_status clc_tiff_fail(const clc_tiff *r) {
    return clc_fail(CLC_FORMAT, "damaged or cut short: %s",
                    r->message[0] ? r->message : "it can't be read");
}

clc_status clc_tiff_open(clc_tiff *r, const clc_image_options *options) {
    enum { LEAST = 64 << 20, A_PIXEL = SAMPLES_MAX * 4 };
    TIFFOpenOptions *open = TIFFOpenOptionsAlloc();
    if (!open)
        return clc_fail(CLC_MEMORY, "out of host memory in libtiff");
    TIFFOpenOptionsSetMaxSingleMemAlloc(open, LEAST + (tmsize_t)(options->max_pixels * A_PIXEL));
    TIFFOpenOptionsSetErrorHandlerExtR(open, keep_error, r);
    TIFFOpenOptionsSetWarningHandlerExtR(open, keep_warning, r);
    /* m: not as if mapped to memory, which libtiff takes the right to write to. */
    r->tiff = TIFFClientOpenExt("picture", "rm", r, read_bytes, write_bytes, seek_to, close_nothing,
                                size_of, NULL, NULL, open);
    TIFFOpenOptionsFree(open);
    return r->tiff ? CLC_OK : clc_tiff_fail(r);
}

uint16_t clc_tiff_tag(TIFF *tiff, uint32_t name) {
    uint16_t value = 0;
    TIFFGetFieldDefaulted(tiff, name, &value);
    return value;
}

/* Samples beyond those of the colour model are further channels, unless one says that it is alpha,
 * or nothing is said of a fourth besides RGB. */
static void find_alpha(TIFF *tiff, clc_tiff_layout *l) {
    uint16_t count = 0, *kinds = NULL;
    l->alpha = -1;
    if (!TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds)) {
        if (l->photometric == PHOTOMETRIC_RGB && l->samples == 4)
            l->alpha = 3;
        return;
    }
    for (int i = 0; i < count && l->colours + i < l->samples && l->alpha < 0; i++) {
        if (kinds[i] == EXTRASAMPLE_ASSOCALPHA || kinds[i] == EXTRASAMPLE_UNASSALPHA)
            l->alpha = l->colours + i;
        l->premultiplied = kinds[i] == EXTRASAMPLE_ASSOCALPHA;
    }
}

static void find_unit(TIFF *tiff, clc_tiff_layout *l) {
    l->unit_height = l->height;
    l->unit_width = l->width;
    if (TIFFIsTiled(tiff)) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &l->unit_width);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &l->unit_height);
    } else {
        uint32_t rows = 0;
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows);
        if (rows > 0 && rows < l->height)
            l->unit_height = rows;
    }
}

/* Palettes have 16 bits, but some writers put 8 there. */
static bool find_palette(TIFF *tiff, clc_tiff_layout *l) {
    uint16_t *maps[3];
    if (l->bits > 8 || l->samples != 1 ||
        !TIFFGetField(tiff, TIFFTAG_COLORMAP, &maps[0], &maps[1], &maps[2]))
        return false;
    l->palette_shift = 0;
    for (int c = 0; c < 3; c++) {
        l->palette[c] = maps[c];
        for (int i = 0; i < 1 << l->bits; i++)
            if (maps[c][i] > 255)
                l->palette_shift = 8;
    }
    return true;
}

static bool bits_are_known(const clc_tiff_layout *l) {
    const bool integer = l->format == SAMPLEFORMAT_UINT || l->format == SAMPLEFORMAT_VOID;
    switch (l->bits) {
    case 1:
    case 2:
    case 4:
    case 8:
        return integer;
    case 16:
        return integer || l->format == SAMPLEFORMAT_INT;
    case 32:
        return integer || l->format == SAMPLEFORMAT_INT || l->format == SAMPLEFORMAT_IEEEFP;
    default:
        return false;
    }
}

static clc_status check_kind(clc_tiff *r, clc_tiff_layout *l) {
    char why[1024];
    const void *version = NULL;
    uint16_t count = 0;
    if (l->photometric == PHOTOMETRIC_CFA || l->photometric == LINEAR_RAW ||
        TIFFGetField(r->tiff, DNG_VERSION, &count, &version))
        return clc_fail(CLC_FORMAT, "not supported (raw data of a camera)");
    if (l->samples < 1 || l->samples > SAMPLES_MAX)
        return clc_fail(CLC_FORMAT, "not supported (%d channels; at most %d are)", l->samples,
                        SAMPLES_MAX);
    l->native = bits_are_known(l) && l->colours > 0 && l->samples >= l->colours &&
                (l->photometric != PHOTOMETRIC_PALETTE || find_palette(r->tiff, l));
    if (!l->native && !TIFFRGBAImageOK(r->tiff, why))
        return clc_fail(CLC_FORMAT,
                        "not supported (%d bits, sample format %d, %d samples, colour model %d)",
                        l->bits, l->format, l->samples, l->photometric);
    return CLC_OK;
}

static int colours_of(uint16_t photometric) {
    switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_PALETTE:
        return 1;
    case PHOTOMETRIC_RGB:
        return 3;
    case PHOTOMETRIC_SEPARATED:
        return 4;
    default:
        return 0;
    }
}

clc_status clc_tiff_read_layout(clc_tiff *r, const clc_image_options *options, clc_tiff_layout *l) {
    clc_status status = CLC_OK;
    TIFF *tiff = r->tiff;
    const double least_limit = 1 << 20; /* tiles may be larger than the picture */
    *l = (clc_tiff_layout){.alpha = -1};
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &l->height);
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &l->width);
    CLC_TRY(clc_check_size(l->height, l->width, options));
    l->bits = clc_tiff_tag(tiff, TIFFTAG_BITSPERSAMPLE);
    l->samples = clc_tiff_tag(tiff, TIFFTAG_SAMPLESPERPIXEL);
    l->planar = clc_tiff_tag(tiff, TIFFTAG_PLANARCONFIG);
    l->format = clc_tiff_tag(tiff, TIFFTAG_SAMPLEFORMAT);
    if (!TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &l->photometric))
        l->photometric = l->samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    if (l->photometric == PHOTOMETRIC_YCBCR &&
        clc_tiff_tag(tiff, TIFFTAG_COMPRESSION) == COMPRESSION_JPEG &&
        l->planar == PLANARCONFIG_CONTIG && l->bits == 8) {
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        l->photometric = PHOTOMETRIC_RGB;
    }
    l->colours = colours_of(l->photometric);
    find_alpha(tiff, l);
    find_unit(tiff, l);
    if (l->unit_height < 1 || l->unit_width < 1 ||
        (double)l->unit_height * l->unit_width >
            (options->max_pixels > least_limit ? options->max_pixels : least_limit))
        return clc_fail(CLC_FORMAT, "damaged: tiles of %u x %u pixels", l->unit_width,
                        l->unit_height);
    CLC_TRY(check_kind(r, l));
fail:
    return status;
}

int clc_tiff_channels(const clc_tiff_layout *l) {
    if (!l->native || l->photometric == PHOTOMETRIC_PALETTE)
        return 3;
    return l->samples - (l->alpha >= 0);
}
