#include "augment/preview.h"

#include "core/file.h"

#include <stb_image_write.h>
#include <string.h>

enum { CELL = 64, GAP = 4, BACKGROUND = 255 };

typedef struct sheet {
    int width, height, cell_height, cell_width, scale;
    uint8_t *pixels; /* (height,width,3) */
} sheet;

/* Draws one image (h,w,c) of bytes into the cell (row, column), enlarged by whole pixels. */
static void draw(sheet *s, int row, int column, const uint8_t *image, int h, int w, int c) {
    const int top = GAP + row * (s->cell_height + GAP), left = GAP + column * (s->cell_width + GAP);
    for (int y = 0; y < h * s->scale; y++)
        for (int x = 0; x < w * s->scale; x++) {
            const uint8_t *from = image + ((size_t)(y / s->scale) * (size_t)w +
                                           (size_t)(x / s->scale)) * (size_t)c;
            uint8_t *to = s->pixels + ((size_t)(top + y) * (size_t)s->width + (size_t)(left + x)) * 3;
            for (int k = 0; k < 3; k++)
                to[k] = from[c == 3 ? k : 0];
        }
}

/* Undoes the normalisation. */
static void to_bytes(const clc_augment *a, const float *view, uint8_t *bytes) {
    for (int i = 0; i < a->size * a->size * a->channels; i++) {
        const int c = i % a->channels;
        float v = (view[i] * a->std[c] + a->mean[c]) * 255.0f + 0.5f;
        bytes[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

static clc_status make_sheet(const clc_augment *a, int images, int views, sheet *s) {
    clc_status status = CLC_OK;
    const int h = a->height > a->size ? a->height : a->size;
    const int w = a->width > a->size ? a->width : a->size, larger = h > w ? h : w;
    s->scale = larger < CELL ? (CELL + larger - 1) / larger : 1;
    s->cell_height = h * s->scale;
    s->cell_width = w * s->scale;
    s->width = GAP + (views + 1) * (s->cell_width + GAP);
    s->height = GAP + images * (s->cell_height + GAP);
    CLC_NEW(s->pixels, (size_t)s->width * (size_t)s->height * 3);
    memset(s->pixels, BACKGROUND, (size_t)s->width * (size_t)s->height * 3);
fail:
    return status;
}

/* Makes the views on the device: out (views*images,size,size,channels). */
static clc_status make_views(clc_device *device, const clc_augment *a, const uint8_t *pixels,
                             int images, int views, float *out) {
    clc_status status = CLC_OK;
    clc_sequence sequence = {0};
    cl_mem source = NULL, indices = NULL, state = NULL, result = NULL, workspace = NULL;
    cl_int order[256];
    const cl_uint epoch = 0;
    const size_t bytes = (size_t)images * (size_t)a->height * (size_t)a->width * (size_t)a->channels;
    const size_t floats = (size_t)images * (size_t)views * (size_t)a->size * (size_t)a->size *
                          (size_t)a->channels;
    for (int i = 0; i < images; i++)
        order[i] = i;
    CLC_TRY(clc_buffer_create(device, bytes, "images", &source));
    CLC_TRY(clc_buffer_create(device, (size_t)images * sizeof *order, "images", &indices));
    CLC_TRY(clc_buffer_create(device, 4 * sizeof epoch, "images", &state));
    CLC_TRY(clc_buffer_create(device, floats * sizeof *out, "views", &result));
    CLC_TRY(clc_buffer_create(device, clc_augment_workspace(device, a, images * views), "views",
                              &workspace));
    CLC_TRY(clc_buffer_write(device, source, 0, bytes, pixels));
    CLC_TRY(clc_buffer_write(device, indices, 0, (size_t)images * sizeof *order, order));
    CLC_TRY(clc_buffer_write(device, state, 0, sizeof epoch, &epoch));
    CLC_TRY(clc_augment_build(&sequence, device, a, source, indices, state, images, views, result,
                              workspace));
    CLC_TRY(clc_sequence_run(&sequence, device));
    CLC_TRY(clc_buffer_read(device, result, 0, floats * sizeof *out, out));
fail:
    clc_sequence_free(&sequence);
    clc_buffer_release(device, &source);
    clc_buffer_release(device, &indices);
    clc_buffer_release(device, &state);
    clc_buffer_release(device, &result);
    clc_buffer_release(device, &workspace);
    return status;
}

/* A PNG on its way to the file. */
typedef struct png_output {
    clc_file_writer *writer;
    clc_status status;
} png_output;

static void write_part(void *context, void *data, int size) {
    png_output *output = context;
    if (output->status == CLC_OK)
        output->status = clc_file_writer_write(output->writer, data, (size_t)size);
}

static clc_status write_png(const sheet *s, const char *path) {
    clc_status status = CLC_OK;
    png_output output = {NULL, CLC_OK};
    CLC_TRY(clc_file_writer_open(path, &output.writer));
    if (!stbi_write_png_to_func(write_part, &output, s->width, s->height, 3, s->pixels,
                                s->width * 3)) {
        status = clc_fail_alloc((size_t)s->width * (size_t)s->height * 3);
        goto fail;
    }
    CLC_TRY(output.status);
    CLC_TRY(clc_file_writer_commit(&output.writer));
fail:
    clc_file_writer_abort(&output.writer);
    return status;
}

clc_status clc_augment_preview(clc_device *device, const clc_augment *a, const uint8_t *pixels,
                               int images, int views, const char *png) {
    clc_status status = CLC_OK;
    sheet s = {0};
    float *out = NULL;
    uint8_t *view = NULL;
    const size_t image = (size_t)a->height * (size_t)a->width * (size_t)a->channels;
    const size_t size = (size_t)a->size * (size_t)a->size * (size_t)a->channels;
    CLC_NEW(out, (size_t)images * (size_t)views * size);
    CLC_NEW(view, size);
    CLC_TRY(make_sheet(a, images, views, &s));
    CLC_TRY(make_views(device, a, pixels, images, views, out));
    for (int i = 0; i < images; i++) {
        draw(&s, i, 0, pixels + (size_t)i * image, a->height, a->width, a->channels);
        for (int v = 0; v < views; v++) {
            to_bytes(a, out + ((size_t)v * (size_t)images + (size_t)i) * size, view);
            draw(&s, i, v + 1, view, a->size, a->size, a->channels);
        }
    }
    CLC_TRY(write_png(&s, png));
fail:
    free(s.pixels);
    free(out);
    free(view);
    return status;
}
