/* Views of series: every value is that of the host's, which follows the definition by itself. */
#include "augment/series.h"

#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES = 31, SAMPLES = 23, LONGEST = 40, CHANNELS_MOST = 19 };

typedef struct world {
    int channels;
    float *values;
    field_place places[SERIES];
    int32_t firsts[SAMPLES + 1], samples[SAMPLES]; /* samples with one series or two */
    size_t steps;
    float norm[2 * CHANNELS_MOST];
} world;

/* Series of any length up to LONGEST, the first of one step. */
static world make_world(int channels) {
    clc_rng rng = clc_rng_make(5, 1);
    world w = {.channels = channels};
    for (int i = 0; i < SERIES; i++) {
        const uint32_t n = i < 2 ? 1 + (uint32_t)i : 1 + clc_rng_below(&rng, LONGEST);
        w.places[i] = (field_place){w.steps, (int)n, 0};
        w.steps += n;
    }
    w.values = malloc(w.steps * (size_t)channels * sizeof(float));
    assert_non_null(w.values);
    for (size_t i = 0; i < w.steps * (size_t)channels; i++)
        w.values[i] = (float)clc_rng_below(&rng, 1000) / 100 - 5;
    for (int i = 0; i < SAMPLES; i++) {
        w.samples[i] = (i * 5) % SAMPLES;
        w.firsts[i + 1] = w.firsts[i] + 1 + (i % 3 == 0);
    }
    for (int c = 0; c < channels; c++) {
        w.norm[c] = (float)c / 7 - 1;
        w.norm[channels + c] = 1 / (1 + (float)c / 3);
    }
    return w;
}

static clc_series_augment everything(int context, int channels) {
    return (clc_series_augment){.context = context,
                                .channels = channels,
                                .window = true,
                                .settings = {.crop = 0.7,
                                             .crop_range = {2, {0.3, 0.9}},
                                             .warp = 0.6,
                                             .warp_range = {2, {0.1, 0.9}},
                                             .flip = 0.5,
                                             .permute = 0.6,
                                             .permute_range = {2, {2, 7}},
                                             .scale = 0.6,
                                             .scale_range = {2, {0.1, 0.4}},
                                             .jitter = 0.6,
                                             .jitter_range = {2, {0.1, 0.4}},
                                             .drop = 0.6,
                                             .drop_range = {2, {0.2, 0.7}}},
                                .seed = 0x123456789ABCDEFu};
}

/* ---- the definition ---- */

typedef struct dice {
    uint32_t key[2], sample, epoch, view;
} dice;

typedef struct roll {
    float u[4];
    uint32_t bits[4];
} roll;

static roll cast(const dice *d, uint32_t purpose) {
    roll r = {.bits = {d->sample, d->epoch, d->view, purpose}};
    clc_philox(d->key, r.bits);
    for (int i = 0; i < 4; i++)
        r.u[i] = clc_uniform(r.bits[i]);
    return r;
}

static int below(uint32_t bits, int n) {
    return (int)(((uint64_t)bits * (uint32_t)n) >> 32);
}

static float amount(double probability, const clc_floats *range, float whether, float more) {
    const float low = (float)range->values[0], span = (float)range->values[1] - low;
    const float added = span * more;
    return whether < (float)probability ? low + added : 0;
}

/* Of each step of the view, where it comes from: whole steps, and 65536th of one. */
typedef struct origin {
    int step;
    uint32_t part;
} origin;

static int span_of(const clc_series_augment *a, const dice *d, int length, int *begin) {
    const roll r = cast(d, PURPOSE_SERIES_CROP);
    int count = length;
    *begin = 0;
    if (r.u[0] < (float)a->settings.crop) {
        const float part = amount(1, &a->settings.crop_range, 0, r.u[1]);
        const float exact = (float)length * part;
        count = (int)(exact + 0.5f);
        count = count < 1 ? 1 : count > length ? length : count;
        *begin = below(r.bits[2], length - count + 1);
    }
    if (count <= a->context)
        return count;
    *begin += a->window ? below(r.bits[3], count - a->context + 1) : (count - a->context) / 2;
    return a->context;
}

