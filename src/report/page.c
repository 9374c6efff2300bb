#define _XOPEN_SOURCE 700 /* realpath */
#include "report/page.h"

#include "core/config.h"
#include "core/file.h"
#include "core/log.h"
#include "model/run_folder.h"
#include "report/history.h"
#include "report/json.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
    POINTS = 600,           /* of a curve: more than a screen shows */
    LARGEST_PAGE = 3000000, /* bytes */
    LARGEST_MATRIX = 10000, /* numbers of an array in evaluation.json */
};

/* The number of leaves of a value, not counted beyond `most`. */
static size_t leaves(const json_t *value, size_t most) {
    size_t n = 0, i;
    json_t *part;
    if (!json_is_array(value))
        return 1;
    json_array_foreach(value, i, part) {
        n += leaves(part, most);
        if (n > most)
            break;
    }
    return n;
}

/* Leaves out arrays that are too large for a page: confusion matrices of a thousand classes. */
static void drop_large(json_t *value) {
    const char *key;
    json_t *part;
    void *next;
    size_t i;
    json_array_foreach(value, i, part) drop_large(part);
    json_object_foreach_safe(value, next, key, part) {
        if (json_is_array(part) && leaves(part, LARGEST_MATRIX) > LARGEST_MATRIX)
            json_object_del(value, key);
        else
            drop_large(part);
    }
}

/* A JSON file of the folder under `key`; where it can't be read, why under "<key>_error". */
static clc_status add_json(json_t *page, const char *key, const char *folder, const char *name) {
    char path[CLC_PATH_BYTES], said[CLC_PATH_BYTES + 300];
    json_error_t error;
    clc_status status = clc_run_path(folder, name, path);
    if (status != CLC_OK || !clc_run_has(folder, name))
        return status;
    json_t *value = json_load_file(path, 0, &error);
    if (value) {
        drop_large(value);
        json_object_set_new(page, key, value);
        return CLC_OK;
    }
    snprintf(said, sizeof said, "%s can't be read: line %d: %s", name, error.line, error.text);
    clc_warn("%s: %s", folder, said);
    snprintf(path, sizeof path, "%s_error", key);
    json_object_set_new(page, path, clc_json_bytes(said, strlen(said)));
    return CLC_OK;
}

static clc_status add_text(json_t *page, const char *key, const char *folder, const char *name) {
    json_t *text = NULL;
    const clc_status status = clc_json_file_text(folder, name, &text);
    if (text)
        json_object_set_new(page, key, text);
    return status;
}

static clc_status add_picture(json_t *images, const char *key, const char *folder,
                              const char *name) {
    json_t *uri = NULL;
    const clc_status status = clc_json_file_uri(folder, name, "image/jpeg", &uri);
    if (uri)
        json_object_set_new(images, key, uri);
    return status;
}

/* The last part of the folder's real path; "." is no name. */
static json_t *name_of(const char *folder) {
    char *path = realpath(folder, NULL);
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *name = slash && slash[1] ? slash + 1 : folder;
    json_t *string = clc_json_bytes(name, strlen(name));
    free(path);
    return string;
}

/* The configuration, and what all keys would be by default. A file of another version is shown, but
 * the summary does without it. */
static clc_status add_config(json_t *page, json_t *run, const char *folder) {
    clc_status status = CLC_OK;
    clc_config *config = NULL;
    char *defaults = NULL;
    CLC_NEW(config, 1);
    CLC_TRY(add_text(page, "config", folder, CLC_RUN_CONFIG));
    const char *text = json_string_value(json_object_get(page, "config"));
    if (text && clc_config_load_text(text, CLC_RUN_CONFIG, config) == CLC_OK) {
        json_object_set_new(run, "method",
                            json_string(clc_config_choice(config, "method", "name")));
        json_object_set_new(run, "encoder",
                            json_string(clc_config_choice(config, "encoder", "name")));
    }
    CLC_TRY(clc_config_load(NULL, NULL, 0, config));
    CLC_TRY(clc_config_text(config, &defaults, NULL));
    json_object_set_new(page, "config_defaults", clc_json_bytes(defaults, strlen(defaults)));
fail:
    free(defaults);
    free(config);
    return status;
}

/* Of the last event "trained": on what, by which version. */
static void add_versions(json_t *page, const clc_history *history) {
    json_t *versions = json_object(), *event;
    static const char *const keys[] = {"version", "device", "driver", "opencl"};
    size_t i;
    json_object_set_new(versions, "clcontrast", json_string(CLC_VERSION));
    json_array_foreach(history->events, i, event) {
        if (strcmp(json_string_value(json_object_get(event, "event")), "trained"))
            continue;
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            json_t *value = json_object_get(event, keys[k]);
            if (value)
                json_object_set(versions, k ? keys[k] : "trained by clcontrast", value);
        }
    }
    json_object_set_new(page, "versions", versions);
}

