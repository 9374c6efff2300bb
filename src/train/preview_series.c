/* The preview of series: the first ones and their views, drawn as curves or, of many channels, as
 * pictures with a row a step. */
#include "train/preview_series.h"

#include "augment/residence.h"
#include "augment/series.h"
#include "core/log.h"
#include "core/math.h"
#include "device/open.h"
#include "method/setup.h"
#include "report/contact_sheet.h"

#include <math.h>
#include <string.h>

enum { SERIES = 12, VIEWS = 10, CURVES = 3, CURVE_HEIGHT = 64, CELL_MOST = 256, GROUND = 24 };
static const float shown = 3; /* deviations to either side of the mean */

typedef struct preview {
    clc_device *device;
    const clc_dataset *data;
    clc_series_augment augment;
    clc_residence residence;
    int count, rows; /* series; rows of values: as they are, then the views */
    float *values;   /* (rows,T,C) */
    int32_t *lengths;
    int height, width; /* of a cell */
    uint8_t *cell;     /* (height,width,3) */
} preview;

/* The series' numbers, on the device. */
static clc_status upload(preview *p) {
    clc_status status = CLC_OK;
    int32_t indices[SERIES];
    const clc_batch batch = {.count = (size_t)p->count, .indices = indices};
    for (int i = 0; i < p->count; i++)
        indices[i] = i;
    clc_residence_plan(&p->residence, p->device, p->data, p->count, 1, true);
    CLC_TRY(clc_residence_allocate(&p->residence));
    CLC_TRY(clc_residence_write(&p->residence, &batch));
    CLC_TRY(clc_device_finish(p->device));
fail:
    return status;
}

static clc_status make_views(preview *p) {
    clc_status status = CLC_OK;
    const cl_uint epoch = 0;
    const size_t each = (size_t)p->augment.context * (size_t)p->augment.channels;
    const size_t bytes = (size_t)p->rows * each * sizeof(float);
    const clc_series_augment plain = clc_series_augment_evaluation(&p->augment);
    const clc_augment_batch first = {.images = p->count, .views = 1};
    const clc_augment_batch views = {.images = p->count, .views = VIEWS, .first_row = p->count};
    const clc_field_buffers *b = &p->residence.samples.fields[0];
    const clc_series_samples samples = {b->data, b->places, b->firsts,
                                        p->residence.samples.images.indices, b->norm};
    cl_mem state = NULL, out = NULL, lengths = NULL;
    clc_sequence sequence = {0};
    CLC_TRY(clc_buffer_create(p->device, sizeof epoch, "epoch", &state));
    CLC_TRY(clc_buffer_write(p->device, state, 0, sizeof epoch, &epoch));
    CLC_TRY(clc_buffer_create(p->device, bytes, "views", &out));
    CLC_TRY(clc_buffer_create(p->device, (size_t)p->rows * sizeof(cl_int), "lengths", &lengths));
    CLC_TRY(clc_series_augment_build(&sequence, p->device, &plain, &first, &samples, state, out,
                                     lengths));
    CLC_TRY(clc_series_augment_build(&sequence, p->device, &p->augment, &views, &samples, state,
                                     out, lengths));
    CLC_TRY(clc_sequence_run(&sequence, p->device));
    CLC_NEW(p->values, (size_t)p->rows * each);
    CLC_NEW(p->lengths, p->rows);
    CLC_TRY(clc_buffer_read(p->device, out, 0, bytes, p->values));
    CLC_TRY(clc_buffer_read(p->device, lengths, 0, (size_t)p->rows * sizeof(cl_int), p->lengths));
fail:
    clc_sequence_free(&sequence);
    clc_buffer_release(p->device, &state);
    clc_buffer_release(p->device, &out);
    clc_buffer_release(p->device, &lengths);
    return status;
}

/* 0 to `most` of a value between the least and the greatest that is shown. */
static int level(float value, int most) {
    const float part = (value + shown) / (2 * shown);
    return (int)lrintf(fminf(fmaxf(part, 0), 1) * (float)most);
}

