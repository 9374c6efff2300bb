/* Scenes: masks by number, boxes from COCO's JSON and VOC's XML, and what becomes of both in a
 * square. */
#include "data/boxes.h"
#include "data/scenes.h"
#include "encode.h"
#include "source_support.h"

#include "core/config.h"

static clc_config config_of(const char *images, const char *masks, const char *boxes) {
    clc_config config;
    CHECK(clc_config_load(NULL, NULL, 0, &config));
    snprintf(config.data.train, sizeof config.data.train, "%s", in_folder(images));
    snprintf(config.data.train_masks, sizeof config.data.train_masks, "%s", in_folder(masks));
    snprintf(config.data.train_boxes, sizeof config.data.train_boxes, "%s", in_folder(boxes));
    return config;
}

static void put_png(const char *name, const png_make *make, const uint16_t *samples) {
    bytes png = make_png(make, samples);
    put_file(in_folder(name), png.data, png.n);
    bytes_free(&png);
}

/* A grey picture of one level. */
static void put_level(const char *name, int height, int width, uint16_t level) {
    uint16_t *samples = malloc((size_t)(height * width) * sizeof *samples);
    const png_make make = {.height = height, .width = width, .depth = 8};
    for (int i = 0; i < height * width; i++)
        samples[i] = level;
    put_png(name, &make, samples);
    free(samples);
}

/* Whatever the colours of a palette, and however few bits a pixel has, the number counts. */
static void masks_are_numbers(void **state) {
    static const uint8_t palette[768] = {9, 9, 9, 1, 2, 3, 255, 0, 0};
    static const uint16_t samples[6] = {0, 1, 2, 3, 1, 0};
    (void)state;
    for (int depth = 2; depth <= 8; depth *= 2)
        for (int colour = 0; colour <= 3; colour += 3) {
            const png_make make = {
                .height = 2, .width = 3, .depth = depth, .colour = colour, .palette = palette};
            bytes png = make_png(&make, samples);
            clc_image mask;
            CHECK(clc_image_decode_numbers(png.data, png.n, &plain, &mask));
            assert_int_equal(mask.height, 2);
            assert_int_equal(mask.width, 3);
            for (int i = 0; i < 6; i++)
                assert_int_equal(mask.pixels[i], samples[i]);
            clc_image_free(&mask);
            CHECK_FAILS(clc_image_decode_numbers(png.data, png.n - 20, &plain, &mask), CLC_FORMAT,
                        "");
            bytes_free(&png);
        }
}

static void colours_are_no_mask(void **state) {
    static const uint16_t samples[12] = {0};
    (void)state;
    for (int i = 0; i < 2; i++) {
        const png_make make = {.height = 2, .width = 2, .depth = i ? 16 : 8, .colour = i ? 0 : 2};
        bytes png = make_png(&make, samples);
        clc_image mask;
        CHECK_FAILS(clc_image_decode_numbers(png.data, png.n, &plain, &mask), CLC_FORMAT,
                    "palette");
        assert_null(mask.pixels);
        bytes_free(&png);
    }
}

/* A mask of 4 x 6 in a square of 3: 2 x 3, each pixel of where its middle lies. */
static void masks_are_scaled_by_their_middles(void **state) {
    static const uint16_t samples[24] = {0, 1, 2, 3, 4, 5, 10, 11, 12, 13,  14, 15,
                                         0, 0, 0, 0, 0, 0, 0,  7,  0,  255, 0,  9};
    static const uint8_t want[9] = {11, 13, 15, 7, 255, 9, 255, 255, 255};
    const png_make make = {.height = 4, .width = 6, .depth = 8};
    clc_scenes *scenes = NULL;
    clc_image mask;
    (void)state;
    put_folder("a/images");
    put_folder("a/masks");
    put_level("a/images/one.png", 4, 6, 200);
    put_level("a/images/two.png", 2, 2, 100);
    put_png("a/masks/one.png", &make, samples);
    const clc_config config = config_of("a/images", "a/masks", "");
    CHECK(clc_scenes_open(&config, CLC_SCENES_MASKS, CLC_SPLIT_TRAIN, 3, 1, NULL, &scenes));
    assert_int_equal(scenes->count, 1); /* of the other nothing is known */
    assert_int_equal(scenes->classes, 16);
    assert_memory_equal(scenes->labels, want, sizeof want);
    assert_int_equal(scenes->pixels[0], 200);
    assert_int_equal(scenes->pixels[5], 200);
    assert_int_equal(scenes->pixels[6], 0); /* beside the picture */
    CHECK(clc_scenes_mask(scenes, 0, &mask));
    assert_int_equal(mask.pixels[21], 255);
    clc_image_free(&mask);
    clc_scenes_close(&scenes);
    put_level("a/masks/one.png", 4, 5, 1);
    CHECK_FAILS(clc_scenes_open(&config, CLC_SCENES_MASKS, CLC_SPLIT_TRAIN, 3, 1, NULL, &scenes),
                CLC_FORMAT, "5 x 4 pixels");
}

static const char coco[] =
    "{\"images\": [{\"id\": 7, \"file_name\": \"x/one.jpg\"}, {\"id\": 3, \"file_name\": "
    "\"other.jpg\"}],"
    "\"categories\": [{\"id\": 20, \"name\": \"cat\"}, {\"id\": 5, \"name\": \"dog\"}],"
    "\"annotations\": ["
    "{\"image_id\": 7, \"category_id\": 20, \"bbox\": [1, 1.5, 3, 2], \"iscrowd\": 0},"
    "{\"image_id\": 7, \"category_id\": 5, \"bbox\": [-2, 2, 4, 9], \"iscrowd\": 1},"
    "{\"image_id\": 7, \"category_id\": 5, \"bbox\": [2, 2, 0, 1]},"
    "{\"image_id\": 7, \"category_id\": 5, \"bbox\": [6, 0, 2, 2]},"
    "{\"image_id\": 3, \"category_id\": 5, \"bbox\": [0, 0, 2, 2]}]}";

