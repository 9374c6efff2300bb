#include "report/found.h"

#include "core/file.h"
#include "core/log.h"
#include "core/signals.h"
#include "data/image.h"
#include "data/scale.h"
#include "report/contact_sheet.h"
#include "report/json.h"
#include "report/page.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { SIDE = 176, SMALL_SIDE = 112, MANY = 250, CHANNELS = 3 };
static const size_t most_bytes = 3600000; /* of pictures, as text */
static const double max_pixels = 1e8;

struct clc_found_page {
    json_t *json, *groups;
    size_t samples, drawn, unread, without_room, bytes;
};

clc_status clc_found_page_open(const char *command, const char *title, clc_found_page **out) {
    clc_status status = CLC_OK;
    clc_found_page *page = NULL;
    CLC_NEW(page, 1);
    page->json = json_object();
    page->groups = json_array();
    json_object_set_new(page->json, "command", json_string(command));
    json_object_set_new(page->json, "title", clc_json_bytes(title, strlen(title)));
    if (json_object_set(page->json, "groups", page->groups) != 0)
        CLC_TRY(clc_fail_alloc(sizeof *page));
    *out = page;
    return CLC_OK;
fail:
    clc_found_page_free(&page);
    return status;
}

static json_t *last_group(const clc_found_page *page) {
    return json_array_get(page->groups, json_array_size(page->groups) - 1);
}

clc_status clc_found_page_group(clc_found_page *page, const char *heading) {
    json_t *group = json_object();
    if (heading)
        json_object_set_new(group, "heading", clc_json_bytes(heading, strlen(heading)));
    json_object_set_new(group, "samples", json_array());
    return json_array_append_new(page->groups, group) ? clc_fail_alloc(sizeof *page) : CLC_OK;
}

static json_t *sample_json(const clc_found_sample *s) {
    json_t *json = json_object();
    json_object_set_new(json, "name", clc_json_bytes(s->name, strlen(s->name)));
    /* The bytes of a path may be no text. */
    json_object_set_new(json, "path", json_stringn_nocheck(s->name, strlen(s->name)));
    if (isfinite(s->value))
        json_object_set_new(json, "value", json_real(s->value));
    if (s->note)
        json_object_set_new(json, "note", json_string(s->note));
    if (s->mark)
        json_object_set_new(json, "mark", json_true());
    return json;
}

clc_status clc_found_page_add(clc_found_page *page, const clc_found_sample *sample) {
    json_t *samples = json_object_get(last_group(page), "samples");
    page->samples++;
    return json_array_append_new(samples, sample_json(sample)) ? clc_fail_alloc(sizeof *sample)
                                                               : CLC_OK;
}

clc_status clc_found_page_ask(clc_found_page *page, const char *name) {
    const clc_found_sample sample = {.name = name, .value = NAN, .note = "asked"};
    page->samples++;
    return json_object_set_new(last_group(page), "query", sample_json(&sample))
               ? clc_fail_alloc(sizeof sample)
               : CLC_OK;
}

/* ---- pictures ---- */

/* *image is empty where there is no picture. */
static void read_picture(const char *path, int side, clc_image *image) {
    void *bytes = NULL;
    size_t n = 0;
    const clc_image_options options = {.channels = CHANNELS,
                                       .side = side,
                                       .background = {255, 255, 255},
                                       .orientation = true,
                                       .max_pixels = max_pixels};
    *image = (clc_image){0};
    if (clc_file_read_all(path, SIZE_MAX, &bytes, &n) == CLC_OK &&
        clc_image_decode(bytes, n, &options, image) != CLC_OK)
        *image = (clc_image){0};
    free(bytes);
}

