/* Views of texts: every token is that of the host's, which follows the definition by itself. */
#include "augment/tokens.h"

#include "harness.h"
#include "text/tokenizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    VOCABULARY = 60,
    START = 58,
    END = 59,
    UNKNOWN = CLC_TOKEN_UNKNOWN,
    TEXTS = 37,
    SAMPLES = 29, /* with one text or two */
    LONGEST = 40
};

/* Texts of any length up to LONGEST, the first ones of none and one token; and who may stand for
 * whom. */
typedef struct world {
    int32_t *ids;
    field_place places[TEXTS];
    int32_t firsts[SAMPLES + 1], samples[SAMPLES];
    size_t count; /* of ids */
    int32_t starts[VOCABULARY + 1], synonyms[VOCABULARY * 3];
} world;

static world make_world(bool ends) {
    clc_rng rng = clc_rng_make(3, 1);
    world w = {.ids = malloc(TEXTS * (LONGEST + 2) * sizeof(int32_t))};
    assert_non_null(w.ids);
    for (int i = 0; i < TEXTS; i++) {
        const uint32_t n = i < 2 ? (uint32_t)i : clc_rng_below(&rng, LONGEST + 1);
        w.places[i] = (field_place){w.count, (int)n + (ends ? 2 : 0), 0};
        if (ends)
            w.ids[w.count++] = START;
        for (uint32_t k = 0; k < n; k++)
            w.ids[w.count++] = 2 + (int32_t)clc_rng_below(&rng, START - 2);
        if (ends)
            w.ids[w.count++] = END;
    }
    for (int i = 0; i < SAMPLES; i++) {
        w.samples[i] = (i * 11) % SAMPLES;
        w.firsts[i + 1] = w.firsts[i] + 1 + (i % 7 < 2 && w.firsts[i] + SAMPLES - i < TEXTS);
    }
    for (int t = 0; t < VOCABULARY; t++) {
        w.starts[t + 1] = w.starts[t] + (t % 4 ? t % 3 + 1 : 0);
        for (int k = w.starts[t]; k < w.starts[t + 1]; k++)
            w.synonyms[k] = (t + 5 * k) % VOCABULARY;
    }
    return w;
}

static clc_token_augment everything(int context, bool ends) {
    return (clc_token_augment){.context = context,
                               .ends = ends,
                               .settings = {.crop = 0.7,
                                            .crop_range = {2, {0.3, 0.9}},
                                            .delete = 0.6,
                                            .delete_range = {2, {0.1, 0.4}},
                                            .synonym = 0.6,
                                            .synonym_range = {2, {0.2, 0.7}},
                                            .mask = 0.6,
                                            .mask_range = {2, {0.1, 0.3}},
                                            .swap = 0.6,
                                            .swap_range = {2, {0.1, 0.5}}},
                               .seed = 0x123456789ABCDEFu};
}

typedef struct dice {
    uint32_t key[2], sample, epoch, view;
} dice;

static void roll(const dice *d, uint32_t purpose, float u[4], uint32_t bits[4]) {
    const uint32_t counter[4] = {d->sample, d->epoch, d->view, purpose};
    memcpy(bits, counter, sizeof counter);
    clc_philox(d->key, bits);
    for (int i = 0; i < 4; i++)
        u[i] = clc_uniform(bits[i]);
}

static float rate(double probability, const clc_floats *range, float whether, float amount) {
    const float low = (float)range->values[0], high = (float)range->values[1];
    const float span = high - low, more = span * amount;
    return whether < (float)probability ? low + more : 0;
}

/* The text that the sample at place i of the batch shows. */
static int reference_text(const clc_token_augment *a, const world *w, int i, uint32_t epoch) {
    const int32_t sample = w->samples[i], n = w->firsts[sample + 1] - w->firsts[sample];
    const dice d = {{(uint32_t)a->seed, (uint32_t)(a->seed >> 32)}, (uint32_t)sample, epoch, 0};
    float u[4];
    uint32_t bits[4];
    roll(&d, PURPOSE_FIELD_CHOICE, u, bits);
    return w->firsts[sample] + (int)(((uint64_t)bits[0] * (uint32_t)n) >> 32);
}

