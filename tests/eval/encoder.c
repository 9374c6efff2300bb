/* An encoder opened from its file alone, through the public interface. */
#include "clcontrast/encoder.h"

#include "../data/support.h"
#include "core/rng.h"
#include "eval/encoder.h"
#include "model/run_tokenizer.h"
#include "saved_encoder.h"
#include "tap.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

static const char settings[] = "[data]\nchannels = 3\nstore_side = 12\n"
                               "[augmentation]\nsize = 8\nmean = 0.5, 0.4, 0.3\nstd = 0.2, 0.3, 1\n"
                               "[encoder]\nname = custom\nblock = basic\nblocks = 1, 1\nwidth = 8\n"
                               "[training]\nbatch = 8\n[evaluation]\nbatch = 4\n";

static clc_encoder *open_encoder(void) {
    clc_encoder *encoder = NULL;
    CHECK(clc_encoder_open(in_folder("e.safetensors"), getenv("CLC_TEST_DEVICE"), &encoder));
    return encoder;
}

static int make_encoder(void **state) {
    const int failed = make_test_folder(state);
    if (!failed)
        save_encoder(settings, NULL, in_folder("e.safetensors"));
    return failed;
}

static uint8_t *random_bytes(size_t n) {
    uint8_t *bytes = malloc(n);
    clc_rng rng = clc_rng_make(11, (uint32_t)n);
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)clc_rng_below(&rng, 256);
    return bytes;
}

static clc_status keep_row(void *context, const clc_batch *batch, const float *features) {
    assert_int_equal(batch->count, 1);
    memcpy(context, features, 16 * sizeof *features);
    return CLC_OK;
}

/* The features that `clcontrast embed` gives of a file of these pixels. */
static void embed_file(clc_encoder *encoder, const uint8_t *pixels, int height, int width,
                       int channels, float *features) {
    const size_t n = (size_t)height * (size_t)width * (size_t)channels;
    char *file = malloc(n + 64);
    clc_dataset *data = NULL;
    assert_non_null(file);
    const int head = snprintf(file, 64, "P%d\n%d %d\n255\n", channels == 3 ? 6 : 5, width, height);
    memcpy(file + head, pixels, n);
    const char *path = in_folder("one.pnm");
    put_file(path, file, n + (size_t)head);
    CHECK(clc_encoder_open_paths(encoder, &path, 1, &data));
    CHECK(clc_embedder_each(&encoder->towers[0].embedder, data, NULL, data->count, keep_row,
                            features, NULL));
    clc_dataset_free(&data);
    free(file);
}

static void gives_what_a_file_of_these_pixels_gives(void **state) {
    (void)state;
    static const struct {
        size_t count;
        int height, width, channels;
    } cases[] = {{1, 8, 8, 3},   {1, 1, 1, 1},   {3, 12, 12, 3}, {9, 13, 24, 1},
                 {2, 100, 3, 3}, {5, 40, 61, 3}, {4, 7, 300, 1}};
    clc_encoder *encoder = open_encoder();
    assert_int_equal(clc_encoder_features(encoder), 16);
    assert_int_equal(clc_encoder_channels(encoder), 3);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const int height = cases[c].height, width = cases[c].width, channels = cases[c].channels;
        const size_t bytes = (size_t)height * (size_t)width * (size_t)channels;
        uint8_t *pixels = random_bytes(cases[c].count * bytes);
        float features[9 * 16], one[16];
        memset(features, 0xff, sizeof features);
        CHECK(
            clc_encoder_embed(encoder, pixels, cases[c].count, height, width, channels, features));
        for (size_t i = 0; i < cases[c].count; i++) {
            embed_file(encoder, pixels + i * bytes, height, width, channels, one);
            assert_memory_equal(one, features + 16 * i, sizeof one);
        }
        free(pixels);
    }
    clc_encoder_close(&encoder);
    assert_null(encoder);
}

static void pictures_differ(void **state) {
    (void)state;
    clc_encoder *encoder = open_encoder();
    uint8_t pixels[2][8 * 8 * 3] = {{0}};
    float features[2][16];
    pixels[1][100] = 255;
    CHECK(clc_encoder_embed(encoder, *pixels, 2, 8, 8, 3, *features));
    assert_memory_not_equal(features[0], features[1], sizeof features[0]);
    CHECK(clc_encoder_embed(encoder, *pixels, 0, 8, 8, 3, *features));
    clc_encoder_close(&encoder);
}

