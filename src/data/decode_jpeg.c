/* JPEG by libjpeg. Large pictures are scaled in the DCT, by powers of two: other ratios are slower
 * than decoding the whole. */
#include "data/decode.h"
#include "data/exif.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* More than any encoder makes; a hostile file could ask for millions, each a pass over the whole
 * picture. */
enum { SCANS_MAX = 100 };

/* One picture being read. libjpeg hands back pointers to its first members. */
typedef struct reader {
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf out;
    char message[JMSG_LENGTH_MAX];
    const uint8_t *bytes;
    size_t n;
    const clc_image_options *options;
    clc_raster *raster;
} reader;

static void stop(j_common_ptr jpeg) {
    reader *r = (reader *)jpeg->err;
    jpeg->err->format_message(jpeg, r->message);
    longjmp(r->out, 1);
}

/* Warnings stand for pixels that are missing or wrong, but for these: padding between the parts of
 * a file, and a version or colour transform that it calls unknown. */
static void warn(j_common_ptr jpeg, int level) {
    const int code = jpeg->err->msg_code;
    if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_JFIF_MAJOR &&
        code != JWRN_ADOBE_XFORM)
        stop(jpeg);
}

static void count_scans(j_common_ptr jpeg) {
    reader *r = (reader *)jpeg->err;
    if (r->jpeg.input_scan_number > SCANS_MAX) {
        snprintf(r->message, sizeof r->message, "damaged: more than %d scans", SCANS_MAX);
        longjmp(r->out, 1);
    }
}

static clc_status fail_jpeg(const reader *r) {
    const int code = r->errors.msg_code;
    if (code == JERR_OUT_OF_MEMORY)
        return clc_fail(CLC_MEMORY, "out of host memory in libjpeg");
    return clc_fail(CLC_FORMAT,
                    code == JWRN_JPEG_EOF || code == JERR_INPUT_EMPTY ? "cut short: %s" : "%s",
                    r->message);
}

/* libjpeg leaves the work by a jump where it fails. */
static clc_status guarded(reader *r, clc_status (*work)(reader *)) {
    if (setjmp(r->out))
        return fail_jpeg(r);
    return work(r);
}

static clc_status read_header(reader *r) {
    jpeg_std_error(&r->errors);
    r->errors.error_exit = stop;
    r->errors.emit_message = warn;
    r->progress.progress_monitor = count_scans;
    r->jpeg.err = &r->errors;
    jpeg_create_decompress(&r->jpeg);
    r->jpeg.progress = &r->progress;
    jpeg_mem_src(&r->jpeg, r->bytes, (unsigned long)r->n);
    jpeg_read_header(&r->jpeg, TRUE);
    return CLC_OK;
}

/* The smallest decoded size that is no smaller than the fitted one. */
static void choose_scale(struct jpeg_decompress_struct *jpeg, const clc_image_options *options) {
    int height, width, parts = 8;
    clc_image_fitted(options, (int)jpeg->image_height, (int)jpeg->image_width, &height, &width);
    while (parts > 1 && (jpeg->image_height * (unsigned)parts / 2 + 7) / 8 >= (unsigned)height &&
           (jpeg->image_width * (unsigned)parts / 2 + 7) / 8 >= (unsigned)width)
        parts /= 2;
    jpeg->scale_num = (unsigned)parts;
    jpeg->scale_denom = 8;
}

/* Adobe's programs store ink inverted, and leave their marker. */
static void invert(uint8_t *samples, size_t n) {
    for (size_t i = 0; i < n; i++)
        samples[i] = (uint8_t)(255 - samples[i]);
}

static clc_status read_pixels(reader *r) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    clc_raster *raster = r->raster;
    clc_status status = CLC_OK;
    const bool grey = jpeg->num_components == 1, ink = jpeg->num_components == 4;
    CLC_TRY(clc_check_size(jpeg->image_height, jpeg->image_width, r->options));
    jpeg->out_color_space = grey ? JCS_GRAYSCALE : ink ? JCS_CMYK : JCS_RGB;
    choose_scale(jpeg, r->options);
    jpeg_calc_output_dimensions(jpeg);
    CLC_TRY(clc_raster_new(raster, (int)jpeg->output_height, (int)jpeg->output_width,
                           jpeg->out_color_components, false, CLC_SAMPLE_U8));
    raster->cmyk = ink;
    raster->part = (clc_image_part){(int)jpeg->image_height, (int)jpeg->image_width,
                                    jpeg->image_height * jpeg->scale_num / 8.0,
                                    jpeg->image_width * jpeg->scale_num / 8.0};
    jpeg_start_decompress(jpeg);
    const size_t stride = (size_t)raster->width * (size_t)raster->channels;
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *row = (uint8_t *)raster->samples + jpeg->output_scanline * stride;
        jpeg_read_scanlines(jpeg, &row, 1);
        if (ink && jpeg->saw_Adobe_marker)
            invert(row, stride);
    }
    jpeg_finish_decompress(jpeg);
fail:
    return status;
}

static bool recognise(const uint8_t *bytes, size_t n) {
    return clc_begins(bytes, n, "\xff\xd8", 2) && (n == 2 || bytes[2] == 0xff);
}

static clc_status probe(const uint8_t *bytes, size_t n, const clc_image_options *options,
                        clc_image_info *info) {
    clc_status status = CLC_OK;
    reader r = {.bytes = bytes, .n = n, .options = options};
    CLC_TRY(guarded(&r, read_header));
    info->height = (int)r.jpeg.image_height;
    info->width = (int)r.jpeg.image_width;
    info->channels = r.jpeg.num_components == 1 ? 1 : 3;
fail:
    jpeg_destroy_decompress(&r.jpeg);
    return status;
}

static clc_status decode(const uint8_t *bytes, size_t n, const clc_image_options *options,
                         clc_raster *raster) {
    clc_status status = CLC_OK;
    reader r = {.bytes = bytes, .n = n, .options = options, .raster = raster};
    CLC_TRY(guarded(&r, read_header));
    CLC_TRY(guarded(&r, read_pixels));
    raster->orientation = clc_exif_of_jpeg(bytes, n);
fail:
    jpeg_destroy_decompress(&r.jpeg);
    return status;
}

const clc_decoder clc_decoder_jpeg = {"jpeg", recognise, probe, decode};