/* The definition: of the sample at place `at`, view (context) and its length. */
static int reference_view(const clc_token_augment *a, const world *w, int at, uint32_t epoch,
                          uint32_t number, int32_t *view) {
    const dice d = {
        {(uint32_t)a->seed, (uint32_t)(a->seed >> 32)}, (uint32_t)w->samples[at], epoch, number};
    const int i = reference_text(a, w, at, epoch);
    const clc_config_tokens *s = &a->settings;
    const int ends = a->ends, room = a->context - 2 * ends;
    const int32_t *text = w->ids + w->places[i].offset + ends;
    int begin = 0, count = w->places[i].length - 2 * ends, kept = 0;
    float u[4], removal[4], change[4];
    uint32_t bits[4];
    memset(view, 0, (size_t)a->context * sizeof *view);
    roll(&d, PURPOSE_TOKENS_CROP, u, bits);
    if (u[0] < (float)s->crop) {
        const float part = rate(1, &s->crop_range, 0, u[1]), exact = (float)count * part;
        int length = (int)(exact + 0.5f);
        length = length < 1 ? 1 : length;
        length = length > count ? count : length;
        begin = (int)(((uint64_t)bits[2] * (uint32_t)(count - length + 1)) >> 32);
        count = length;
    }
    roll(&d, PURPOSE_TOKENS_REMOVE, removal, bits);
    roll(&d, PURPOSE_TOKENS_CHANGE, change, bits);
    for (int t = begin; t < begin + count && kept < room; t++) {
        int32_t token = text[t];
        const int first = w->starts[token], n = w->starts[token + 1] - first;
        roll(&d, PURPOSE_TOKENS_EACH + (uint32_t)t, u, bits);
        if (u[0] < rate(s->delete, &s->delete_range, removal[0], removal[1]))
            continue;
        if (n > 0 && u[2] < rate(s->synonym, &s->synonym_range, change[0], change[1]))
            token = w->synonyms[first + (int)(((uint64_t)bits[3] * (uint32_t)n) >> 32)];
        if (u[1] < rate(s->mask, &s->mask_range, removal[2], removal[3]))
            token = UNKNOWN;
        view[ends + kept++] = token;
    }
    if (kept == 0 && (count > 0 || !ends))
        view[ends + kept++] = count > 0 ? text[begin] : UNKNOWN;
    for (int t = 0; t + 1 < kept; t++) {
        roll(&d, PURPOSE_TOKENS_SWAP + (uint32_t)t, u, bits);
        if (!(u[0] < rate(s->swap, &s->swap_range, change[2], change[3])))
            continue;
        const int32_t token = view[ends + t];
        view[ends + t] = view[ends + t + 1];
        view[ends + ++t] = token;
    }
    if (ends) {
        view[0] = START;
        view[ends + kept] = END;
    }
    return kept + 2 * ends;
}

static cl_mem filled(const void *bytes, size_t n) {
    cl_mem buffer = NULL;
    CHECK(clc_buffer_create(test_device(), n, "test input", &buffer));
    CHECK(clc_buffer_write(test_device(), buffer, 0, n, bytes));
    return buffer;
}

/* The device's views of `texts` texts from the first on: (views * texts,context), then lengths
 * (views * texts) behind them. */
