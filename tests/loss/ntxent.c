#include "harness.h"
#include "loss/loss.h"
#include "loss/reference_ntxent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a case gave. */
typedef struct outcome {
    float loss, *dz;
    size_t count;
} outcome;

/* Runs the loss on z with poisoned outputs and workspace; checks all canaries. */
static outcome run_loss(const float *z, int views, int dim, double temperature) {
    const clc_loss *loss = &clc_loss_ntxent;
    const clc_loss_shape shape = {.images = views / 2, .views = 2, .dim = dim};
    const clc_config_loss options = {.normalize = true, .weight = 1, .temperature = temperature};
    const size_t count = (size_t)views * (size_t)dim;
    const size_t bytes = loss->workspace(test_device(), &shape, &options);
    test_buffer in = test_buffer_make("z", z, count), dz = test_buffer_make("dz", NULL, count);
    test_buffer value = test_buffer_make("loss", NULL, 1);
    test_buffer work = test_buffer_make("workspace", NULL, bytes / sizeof(float));
    clc_sequence sequence = {0};
    const clc_loss_buffers buffers = {
        .z = in.mem, .dz = dz.mem, .value = value.mem, .workspace = work.mem};
    CHECK(clc_loss_build(loss, &sequence, test_device(), &shape, &options, &buffers));
    test_run(&sequence);
    float *got = test_buffer_read(&value);
    outcome result = {got[0], test_buffer_read(&dz), count};
    free(got);
    assert_true(test_buffer_intact(&work));
    assert_true(test_buffer_intact(&in));
    test_buffer *all[] = {&in, &dz, &value, &work};
    for (size_t i = 0; i < 4; i++)
        test_buffer_release(all[i]);
    return result;
}

static double *to_double(const float *values, size_t count) {
    double *copy = malloc(count * sizeof *copy);
    assert_non_null(copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = (double)values[i];
    return copy;
}

/* A similarity is a sum of dim products of size at most 1, divided by t: its error is about
 * 2^-24 (sqrt(dim) + 4) / t, and that is the relative error of every weight and the absolute one of
 * the loss. A gradient is a sum of views such terms; 8 covers the sums and the cancellation in du -
 * u (u . du). */
static double tolerance(int dim, double temperature) {
    return 8 * ldexp(1, -24) * (sqrt(dim) + 4) * fmax(1, 1 / temperature);
}

static void compare(const float *z, int views, int dim, double temperature) {
    if (!test_affordable(3.0 * views * views * dim))
        return;
    const size_t count = (size_t)views * (size_t)dim;
    double *z64 = to_double(z, count), *want = malloc(count * sizeof *want);
    const double loss = reference_ntxent(z64, views, dim, temperature, want);
    const double allowed = tolerance(dim, temperature);
    outcome got = run_loss(z, views, dim, temperature);
    print_message("# %d x %d, t %g: loss %g off by %.1e, gradient by %.1e of %.1e\n", views, dim,
                  temperature, loss, fabs((double)got.loss - loss), test_error(got.dz, want, count),
                  allowed);
    if (!(fabs((double)got.loss - loss) <= allowed * fmax(1, loss)))
        fail_msg("%d x %d, t %g: loss %.9g, expected %.9g", views, dim, temperature,
                 (double)got.loss, loss);
    assert_true(test_close("dz", got.dz, want, count, allowed));
    free(got.dz);
    free(want);
    free(z64);
}

/* The reference's gradient against signed central differences of its loss. */
static void reference_gradient_is_the_derivative(void **state) {
    (void)state;
    static const struct {
        int views, dim;
        double temperature;
    } cases[] = {{2, 3, 0.5}, {6, 1, 0.5}, {10, 5, 0.07}, {14, 4, 3}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const size_t count = (size_t)cases[c].views * (size_t)cases[c].dim;
        float *random = test_random(count, c);
        double *z = to_double(random, count), *dz = malloc(count * sizeof *dz);
        const double h = 1e-6;
        reference_ntxent(z, cases[c].views, cases[c].dim, cases[c].temperature, dz);
        for (size_t i = 0; i < count; i++) {
            const double kept = z[i];
            z[i] = kept + h;
            double up =
                reference_ntxent(z, cases[c].views, cases[c].dim, cases[c].temperature, NULL);
            z[i] = kept - h;
            double down =
                reference_ntxent(z, cases[c].views, cases[c].dim, cases[c].temperature, NULL);
            z[i] = kept;
            /* Rounding 1e-16 L / h, truncation h^2 L''' with L''' up to some 1e3 at t = 0.07. */
            assert_true(fabs((up - down) / (2 * h) - dz[i]) <= 1e-7 * fmax(1, fabs(dz[i])));
        }
        free(random);
        free(z);
        free(dz);
    }
}

static void any_number_of_views_and_dimensions(void **state) {
    (void)state;
    static const int views[] = {4, 6, 14, 62, 64, 66, 94, 98, 126, 128, 130, 202, 526};
    static const int dims[] = {1, 3, 16, 17, 40, 65, 128, 512};
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++)
        for (size_t v = d % 3; v < sizeof views / sizeof *views; v += 3) {
            float *z = test_random((size_t)views[v] * (size_t)dims[d], 100 * d + v);
            compare(z, views[v], dims[d], d % 2 ? 0.5 : 0.2);
            free(z);
        }
}

