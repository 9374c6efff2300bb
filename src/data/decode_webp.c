/* WebP by libwebp; of animations the first frame, on its canvas. */
#include "data/decode.h"
#include "data/exif.h"

#include <webp/decode.h>
#include <webp/demux.h>

/* A truncated file is no file for the demuxer but in this state of its. */
static clc_status open_file(const uint8_t *bytes, size_t n, WebPDemuxer **demuxer) {
    const WebPData data = {bytes, n};
    WebPDemuxState state;
    *demuxer = WebPDemuxPartial(&data, &state);
    if (*demuxer && state == WEBP_DEMUX_DONE)
        return CLC_OK;
    return clc_fail(CLC_FORMAT, state == WEBP_DEMUX_PARSE_ERROR
                                    ? "damaged: its parts don't fit together"
                                    : "cut short: the file ends within the picture");
}

static clc_status probe(const uint8_t *bytes, size_t n, const clc_image_options *options,
                        clc_image_info *info) {
    clc_status status = CLC_OK;
    WebPDemuxer *demuxer = NULL;
    CLC_TRY(open_file(bytes, n, &demuxer));
    const double height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
    const double width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH);
    CLC_TRY(clc_check_size(height, width, options));
    info->height = (int)height;
    info->width = (int)width;
    info->channels = 3;
fail:
    WebPDemuxDelete(demuxer);
    return status;
}

static int orientation_of(const WebPDemuxer *demuxer) {
    WebPChunkIterator chunk;
    int orientation = 1;
    if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk)) {
        orientation = clc_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    return orientation;
}

/* Decodes the frame to its place in the raster. */
static clc_status read_frame(const WebPIterator *frame, clc_raster *raster) {
    const size_t elements = raster->alpha ? 4 : 3, stride = elements * (size_t)raster->width;
    const size_t start = (size_t)frame->y_offset * stride + (size_t)frame->x_offset * elements;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return clc_fail(CLC_FORMAT, "this libwebp is not the one of the build");
    config.output.colorspace = raster->alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = (uint8_t *)raster->samples + start;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = stride * (size_t)raster->height - start;
    const VP8StatusCode code = WebPDecode(frame->fragment.bytes, frame->fragment.size, &config);
    WebPFreeDecBuffer(&config.output);
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return clc_fail(CLC_MEMORY, "out of host memory in libwebp");
    if (code == VP8_STATUS_SUSPENDED || code == VP8_STATUS_NOT_ENOUGH_DATA)
        return clc_fail(CLC_FORMAT, "cut short: the frame's data end early");
    return code == VP8_STATUS_OK ? CLC_OK
                                 : clc_fail(CLC_FORMAT, "damaged: the frame can't be decoded");
}

static clc_status decode(const uint8_t *bytes, size_t n, const clc_image_options *options,
                         clc_raster *raster) {
    clc_status status = CLC_OK;
    clc_image_info info = {0};
    WebPDemuxer *demuxer = NULL;
    WebPIterator frame = {0};
    CLC_TRY(probe(bytes, n, options, &info));
    CLC_TRY(open_file(bytes, n, &demuxer));
    if (!WebPDemuxGetFrame(demuxer, 1, &frame) || !frame.complete) {
        status = clc_fail(CLC_FORMAT, "damaged: it has no frame");
        goto fail;
    }
    if (frame.x_offset < 0 || frame.y_offset < 0 || frame.width > info.width - frame.x_offset ||
        frame.height > info.height - frame.y_offset) {
        status = clc_fail(CLC_FORMAT, "damaged: a frame of %d x %d pixels lies outside its canvas",
                          frame.width, frame.height);
        goto fail;
    }
    const bool whole = frame.width == info.width && frame.height == info.height;
    CLC_TRY(clc_raster_new(raster, info.height, info.width, 3, frame.has_alpha || !whole,
                           CLC_SAMPLE_U8));
    raster->orientation = orientation_of(demuxer);
    CLC_TRY(read_frame(&frame, raster));
fail:
    WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(demuxer);
    return status;
}

static bool recognise(const uint8_t *bytes, size_t n) {
    return clc_begins(bytes, n, "RIFF", 4) && n >= 12 && clc_begins(bytes + 8, n - 8, "WEBP", 4);
}

const clc_decoder clc_decoder_webp = {"webp", recognise, probe, decode};