static int32_t *device_views(const clc_token_augment *a, const world *w, const clc_augment_batch *b,
                             bool synonyms, uint32_t epoch) {
    const size_t rows = (size_t)b->images * (size_t)b->views, n = rows * (size_t)a->context;
    clc_device *device = test_device();
    clc_token_texts t = {.ids = filled(w->ids, w->count * sizeof *w->ids),
                         .places = filled(w->places, sizeof w->places),
                         .firsts = filled(w->firsts, sizeof w->firsts),
                         .indices = filled(w->samples, sizeof w->samples)};
    if (synonyms) {
        t.synonym_starts = filled(w->starts, sizeof w->starts);
        t.synonyms = filled(w->synonyms, sizeof w->synonyms);
    }
    cl_mem state = filled(&epoch, sizeof epoch);
    test_buffer out = test_buffer_make("views", NULL, n);
    test_buffer lengths = test_buffer_make("lengths", NULL, rows);
    clc_sequence sequence = {0};
    CHECK(clc_token_augment_build(&sequence, device, a, b, &t, state, out.mem, lengths.mem));
    test_run(&sequence);
    float *views = test_buffer_read(&out), *counts = test_buffer_read(&lengths);
    int32_t *result = malloc((n + rows) * sizeof *result);
    assert_non_null(result);
    memcpy(result, views, n * sizeof *result);
    memcpy(result + n, counts, rows * sizeof *result);
    free(views);
    free(counts);
    test_buffer_release(&out);
    test_buffer_release(&lengths);
    clc_buffer_release(device, &state);
    clc_buffer_release(device, &t.ids);
    clc_buffer_release(device, &t.places);
    clc_buffer_release(device, &t.firsts);
    clc_buffer_release(device, &t.indices);
    clc_buffer_release(device, &t.synonym_starts);
    clc_buffer_release(device, &t.synonyms);
    return result;
}

static void expect_views(const clc_token_augment *a, const world *w, const clc_augment_batch *b) {
    int32_t *want = malloc((size_t)a->context * sizeof *want);
    assert_non_null(want);
    const int rows = b->images * b->views;
    int32_t *got = device_views(a, w, b, true, 5);
    for (int i = 0; i < rows; i++) {
        const int text = b->first_image + i % b->images, number = b->first_view + i / b->images;
        const int length = reference_view(a, w, text, 5, (uint32_t)number, want);
        const int32_t *view = got + (size_t)i * (size_t)a->context;
        assert_int_equal(got[(size_t)rows * (size_t)a->context + (size_t)i], length);
        for (int t = 0; t < a->context; t++)
            if (view[t] != want[t])
                fail_msg("row %d, token %d is %d, not %d", i, t, view[t], want[t]);
    }
    free(got);
    free(want);
}

static void views_are_those_of_the_definition(void **state) {
    (void)state;
    for (int ends = 0; ends < 2; ends++) {
        world w = make_world(ends);
        for (int context = ends ? 3 : 1; context < 60; context = 5 * context + 4) {
            const clc_token_augment a = everything(context, ends);
            expect_views(&a, &w, &(clc_augment_batch){.images = SAMPLES, .views = 3});
        }
        free(w.ids);
    }
}

static void each_change_alone(void **state) {
    (void)state;
    world w = make_world(true);
    const clc_token_augment all = everything(LONGEST + 2, true);
    clc_token_augment each[5];
    for (int i = 0; i < 5; i++)
        each[i] = clc_token_augment_evaluation(&all);
    each[0].settings.crop = 0.7;
    each[0].settings.crop_range = all.settings.crop_range;
    each[1].settings.delete = each[2].settings.synonym = each[3].settings.mask =
        each[4].settings.swap = 1;
    each[1].settings.delete_range = (clc_floats){2, {1, 1}}; /* one token is left */
    each[2].settings.synonym_range = (clc_floats){2, {1, 1}};
    each[3].settings.mask_range = (clc_floats){2, {0.5, 0.5}};
    each[4].settings.swap_range = (clc_floats){2, {1, 1}};
    for (int i = 0; i < 5; i++)
        expect_views(&each[i], &w, &(clc_augment_batch){.images = SAMPLES, .views = 1});
    free(w.ids);
}

