#include "encode.h"

#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>
#include <webp/encode.h>

const clc_image_options plain = {
    .background = {255, 255, 255}, .orientation = true, .max_pixels = 1e6};

/* Repeatable numbers below `limit`. */
unsigned draw(unsigned limit) {
    static uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    return (state >> 8) % limit;
}

/* Decodes, checks the header against the picture, and frees the file. */
static clc_image decode(bytes file, const clc_image_options *options) {
    clc_image image;
    clc_image_info info;
    CHECK(clc_image_decode(file.data, file.n, options, &image));
    CHECK(clc_image_probe(file.data, file.n, options, &info));
    assert_true((info.height == image.height && info.width == image.width) ||
                (info.height == image.width && info.width == image.height) || options->side);
    assert_true(options->channels || info.channels == image.channels);
    bytes_free(&file);
    return image;
}

void expect_pixels(bytes file, const clc_image_options *options, int height, int width,
                   int channels, const uint8_t *pixels, int tolerance, const char *what) {
    clc_image image = decode(file, options);
    if (image.height != height || image.width != width || image.channels != channels)
        fail_msg("%s: %dx%dx%d instead of %dx%dx%d", what, image.height, image.width,
                 image.channels, height, width, channels);
    for (int i = 0; i < height * width * channels; i++)
        if (abs(image.pixels[i] - pixels[i]) > tolerance)
            fail_msg("%s: %d instead of %d at %d", what, image.pixels[i], pixels[i], i);
    clc_image_free(&image);
}

void bytes_free(bytes *b) {
    free(b->data);
    *b = (bytes){0};
}

bytes bytes_copy(const void *data, size_t n) {
    bytes b = {malloc(n + 1), n};
    assert_non_null(b.data);
    if (n)
        memcpy(b.data, data, n);
    return b;
}

void bytes_insert(bytes *b, size_t at, const void *data, size_t n) {
    uint8_t *longer = realloc(b->data, b->n + n + 1);
    assert_non_null(longer);
    memmove(longer + at + n, longer + at, b->n - at);
    if (n)
        memcpy(longer + at, data, n);
    *b = (bytes){longer, b->n + n};
}

bytes bytes_join(bytes first, const void *second, size_t n) {
    bytes_insert(&first, first.n, second, n);
    return first;
}

static void append_number(bytes *b, uint64_t value, int n, bool little) {
    for (int i = 0; i < n; i++)
        bytes_insert(b, b->n, &(uint8_t){(uint8_t)(value >> 8 * (little ? i : n - 1 - i))}, 1);
}

bytes exif_block(int orientation, bool little, int before) {
    bytes b = bytes_copy(little ? "II" : "MM", 2);
    append_number(&b, 42, 2, little);
    append_number(&b, 8, 4, little);
    append_number(&b, (uint32_t)before + 1, 2, little);
    for (int i = 0; i <= before; i++) {
        append_number(&b, i < before ? 0x100 + (uint32_t)i : 0x112, 2, little);
        append_number(&b, 3, 2, little);
        append_number(&b, 1, 4, little);
        append_number(&b, (uint32_t)(i < before ? 7 : orientation), 2, little);
        append_number(&b, 0, 2, little);
    }
    append_number(&b, 0, 4, little);
    return b;
}

static void append_png(png_structp png, png_bytep data, size_t n) {
    bytes *to = png_get_io_ptr(png);
    *to = bytes_join(*to, data, n);
}

static void flush_nothing(png_structp png) {
    (void)png;
}

static int png_elements(int colour) {
    return colour == PNG_COLOR_TYPE_RGB          ? 3
           : colour == PNG_COLOR_TYPE_RGB_ALPHA  ? 4
           : colour == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
                                                 : 1;
}

