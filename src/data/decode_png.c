/* PNG by libpng. */
#include "data/decode.h"
#include "data/exif.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

/* One picture being read. */
typedef struct reader {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t n, at;
    png_bytep *rows; /* (height) */
    char message[200];
    const clc_image_options *options;
    clc_raster *raster;
} reader;

static void read_bytes(png_structp png, png_bytep to, size_t n) {
    reader *r = png_get_io_ptr(png);
    if (n > r->n - r->at)
        png_error(png, "cut short: the file ends within the picture");
    memcpy(to, r->bytes + r->at, n);
    r->at += n;
}

static void stop(png_structp png, png_const_charp message) {
    reader *r = png_get_error_ptr(png);
    snprintf(r->message, sizeof r->message, "%s", message);
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static clc_status begin(reader *r) {
    r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, stop, ignore);
    r->info = r->png ? png_create_info_struct(r->png) : NULL;
    return r->info ? CLC_OK : clc_fail(CLC_MEMORY, "out of host memory in libpng");
}

static void end(reader *r) {
    png_destroy_read_struct(&r->png, &r->info, NULL);
    free(r->rows);
}

/* libpng leaves the work by a jump where it fails. */
static clc_status guarded(reader *r, clc_status (*work)(reader *)) {
    if (setjmp(png_jmpbuf(r->png)))
        return clc_fail(CLC_FORMAT, "%s", r->message);
    return work(r);
}

/* What is said about the picture besides its pixels is passed over: it
 * could be large. */
static clc_status read_header(reader *r) {
    static const char unread[] = "iCCP\0zTXt\0iTXt\0tEXt\0sPLT\0eXIf\0hIST\0pCAL\0sCAL";
    png_set_read_fn(r->png, r, read_bytes);
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep)unread,
                                (int)(sizeof unread / 5));
    png_read_info(r->png, r->info);
    return CLC_OK;
}

/* Asks for whole bytes of grey or RGB, with alpha where there is transparency. */
static void set_transforms(reader *r) {
    const int colour = png_get_color_type(r->png, r->info);
    const union {
        uint16_t number;
        uint8_t first;
    } order = {.number = 1};
    png_set_expand(r->png);
    if (colour == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(r->png);
    if (png_get_bit_depth(r->png, r->info) == 16 && order.first == 1)
        png_set_swap(r->png);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
}

static clc_status read_pixels(reader *r) {
    clc_status status = CLC_OK;
    clc_raster *raster = r->raster;
    const unsigned height = png_get_image_height(r->png, r->info);
    CLC_TRY(clc_check_size(height, png_get_image_width(r->png, r->info), r->options));
    set_transforms(r);
    const int colour = png_get_color_type(r->png, r->info);
    CLC_TRY(
        clc_raster_new(raster, (int)height, (int)png_get_image_width(r->png, r->info),
                       colour & PNG_COLOR_MASK_COLOR ? 3 : 1, colour & PNG_COLOR_MASK_ALPHA,
                       png_get_bit_depth(r->png, r->info) == 16 ? CLC_SAMPLE_U16 : CLC_SAMPLE_U8));
    CLC_NEW(r->rows, height);
    for (unsigned y = 0; y < height; y++)
        r->rows[y] = (png_bytep)raster->samples + y * png_get_rowbytes(r->png, r->info);
    png_read_image(r->png, r->rows);
    png_read_end(r->png, NULL);
fail:
    return status;
}

static bool recognise(const uint8_t *bytes, size_t n) {
    /* The signature may be damaged by a transfer as text, which libpng says. */
    return clc_begins(bytes, n, "\x89PNG", 4);
}

static clc_status probe(const uint8_t *bytes, size_t n, const clc_image_options *options,
                        clc_image_info *info) {
    clc_status status = CLC_OK;
    reader r = {.bytes = bytes, .n = n, .options = options};
    CLC_TRY(begin(&r));
    CLC_TRY(guarded(&r, read_header));
    info->height = (int)png_get_image_height(r.png, r.info);
    info->width = (int)png_get_image_width(r.png, r.info);
    info->channels = png_get_color_type(r.png, r.info) & PNG_COLOR_MASK_COLOR ? 3 : 1;
fail:
    end(&r);
    return status;
}

static clc_status decode(const uint8_t *bytes, size_t n, const clc_image_options *options,
                         clc_raster *raster) {
    clc_status status = CLC_OK;
    reader r = {.bytes = bytes, .n = n, .options = options, .raster = raster};
    CLC_TRY(begin(&r));
    CLC_TRY(guarded(&r, read_header));
    CLC_TRY(guarded(&r, read_pixels));
    raster->orientation = clc_exif_of_png(bytes, n);
fail:
    end(&r);
    return status;
}

/* Indices of a palette, or grey, as they stand in the file, a byte each. */
static clc_status read_numbers(reader *r) {
    clc_status status = CLC_OK;
    const unsigned height = png_get_image_height(r->png, r->info);
    const unsigned width = png_get_image_width(r->png, r->info);
    const int colour = png_get_color_type(r->png, r->info);
    CLC_TRY(clc_check_size(height, width, r->options));
    if ((colour != PNG_COLOR_TYPE_PALETTE && colour != PNG_COLOR_TYPE_GRAY) ||
        png_get_bit_depth(r->png, r->info) > 8)
        CLC_TRY(clc_fail(CLC_FORMAT, "it has colours or 16 bits; a mask has a palette or grey "
                                     "levels of at most 8 bits, whose numbers are the classes"));
    png_set_packing(r->png);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    CLC_TRY(clc_raster_new(r->raster, (int)height, (int)width, 1, false, CLC_SAMPLE_U8));
    CLC_NEW(r->rows, height);
    for (unsigned y = 0; y < height; y++)
        r->rows[y] = (png_bytep)r->raster->samples + (size_t)y * width;
    png_read_image(r->png, r->rows);
    png_read_end(r->png, NULL);
fail:
    return status;
}

clc_status clc_image_decode_numbers(const uint8_t *bytes, size_t n,
                                    const clc_image_options *options, clc_image *image) {
    clc_status status = CLC_OK;
    clc_raster raster = {0};
    reader r = {.bytes = bytes, .n = n, .options = options, .raster = &raster};
    *image = (clc_image){0};
    if (!recognise(bytes, n))
        return clc_fail(CLC_FORMAT, "it is no PNG, as masks must be");
    CLC_TRY(begin(&r));
    CLC_TRY(guarded(&r, read_header));
    CLC_TRY(guarded(&r, read_numbers));
    *image = (clc_image){raster.height, raster.width, 1, raster.samples};
    raster.samples = NULL;
fail:
    end(&r);
    clc_raster_free(&raster);
    return status;
}

const clc_decoder clc_decoder_png = {"png", recognise, probe, decode};