static void evaluation_changes_nothing(void **state) {
    (void)state;
    world w = make_world(true);
    const clc_token_augment train = everything(12, true);
    const clc_token_augment a = clc_token_augment_evaluation(&train);
    int32_t *got =
        device_views(&a, &w, &(clc_augment_batch){.images = SAMPLES, .views = 1}, false, 9);
    for (int i = 0; i < SAMPLES; i++) {
        const field_place *place = &w.places[reference_text(&a, &w, i, 9)];
        const int n = place->length, kept = n < 12 ? n : 12;
        const int32_t *text = w.ids + place->offset, *view = got + i * 12;
        assert_int_equal(got[SAMPLES * 12 + i], kept);
        assert_memory_equal(view, text, (size_t)(kept - 1) * sizeof *view);
        assert_int_equal(view[kept - 1], END); /* also of what is too long */
        for (int t = kept; t < 12; t++)
            assert_int_equal(view[t], 0);
    }
    free(got);
    free(w.ids);
}

/* `hits` of n draws of probability p: within 5 standard deviations. */
static void expect_share(double hits, double n, double p) {
    if (!(fabs(hits - n * p) <= 5 * sqrt(n * p * (1 - p)) + 1e-9))
        fail_msg("%g of %g, but a share of %g is expected", hits, n, p);
}

/* Each of a sample's texts has its turn; all views of an epoch are of the same one. */
static void a_text_of_several_is_drawn_for_each_epoch(void **state) {
    (void)state;
    world w = make_world(true);
    const clc_token_augment train = everything(LONGEST + 2, true);
    const clc_token_augment a = clc_token_augment_evaluation(&train);
    const clc_augment_batch b = {.images = SAMPLES, .views = 2};
    const size_t half = SAMPLES * (LONGEST + 2);
    int changes = 0, several = 0;
    int32_t *before = device_views(&a, &w, &b, false, 0);
    for (uint32_t epoch = 1; epoch < 12; epoch++) {
        int32_t *now = device_views(&a, &w, &b, false, epoch);
        assert_memory_equal(now, now + half, half * sizeof *now);
        for (int i = 0; i < SAMPLES; i++) {
            const int32_t sample = w.samples[i];
            const bool other = memcmp(now + i * (LONGEST + 2), before + i * (LONGEST + 2),
                                      (LONGEST + 2) * sizeof *now) != 0;
            const bool two = w.firsts[sample + 1] - w.firsts[sample] == 2;
            assert_true(two || !other);
            changes += other;
            several += two;
        }
        free(before);
        before = now;
    }
    expect_share(changes, several, 0.5);
    free(before);
    free(w.ids);
}

static void views_do_not_depend_on_the_batch_or_the_group(void **state) {
    (void)state;
    world w = make_world(true);
    const clc_token_augment a = everything(20, true);
    clc_device *device = test_device();
    const unsigned own = device->group_size, items[] = {1, 3, 16};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        if (items[i] > device->info.max_group)
            continue;
        device->group_size = items[i];
        expect_views(&a, &w, &(clc_augment_batch){.images = SAMPLES, .views = 2});
        expect_views(
            &a, &w,
            &(clc_augment_batch){.images = 5, .views = 1, .first_image = 9, .first_view = 7});
    }
    device->group_size = own;
    free(w.ids);
}