bytes make_png(const png_make *make, const uint16_t *samples) {
    bytes out = {0}, exif = make->exif ? bytes_copy(make->exif->data, make->exif->n) : (bytes){0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    const int n = make->width * png_elements(make->colour);
    uint8_t *row = malloc(2 * (size_t)n);
    assert_non_null(row);
    png_set_write_fn(png, &out, append_png, flush_nothing);
    png_set_IHDR(png, info, (unsigned)make->width, (unsigned)make->height, make->depth,
                 make->colour, make->interlaced, 0, 0);
    if (make->palette)
        png_set_PLTE(png, info, (png_const_colorp)make->palette, 1 << make->depth);
    if (make->transparency)
        png_set_tRNS(png, info, make->transparency, make->n_transparent, NULL);
    if (make->exif)
        png_set_eXIf_1(png, info, (unsigned)exif.n, exif.data);
    png_write_info(png, info);
    png_set_packing(png);
    const int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++) {
        for (int y = 0; y < make->height; y++) {
            for (int i = 0; i < n; i++) {
                const uint16_t value = samples[y * n + i];
                if (make->depth == 16) {
                    row[2 * i] = (uint8_t)(value >> 8);
                    row[2 * i + 1] = (uint8_t)value;
                } else {
                    row[i] = (uint8_t)value;
                }
            }
            png_write_row(png, row);
        }
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    free(row);
    bytes_free(&exif);
    return out;
}

bytes make_jpeg(const jpeg_make *make, const uint8_t *samples) {
    static const J_COLOR_SPACE spaces[] = {0, JCS_GRAYSCALE, 0, JCS_RGB, JCS_CMYK};
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct jpeg = {.err = jpeg_std_error(&errors)};
    unsigned char *data = NULL;
    unsigned long n = 0;
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &data, &n);
    jpeg.image_height = (unsigned)make->height;
    jpeg.image_width = (unsigned)make->width;
    jpeg.input_components = make->channels;
    jpeg.in_color_space = spaces[make->channels];
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    if (!make->sampled)
        jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    if (make->progressive)
        jpeg_simple_progression(&jpeg);
    if (make->channels == 4)
        jpeg.write_Adobe_marker = make->adobe;
    jpeg_start_compress(&jpeg, TRUE);
    if (make->exif) {
        bytes app1 = bytes_join(bytes_copy("Exif\0\0", 6), make->exif->data, make->exif->n);
        jpeg_write_marker(&jpeg, JPEG_APP0 + 1, app1.data, (unsigned)app1.n);
        bytes_free(&app1);
    }
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(samples + jpeg.next_scanline * (size_t)make->width *
                                                           (size_t)make->channels);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    bytes out = bytes_copy(data, n);
    free(data);
    return out;
}

bytes make_webp(int height, int width, int channels, const uint8_t *samples) {
    WebPConfig config;
    WebPPicture picture;
    WebPMemoryWriter writer;
    assert_true(WebPConfigInit(&config) && WebPPictureInit(&picture));
    WebPMemoryWriterInit(&writer);
    config.lossless = config.exact = 1;
    picture.use_argb = 1;
    picture.width = width;
    picture.height = height;
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &writer;
    assert_true(channels == 4 ? WebPPictureImportRGBA(&picture, samples, 4 * width)
                              : WebPPictureImportRGB(&picture, samples, 3 * width));
    assert_true(WebPEncode(&config, &picture));
    bytes out = bytes_copy(writer.mem, writer.size);
    WebPMemoryWriterClear(&writer);
    WebPPictureFree(&picture);
    return out;
}

static void append_chunk(bytes *to, const char *name, const void *data, size_t n) {
    bytes_insert(to, to->n, name, 4);
    append_number(to, (uint32_t)n, 4, true);
    bytes_insert(to, to->n, data, n);
    if (n % 2)
        bytes_insert(to, to->n, "", 1);
}

bytes make_webp_canvas(int height, int width, int half_y, int half_x, int frame_height,
                       int frame_width, const uint8_t *rgb, const bytes *exif) {
    enum { RIFF_HEADER = 12 };
    bytes still = make_webp(frame_height, frame_width, 3, rgb), out = bytes_copy("WEBP", 4);
    bytes header = {0}, animation = {0}, frame = {0};
    append_number(&header, 2 + (exif ? 8 : 0) + 16, 4, true); /* animation, EXIF, alpha */
    append_number(&header, (uint32_t)width - 1, 3, true);
    append_number(&header, (uint32_t)height - 1, 3, true);
    append_number(&animation, 0, 6, true);
    append_number(&frame, (uint32_t)half_x, 3, true);
    append_number(&frame, (uint32_t)half_y, 3, true);
    append_number(&frame, (uint32_t)frame_width - 1, 3, true);
    append_number(&frame, (uint32_t)frame_height - 1, 3, true);
    append_number(&frame, 50, 4, true);
    bytes_insert(&frame, frame.n, still.data + RIFF_HEADER, still.n - RIFF_HEADER);
    append_chunk(&out, "VP8X", header.data, header.n);
    append_chunk(&out, "ANIM", animation.data, animation.n);
    append_chunk(&out, "ANMF", frame.data, frame.n);
    append_chunk(&out, "ANMF", frame.data, frame.n);
    if (exif)
        append_chunk(&out, "EXIF", exif->data, exif->n);
    bytes size = {0};
    append_number(&size, (uint32_t)out.n, 4, true);
    bytes_insert(&out, 0, size.data, 4);
    bytes_insert(&out, 0, "RIFF", 4);
    bytes *used[] = {&still, &header, &animation, &frame, &size};
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        bytes_free(used[i]);
    return out;
}

