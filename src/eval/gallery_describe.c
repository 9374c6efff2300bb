/* Names, classes, folders, texts, curves and small pictures of samples. */
#include "eval/gallery_parts.h"

#include "core/math.h"
#include "data/scale.h"
#include "model/run_folder.h"
#include "report/contact_sheet.h"
#include "report/json.h"

#include <math.h>
#include <string.h>

enum {
    NAME = 60,     /* bytes of a name that are kept, from its end */
    TEXT = 160,    /* bytes of a text, from its beginning */
    FOLDERS = 200, /* more are no colours to tell apart */
    SIDE = 32,     /* of a small picture */
    SMALLEST = 8,
    PICTURES = 2000, /* more would make the page too large */
    POINTS = 24,     /* of a series' curve */
    CHANNELS = 3,
};

/* The last `most` bytes, beginning with a whole character. */
static json_t *end_of(const char *name, size_t n, size_t most) {
    const char *from = n > most ? name + n - most : name;
    while (n > most && from < name + n && ((unsigned char)*from & 0xC0) == 0x80)
        from++;
    return clc_json_bytes(from, (size_t)(name + n - from));
}

static void add_names(clc_gallery *g) {
    json_t *names = json_array(), *labels = json_array(), *classes = json_array();
    for (size_t i = 0; i < g->count; i++) {
        const char *name = clc_dataset_sample_name(g->data, (size_t)g->samples[i]);
        json_array_append_new(names, end_of(name, strlen(name), NAME));
        json_array_append_new(labels, json_integer(g->labels[i]));
    }
    for (size_t i = 0; i < g->data->class_names.count; i++)
        json_array_append_new(classes, clc_json_bytes(clc_names_at(&g->data->class_names, i),
                                                      clc_names_length(&g->data->class_names, i)));
    json_object_set_new(g->page, "names", names);
    json_object_set_new(g->page, "labels", labels);
    json_object_set_new(g->page, "class_names", classes);
}

/* The folder of each file, where there are some but not too many. */
static clc_status add_folders(clc_gallery *g) {
    clc_status status = CLC_OK;
    clc_name_set set = {0};
    json_t *folders = json_array(), *names = json_array();
    for (size_t i = 0; i < g->count; i++) {
        const char *name = clc_dataset_sample_name(g->data, (size_t)g->samples[i]);
        const char *slash = strrchr(name, '/');
        size_t number;
        CLC_TRY(clc_name_set_add(&set, name, slash ? (size_t)(slash - name) : 0, &number, NULL));
        json_array_append_new(folders, json_integer((json_int_t)number));
    }
    if (set.names.count < 2 || set.names.count > FOLDERS)
        goto fail;
    for (size_t i = 0; i < set.names.count; i++)
        json_array_append_new(
            names, end_of(clc_names_at(&set.names, i), clc_names_length(&set.names, i), NAME));
    json_object_set(g->page, "folders", folders);
    json_object_set(g->page, "folder_names", names);
fail:
    json_decref(folders);
    json_decref(names);
    clc_name_set_free(&set);
    return status;
}

static void add_texts(clc_gallery *g) {
    const clc_texts *t = g->data->texts;
    json_t *texts = json_array();
    if (!t || !g->data->text_samples) {
        json_decref(texts);
        return;
    }
    for (size_t i = 0; i < g->count; i++) {
        size_t n;
        const clc_text_span *span = clc_texts_of(t, g->data->text_samples[g->samples[i]], 0, &n);
        json_array_append_new(texts, clc_json_bytes(t->blob + span->offset,
                                                    span->length < TEXT ? span->length : TEXT));
    }
    json_object_set_new(g->page, "texts", texts);
}

/* 0 to 100: three deviations to either side of the mean. */
static int level(const clc_field *f, const float *step, int c) {
    const float deviation = f->deviation[c] > 0 ? f->deviation[c] : 1;
    const float z = (step[c] - f->mean[c]) / (3 * deviation);
    return (int)lrintf(50 + 50 * fminf(fmaxf(z, -1), 1));
}

static void add_series(clc_gallery *g) {
    const clc_field *f = &g->data->fields[0];
    json_t *series = json_array();
    for (size_t i = 0; i < g->count; i++) {
        const clc_extent *x = &f->extents[f->firsts[g->samples[i]]];
        json_t *lines = json_array();
        for (int c = 0; c < f->channels && c < CHANNELS; c++) {
            json_t *line = json_array();
            const int points = x->length < POINTS ? x->length : POINTS;
            for (int p = 0; p < points; p++) {
                const size_t at = x->offset + (size_t)p * (size_t)x->length / (size_t)points;
                json_array_append_new(
                    line, json_integer(level(f, f->values + at * (size_t)f->channels, c)));
            }
            json_array_append_new(lines, line);
        }
        json_array_append_new(series, lines);
    }
    json_object_set_new(g->page, "series", series);
}