/* Empty boxes and those beside the picture are gone, others cut; classes go by their ids. */
static void boxes_lie_within_pictures(void **state) {
    clc_scenes *scenes = NULL;
    (void)state;
    put_folder("b/images");
    put_level("b/images/one.png", 4, 6, 1);
    put_text("b/boxes.json", coco);
    const clc_config config = config_of("b/images", "", "b/boxes.json");
    CHECK(clc_scenes_open(&config, CLC_SCENES_BOXES, CLC_SPLIT_TRAIN, 6, 3, NULL, &scenes));
    assert_int_equal(scenes->count, 1);
    assert_int_equal(scenes->object_count, 2);
    assert_int_equal(scenes->items[0].object_count, 2);
    assert_string_equal(clc_names_at(&scenes->class_names, 0), "dog");
    for (int i = 0; i < 2; i++) {
        const clc_object *o = &scenes->objects[i];
        const clc_box want = o->crowd ? (clc_box){0, 2, 2, 2} : (clc_box){1, 1.5, 3, 2};
        assert_memory_equal(&o->box, &want, sizeof want);
        assert_int_equal(o->label, !o->crowd);
    }
    clc_scenes_close(&scenes);
}

/* Corners count from 1, and parts are no objects; new classes follow those that are known. */
static void voc_is_read(void **state) {
    static const char text[] =
        "<annotation><filename>one.jpg</filename><object><name> zebra </name><part><name>leg</name>"
        "<bndbox><xmin>9</xmin></bndbox></part><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>5</xmax>"
        "<ymax>3</ymax></bndbox></object><object><name>ant</name><difficult>1</difficult><bndbox>"
        "<xmin>1</xmin><ymin>1</ymin><xmax>1.5</xmax><ymax>2</ymax></bndbox></object></annotation>";
    clc_boxes boxes = {0};
    clc_names known = {0};
    (void)state;
    put_text("c/one.xml", text);
    put_text("c/two.xml", "<annotation/>");
    CHECK(clc_names_add(&known, "bee", 3));
    CHECK(clc_boxes_read(in_folder("c"), &known, &boxes));
    assert_int_equal(boxes.count, 2);
    assert_int_equal(boxes.pictures.names.count, 2);
    assert_int_equal(boxes.objects[0].label, 2);
    assert_int_equal(boxes.objects[1].label, 1);
    assert_true(boxes.objects[1].crowd && !boxes.objects[0].crowd);
    const clc_box want = {1, 2, 4, 1};
    assert_memory_equal(&boxes.objects[0].box, &want, sizeof want);
    clc_boxes_free(&boxes);
    clc_names_free(&known);
}

static void what_is_wrong_is_named(void **state) {
    static const struct {
        const char *text, *says;
    } bad[] = {{"{", "no JSON"},
               {"[]", "\"images\""},
               {"{\"images\": [{\"id\": 1}]}", "entry 0 of \"images\""},
               {"{\"images\": [{\"id\": 1, \"file_name\": \"a\"}, {\"id\": 1, \"file_name\": "
                "\"b\"}]}",
                "the id 1"},
               {"{\"images\": [], \"categories\": [], \"annotations\": [{\"image_id\": 1}]}",
                "annotation 0"},
               {"{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], \"categories\": [{\"id\": 1, "
                "\"name\": \"c\"}], \"annotations\": [{\"image_id\": 1, \"category_id\": 1, "
                "\"bbox\": [1, 2, 3]}]}",
                "\"bbox\""},
               {"{\"images\": [], \"categories\": [], \"annotations\": []}", "no classes"}};
    clc_boxes boxes = {0};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_text("bad.json", bad[i].text);
        CHECK_FAILS(clc_boxes_read(in_folder("bad.json"), NULL, &boxes), CLC_FORMAT, bad[i].says);
        clc_boxes_free(&boxes);
    }
    put_text("d/one.xml", "<annotation><object></annotation>");
    CHECK_FAILS(clc_boxes_read(in_folder("d"), NULL, &boxes), CLC_FORMAT, "one.xml");
    clc_boxes_free(&boxes);
    CHECK_FAILS(clc_boxes_read(in_folder("nowhere"), NULL, &boxes), CLC_IO, "nowhere");
    clc_boxes_free(&boxes);
}

/* Of two pictures with one name it can't be told whose mask it is. */
static void names_must_differ(void **state) {
    clc_scenes *scenes = NULL;
    (void)state;
    put_folder("e/images/x");
    put_folder("e/images/y");
    put_folder("e/masks");
    put_level("e/images/x/one.png", 2, 2, 1);
    put_level("e/images/y/one.png", 2, 2, 1);
    put_level("e/masks/one.png", 2, 2, 1);
    const clc_config config = config_of("e/images", "e/masks", "");
    CHECK_FAILS(clc_scenes_open(&config, CLC_SCENES_MASKS, CLC_SPLIT_TRAIN, 8, 3, NULL, &scenes),
                CLC_INVALID, "same name");
    assert_null(scenes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_are_numbers),
        cmocka_unit_test(colours_are_no_mask),
        cmocka_unit_test(masks_are_scaled_by_their_middles),
        cmocka_unit_test(boxes_lie_within_pictures),
        cmocka_unit_test(voc_is_read),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(names_must_differ),
    };
    return cmocka_run_group_tests(tests, make_test_folder, remove_test_folder);
}