static void set_tiff_tags(TIFF *tiff, const tiff_make *make) {
    uint16_t extra[16] = {0};
    int extras = make->unspecified;
    if (make->alpha)
        extra[extras++] = (uint16_t)make->alpha;
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, make->width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, make->height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, make->bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, make->samples);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, make->photometric);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, make->compression ? make->compression : 1);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, make->separate ? 2 : 1);
    if (make->format)
        TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, make->format);
    if (make->orientation)
        TIFFSetField(tiff, TIFFTAG_ORIENTATION, make->orientation);
    if (extras)
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, extras, extra);
    if (make->palette)
        TIFFSetField(tiff, TIFFTAG_COLORMAP, make->palette, make->palette + (1 << make->bits),
                     make->palette + (2 << make->bits));
    if (make->tile) {
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, make->tile);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, make->tile);
    } else {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 3);
    }
}

/* Copies `count` samples, of which `step` stand between one and the next, into bits at `place`. */
static void pack(const tiff_make *make, const void *from, size_t start, size_t step, size_t count,
                 uint8_t *to, size_t place) {
    for (size_t i = 0; i < count; i++, place++) {
        const size_t s = start + i * step, bit = place * (size_t)make->bits;
        if (make->bits >= 8)
            memcpy(to + bit / 8, (const uint8_t *)from + s * (size_t)make->bits / 8,
                   (size_t)make->bits / 8);
        else
            to[bit / 8] |= (uint8_t)(((const uint8_t *)from)[s] << (8 - make->bits - (int)bit % 8));
    }
}

static void write_tiff_rows(TIFF *tiff, const tiff_make *make, const void *samples) {
    const int side = make->tile, planes = make->separate ? make->samples : 1;
    const size_t each = (size_t)(make->samples / planes), width = (size_t)make->width;
    const size_t bytes_most = (size_t)(side ? side * side : make->width) * each * 4 + 8;
    uint8_t *buffer = malloc(bytes_most);
    assert_non_null(buffer);
    for (int plane = 0; plane < planes; plane++) {
        for (int y = 0; y < make->height; y += side ? side : 1) {
            for (int x = 0; x < make->width; x += side ? side : make->width) {
                memset(buffer, 0, bytes_most);
                for (int row = 0; row < (side ? side : 1) && y + row < make->height; row++)
                    for (size_t i = 0; i < (size_t)(side ? side : make->width); i++)
                        if ((size_t)x + i < width)
                            pack(make, samples,
                                 (((size_t)(y + row) * width) + (size_t)x + i) *
                                         (size_t)make->samples +
                                     (size_t)plane,
                                 1, each, buffer, ((size_t)(row * side) + i) * each);
                assert_true(side ? TIFFWriteTile(tiff, buffer, (unsigned)x, (unsigned)y, 0,
                                                 (uint16_t)plane) > 0
                                 : TIFFWriteScanline(tiff, buffer, (unsigned)y, (uint16_t)plane) ==
                                       1);
            }
        }
    }
    free(buffer);
}

bytes make_tiff(const tiff_make *make, const void *samples) {
    const char *path = in_folder("made.tif");
    bytes out;
    TIFF *tiff = TIFFOpen(path, make->big_endian ? "wb" : "wl");
    assert_non_null(tiff);
    set_tiff_tags(tiff, make);
    write_tiff_rows(tiff, make, samples);
    TIFFClose(tiff);
    out.data = get_file(path, &out.n);
    return out;
}
