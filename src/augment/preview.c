#include "augment/preview.h"

#include "core/math.h"
#include "report/contact_sheet.h"

#include <math.h>
#include <string.h>

enum { SMALLEST_CELL = 64, LARGEST_SHOWN = 256 };

/* The images in one buffer, and where they are in it. */
static clc_status upload(clc_device *device, const clc_image *images, int count,
                         clc_augment_images *to) {
    clc_status status = CLC_OK;
    augment_place *places = NULL;
    int32_t *numbers = NULL;
    size_t bytes = 0;
    const size_t n = (size_t)count;
    CLC_NEW(places, n);
    CLC_NEW(numbers, n);
    for (int i = 0; i < count; i++) {
        const clc_image *image = &images[i];
        numbers[i] = i;
        places[i] =
            (augment_place){.offset = bytes, .height = image->height, .width = image->width};
        bytes += (size_t)image->height * (size_t)image->width * (size_t)image->channels;
    }
    CLC_TRY(clc_buffer_create(device, bytes, "preview images", &to->pixels[0]));
    CLC_TRY(clc_buffer_create(device, n * sizeof *places, "preview places", &to->places));
    CLC_TRY(clc_buffer_create(device, n * sizeof *numbers, "preview indices", &to->indices));
    CLC_TRY(clc_buffer_write(device, to->places, 0, n * sizeof *places, places));
    CLC_TRY(clc_buffer_write(device, to->indices, 0, n * sizeof *numbers, numbers));
    for (int i = 0; i < count; i++) {
        const size_t end = i + 1 < count ? (size_t)places[i + 1].offset : bytes;
        CLC_TRY(clc_buffer_write(device, to->pixels[0], (size_t)places[i].offset,
                                 end - (size_t)places[i].offset, images[i].pixels));
    }
fail:
    free(places);
    free(numbers);
    return status;
}

/* Makes the views (views * count, size, size, C) and reads them back; the caller frees *made. */
static clc_status make_views(clc_device *device, const clc_augment *a, const clc_image *images,
                             int count, int views, float **made) {
    clc_status status = CLC_OK;
    clc_augment_images source = {0};
    cl_mem state = NULL, out = NULL, workspace = NULL;
    clc_sequence sequence = {0};
    float *values = NULL;
    const cl_uint epoch = 0;
    const size_t floats = (size_t)count * (size_t)views * clc_augment_floats(a);
    CLC_NEW(values, floats);
    CLC_TRY(upload(device, images, count, &source));
    CLC_TRY(clc_buffer_create(device, sizeof epoch, "preview epoch", &state));
    CLC_TRY(clc_buffer_create(device, floats * sizeof *values, "preview views", &out));
    CLC_TRY(clc_buffer_create(device, clc_augment_workspace(device, a, count * views),
                              "preview workspace", &workspace));
    CLC_TRY(clc_buffer_write(device, state, 0, sizeof epoch, &epoch));
    const clc_augment_batch batch = {.images = count, .views = views};
    CLC_TRY(clc_augment_build(&sequence, device, a, &batch, &source, state, out, workspace));
    CLC_TRY(clc_sequence_run(&sequence, device));
    CLC_TRY(clc_buffer_read(device, out, 0, floats * sizeof *values, values));
    *made = values;
    values = NULL;
fail:
    clc_sequence_free(&sequence);
    cl_mem *const buffers[] = {&workspace,      &out,           &state,
                               &source.indices, &source.places, &source.pixels[0]};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(device, buffers[i]);
    free(values);
    return status;
}

static void to_bytes(const float *view, size_t count, uint8_t *bytes) {
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)lrintf(fminf(fmaxf(view[i], 0.0f), 1.0f) * 255.0f);
}

/* A side that holds whole multiples of `side` and at least SMALLEST_CELL pixels. */
static int cell_side(int side) {
    return clc_round_up_int(SMALLEST_CELL, side);
}

/* A sheet whose cells hold each of the images and of the views. */
static clc_status make_sheet(const clc_augment *a, const clc_image *images, int count, int views,
                             clc_contact_sheet **sheet) {
    int tall = cell_side(a->settings.size), broad = tall;
    for (int i = 0; i < count; i++) {
        tall = clc_larger_int(tall, cell_side(images[i].height));
        broad = clc_larger_int(broad, cell_side(images[i].width));
    }
    return clc_contact_sheet_create(count, views + 1, tall, broad, sheet);
}

static clc_status draw(const clc_augment *a, const clc_image *images, const float *values,
                       int count, int views, const char *png_path) {
    clc_status status = CLC_OK;
    clc_contact_sheet *sheet = NULL;
    uint8_t *bytes = NULL;
    const int side = a->settings.size;
    const size_t view = clc_augment_floats(a);
    CLC_NEW(bytes, view);
    CLC_TRY(make_sheet(a, images, count, views, &sheet));
    for (int i = 0; i < count; i++) {
        const clc_image *image = &images[i];
        clc_contact_sheet_put(sheet, i, 0, image->pixels, image->height, image->width,
                              image->channels);
        for (int v = 0; v < views; v++) {
            to_bytes(values + ((size_t)v * (size_t)count + (size_t)i) * view, view, bytes);
            clc_contact_sheet_put(sheet, i, v + 1, bytes, side, side, a->channels);
        }
    }
    CLC_TRY(clc_contact_sheet_write(sheet, png_path));
fail:
    clc_contact_sheet_free(&sheet);
    free(bytes);
    return status;
}

/* Copies that are small enough to be shown; the caller frees each and *shown. */
static clc_status shrink(const clc_image *images, int count, clc_image **shown) {
    clc_status status = CLC_OK;
    const clc_image_options options = {.side = LARGEST_SHOWN};
    CLC_NEW(*shown, (size_t)count);
    for (int i = 0; i < count; i++) {
        clc_image *copy = &(*shown)[i];
        const size_t bytes =
            (size_t)images[i].height * (size_t)images[i].width * (size_t)images[i].channels;
        *copy = images[i];
        copy->pixels = NULL;
        CLC_NEW(copy->pixels, bytes);
        memcpy(copy->pixels, images[i].pixels, bytes);
        CLC_TRY(clc_image_fit(copy, &options));
    }
fail:
    return status;
}

clc_status clc_augment_preview(clc_device *device, const clc_augment *augment,
                               const clc_image *images, int count, int views,
                               const char *png_path) {
    clc_status status = CLC_OK;
    float *values = NULL;
    clc_image *shown = NULL;
    clc_augment plain = *augment;
    for (int c = 0; c < CLC_AUGMENT_CHANNELS; c++) {
        plain.settings.mean.values[c] = 0;
        plain.settings.std.values[c] = 1;
    }
    CLC_TRY(clc_augment_check(&plain));
    CLC_TRY(make_views(device, &plain, images, count, views, &values));
    CLC_TRY(shrink(images, count, &shown));
    CLC_TRY(draw(&plain, shown, values, count, views, png_path));
fail:
    for (int i = 0; shown && i < count; i++)
        clc_image_free(&shown[i]);
    free(shown);
    free(values);
    return status;
}
