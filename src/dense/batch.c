#include "dense/batch.h"

#include "dense/losses.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double spread = 0.54 / 6; /* deviation of the heat as a share of a side: TTFNet's */
static const double least_heat = 0.05; /* below it is 0 */

static bool is_mirrored(const clc_scene_batch *batch, int i) {
    return batch->mirrored && batch->mirrored[i];
}

void clc_batch_pixels(const clc_scene_batch *batch, const clc_config_augmentation *norm, float *x) {
    const clc_scenes *s = batch->scenes;
    const size_t row = (size_t)s->side * (size_t)s->channels, square = row * (size_t)s->side;
    memset(x, 0, (size_t)batch->count * square * sizeof *x);
    for (int i = 0; i < batch->count; i++) {
        const size_t number = (size_t)batch->chosen[i];
        const clc_scene *scene = &s->items[number];
        for (int y = 0; y < scene->fitted_height; y++)
            for (int w = 0; w < scene->fitted_width; w++) {
                const int from = is_mirrored(batch, i) ? scene->fitted_width - 1 - w : w;
                const uint8_t *pixel =
                    s->pixels + number * square + (size_t)y * row + (size_t)(from * s->channels);
                float *to = x + (size_t)i * square + (size_t)y * row + (size_t)(w * s->channels);
                for (int c = 0; c < s->channels; c++)
                    to[c] =
                        (float)((pixel[c] / 255.0 - norm->mean.values[c]) / norm->std.values[c]);
            }
    }
}

size_t clc_batch_labels(const clc_scene_batch *batch, uint8_t *labels) {
    const clc_scenes *s = batch->scenes;
    const size_t side = (size_t)s->side;
    size_t counted = 0;
    for (int i = 0; i < batch->count; i++) {
        const size_t number = (size_t)batch->chosen[i],
                     width = (size_t)s->items[number].fitted_width;
        uint8_t *to = labels + (size_t)i * side * side;
        memcpy(to, s->labels + number * side * side, side * side);
        for (size_t y = 0; is_mirrored(batch, i) && y < side; y++)
            for (size_t w = 0; w < width / 2; w++) {
                uint8_t *left = to + y * side + w, *right = to + y * side + width - 1 - w, kept;
                kept = *left;
                *left = *right;
                *right = kept;
            }
        for (size_t p = 0; p < side * side; p++)
            counted += to[p] != CLC_MASK_IGNORED;
    }
    return counted;
}

/* ---- boxes ---- */

/* One picture of a batch on its map. */
typedef struct map {
    const clc_places *places;
    const clc_scene *scene;
    double across, down; /* places of the map in a pixel of the picture */
    bool mirrored;
    float *heat, *sides;
} map;

static void set_scales(const clc_scenes *s, map *m) {
    m->across = (double)m->scene->fitted_width / m->scene->width * m->places->width / s->side;
    m->down = (double)m->scene->fitted_height / m->scene->height * m->places->height / s->side;
}

/* In places of the map. */
static clc_box box_on(const map *m, const clc_box *box) {
    const double x = m->mirrored ? m->scene->width - box->x - box->width : box->x;
    return (clc_box){x * m->across, box->y * m->down, box->width * m->across,
                     box->height * m->down};
}

static float *heat_at(const map *m, int y, int x) {
    return m->heat + (size_t)(y * m->places->width + x) * (size_t)m->places->classes;
}

/* Beside the picture nothing is known. */
static void begin_map(const map *m) {
    const double width = m->scene->width * m->across, height = m->scene->height * m->down;
    for (int y = 0; y < m->places->height; y++)
        for (int x = 0; x < m->places->width; x++)
            for (int c = 0; c < m->places->classes; c++)
                heat_at(m, y, x)[c] = x >= width || y >= height ? -1 : 0;
}

static void add_crowd(const map *m, const clc_object *object) {
    const clc_box b = box_on(m, &object->box);
    for (int y = 0; y < m->places->height; y++)
        for (int x = 0; x < m->places->width; x++)
            if (x + 1 > b.x && x < b.x + b.width && y + 1 > b.y && y < b.y + b.height)
                heat_at(m, y, x)[object->label] = -1;
}

static void set_sides(const map *m, const clc_box *b, int y, int x, double heat) {
    float *side = m->sides + (size_t)(y * m->places->width + x) * (size_t)(1 + CLC_BOX_SIDES);
    if (heat <= (double)side[0])
        return;
    side[0] = (float)heat;
    side[1] = (float)(b->x + b->width / 2 - x - 0.5);
    side[2] = (float)(b->y + b->height / 2 - y - 0.5);
    side[3] = (float)log(b->width);
    side[4] = (float)log(b->height);
}

static int within(double place, int size) {
    return place < 0 ? 0 : place >= size ? size - 1 : (int)place;
}