/* The largest square in the middle, scaled down to `side` where it is larger. */
static clc_status shrink(clc_image *image, int side) {
    clc_status status = CLC_OK;
    const int square = image->height < image->width ? image->height : image->width;
    const int c = image->channels, to = square < side ? square : side;
    const int top = (image->height - square) / 2, left = (image->width - square) / 2;
    uint8_t *cut = NULL, *small = NULL;
    CLC_NEW(cut, (size_t)square * (size_t)square * (size_t)c);
    CLC_NEW(small, (size_t)to * (size_t)to * (size_t)c);
    for (int y = 0; y < square; y++)
        memcpy(cut + (size_t)y * (size_t)square * (size_t)c,
               image->pixels +
                   ((size_t)(top + y) * (size_t)image->width + (size_t)left) * (size_t)c,
               (size_t)square * (size_t)c);
    const clc_scale_from from = {cut, square, square, c, square, square};
    CLC_TRY(clc_scale(&from, small, to, to));
    free(image->pixels);
    *image = (clc_image){to, to, c, small};
    small = NULL;
fail:
    free(cut);
    free(small);
    return status;
}

/* picked (at least `most`): samples whose pictures are drawn, `most` at most: those that are shown,
 * then evenly spaced ones of the others. */
static void pick(const clc_gallery *g, size_t most, size_t *picked) {
    size_t n = 0, seen = 0, others = 0;
    for (size_t i = 0; i < g->count; i++) {
        others += !g->shown[i];
        if (g->shown[i] && n < most)
            picked[n++] = i;
    }
    const size_t room = most - n < others ? most - n : others;
    for (size_t i = 0, taken = 0; i < g->count && taken < room; i++)
        if (!g->shown[i] && seen++ == taken * others / room) {
            picked[n++] = i;
            taken++;
        }
}

static clc_status draw_pictures(const clc_gallery *g, const size_t *picked, int count, int columns,
                                int side, clc_contact_sheet *sheet) {
    clc_status status = CLC_OK;
    clc_image image = {0};
    for (int i = 0; i < count; i++) {
        CLC_TRY(clc_dataset_picture(g->data, (size_t)g->samples[picked[i]], &image));
        CLC_TRY(shrink(&image, side));
        clc_contact_sheet_put(sheet, i / columns, i % columns, image.pixels, image.height,
                              image.width, image.channels);
        clc_image_free(&image);
    }
fail:
    clc_image_free(&image);
    return status;
}

/* Which sample lies at each place; without a list, sample i does at place i. */
static void note_order(json_t *note, const size_t *picked, size_t n) {
    json_t *order = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(order, json_integer((json_int_t)picked[i]));
    json_object_set_new(note, "samples", order);
}

static clc_status add_pictures(clc_gallery *g, const char *folder) {
    clc_status status = CLC_OK;
    clc_contact_sheet *sheet = NULL;
    size_t *picked = NULL;
    char path[CLC_PATH_BYTES];
    const bool all = g->count <= PICTURES;
    const int count = all ? (int)g->count : PICTURES;
    const int columns = (int)ceil(sqrt(count));
    const int least = g->data->height < g->data->width ? g->data->height : g->data->width;
    const int side = least > SIDE ? SIDE : clc_larger_int(least, SMALLEST);
    CLC_NEW(picked, count);
    for (size_t i = 0; i < g->count && all; i++)
        picked[i] = i;
    if (!all)
        pick(g, PICTURES, picked);
    CLC_TRY(
        clc_contact_sheet_create(clc_ceil_div_int(count, columns), columns, side, side, &sheet));
    CLC_TRY(draw_pictures(g, picked, count, columns, side, sheet));
    CLC_TRY(clc_run_path(folder, CLC_RUN_THUMBS, path));
    CLC_TRY(clc_contact_sheet_write(sheet, path));
    json_t *note = json_pack("{s:i,s:i,s:i,s:i}", "count", count, "columns", columns, "side", side,
                             "gap", sheet->gap);
    json_object_set_new(g->page, "sheet", note);
    if (!all)
        note_order(note, picked, PICTURES);
fail:
    clc_contact_sheet_free(&sheet);
    free(picked);
    return status;
}

clc_status clc_gallery_describe(clc_gallery *g, const char *folder) {
    clc_status status = CLC_OK;
    add_names(g);
    CLC_TRY(add_folders(g));
    add_texts(g);
    if (clc_dataset_has_pictures(g->data))
        CLC_TRY(add_pictures(g, folder));
    else if (g->data->fields[0].kind == CLC_KIND_SERIES)
        add_series(g);
fail:
    return status;
}