/* At 0.01 similarities reach +-100, and exp(200) is no float. */
static void any_temperature(void **state) {
    (void)state;
    static const double temperatures[] = {0.01, 0.07, 1, 100};
    for (size_t i = 0; i < sizeof temperatures / sizeof *temperatures; i++) {
        float *z = test_random(130 * 40, i);
        compare(z, 130, 40, temperatures[i]);
        compare(z, 1300, 4, temperatures[i]);
        free(z);
    }
}

/* Whether the loss's launches, which are not run, meet each pair once. */
static bool met_once(const clc_loss *loss, int views, int dim, double temperature) {
    const clc_loss_shape shape = {.images = views / 2, .views = 2, .dim = dim};
    const clc_config_loss options = {.normalize = true, .weight = 1, .temperature = temperature};
    const clc_loss_buffers none = {0};
    clc_sequence sequence = {0};
    bool once = false;
    CHECK(clc_loss_build(loss, &sequence, test_device(), &shape, &options, &none));
    for (size_t i = 0; i < sequence.count; i++)
        once |= !strcmp(sequence.items[i].name, "symmetric_forward");
    clc_sequence_free(&sequence);
    return once;
}

/* With so few work-groups some hundred views are enough for it. One block and several, whole and
 * not, an odd and an even number of them; the limits. */
static void each_pair_met_once(void **state) {
    (void)state;
    static const struct {
        unsigned groups;
        int views, dim;
        double temperature;
        bool once;
        unsigned width; /* of vectors; 0 for the device's own */
    } cases[] = {
        {1, 192, 16, 0.2, true, 0},  {1, 194, 128, 0.5, true, 0}, {1, 198, 48, 0.025, true, 0},
        {1, 770, 16, 100, true, 0},  {2, 390, 16, 0.07, true, 0}, {3, 1000, 32, 0.1, true, 0},
        {1, 190, 16, 0.2, false, 0}, {2, 382, 16, 0.2, false, 0}, {1, 198, 16, 0.024, false, 0},
        {1, 198, 17, 0.2, false, 0}, {1, 406, 32, 0.2, true, 16}, {1, 202, 17, 0.2, true, 1}};
    clc_device *device = test_device(), own = *device;
    const bool cpu = device->profile == CLC_PROFILE_CPU;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const int views = cases[c].views, dim = cases[c].dim;
        float *z = test_random((size_t)views * (size_t)dim, c);
        device->groups = cases[c].groups;
        device->vector_width = cpu && cases[c].width ? cases[c].width : own.vector_width;
        const bool once = cpu && cases[c].once;
        assert_int_equal(met_once(&clc_loss_ntxent, views, dim, cases[c].temperature), once);
        assert_int_equal(met_once(&clc_loss_supcon, views, dim, cases[c].temperature), once);
        compare(z, views, dim, cases[c].temperature);
        memset(z + 5 * dim, 0, (size_t)dim * sizeof *z);
        memcpy(z + 150 * dim, z + 7 * dim, (size_t)dim * sizeof *z);
        compare(z, views, dim, cases[c].temperature);
        free(z);
    }
    device->groups = own.groups;
    device->vector_width = own.vector_width;
}

/* N = 1: each view's only other view is its positive. */
static void one_image_has_loss_and_gradient_zero(void **state) {
    (void)state;
    float *z = test_random(2 * 40, 7);
    outcome got = run_loss(z, 2, 40, 0.01);
    assert_true(got.loss == 0.0f);
    for (size_t i = 0; i < got.count; i++)
        assert_true(got.dz[i] == 0.0f);
    free(got.dz);
    free(z);
}

/* All similarities equal: L = log(2N - 1), and no direction is better than another. */
static void identical_embeddings(void **state) {
    (void)state;
    enum { VIEWS = 70, DIM = 24 };
    if (!test_affordable(3 * VIEWS * VIEWS * DIM))
        return;
    float *z = test_random(VIEWS * DIM, 3);
    for (size_t i = 1; i < VIEWS; i++)
        memcpy(z + i * DIM, z, DIM * sizeof *z);
    static const double temperatures[] = {0.01, 0.5};
    for (size_t t = 0; t < 2; t++) {
        outcome got = run_loss(z, VIEWS, DIM, temperatures[t]);
        const double allowed = tolerance(DIM, temperatures[t]);
        assert_true(fabs((double)got.loss - log(VIEWS - 1)) <= allowed);
        for (size_t i = 0; i < got.count; i++)
            assert_true(fabs((double)got.dz[i]) <= allowed / temperatures[t]);
        free(got.dz);
    }
    free(z);
}

