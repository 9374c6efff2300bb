#include "data/scenes.h"

#include "core/file.h"
#include "core/log.h"
#include "core/parallel.h"
#include "core/path.h"
#include "data/boxes.h"
#include "data/scale.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MASK_MOST = 1 << 28 }; /* bytes of a mask's file */

const char *clc_scenes_name(const clc_scenes *scenes, size_t i) {
    return clc_names_at(&scenes->source->names, scenes->items[i].item);
}

clc_status clc_scenes_mask(const clc_scenes *scenes, size_t i, clc_image *mask) {
    clc_status status = CLC_OK;
    const char *path = clc_names_at(&scenes->masks, i);
    const clc_scene *scene = &scenes->items[i];
    void *bytes = NULL;
    size_t n;
    *mask = (clc_image){0};
    CLC_TRY(clc_file_read_all(path, MASK_MOST, &bytes, &n));
    status = clc_image_decode_numbers(bytes, n, &scenes->image, mask);
    if (status != CLC_OK)
        clc_fail_context(status, "%s", path);
    else if (mask->height != scene->height || mask->width != scene->width)
        status = clc_fail(CLC_FORMAT, "%s has %d x %d pixels, but its picture %s has %d x %d", path,
                          mask->width, mask->height, clc_scenes_name(scenes, i), scene->width,
                          scene->height);
fail:
    free(bytes);
    return status;
}

/* ---- pictures ---- */

/* Its place in the square; never scaled up. */
static void fit(clc_scene *scene, int side) {
    const int longer = scene->height > scene->width ? scene->height : scene->width;
    const double scale = longer > side ? (double)side / longer : 1;
    scene->fitted_height = (int)fmax(1, floor(scene->height * scale + 0.5));
    scene->fitted_width = (int)fmax(1, floor(scene->width * scale + 0.5));
}

static clc_status place_picture(const clc_scenes *s, size_t i, const clc_image *image) {
    clc_status status = CLC_OK;
    const clc_scene *scene = &s->items[i];
    const size_t row = (size_t)s->channels * (size_t)scene->fitted_width;
    const size_t square = (size_t)s->side * (size_t)s->side * (size_t)s->channels;
    const clc_scale_from from = {image->pixels,   image->height,         image->width,
                                 image->channels, (double)image->height, (double)image->width};
    uint8_t *scaled = NULL;
    const uint8_t *rows = image->pixels;
    if (scene->fitted_height != image->height || scene->fitted_width != image->width) {
        CLC_NEW(scaled, row * (size_t)scene->fitted_height);
        CLC_TRY(clc_scale(&from, scaled, scene->fitted_height, scene->fitted_width));
        rows = scaled;
    }
    for (int y = 0; y < scene->fitted_height; y++)
        memcpy(s->pixels + i * square + (size_t)(y * s->side * s->channels), rows + (size_t)y * row,
               row);
fail:
    free(scaled);
    return status;
}

/* A pixel takes the class of where its middle lies. */
static clc_status place_mask(const clc_scenes *s, size_t i) {
    clc_status status = CLC_OK;
    const clc_scene *scene = &s->items[i];
    uint8_t *to = s->labels + i * (size_t)s->side * (size_t)s->side;
    clc_image mask;
    CLC_TRY(clc_scenes_mask(s, i, &mask));
    for (int y = 0; y < scene->fitted_height; y++)
        for (int x = 0; x < scene->fitted_width; x++) {
            const int from_y = (2 * y + 1) * scene->height / (2 * scene->fitted_height);
            const int from_x = (2 * x + 1) * scene->width / (2 * scene->fitted_width);
            to[y * s->side + x] =
                mask.pixels[(size_t)from_y * (size_t)scene->width + (size_t)from_x];
        }
fail:
    clc_image_free(&mask);
    return status;
}

static clc_status load_scene(const clc_scenes *s, size_t i) {
    clc_status status = CLC_OK;
    clc_scene *scene = &s->items[i];
    clc_image image = {0};
    status = clc_source_read(s->source, scene->item, &s->image, &image);
    if (status != CLC_OK) {
        clc_fail_context(status, "%s", clc_scenes_name(s, i));
        goto fail;
    }
    scene->height = image.height;
    scene->width = image.width;
    fit(scene, s->side);
    CLC_TRY(place_picture(s, i, &image));
    if (s->kind == CLC_SCENES_MASKS)
        CLC_TRY(place_mask(s, i));
fail:
    clc_image_free(&image);
    return status;
}