static void add_history(json_t *page, json_t *run, const clc_history *history) {
    char said[160];
    json_object_set_new(page, "rows", clc_history_json(history, POINTS));
    json_object_set_new(page, "row_count", json_integer((json_int_t)history->count));
    json_object_set(page, "events", history->events);
    json_object_set_new(run, "seconds", clc_json_number(history->seconds));
    if (history->broken) {
        snprintf(said, sizeof said, "%zu lines of " CLC_RUN_METRICS_JSONL " can't be read.",
                 history->broken);
        json_object_set_new(page, "notes", json_pack("[s]", said));
    }
}

/* Where another encoder's evaluation went there are no metrics, nor are there of a comparison. */
static bool is_run(const char *folder) {
    return clc_run_has(folder, CLC_RUN_METRICS_JSONL) ||
           (!clc_run_has(folder, CLC_RUN_EVALUATION_JSON) &&
            !clc_run_has(folder, CLC_RUN_COMPARISON));
}

static clc_status gather(const char *folder, json_t *page) {
    clc_status status = CLC_OK;
    clc_history *history = NULL;
    json_t *run = json_object(), *images = json_object();
    const bool trained = is_run(folder);
    char now[40];
    const time_t seconds = time(NULL);
    struct tm parts;
    json_object_set_new(page, "run", run);
    json_object_set_new(page, "images", images);
    CLC_TRY(trained ? clc_history_open(folder, &history) : clc_history_empty(&history));
    add_history(page, run, history);
    add_versions(page, history);
    json_object_set_new(run, "name", name_of(folder));
    strftime(now, sizeof now, "%Y-%m-%d %H:%M", localtime_r(&seconds, &parts));
    json_object_set_new(run, "written", json_string(now));
    CLC_TRY(add_config(page, run, folder));
    CLC_TRY(add_json(page, "evaluation", folder, CLC_RUN_EVALUATION_JSON));
    if (!trained && !clc_run_has(folder, CLC_RUN_EVALUATION_JSON))
        CLC_TRY(add_json(page, "comparison", folder, CLC_RUN_COMPARISON));
    CLC_TRY(add_json(page, "samples", folder, CLC_RUN_SAMPLES));
    CLC_TRY(add_text(page, "views_text", folder, CLC_RUN_VIEWS_TEXT));
    CLC_TRY(add_picture(images, "views", folder, CLC_RUN_VIEWS));
    CLC_TRY(add_picture(images, "thumbs", folder, CLC_RUN_THUMBS));
fail:
    clc_history_free(&history);
    return status;
}

/* The page's text without the least important parts, until it is small enough. */
static char *shrink(json_t *page) {
    json_t *images = json_object_get(page, "images");
    char *text = clc_json_for_page(page);
    const struct {
        json_t *of;
        const char *key;
    } parts[] = {{page, "views_text"}, {images, "views"}, {images, "thumbs"}, {page, "samples"}};
    const size_t room = LARGEST_PAGE - strlen(clc_page_html);
    for (size_t i = 0; text && strlen(text) > room && i < sizeof parts / sizeof *parts; i++) {
        if (json_object_del(parts[i].of, parts[i].key) != 0)
            continue;
        clc_warn("report.html would be larger than %d bytes: without %s", LARGEST_PAGE,
                 parts[i].key);
        free(text);
        text = clc_json_for_page(page);
    }
    return text;
}

/* The page around its data. */
static clc_status put_text(const char *html, const char *text, const char *path) {
    static const char mark[] = "{{data}}";
    clc_status status = CLC_OK;
    clc_file_writer *writer = NULL;
    const char *at = strstr(html, mark);
    CLC_TRY(clc_file_writer_open(path, &writer));
    CLC_TRY(clc_file_writer_write(writer, html, (size_t)(at - html)));
    CLC_TRY(clc_file_writer_write(writer, text, strlen(text)));
    CLC_TRY(clc_file_writer_write(writer, at + strlen(mark), strlen(at + strlen(mark))));
    CLC_TRY(clc_file_writer_commit(&writer));
fail:
    clc_file_writer_abort(&writer);
    return status;
}

clc_status clc_page_put(const char *html, const json_t *data, const char *path) {
    char *text = clc_json_for_page(data);
    const clc_status status = text ? put_text(html, text, path) : clc_fail_alloc(LARGEST_PAGE);
    free(text);
    return status;
}

clc_status clc_page_write(const char *folder) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES], *text = NULL;
    json_t *page = json_object();
    if (!page)
        return clc_fail_alloc(64);
    CLC_TRY(gather(folder, page));
    text = shrink(page);
    if (!text)
        CLC_TRY(clc_fail_alloc(LARGEST_PAGE));
    CLC_TRY(clc_run_path(folder, CLC_RUN_REPORT, path));
    CLC_TRY(put_text(clc_page_html, text, path));
    clc_log("report in %s", path);
fail:
    json_decref(page);
    free(text);
    return status;
}