/* The loss does not depend on lengths: 1e30 and 1e-11 give the loss of length 1, without overflow.
 */
static void long_and_short_embeddings(void **state) {
    (void)state;
    enum { VIEWS = 38, DIM = 20 };
    static const float lengths[] = {1e30f, 1e18f, 1e-8f, 1e-11f};
    float *z = test_random(VIEWS * DIM, 5);
    for (size_t i = 0; i < VIEWS * DIM; i++)
        z[i] *= lengths[i / DIM % 4];
    compare(z, VIEWS, DIM, 0.1);
    free(z);
}

/* As torch.nn.functional.normalize: 0 counts as having length 1e-12. */
static void zero_vectors_stay_finite(void **state) {
    (void)state;
    enum { VIEWS = 26, DIM = 9 };
    float *z = test_random(VIEWS * DIM, 5);
    memset(z + 4 * DIM, 0, DIM * sizeof *z);
    memset(z + 17 * DIM, 0, DIM * sizeof *z);
    compare(z, VIEWS, DIM, 0.5);
    memset(z, 0, VIEWS * DIM * sizeof *z);
    compare(z, VIEWS, DIM, 0.01);
    free(z);
}

/* Training must notice it. */
static void a_nan_or_infinity_reaches_the_loss(void **state) {
    (void)state;
    static const float bad[] = {NAN, INFINITY};
    const unsigned groups = test_device()->groups;
    for (int views = 100; views <= 200 && test_affordable(3.0 * views * views * 16); views += 100)
        for (size_t i = 0; i < 2; i++) {
            float *z = test_random((size_t)views * 16, 5);
            z[83 * 16 + 5] = bad[i];
            test_device()->groups = 1; /* 200 are met as pairs */
            outcome got = run_loss(z, views, 16, 0.5);
            test_device()->groups = groups;
            assert_true(isnan(got.loss));
            free(got.dz);
            free(z);
        }
}

static void two_runs_give_the_same_bits(void **state) {
    (void)state;
    const unsigned groups = test_device()->groups;
    const int views = test_affordable(3.0 * 514 * 514 * 48) ? 514 : 14;
    float *z = test_random(514 * 48, 11);
    for (unsigned g = groups; g >= 1; g = g > 1 ? 1 : 0) { /* with one 514 are met as pairs */
        test_device()->groups = g;
        outcome a = run_loss(z, views, 48, 0.1), b = run_loss(z, views, 48, 0.1);
        assert_true(a.loss == b.loss);
        assert_memory_equal(a.dz, b.dz, a.count * sizeof *a.dz);
        free(a.dz);
        free(b.dz);
    }
    test_device()->groups = groups;
    free(z);
}

static void memory_grows_with_the_views_not_their_square(void **state) {
    (void)state;
    const clc_loss_shape large = {.images = 32768, .views = 2, .dim = 128};
    const clc_loss_shape small = {.images = 128, .views = 2, .dim = 128};
    const clc_config_loss options = {.normalize = true, .weight = 1, .temperature = 0.5};
    assert_true(clc_loss_ntxent.workspace(test_device(), &large, &options) <= 100000000);
    assert_true(clc_loss_ntxent.workspace(test_device(), &small, &options) <= 1000000);
}

static void impossible_options_are_refused(void **state) {
    (void)state;
    static const struct {
        int images, dim;
        double temperature;
    } bad[] = {{0, 4, 0.5}, {2, 0, 0.5}, {2, 4, 0}, {2, 4, -1}, {2, 4, NAN}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const clc_loss_shape shape = {.images = bad[i].images, .views = 2, .dim = bad[i].dim};
        const clc_config_loss options = {
            .normalize = true, .weight = 1, .temperature = bad[i].temperature};
        assert_int_equal(clc_loss_check(&clc_loss_ntxent, &shape, &options), CLC_INVALID);
    }
}

static void losses_are_found_by_name(void **state) {
    (void)state;
    assert_string_equal(clc_loss_find("ntxent")->name, "ntxent");
    assert_null(clc_loss_find("ntxen"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_gradient_is_the_derivative),
        cmocka_unit_test(any_number_of_views_and_dimensions),
        cmocka_unit_test(any_temperature),
        cmocka_unit_test(each_pair_met_once),
        cmocka_unit_test(one_image_has_loss_and_gradient_zero),
        cmocka_unit_test(identical_embeddings),
        cmocka_unit_test(long_and_short_embeddings),
        cmocka_unit_test(zero_vectors_stay_finite),
        cmocka_unit_test(a_nan_or_infinity_reaches_the_loss),
        cmocka_unit_test(two_runs_give_the_same_bits),
        cmocka_unit_test(memory_grows_with_the_views_not_their_square),
        cmocka_unit_test(impossible_options_are_refused),
        cmocka_unit_test(losses_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