static void refuses_what_is_no_image(void **state) {
    (void)state;
    clc_encoder *encoder = open_encoder();
    uint8_t pixels[4 * 4 * 4] = {0};
    float features[16];
    CHECK_FAILS(clc_encoder_embed(encoder, pixels, 1, 0, 4, 3, features), CLC_INVALID, "0 x 4");
    CHECK_FAILS(clc_encoder_embed(encoder, pixels, 1, 4, -1, 3, features), CLC_INVALID, "4 x -1");
    CHECK_FAILS(clc_encoder_embed(encoder, pixels, 1, 1, 1, 17, features), CLC_INVALID,
                "17 channels");
    CHECK_FAILS(clc_encoder_embed(encoder, pixels, 1, 4, 4, 4, features), CLC_FORMAT, "4 channels");
    clc_encoder_close(&encoder);
    clc_encoder_close(&encoder);
}

static void keeps_class_names(void **state) {
    (void)state;
    clc_encoder *encoder = open_encoder();
    assert_int_equal(encoder->classes.count, 2);
    assert_string_equal(clc_names_at(&encoder->classes, 0), "a");
    assert_string_equal(clc_names_at(&encoder->classes, 1), "b\\x0ac");
    clc_encoder_close(&encoder);
}

static void says_what_is_missing(void **state) {
    (void)state;
    clc_encoder *encoder = NULL;
    CHECK_FAILS(clc_encoder_open(in_folder("absent"), NULL, &encoder), CLC_IO, "absent");
    assert_null(encoder);
    put_file(in_folder("text"), "text", 4);
    CHECK_FAILS(clc_encoder_open(in_folder("text"), NULL, &encoder), CLC_FORMAT, "text");
    assert_null(encoder);
}

static clc_status next_text(void *texts, const char **text, size_t *n, bool *more) {
    const char ***next = texts;
    *more = **next != NULL;
    *text = **next;
    *n = *more ? strlen(*(*next)++) : 0;
    return CLC_OK;
}

static clc_tokenizer *learn(clc_tokenizer_kind kind) {
    static const char *const texts[] = {"the cat, the hat and the bat", "d\u00e9j\u00e0 \"vu\"",
                                        "\u4e2d\u6587 the \\ cat", NULL};
    const clc_tokenizer_options options = {
        .kind = kind, .vocabulary = 280, .lowercase = true, .context = 16};
    const char *const *next = texts;
    clc_tokenizer *tokenizer;
    CHECK(clc_tokenizer_train(&options, next_text, &next, &tokenizer));
    return tokenizer;
}

/* Gives the same ids as `want`, which is all that is asked of it; frees it. */
static void expect_same_ids(clc_tokenizer *want, clc_tokenizer *got) {
    static const char *const texts[] = {"", "the cat in the hat", "D\u00c9J\u00c0 \"vu\" \\\n",
                                        "\u4e2d\u6587\xff unknown <end> and many more than fit"};
    assert_non_null(got);
    assert_int_equal(clc_tokenizer_settings(got)->kind, clc_tokenizer_settings(want)->kind);
    assert_int_equal(clc_tokenizer_settings(got)->context, 16);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        clc_ids ids[2] = {0};
        CHECK(clc_tokenizer_encode(want, texts[i], strlen(texts[i]), 16, true, &ids[0]));
        CHECK(clc_tokenizer_encode(got, texts[i], strlen(texts[i]), 16, true, &ids[1]));
        assert_int_equal(ids[0].n, ids[1].n);
        assert_memory_equal(ids[0].data, ids[1].data, ids[0].n * sizeof *ids[0].data);
        clc_ids_free(&ids[0]);
        clc_ids_free(&ids[1]);
    }
    clc_tokenizer_free(&got);
}

/* With the weights, beside them, and both. */
static void a_tokenizer_comes_back_with_the_same_ids(void **state) {
    (void)state;
    for (int kind = CLC_TOKENIZER_BYTES; kind <= CLC_TOKENIZER_BPE; kind++) {
        clc_tokenizer *t = learn((clc_tokenizer_kind)kind), *got;
        const char *folder = in_folder("run");
        assert_int_equal(mkdir(folder, 0700), 0);
        save_encoder(settings, t, in_folder("run/encoder.safetensors"));
        CHECK(clc_run_tokenizer_load(folder, &got));
        expect_same_ids(t, got);
        CHECK(clc_run_tokenizer_load(in_folder("run/encoder.safetensors"), &got));
        expect_same_ids(t, got);
        save_encoder(settings, NULL, in_folder("run/encoder.safetensors"));
        CHECK(clc_run_tokenizer_load(folder, &got));
        assert_null(got);
        CHECK(clc_run_tokenizer_save(folder, t));
        CHECK(clc_run_tokenizer_load(folder, &got));
        expect_same_ids(t, got);
        CHECK(clc_run_tokenizer_save(folder, NULL));
        CHECK(clc_run_tokenizer_save(folder, NULL));
        CHECK(clc_run_tokenizer_load(folder, &got));
        assert_null(got);
        clc_tokenizer_free(&t);
        assert_int_equal(unlink(in_folder("run/encoder.safetensors")), 0);
        assert_int_equal(rmdir(in_folder("run")), 0);
    }
}