/* What threads share. */
typedef struct work {
    const clc_scenes *scenes;
    pthread_mutex_t mutex;
    size_t next;
    bool failed;
} work;

/* The next scene's number, or `count`. */
static size_t take(work *w, bool failed) {
    pthread_mutex_lock(&w->mutex);
    w->failed |= failed;
    const size_t i = w->failed ? w->scenes->count : w->next;
    if (i < w->scenes->count)
        w->next++;
    pthread_mutex_unlock(&w->mutex);
    return i;
}

static clc_status load_some(void *context) {
    work *w = context;
    clc_status status = CLC_OK;
    for (size_t i; status == CLC_OK && (i = take(w, false)) < w->scenes->count;)
        status = load_scene(w->scenes, i);
    if (status != CLC_OK)
        take(w, true);
    return status;
}

static clc_status load_all(clc_scenes *s) {
    clc_status status = CLC_OK;
    const size_t area = (size_t)s->side * (size_t)s->side;
    work w = {.scenes = s, .mutex = PTHREAD_MUTEX_INITIALIZER};
    CLC_NEW(s->pixels, s->count * area * (size_t)s->channels);
    if (s->kind == CLC_SCENES_MASKS) {
        CLC_NEW(s->labels, s->count * area);
        memset(s->labels, CLC_MASK_IGNORED, s->count * area);
    }
    status = clc_parallel(s->threads ? s->threads : clc_processors(), load_some, &w);
fail:
    pthread_mutex_destroy(&w.mutex);
    return status;
}

/* ---- which pictures ---- */

/* Stems of the source's names, which tell pictures apart. */
static clc_status list_stems(const clc_source *source, clc_name_set *stems) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < source->count; i++) {
        size_t length, number;
        bool added;
        const char *stem = clc_boxes_stem(clc_names_at(&source->names, i), &length);
        CLC_TRY(clc_name_set_add(stems, stem, length, &number, &added));
        if (!added)
            return clc_fail(CLC_INVALID,
                            "%s and %s have the same name but for folder and ending, by which "
                            "masks and boxes are found; rename one",
                            clc_names_at(&source->names, number), clc_names_at(&source->names, i));
    }
fail:
    return status;
}

static clc_status choose_masked(clc_scenes *s, const char *folder, const clc_name_set *stems) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    for (size_t i = 0; i < s->source->count; i++) {
        CLC_TRY(clc_path_format(path, "%s/%s.png", folder, clc_names_at(&stems->names, i)));
        if (access(path, R_OK) != 0)
            continue;
        CLC_TRY(clc_names_add(&s->masks, path, strlen(path)));
        s->items[s->count++].item = (uint32_t)i;
    }
fail:
    return status;
}

static int by_image(const void *a, const void *b) {
    const clc_object *x = a, *y = b;
    return x->image < y->image ? -1 : x->image > y->image;
}

/* The pictures that boxes are about, and their objects, `image` being the scene. */
static clc_status choose_boxed(clc_scenes *s, clc_boxes *boxes, const clc_name_set *stems) {
    clc_status status = CLC_OK;
    int32_t *scene_of = NULL;
    CLC_NEW(scene_of, boxes->pictures.names.count);
    for (size_t p = 0; p < boxes->pictures.names.count; p++)
        scene_of[p] = -1;
    for (size_t i = 0; i < s->source->count; i++) {
        const size_t p = clc_name_set_find(&boxes->pictures, clc_names_at(&stems->names, i),
                                           clc_names_length(&stems->names, i));
        if (p == SIZE_MAX)
            continue;
        scene_of[p] = (int32_t)s->count;
        s->items[s->count++].item = (uint32_t)i;
    }
    CLC_NEW(s->objects, boxes->count);
    for (size_t i = 0; i < boxes->count; i++) {
        clc_object object = boxes->objects[i];
        object.image = scene_of[object.image];
        if (object.image >= 0)
            s->objects[s->object_count++] = object;
    }
    qsort(s->objects, s->object_count, sizeof *s->objects, by_image);
fail:
    free(scene_of);
    return status;
}