/* The Gaussian stands on the place that holds the centre, where it is exactly 1. */
static void add_object(const map *m, const clc_object *object) {
    const clc_box b = box_on(m, &object->box);
    const int row = within(b.y + b.height / 2, m->places->height);
    const int column = within(b.x + b.width / 2, m->places->width);
    const double wide = fmax(spread * b.width, 1e-3), high = fmax(spread * b.height, 1e-3);
    for (int y = 0; y < m->places->height; y++)
        for (int x = 0; x < m->places->width; x++) {
            const double dx = (x - column) / wide, dy = (y - row) / high;
            const double heat = exp(-(dx * dx + dy * dy) / 2);
            float *to = &heat_at(m, y, x)[object->label];
            if (heat < least_heat)
                continue;
            if (heat == 1 || (*to >= 0 && heat > (double)*to))
                *to = (float)fmin(heat, x == column && y == row ? 1 : 0.999);
            set_sides(m, &b, y, x, heat);
        }
}

size_t clc_batch_places(const clc_scene_batch *batch, const clc_places *places, float *heat,
                        float *sides) {
    const clc_scenes *s = batch->scenes;
    const size_t area = (size_t)places->height * (size_t)places->width;
    size_t counted = 0;
    memset(sides, 0, (size_t)batch->count * area * (1 + CLC_BOX_SIDES) * sizeof *sides);
    for (int i = 0; i < batch->count; i++) {
        map m = {.places = places,
                 .scene = &s->items[batch->chosen[i]],
                 .mirrored = is_mirrored(batch, i),
                 .heat = heat + (size_t)i * area * (size_t)places->classes,
                 .sides = sides + (size_t)i * area * (1 + CLC_BOX_SIDES)};
        const clc_object *objects = s->objects + m.scene->object;
        set_scales(s, &m);
        begin_map(&m);
        for (size_t k = 0; k < m.scene->object_count; k++)
            if (objects[k].crowd)
                add_crowd(&m, &objects[k]);
        for (size_t k = 0; k < m.scene->object_count; k++)
            if (!objects[k].crowd) {
                add_object(&m, &objects[k]);
                counted++;
            }
    }
    return counted;
}

/* ---- from the output to boxes ---- */

static bool is_peak(const clc_places *p, const float *x, int row, int column, int c) {
    const size_t channels = (size_t)(p->classes + CLC_BOX_SIDES);
    const float here = x[(size_t)(row * p->width + column) * channels + (size_t)c];
    for (int k = 0; k < 9; k++) {
        const int y = row + k / 3 - 1, w = column + k % 3 - 1;
        if (k == 4 || y < 0 || y >= p->height || w < 0 || w >= p->width)
            continue;
        const float other = x[(size_t)(y * p->width + w) * channels + (size_t)c];
        if (k < 4 ? other >= here : other > here)
            return false;
    }
    return true;
}

static clc_detection box_of(const map *m, size_t image, int row, int column, int c,
                            const float *at) {
    const float *side = at + m->places->classes;
    const double most = 2 * log(fmax(m->places->width, m->places->height) + 1);
    const double width = exp(fmin((double)side[2], most)),
                 height = exp(fmin((double)side[3], most));
    const double x = column + 0.5 + (double)side[0], y = row + 0.5 + (double)side[1];
    const double left = fmax((x - width / 2) / m->across, 0);
    const double top = fmax((y - height / 2) / m->down, 0);
    const double right = fmin((x + width / 2) / m->across, m->scene->width);
    const double bottom = fmin((y + height / 2) / m->down, m->scene->height);
    return (clc_detection){.box = {left, top, right - left, bottom - top},
                           .image = (int32_t)image,
                           .label = c,
                           .score = 1 / (1 + exp(-(double)at[c]))};
}

static bool surer(const clc_detection *a, const clc_detection *b) {
    return a->score > b->score;
}

/* Puts it into its place among the `n` surest; returns how many there are now. */
static size_t insert(clc_detection *found, size_t n, size_t most, const clc_detection *one) {
    if (n == most && (n == 0 || !surer(one, &found[n - 1])))
        return n;
    size_t at = n == most ? n - 1 : n;
    for (; at > 0 && surer(one, &found[at - 1]); at--)
        found[at] = found[at - 1];
    found[at] = *one;
    return n == most ? n : n + 1;
}

size_t clc_places_boxes(const clc_scenes *scenes, size_t i, const clc_places *places,
                        const float *x, clc_detection *found, size_t most) {
    const size_t channels = (size_t)(places->classes + CLC_BOX_SIDES);
    map m = {.places = places, .scene = &scenes->items[i]};
    size_t n = 0;
    set_scales(scenes, &m);
    for (int row = 0; row < places->height; row++)
        for (int column = 0; column < places->width; column++)
            for (int c = 0; c < places->classes; c++) {
                const float *at = x + (size_t)(row * places->width + column) * channels;
                if (!is_peak(places, x, row, column, c))
                    continue;
                const clc_detection one = box_of(&m, i, row, column, c, at);
                if (one.box.width > 0 && one.box.height > 0)
                    n = insert(found, n, most, &one);
            }
    return n;
}