/* Scales it down until the longer side fits. */
static clc_status shrink(clc_image *image, int side) {
    clc_status status = CLC_OK;
    uint8_t *small = NULL;
    const int longer = image->height > image->width ? image->height : image->width;
    if (longer <= side)
        return CLC_OK;
    const int height = (int)fmax(1, (double)image->height * side / longer);
    const int width = (int)fmax(1, (double)image->width * side / longer);
    const clc_scale_from from = {image->pixels,   image->height, image->width,
                                 image->channels, image->height, image->width};
    CLC_NEW(small, (size_t)height * (size_t)width * (size_t)image->channels);
    CLC_TRY(clc_scale(&from, small, height, width));
    free(image->pixels);
    *image = (clc_image){height, width, image->channels, small};
    small = NULL;
fail:
    free(small);
    return status;
}

static clc_status add_picture(clc_found_page *page, json_t *sample, int side) {
    clc_status status = CLC_OK;
    clc_image image = {0};
    void *jpeg = NULL;
    size_t n = 0;
    if (page->bytes > most_bytes) {
        page->without_room++;
        return CLC_OK;
    }
    read_picture(json_string_value(json_object_get(sample, "path")), side, &image);
    if (!image.pixels) {
        page->unread++;
        return CLC_OK;
    }
    CLC_TRY(shrink(&image, side));
    CLC_TRY(clc_picture_jpeg(image.pixels, image.height, image.width, image.channels, &jpeg, &n));
    json_t *uri = clc_json_uri("image/jpeg", jpeg, n);
    if (!uri)
        CLC_TRY(clc_fail_alloc(n));
    page->bytes += json_string_length(uri);
    page->drawn++;
    json_object_set_new(sample, "picture", uri);
fail:
    clc_image_free(&image);
    free(jpeg);
    return status;
}

static clc_status add_pictures(clc_found_page *page) {
    clc_status status = CLC_OK;
    const int side = page->samples > MANY ? SMALL_SIDE : SIDE;
    json_t *group, *sample;
    size_t g, i, done = 0;
    json_array_foreach(page->groups, g, group) {
        json_t *samples = json_object_get(group, "samples");
        json_t *query = json_object_get(group, "query");
        if (query)
            CLC_TRY(add_picture(page, query, side));
        json_object_del(query, "path");
        json_array_foreach(samples, i, sample) {
            if (clc_signals_stop())
                CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted before the page was written"));
            clc_live("pictures of the page: %zu of %zu", ++done, page->samples);
            CLC_TRY(add_picture(page, sample, side));
            json_object_del(sample, "path");
        }
    }
fail:
    clc_live("%s", "");
    return status;
}

/* ---- the file ---- */

static void add_note(json_t *notes, const char *format, size_t n) {
    char text[200];
    snprintf(text, sizeof text, format, n);
    json_array_append_new(notes, json_string(text));
}

static void add_notes(clc_found_page *page, const char *summary) {
    json_t *notes = json_array();
    char now[40];
    const time_t seconds = time(NULL);
    struct tm parts;
    if (page->drawn && page->unread)
        add_note(notes,
                 "%zu pictures can't be read from where this page was made: paths are those by "
                 "which they came into the index.",
                 page->unread);
    if (page->without_room)
        add_note(notes, "%zu pictures had no room any more: there are only their names.",
                 page->without_room);
    strftime(now, sizeof now, "%Y-%m-%d %H:%M", localtime_r(&seconds, &parts));
    json_object_set_new(page->json, "notes", notes);
    json_object_set_new(page->json, "written", json_string(now));
    json_object_set_new(page->json, "version", json_string(CLC_VERSION));
    json_object_set_new(page->json, "summary", clc_json_bytes(summary, strlen(summary)));
}

clc_status clc_found_page_write(clc_found_page *page, const char *path, const char *summary) {
    clc_status status = CLC_OK;
    CLC_TRY(add_pictures(page));
    add_notes(page, summary);
    CLC_TRY(clc_page_put(clc_found_html, page->json, path));
    clc_log("page in %s", path);
fail:
    return status;
}

void clc_found_page_free(clc_found_page **page) {
    if (!*page)
        return;
    json_decref((*page)->groups);
    json_decref((*page)->json);
    free(*page);
    *page = NULL;
}