/* Cuts boxes at the borders of their pictures and drops those of which nothing is left. */
static void clip_boxes(clc_scenes *s) {
    size_t kept = 0;
    for (size_t i = 0; i < s->object_count; i++) {
        clc_object object = s->objects[i];
        clc_scene *scene = &s->items[object.image];
        clc_box *b = &object.box;
        const double right = fmin(b->x + b->width, scene->width);
        const double bottom = fmin(b->y + b->height, scene->height);
        b->x = fmax(b->x, 0);
        b->y = fmax(b->y, 0);
        b->width = right - b->x;
        b->height = bottom - b->y;
        if (!(b->width > 0) || !(b->height > 0))
            continue;
        if (!scene->object_count++)
            scene->object = kept;
        s->objects[kept++] = object;
    }
    if (kept < s->object_count)
        clc_log("  %zu boxes have no area within their pictures and are left out",
                s->object_count - kept);
    s->object_count = kept;
}

/* ---- opening ---- */

static clc_status choose(clc_scenes *s, const char *path, const char *key,
                         const clc_scenes *train) {
    clc_status status = CLC_OK;
    clc_name_set stems = {0};
    clc_boxes boxes = {0};
    CLC_NEW(s->items, s->source->count);
    CLC_TRY(list_stems(s->source, &stems));
    if (s->kind == CLC_SCENES_MASKS) {
        CLC_TRY(choose_masked(s, path, &stems));
    } else {
        CLC_TRY(clc_boxes_read(path, train ? &train->class_names : NULL, &boxes));
        CLC_TRY(choose_boxed(s, &boxes, &stems));
        s->class_names = boxes.classes.names;
        boxes.classes.names = (clc_names){0};
        s->classes = (int)s->class_names.count;
    }
    if (!s->count)
        CLC_TRY(clc_fail(CLC_INVALID,
                         "%s = %s: it has nothing about any of the %zu pictures of %s; names must "
                         "be the same but for folder and ending, such as %s",
                         key, path, s->source->count, s->source->name,
                         clc_names_at(&s->source->names, 0)));
    clc_log("%s: %zu of %zu pictures have %s", s->source->name, s->count, s->source->count,
            s->kind == CLC_SCENES_MASKS ? "masks" : "boxes");
fail:
    clc_name_set_free(&stems);
    clc_boxes_free(&boxes);
    return status;
}

static void count_classes(clc_scenes *s) {
    const size_t n = s->count * (size_t)s->side * (size_t)s->side;
    for (size_t i = 0; i < n; i++)
        if (s->labels[i] != CLC_MASK_IGNORED && s->labels[i] >= s->classes)
            s->classes = s->labels[i] + 1;
}

static const char *path_of(const clc_config_data *data, clc_scenes_kind kind, clc_split split,
                           const char **key) {
    static const char *const keys[2][2] = {{"data.train_masks", "data.test_masks"},
                                           {"data.train_boxes", "data.test_boxes"}};
    const char *const paths[2][2] = {{data->train_masks, data->test_masks},
                                     {data->train_boxes, data->test_boxes}};
    *key = keys[kind][split];
    return paths[kind][split];
}

clc_status clc_scenes_open(const clc_config *config, clc_scenes_kind kind, clc_split split,
                           int side, int channels, const clc_scenes *train, clc_scenes **scenes) {
    clc_status status = CLC_OK;
    clc_scenes *s = NULL;
    const char *key, *path = path_of(&config->data, kind, split, &key);
    *scenes = NULL;
    if (!*path)
        return clc_fail(CLC_INVALID, "%s is needed", key);
    CLC_NEW(s, 1);
    s->kind = kind;
    s->side = side;
    s->channels = channels;
    s->threads = config->data.threads;
    s->image = clc_image_options_from_config(&config->data, 0, channels);
    s->image.orientation = false; /* masks and boxes are about pixels as they are stored */
    CLC_TRY(clc_source_open(&config->data, split, NULL, &s->source));
    CLC_TRY(choose(s, path, key, train));
    CLC_TRY(load_all(s));
    if (kind == CLC_SCENES_BOXES)
        clip_boxes(s);
    else
        count_classes(s);
    *scenes = s;
    s = NULL;
fail:
    clc_scenes_close(&s);
    return status;
}

void clc_scenes_close(clc_scenes **pointer) {
    clc_scenes *s = *pointer;
    if (!s)
        return;
    clc_names_free(&s->masks);
    clc_names_free(&s->class_names);
    clc_source_close(&s->source);
    free(s->items);
    free(s->pixels);
    free(s->labels);
    free(s->objects);
    free(s);
    *pointer = NULL;
}
