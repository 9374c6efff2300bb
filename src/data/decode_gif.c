/* GIF by giflib: the first frame, on its canvas. */
#include "data/decode.h"

#include <string.h>

#include <gif_lib.h>

enum { NO_COLOUR = -1, COLOURS = 256 };

/* The bytes of a file. */
typedef struct stream {
    const uint8_t *bytes;
    size_t n, at;
} stream;

static int read_bytes(GifFileType *gif, GifByteType *to, int n) {
    stream *s = gif->UserData;
    const size_t left = s->n - s->at, taken = n < 0 ? 0 : (size_t)n < left ? (size_t)n : left;
    memcpy(to, s->bytes + s->at, taken);
    s->at += taken;
    return (int)taken;
}

static clc_status fail_gif(int code) {
    if (code == D_GIF_ERR_NOT_ENOUGH_MEM)
        return clc_fail(CLC_MEMORY, "out of host memory in giflib");
    if (code == D_GIF_ERR_READ_FAILED || code == D_GIF_ERR_EOF_TOO_SOON)
        return clc_fail(CLC_FORMAT, "cut short: the file ends within the picture");
    const char *why = GifErrorString(code);
    return clc_fail(CLC_FORMAT, "damaged: %s", why ? why : "it can't be read");
}

static clc_status open_file(stream *s, GifFileType **gif) {
    int code = 0;
    *gif = DGifOpen(s, read_bytes, &code);
    return *gif ? CLC_OK : fail_gif(code);
}

static clc_status probe(const uint8_t *bytes, size_t n, const clc_image_options *options,
                        clc_image_info *info) {
    clc_status status = CLC_OK;
    stream s = {bytes, n, 0};
    GifFileType *gif = NULL;
    (void)options;
    CLC_TRY(open_file(&s, &gif));
    info->height = gif->SHeight;
    info->width = gif->SWidth;
    info->channels = 3;
fail:
    if (gif)
        DGifCloseFile(gif, NULL);
    return status;
}

/* Goes on to the first frame; *transparent: the colour that isn't drawn, or NO_COLOUR. */
static clc_status find_frame(GifFileType *gif, int *transparent) {
    *transparent = NO_COLOUR;
    for (;;) {
        GifRecordType record;
        GifByteType *extension = NULL;
        int code;
        if (DGifGetRecordType(gif, &record) == GIF_ERROR)
            return fail_gif(gif->Error);
        if (record == IMAGE_DESC_RECORD_TYPE)
            return DGifGetImageDesc(gif) == GIF_ERROR ? fail_gif(gif->Error) : CLC_OK;
        if (record == TERMINATE_RECORD_TYPE)
            return clc_fail(CLC_FORMAT, "damaged: it has no frame");
        if (DGifGetExtension(gif, &code, &extension) == GIF_ERROR)
            return fail_gif(gif->Error);
        /* A length, flags, two bytes of delay, the colour. */
        if (code == GRAPHICS_EXT_FUNC_CODE && extension && extension[0] >= 4)
            *transparent = extension[1] & 1 ? extension[4] : NO_COLOUR;
        while (extension)
            if (DGifGetExtensionNext(gif, &extension) == GIF_ERROR)
                return fail_gif(gif->Error);
    }
}

/* Draws one row of the frame, of which a part may lie outside the canvas. */
static void draw_row(const GifFileType *gif, const GifPixelType *row, int y, int transparent,
                     clc_raster *raster) {
    const GifImageDesc *frame = &gif->Image;
    const ColorMapObject *map = frame->ColorMap ? frame->ColorMap : gif->SColorMap;
    const int elements = 3 + raster->alpha, left = frame->Left;
    const int end = frame->Width < raster->width - left ? frame->Width : raster->width - left;
    uint8_t *line = (uint8_t *)raster->samples +
                    (size_t)(frame->Top + y) * (size_t)raster->width * (size_t)elements;
    for (int x = 0; x < end; x++) {
        const int colour = row[x];
        uint8_t *to = line + (left + x) * elements;
        if (colour == transparent)
            continue;
        if (colour < map->ColorCount) /* else black */
            memcpy(to,
                   (uint8_t[]){map->Colors[colour].Red, map->Colors[colour].Green,
                               map->Colors[colour].Blue},
                   3);
        if (raster->alpha)
            to[3] = 255;
    }
}

static clc_status read_frame(GifFileType *gif, int transparent, clc_raster *raster) {
    static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    clc_status status = CLC_OK;
    const GifImageDesc *frame = &gif->Image;
    const int passes = frame->Interlace ? 4 : 1;
    GifPixelType *row = NULL;
    CLC_NEW(row, frame->Width);
    for (int pass = 0; pass < passes; pass++) {
        const int start = passes == 1 ? 0 : starts[pass], step = passes == 1 ? 1 : steps[pass];
        for (int y = start; y < frame->Height; y += step) {
            if (DGifGetLine(gif, row, frame->Width) == GIF_ERROR)
                CLC_TRY(fail_gif(gif->Error));
            if (frame->Top + y < raster->height && frame->Left < raster->width)
                draw_row(gif, row, y, transparent, raster);
        }
    }
fail:
    free(row);
    return status;
}

static clc_status decode(const uint8_t *bytes, size_t n, const clc_image_options *options,
                         clc_raster *raster) {
    clc_status status = CLC_OK;
    stream s = {bytes, n, 0};
    GifFileType *gif = NULL;
    int transparent;
    CLC_TRY(open_file(&s, &gif));
    CLC_TRY(clc_check_size(gif->SHeight, gif->SWidth, options));
    CLC_TRY(find_frame(gif, &transparent));
    const GifImageDesc *frame = &gif->Image;
    CLC_TRY(clc_check_size(frame->Height, frame->Width, options));
    if (!frame->ColorMap && !gif->SColorMap) {
        status = clc_fail(CLC_FORMAT, "damaged: it has no colours");
        goto fail;
    }
    const bool whole = frame->Left == 0 && frame->Top == 0 && frame->Width >= gif->SWidth &&
                       frame->Height >= gif->SHeight;
    CLC_TRY(clc_raster_new(raster, gif->SHeight, gif->SWidth, 3, !whole || transparent != NO_COLOUR,
                           CLC_SAMPLE_U8));
    CLC_TRY(read_frame(gif, transparent, raster));
fail:
    if (gif)
        DGifCloseFile(gif, NULL);
    return status;
}

static bool recognise(const uint8_t *bytes, size_t n) {
    return clc_begins(bytes, n, "GIF87a", 6) || clc_begins(bytes, n, "GIF89a", 6);
}

const clc_decoder clc_decoder_gif = {"gif", recognise, probe, decode};