static void a_damaged_tokenizer_is_named(void **state) {
    (void)state;
    clc_tokenizer *got = NULL;
    put_file(in_folder("tokenizer.json"), "{\"model\": 3}", 12);
    CHECK_FAILS(clc_run_tokenizer_load(in_folder("e.safetensors"), &got), CLC_FORMAT,
                "tokenizer.json");
    assert_null(got);
    assert_int_equal(unlink(in_folder("tokenizer.json")), 0);
}

static const char of_series[] =
    "[data]\nas = series\n[encoder]\nname = gru\nwidth = 8\ncontext = 6\n"
    "[training]\nbatch = 8\n[evaluation]\nbatch = 4\n";

/* Alone or among others, with what lies behind their length or without. */
static void series_in_memory_have_features_of_their_own(void **state) {
    (void)state;
    enum { COUNT = 5, STEPS = 9, CHANNELS = 2, EACH = STEPS * CHANNELS };
    const int lengths[COUNT] = {9, 1, 6, 7, 3};
    float mean[CHANNELS] = {0.5f, -1}, deviation[CHANNELS] = {2, 0.5f};
    const clc_field like = {
        .kind = CLC_KIND_SERIES, .channels = CHANNELS, .mean = mean, .deviation = deviation};
    const char *path = in_folder("series.safetensors");
    float values[COUNT * EACH], features[COUNT * 8], one[8];
    clc_encoder *encoder = NULL;
    clc_rng rng = clc_rng_make(5, 0);
    for (int i = 0; i < COUNT * EACH; i++)
        values[i] =
            i % EACH < lengths[i / EACH] * CHANNELS ? (float)clc_rng_below(&rng, 1000) / 500 : NAN;
    save_series_encoder(of_series, &like, path);
    CHECK(clc_encoder_open(path, getenv("CLC_TEST_DEVICE"), &encoder));
    assert_int_equal(clc_encoder_reads(encoder), CLC_READS_SERIES);
    assert_int_equal(clc_encoder_series_channels(encoder), CHANNELS);
    assert_int_equal(clc_encoder_channels(encoder), 0);
    CHECK(clc_encoder_embed_series(encoder, values, COUNT, STEPS, lengths, features));
    for (int i = 0; i < COUNT; i++) {
        CHECK(clc_encoder_embed_series(encoder, values + i * EACH, 1, lengths[i], NULL, one));
        assert_memory_equal(one, features + 8 * i, sizeof one);
        assert_true(i == 0 || memcmp(one, features, sizeof one));
    }
    CHECK_FAILS(clc_encoder_embed_series(encoder, values, COUNT, STEPS, NULL, features),
                CLC_INVALID, "series 1");
    CHECK_FAILS(clc_encoder_embed_series(encoder, values, 1, 0, NULL, features), CLC_INVALID,
                "0 steps");
    CHECK_FAILS(clc_encoder_embed_series(encoder, values, 1, 5, lengths, features), CLC_INVALID,
                "length of 9");
    CHECK_FAILS(clc_encoder_embed(encoder, (const uint8_t *)"", 1, 1, 1, 1, one), CLC_INVALID,
                "no images");
    clc_encoder_close(&encoder);
    encoder = open_encoder();
    CHECK_FAILS(clc_encoder_embed_series(encoder, values, 1, 1, NULL, one), CLC_INVALID,
                "no series");
    clc_encoder_close(&encoder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_a_file_of_these_pixels_gives),
        cmocka_unit_test(pictures_differ),
        cmocka_unit_test(refuses_what_is_no_image),
        cmocka_unit_test(keeps_class_names),
        cmocka_unit_test(series_in_memory_have_features_of_their_own),
        cmocka_unit_test(a_tokenizer_comes_back_with_the_same_ids),
        cmocka_unit_test(a_damaged_tokenizer_is_named),
        cmocka_unit_test(says_what_is_missing),
    };
    return cmocka_run_group_tests_name("encoder", tests, make_encoder, remove_test_folder);
}