/* Of the cell's column or row, the step or channel. */
static int scaled(int at, int size, int of) {
    return (int)((int64_t)at * of / size);
}

/* The first channels, one a colour, from left to right. */
static void draw_curves(preview *p, const float *view, int length) {
    const int context = p->augment.context, channels = p->augment.channels, most = p->height - 1;
    for (int c = 0; c < channels && c < CURVES; c++) {
        int before = -1;
        for (int x = 0; x < p->width; x++) {
            const int t = scaled(x, p->width, context);
            if (t >= length)
                break;
            const int y = most - level(view[t * channels + c], most);
            const int from = before < 0 ? y : before, low = y < from ? y : from;
            for (int k = low; k <= low + abs(y - from); k++)
                p->cell[(k * p->width + x) * 3 + c] = 255;
            before = y;
        }
    }
}

/* A row a step: brighter is greater. */
static void draw_rows(preview *p, const float *view, int length) {
    const int context = p->augment.context, channels = p->augment.channels;
    for (int y = 0; y < p->height; y++) {
        const int t = scaled(y, p->height, context);
        for (int x = 0; x < p->width && t < length; x++) {
            const int grey = level(view[t * channels + scaled(x, p->width, channels)], 255);
            memset(p->cell + (y * p->width + x) * 3, grey, 3);
        }
    }
}

static clc_status draw(preview *p, const char *png) {
    clc_status status = CLC_OK;
    clc_contact_sheet *sheet = NULL;
    const bool curves = p->augment.channels <= CURVES;
    const int context = clc_larger_int(p->augment.context, 8);
    const size_t each = (size_t)p->augment.context * (size_t)p->augment.channels;
    p->height = curves ? CURVE_HEIGHT : context < CELL_MOST ? context : CELL_MOST;
    p->width = curves ? context : p->augment.channels;
    p->width = p->width < CELL_MOST ? p->width : CELL_MOST;
    const int times = curves ? 1 : clc_ceil_div_int(CURVE_HEIGHT, p->height);
    CLC_NEW(p->cell, (size_t)p->height * (size_t)p->width * 3);
    CLC_TRY(
        clc_contact_sheet_create(p->count, VIEWS + 1, times * p->height, times * p->width, &sheet));
    for (int i = 0; i < p->rows; i++) {
        memset(p->cell, GROUND, (size_t)p->height * (size_t)p->width * 3);
        (curves ? draw_curves : draw_rows)(p, p->values + (size_t)i * each, p->lengths[i]);
        clc_contact_sheet_put(sheet, i % p->count, i / p->count, p->cell, p->height, p->width, 3);
    }
    CLC_TRY(clc_contact_sheet_write(sheet, png));
fail:
    clc_contact_sheet_free(&sheet);
    return status;
}

clc_status clc_preview_series_of(const clc_config *config, clc_device *device,
                                 const clc_dataset *data, const char *picture) {
    clc_status status = CLC_OK;
    preview p = {.device = device, .data = data};
    p.count = data->count < SERIES ? (int)data->count : SERIES;
    p.rows = p.count * (VIEWS + 1);
    CLC_TRY(clc_series_from_config(config, &config->encoder, &data->fields[0], &p.augment));
    CLC_TRY(upload(&p));
    CLC_TRY(make_views(&p));
    CLC_TRY(draw(&p, picture));
    clc_log("%s: %d series, %d views of each", picture, p.count, VIEWS);
fail:
    clc_residence_release(&p.residence);
    free(p.values);
    free(p.lengths);
    free(p.cell);
    return status;
}

clc_status clc_preview_series(const clc_config *config, const char *name, const char *png) {
    clc_status status = CLC_OK;
    clc_dataset *data = NULL;
    clc_device *device = NULL;
    CLC_TRY(clc_dataset_open(config, CLC_SPLIT_TRAIN, NULL, &data));
    CLC_TRY(clc_device_open_as(name, &config->device, &device));
    CLC_TRY(clc_preview_series_of(config, device, data, png));
fail:
    clc_device_close(&device);
    clc_dataset_free(&data);
    return status;
}
