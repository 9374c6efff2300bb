/* What heads are to say, and what is read from what they say: the one undoes the other. */
#include "dense/batch.h"
#include "dense/losses.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, PLACES = 8, CLASSES = 3, CHANNELS = CLASSES + CLC_BOX_SIDES };

/* Two scenes, 60 x 40 and 20 x 30 pixels, in squares of 32. */
static clc_scene items[2] = {
    {.height = 40, .width = 60, .fitted_height = 21, .fitted_width = 32, .object_count = 3},
    {.height = 30,
     .width = 20,
     .fitted_height = 30,
     .fitted_width = 20,
     .object = 3,
     .object_count = 1}};
static clc_object objects[4] = {{{4, 4, 16, 10}, 0, 0, false},
                                {{30, 10, 28, 24}, 0, 2, false},
                                {{20, 30, 20, 10}, 0, 1, true},
                                {{2, 3, 10, 12}, 1, 1, false}};
static const clc_places places = {PLACES, PLACES, CLASSES};
static const clc_scenes scenes = {.kind = CLC_SCENES_BOXES,
                                  .side = SIDE,
                                  .channels = 1,
                                  .count = 2,
                                  .items = items,
                                  .objects = objects,
                                  .object_count = 4,
                                  .classes = CLASSES};

typedef struct targets {
    float heat[2 * PLACES * PLACES * CLASSES], sides[2 * PLACES * PLACES * (1 + CLC_BOX_SIDES)];
    size_t count;
} targets;

static targets make(const bool *mirrored) {
    static const int32_t chosen[2] = {0, 1};
    const clc_scene_batch batch = {&scenes, chosen, mirrored, 2};
    targets t;
    t.count = clc_batch_places(&batch, &places, t.heat, t.sides);
    return t;
}

/* The output that is exactly right. */
static void answer(const targets *t, int image, float x[PLACES * PLACES * CHANNELS]) {
    for (int p = 0; p < PLACES * PLACES; p++) {
        const int at = image * PLACES * PLACES + p;
        for (int c = 0; c < CLASSES; c++)
            x[p * CHANNELS + c] = 20 * t->heat[at * CLASSES + c] - 10;
        memcpy(x + p * CHANNELS + CLASSES, t->sides + at * (1 + CLC_BOX_SIDES) + 1,
               CLC_BOX_SIDES * sizeof *x);
    }
}

static void expect_box(const clc_detection *found, const clc_box *want, int label) {
    assert_int_equal(found->label, label);
    assert_true(fabs(found->box.x - want->x) < 1e-3 && fabs(found->box.y - want->y) < 1e-3);
    assert_true(fabs(found->box.width - want->width) < 1e-3);
    assert_true(fabs(found->box.height - want->height) < 1e-3);
    assert_true(found->score > 0.99);
}

static void boxes_come_back(void **state) {
    const targets t = make(NULL);
    float x[PLACES * PLACES * CHANNELS];
    clc_detection found[8];
    (void)state;
    assert_int_equal(t.count, 3);
    answer(&t, 0, x);
    assert_true(clc_places_boxes(&scenes, 0, &places, x, found, 8) >= 2);
    const int first = found[0].label == 0 ? 0 : 1;
    expect_box(&found[first], &objects[0].box, 0);
    expect_box(&found[1 - first], &objects[1].box, 2);
    answer(&t, 1, x);
    assert_true(clc_places_boxes(&scenes, 1, &places, x, found, 8) >= 1);
    expect_box(&found[0], &objects[3].box, 1);
    assert_int_equal(found[0].image, 1);
    assert_int_equal(clc_places_boxes(&scenes, 1, &places, x, found, 0), 0);
}

/* A mirrored scene holds the mirrored box. */
static void mirrored_scenes_have_mirrored_boxes(void **state) {
    static const bool mirrored[2] = {true, false};
    const targets t = make(mirrored);
    const clc_box want = {60 - 4 - 16, 4, 16, 10};
    float x[PLACES * PLACES * CHANNELS];
    clc_detection found[8];
    (void)state;
    answer(&t, 0, x);
    assert_true(clc_places_boxes(&scenes, 0, &places, x, found, 8) >= 2);
    expect_box(&found[found[0].label == 0 ? 0 : 1], &want, 0);
}

/* One place an object is exactly 1, none is beyond; crowds and what is beside the picture are not
 * known, in their class alone. */
static void heat_is_one_at_centres_alone(void **state) {
    const targets t = make(NULL);
    int ones = 0;
    (void)state;
    for (size_t i = 0; i < sizeof t.heat / sizeof *t.heat; i++) {
        assert_true(t.heat[i] <= 1 && (t.heat[i] >= 0 || t.heat[i] == -1.0f));
        ones += t.heat[i] == 1.0f;
    }
    assert_int_equal(ones, 3);
    const float *crowd = t.heat + (4 * PLACES + 4) * CLASSES; /* row 4: pixels 30.5 to 38 */
    assert_true(crowd[1] == -1.0f && crowd[0] != -1.0f);
    const float *beside = t.heat + (7 * PLACES + 3) * CLASSES;
    assert_true(beside[0] == -1.0f && beside[1] == -1.0f && beside[2] == -1.0f);
}

static void pixels_are_normalised(void **state) {
    uint8_t pixels[2 * SIDE * SIDE], labels[2 * SIDE * SIDE], got[SIDE * SIDE];
    float x[SIDE * SIDE];
    clc_scenes s = scenes;
    const int32_t chosen[1] = {1};
    const bool mirrored[1] = {true};
    const clc_scene_batch batch = {&s, chosen, mirrored, 1};
    clc_config_augmentation norm = {.mean = {1, {0.5}}, .std = {1, {0.25}}};
    (void)state;
    for (int i = 0; i < 2 * SIDE * SIDE; i++) {
        pixels[i] = (uint8_t)(i * 7 % 251);
        labels[i] = (uint8_t)(i % SIDE < 20 && i % (SIDE * SIDE) / SIDE < 30 ? i % 3 : 255);
    }
    s.pixels = pixels;
    s.labels = labels;
    clc_batch_pixels(&batch, &norm, x);
    assert_int_equal(clc_batch_labels(&batch, got), 20 * 30);
    for (int i = 0; i < SIDE * SIDE; i++) {
        const bool inside = i % SIDE < 20 && i / SIDE < 30;
        const int from = SIDE * SIDE + i / SIDE * SIDE + 19 - i % SIDE;
        const float want = inside ? (float)((pixels[from] / 255.0 - 0.5) / 0.25) : 0;
        assert_true(fabsf(x[i] - want) < 1e-6f);
        assert_int_equal(got[i], inside ? labels[from] : 255);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_come_back),
        cmocka_unit_test(mirrored_scenes_have_mirrored_boxes),
        cmocka_unit_test(heat_is_one_at_centres_alone),
        cmocka_unit_test(pixels_are_normalised),
    };
    return cmocka_run_group_tests_name("dense batch", tests, NULL, NULL);
}