/* Time as it was, after warp and flip: in the order in which the view would show it. */
static void warp(const clc_series_augment *a, const dice *d, int begin, int count,
                 origin *origins) {
    const roll r = cast(d, PURPOSE_SERIES_TIME), speeds = cast(d, PURPOSE_SERIES_SPEED);
    const bool flip = cast(d, PURPOSE_SERIES_DROP).u[3] < (float)a->settings.flip;
    const float strength = amount(a->settings.warp, &a->settings.warp_range, r.u[0], r.u[1]);
    int64_t speed[4], total = 0;
    for (int i = 0; i < 4; i++) {
        const float turn = 2 * speeds.u[i] - 1, more = strength * turn, factor = 1 + more;
        total += speed[i] = (int)(factor * 65536);
    }
    for (int t = 0; t < count; t++) {
        const int64_t at = flip ? count - 1 - t : t, last = count - 1;
        origins[t] = (origin){begin + (int)at, 0};
        if (!(strength > 0) || count < 2)
            continue;
        int64_t covered = 0; /* the way through the parts, in (1 / last) 65536ths */
        for (int i = 0; i < 4; i++) {
            int64_t within = 4 * at - i * last;
            within = within < 0 ? 0 : within > last ? last : within;
            covered += speed[i] * within;
        }
        origins[t] =
            (origin){begin + (int)(covered / total), (uint32_t)(covered % total * 65536 / total)};
    }
}

static void permute(const clc_series_augment *a, const dice *d, int count, origin *origins) {
    const roll r = cast(d, PURPOSE_SERIES_TIME);
    const int low = (int)a->settings.permute_range.values[0];
    const int high = (int)a->settings.permute_range.values[1];
    origin before[LONGEST];
    int order[SERIES_SEGMENTS_MAX], n = 1, t = 0;
    if (r.u[2] < (float)a->settings.permute)
        n = low + below(r.bits[3], high - low + 1);
    n = n > count ? count : n;
    for (int s = 0; s < n; s++)
        order[s] = s;
    for (int s = n - 1; s > 0; s--) {
        const int other = below(cast(d, PURPOSE_SERIES_SEGMENT + (uint32_t)s).bits[0], s + 1);
        const int mine = order[s];
        order[s] = order[other];
        order[other] = mine;
    }
    memcpy(before, origins, (size_t)count * sizeof *origins);
    for (int s = 0; s < n; s++)
        for (int i = order[s] * count / n; i < (order[s] + 1) * count / n; i++)
            origins[t++] = before[i];
}

static void factors_of(const clc_series_augment *a, const dice *d, float *factors) {
    const roll values = cast(d, PURPOSE_SERIES_VALUES), drop = cast(d, PURPOSE_SERIES_DROP);
    const float scale =
        amount(a->settings.scale, &a->settings.scale_range, values.u[0], values.u[1]);
    const float rate = amount(a->settings.drop, &a->settings.drop_range, drop.u[0], drop.u[1]);
    bool all = true;
    for (int c = 0; c < a->channels; c++)
        all = all && cast(d, PURPOSE_SERIES_CHANNEL + (uint32_t)c).u[3] < rate;
    for (int c = 0; c < a->channels; c++) {
        const roll r = cast(d, PURPOSE_SERIES_CHANNEL + (uint32_t)c);
        const float sum = r.u[0] + r.u[1] + r.u[2], number = (sum - 1.5f) * 2,
                    part = scale * number;
        const bool stays = all && c == below(drop.bits[2], a->channels);
        factors[c] = r.u[3] < rate && !stays ? 0 : 1 + part;
    }
}

