#include "augment/preview.h"

#include "report/contact_sheet.h"

#include <math.h>

enum { SMALLEST_CELL = 64 };

/* Makes the views (views * images, size, size, C) and reads them back; the caller frees *made. */
static clc_status make_views(clc_device *device, const clc_augment *a, const uint8_t *pixels,
                             int images, int views, float **made) {
    clc_status status = CLC_OK;
    cl_mem source = NULL, indices = NULL, state = NULL, out = NULL, workspace = NULL;
    clc_sequence sequence = {0};
    int32_t *numbers = NULL;
    float *values = NULL;
    const cl_uint epoch = 0;
    const size_t n = (size_t)images, in = n * (size_t)(a->height * a->width * a->channels);
    const size_t count = n * (size_t)views * (size_t)(a->size * a->size * a->channels);
    CLC_NEW(numbers, n);
    CLC_NEW(values, count);
    for (int i = 0; i < images; i++)
        numbers[i] = i;
    CLC_TRY(clc_buffer_create(device, in, "preview images", &source));
    CLC_TRY(clc_buffer_create(device, n * sizeof *numbers, "preview indices", &indices));
    CLC_TRY(clc_buffer_create(device, sizeof epoch, "preview epoch", &state));
    CLC_TRY(clc_buffer_create(device, count * sizeof *values, "preview views", &out));
    CLC_TRY(clc_buffer_create(device, clc_augment_workspace(device, a, images * views),
                              "preview workspace", &workspace));
    CLC_TRY(clc_buffer_write(device, source, 0, in, pixels));
    CLC_TRY(clc_buffer_write(device, indices, 0, n * sizeof *numbers, numbers));
    CLC_TRY(clc_buffer_write(device, state, 0, sizeof epoch, &epoch));
    const clc_augment_batch batch = {.images = images, .views = views};
    CLC_TRY(
        clc_augment_build(&sequence, device, a, &batch, source, indices, state, out, workspace));
    CLC_TRY(clc_sequence_run(&sequence, device));
    CLC_TRY(clc_buffer_read(device, out, 0, count * sizeof *values, values));
    *made = values;
    values = NULL;
fail:
    clc_sequence_free(&sequence);
    clc_buffer_release(device, &workspace);
    clc_buffer_release(device, &out);
    clc_buffer_release(device, &state);
    clc_buffer_release(device, &indices);
    clc_buffer_release(device, &source);
    free(numbers);
    free(values);
    return status;
}

static void to_bytes(const float *view, size_t count, uint8_t *bytes) {
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)lrintf(fminf(fmaxf(view[i], 0.0f), 1.0f) * 255.0f);
}

/* A side that holds whole multiples of `side` and at least SMALLEST_CELL pixels. */
static int cell_side(int side) {
    return side * ((SMALLEST_CELL + side - 1) / side);
}

static clc_status draw(const clc_augment *a, const uint8_t *pixels, const float *values, int images,
                       int views, const char *png_path) {
    clc_status status = CLC_OK;
    clc_contact_sheet *sheet = NULL;
    uint8_t *bytes = NULL;
    const size_t image = (size_t)(a->height * a->width * a->channels);
    const size_t view = (size_t)(a->size * a->size * a->channels);
    const int tall = cell_side(a->height), broad = cell_side(a->width), side = cell_side(a->size);
    CLC_NEW(bytes, view);
    CLC_TRY(clc_contact_sheet_create(images, views + 1, tall > side ? tall : side,
                                     broad > side ? broad : side, &sheet));
    for (int i = 0; i < images; i++) {
        clc_contact_sheet_put(sheet, i, 0, pixels + (size_t)i * image, a->height, a->width,
                              a->channels);
        for (int v = 0; v < views; v++) {
            to_bytes(values + ((size_t)v * (size_t)images + (size_t)i) * view, view, bytes);
            clc_contact_sheet_put(sheet, i, v + 1, bytes, a->size, a->size, a->channels);
        }
    }
    CLC_TRY(clc_contact_sheet_write(sheet, png_path));
fail:
    clc_contact_sheet_free(&sheet);
    free(bytes);
    return status;
}

clc_status clc_augment_preview(clc_device *device, const clc_augment *augment,
                               const uint8_t *pixels, int images, int views, const char *png_path) {
    clc_status status = CLC_OK;
    float *values = NULL;
    clc_augment shown = *augment;
    for (int c = 0; c < 3; c++) {
        shown.mean[c] = 0;
        shown.std[c] = 1;
    }
    CLC_TRY(clc_augment_check(&shown));
    CLC_TRY(make_views(device, &shown, pixels, images, views, &values));
    CLC_TRY(draw(&shown, pixels, values, images, views, png_path));
fail:
    free(values);
    return status;
}