static void rows_before_the_first_stay(void **state) {
    (void)state;
    world w = make_world(true);
    const clc_token_augment a = everything(8, true);
    const uint32_t epoch = 0;
    clc_device *device = test_device();
    clc_token_texts t = {.ids = filled(w.ids, w.count * sizeof *w.ids),
                         .places = filled(w.places, sizeof w.places),
                         .firsts = filled(w.firsts, sizeof w.firsts),
                         .indices = filled(w.samples, sizeof w.samples)};
    cl_mem step = filled(&epoch, sizeof epoch);
    test_buffer out = test_buffer_make("views", NULL, 6 * 8);
    test_buffer lengths = test_buffer_make("lengths", NULL, 6);
    clc_sequence sequence = {0};
    const clc_augment_batch b = {.images = 4, .views = 1, .first_row = 2};
    CHECK(clc_token_augment_build(&sequence, device, &a, &b, &t, step, out.mem, lengths.mem));
    test_run(&sequence);
    float *views = test_buffer_read(&out), *counts = test_buffer_read(&lengths);
    for (int i = 0; i < 6 * 8; i++)
        assert_true(i >= 2 * 8 || isnan(views[i]));
    for (int i = 0; i < 6; i++)
        assert_int_equal(isnan(counts[i]) != 0, i < 2);
    free(views);
    free(counts);
    test_buffer_release(&out);
    test_buffer_release(&lengths);
    clc_buffer_release(device, &step);
    clc_buffer_release(device, &t.ids);
    clc_buffer_release(device, &t.places);
    clc_buffer_release(device, &t.firsts);
    clc_buffer_release(device, &t.indices);
    free(w.ids);
}

/* Of a long text: the host's views, which the device's equal. */
static void frequencies_are_as_configured(void **state) {
    (void)state;
    enum { LENGTH = 1000, VIEWS = 300 };
    world w = {.ids = malloc((LENGTH + 2) * sizeof(int32_t)),
               .places = {{0, LENGTH + 2, 0}},
               .firsts = {0, 1}};
    int32_t view[LENGTH + 2];
    clc_token_augment a = {.context = LENGTH + 2, .ends = true, .seed = 1};
    int masked = 0, tokens = 0, cropped = 0;
    double part = 0;
    assert_non_null(w.ids);
    for (int t = 0; t < LENGTH + 2; t++)
        w.ids[t] = t == 0 ? START : t == LENGTH + 1 ? END : 2 + t % (START - 2);
    a.settings.mask = 0.4;
    a.settings.mask_range = (clc_floats){2, {0.2, 0.2}};
    a.settings.crop = 0.7;
    a.settings.crop_range = (clc_floats){2, {0.2, 0.6}};
    for (uint32_t v = 0; v < VIEWS; v++) {
        const int length = reference_view(&a, &w, 0, 0, v, view);
        int hits = 0;
        for (int t = 1; t < length - 1; t++)
            hits += view[t] == UNKNOWN;
        cropped += length < LENGTH + 2;
        part += length < LENGTH + 2 ? (length - 2) / (double)LENGTH : 0;
        masked += hits > 0;
        tokens += hits;
        if (hits > 0)
            expect_share(hits, length - 2, 0.2);
    }
    expect_share(masked, VIEWS, 0.4);
    expect_share(cropped, VIEWS, 0.7);
    assert_true(tokens > 0 && fabs(part / cropped - 0.4) < 5 * 0.4 / sqrt(12.0 * cropped));
    free(w.ids);
}

static void impossible_settings_are_refused(void **state) {
    (void)state;
    clc_token_augment a = everything(10, true);
    assert_int_equal(clc_token_augment_check(&a), CLC_OK);
    a.context = 2;
    assert_int_equal(clc_token_augment_check(&a), CLC_INVALID);
    a.ends = false;
    assert_int_equal(clc_token_augment_check(&a), CLC_OK);
    a.settings.mask = NAN;
    assert_int_equal(clc_token_augment_check(&a), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "tokens.mask"));
    a = everything(10, true);
    a.settings.swap_range.values[0] = 0.9;
    assert_int_equal(clc_token_augment_check(&a), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "tokens.swap_range"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_are_those_of_the_definition),
        cmocka_unit_test(each_change_alone),
        cmocka_unit_test(evaluation_changes_nothing),
        cmocka_unit_test(a_text_of_several_is_drawn_for_each_epoch),
        cmocka_unit_test(views_do_not_depend_on_the_batch_or_the_group),
        cmocka_unit_test(rows_before_the_first_stay),
        cmocka_unit_test(frequencies_are_as_configured),
        cmocka_unit_test(impossible_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