/* The view (context,channels) of the sample at place i, and its length. */
static int reference_view(const clc_series_augment *a, const world *w, int i, uint32_t epoch,
                          uint32_t number, float *view) {
    const uint32_t sample = (uint32_t)w->samples[i];
    const uint32_t key[2] = {(uint32_t)a->seed, (uint32_t)(a->seed >> 32)};
    const dice choice = {{key[0], key[1]}, sample, epoch, 0};
    const dice d = {{key[0], key[1]}, sample, epoch, number};
    const int several = w->firsts[sample + 1] - w->firsts[sample];
    const field_place *place =
        &w->places[w->firsts[sample] + below(cast(&choice, PURPOSE_FIELD_CHOICE).bits[0], several)];
    const roll values = cast(&d, PURPOSE_SERIES_VALUES);
    const float jitter =
        amount(a->settings.jitter, &a->settings.jitter_range, values.u[2], values.u[3]);
    const int channels = w->channels;
    origin origins[LONGEST];
    float factors[CHANNELS_MOST];
    int begin;
    memset(view, 0, (size_t)(a->context * channels) * sizeof *view);
    const int count = span_of(a, &d, place->length, &begin);
    warp(a, &d, begin, count, origins);
    permute(a, &d, count, origins);
    factors_of(a, &d, factors);
    for (int t = 0; t < count; t++)
        for (int c = 0; c < channels; c++) {
            const float *from =
                w->values + (place->offset + (size_t)origins[t].step) * (size_t)channels + c;
            const float way = (float)origins[t].part / 65536;
            const float next = origins[t].part ? from[channels] : from[0];
            const float step = (next - from[0]) * way, value = from[0] + step;
            float x = (value - w->norm[c]) * w->norm[channels + c] * factors[c];
            if (jitter > 0 && factors[c] != 0) {
                const roll r = cast(&d, PURPOSE_SERIES_EACH + (uint32_t)(t * channels + c));
                const float sum = (r.u[0] + r.u[1]) + (r.u[2] + r.u[3]);
                const float added = jitter * ((sum - 2) * 1.7320508f);
                x += added;
            }
            view[t * channels + c] = x;
        }
    return count;
}

/* ---- the device ---- */

static cl_mem filled(const void *bytes, size_t n) {
    cl_mem buffer = NULL;
    CHECK(clc_buffer_create(test_device(), n, "test input", &buffer));
    CHECK(clc_buffer_write(test_device(), buffer, 0, n, bytes));
    return buffer;
}

/* Runs it; freed by the caller: views, and lengths behind them. */
static float *device_views(const clc_series_augment *a, const world *w, const clc_augment_batch *b,
                           uint32_t epoch) {
    const size_t rows = (size_t)(b->first_row + b->images * b->views);
    const size_t n = rows * (size_t)(a->context * a->channels);
    clc_device *device = test_device();
    clc_series_samples s = {.values =
                                filled(w->values, w->steps * (size_t)w->channels * sizeof(float)),
                            .places = filled(w->places, sizeof w->places),
                            .firsts = filled(w->firsts, sizeof w->firsts),
                            .indices = filled(w->samples, sizeof w->samples),
                            .norm = filled(w->norm, (size_t)(2 * w->channels) * sizeof(float))};
    cl_mem state = filled(&epoch, sizeof epoch);
    test_buffer out = test_buffer_make("views", NULL, n);
    test_buffer lengths = test_buffer_make("lengths", NULL, rows);
    clc_sequence sequence = {0};
    CHECK(clc_series_augment_build(&sequence, device, a, b, &s, state, out.mem, lengths.mem));
    test_run(&sequence);
    float *views = test_buffer_read(&out), *counts = test_buffer_read(&lengths);
    float *result = malloc((n + rows) * sizeof *result);
    assert_non_null(result);
    memcpy(result, views, n * sizeof *result);
    memcpy(result + n, counts, rows * sizeof *result);
    free(views);
    free(counts);
    test_buffer_release(&out);
    test_buffer_release(&lengths);
    cl_mem *const all[] = {&s.values, &s.places, &s.firsts, &s.indices, &s.norm, &state};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        clc_buffer_release(device, all[i]);
    return result;
}

static int32_t length_at(const float *got, size_t n, size_t row) {
    int32_t length;
    memcpy(&length, got + n + row, sizeof length);
    return length;
}

static void expect_views(const clc_series_augment *a, const world *w, const clc_augment_batch *b) {
    const size_t each = (size_t)(a->context * a->channels);
    const int rows = b->images * b->views;
    float *want = malloc(each * sizeof *want), *got = device_views(a, w, b, 5);
    assert_non_null(want);
    for (int i = 0; i < rows; i++) {
        const int sample = b->first_image + i % b->images, number = b->first_view + i / b->images;
        const int length = reference_view(a, w, sample, 5, (uint32_t)number, want);
        assert_int_equal(length_at(got, (size_t)rows * each, (size_t)i), length);
        for (size_t k = 0; k < each; k++)
            if (got[(size_t)i * each + k] != want[k])
                fail_msg("row %d, value %zu is %.9g, not %.9g", i, k,
                         (double)got[(size_t)i * each + k], (double)want[k]);
    }
    free(got);
    free(want);
}

static void views_are_those_of_the_definition(void **state) {
    (void)state;
    static const int channels[] = {1, 3, 16, CHANNELS_MOST}, contexts[] = {1, 2, 7, LONGEST};
    for (int i = 0; i < 4; i++) {
        world w = make_world(channels[i]);
        const clc_series_augment a = everything(contexts[3 - i], channels[i]);
        expect_views(&a, &w, &(clc_augment_batch){.images = SAMPLES, .views = 3});
        free(w.values);
    }
}

static void each_change_alone(void **state) {
    (void)state;
    enum { CHANGES = 7 };
    world w = make_world(3);
    const clc_series_augment all = everything(LONGEST, 3);
    for (int i = 0; i < CHANGES; i++) {
        clc_series_augment a = all;
        double *const probabilities[CHANGES] = {
            &a.settings.crop,  &a.settings.warp,   &a.settings.flip, &a.settings.permute,
            &a.settings.scale, &a.settings.jitter, &a.settings.drop};
        for (int k = 0; k < CHANGES; k++)
            *probabilities[k] = k == i;
        a.settings.drop_range = (clc_floats){2, {1, 1}}; /* one channel is left */
        expect_views(&a, &w, &(clc_augment_batch){.images = SAMPLES, .views = 1});
    }
    free(w.values);
}

/* A span of time keeps its ends and its order however time runs, and a flip only turns it. */
static void warp_keeps_the_ends_and_the_order(void **state) {
    (void)state;
    world w = make_world(1);
    clc_series_augment a = everything(LONGEST, 1);
    const clc_series_augment none = clc_series_augment_evaluation(&a);
    const float one[2] = {0, 1};
    a.settings = none.settings;
    a.settings.warp = 1;
    a.settings.warp_range = (clc_floats){2, {0.9, 0.9}};
    memcpy(w.norm, one, sizeof one);
    for (size_t i = 0; i < w.steps; i++)
        w.values[i] = (float)i;
    const clc_augment_batch b = {.images = SAMPLES, .views = 1};
    float *straight = device_views(&none, &w, &b, 3), *warped = device_views(&a, &w, &b, 3);
    int other = 0;
    for (int i = 0; i < SAMPLES; i++) {
        const float *s = straight + i * LONGEST, *v = warped + i * LONGEST;
        const int n = length_at(warped, SAMPLES * LONGEST, (size_t)i);
        assert_int_equal(n, length_at(straight, SAMPLES * LONGEST, (size_t)i));
        assert_true(v[0] == s[0] && v[n - 1] == s[n - 1]);
        for (int t = 1; t < n; t++) {
            assert_true(v[t] > v[t - 1]);
            other += v[t] != s[t];
        }
    }
    assert_true(other > 0);
    free(straight);
    free(warped);
    free(w.values);
}

static void evaluation_shows_the_middle(void **state) {
    (void)state;
    enum { CONTEXT = 8 };
    world w = make_world(3);
    const clc_series_augment train = everything(CONTEXT, 3);
    const clc_series_augment a = clc_series_augment_evaluation(&train);
    const clc_augment_batch b = {.images = SAMPLES, .views = 2};
    float *got = device_views(&a, &w, &b, 1);
    const size_t half = SAMPLES * CONTEXT * 3;
    assert_memory_equal(got, got + half, half * sizeof *got);
    expect_views(&a, &w, &b);
    for (int i = 0; i < SAMPLES; i++) {
        const int32_t sample = w.samples[i];
        const field_place *place = &w.places[w.firsts[sample]];
        if (w.firsts[sample + 1] - w.firsts[sample] > 1)
            continue;
        const int n = place->length < CONTEXT ? place->length : CONTEXT;
        const float *from = w.values + 3 * (place->offset + (size_t)(place->length - n) / 2);
        assert_true(got[i * CONTEXT * 3] == (from[0] - w.norm[0]) * w.norm[3]);
    }
    free(got);
    free(w.values);
}

static void views_do_not_depend_on_the_batch_or_the_group(void **state) {
    (void)state;
    world w = make_world(3);
    const clc_series_augment a = everything(20, 3);
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
    free(w.values);
}

static void rows_before_the_first_stay(void **state) {
    (void)state;
    world w = make_world(1);
    const clc_series_augment a = everything(8, 1);
    const clc_augment_batch b = {.images = 4, .views = 1, .first_row = 2};
    float *got = device_views(&a, &w, &b, 0);
    for (int i = 0; i < 6 * 8; i++)
        assert_true((isnan(got[i]) != 0) == (i < 2 * 8));
    for (int i = 0; i < 6; i++)
        assert_true((isnan(got[6 * 8 + i]) != 0) == (i < 2));
    free(got);
    free(w.values);
}

/* Noise is of the deviation that is asked for, and of mean 0. */
static void amounts_are_as_configured(void **state) {
    (void)state;
    enum { VIEWS = 400 };
    world w = make_world(3);
    const clc_series_augment all = everything(LONGEST, 3);
    clc_series_augment a = clc_series_augment_evaluation(&all);
    float view[LONGEST * 3], plain[LONGEST * 3];
    double sum = 0, squares = 0, n = 0;
    int changed = 0;
    const clc_series_augment none = a;
    a.settings.jitter = 0.25;
    a.settings.jitter_range = (clc_floats){2, {0.5, 0.5}};
    for (uint32_t v = 0; v < VIEWS; v++) {
        const int length = reference_view(&a, &w, 7, 0, v, view);
        reference_view(&none, &w, 7, 0, v, plain);
        const bool is = memcmp(view, plain, sizeof view) != 0;
        changed += is;
        for (int i = 0; i < length * 3 && is; i++, n++) {
            const double d = (double)view[i] - (double)plain[i];
            sum += d;
            squares += d * d;
        }
    }
    /* 5 standard deviations each; the square of nearly normal noise deviates by less than 1.5 of
     * its mean */
    assert_true(fabs(changed - VIEWS * 0.25) < 5 * sqrt(VIEWS * 0.25 * 0.75));
    assert_true(n > 0 && fabs(sum / n) < 5 * 0.5 / sqrt(n));
    assert_true(fabs(squares / n - 0.25) < 5 * 1.5 * 0.25 / sqrt(n));
    free(w.values);
}

static void impossible_settings_are_refused(void **state) {
    (void)state;
    clc_series_augment a = everything(10, 3);
    assert_int_equal(clc_series_augment_check(&a), CLC_OK);
    a.context = 0;
    assert_int_equal(clc_series_augment_check(&a), CLC_INVALID);
    a = everything(10, 3);
    a.settings.flip = NAN;
    assert_int_equal(clc_series_augment_check(&a), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "series.flip"));
    a = everything(10, 3);
    a.settings.warp_range.values[1] = 1; /* time would stand still */
    assert_int_equal(clc_series_augment_check(&a), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "series.warp_range"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_are_those_of_the_definition),
        cmocka_unit_test(each_change_alone),
        cmocka_unit_test(warp_keeps_the_ends_and_the_order),
        cmocka_unit_test(evaluation_shows_the_middle),
        cmocka_unit_test(views_do_not_depend_on_the_batch_or_the_group),
        cmocka_unit_test(rows_before_the_first_stay),
        cmocka_unit_test(amounts_are_as_configured),
        cmocka_unit_test(impossible_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
