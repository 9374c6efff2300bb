/* Every method, wired up: the loss is that of its embeddings, and what follows a step is what the
 * paper says. */
#include "harness.h"
#include "loss/reference.h"
#include "method/fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A method with options. */
typedef struct variant {
    const char *method;
    const char *overrides[4];
} variant;

static const variant variants[] = {
    {"simclr", {NULL}},
    {"pair", {"loss.name=triplet", "loss.margin=0.5", "method.labels=true"}},
    {"pair", {"loss.name=contrastive", "loss.normalize=false"}},
    {"pair", {"loss.name=npair"}},
    {"pair", {"loss.name=logistic", "loss.bias=-1", "loss.learned_scale=true"}},
    {"pair", {"loss.name=clip"}},
    {"pair", {"loss.name=simcse"}},
    {"simcse", {NULL}},
    {"clip", {NULL}},
    {"clip", {"loss.name=logistic", "loss.bias=-1", "encoder.frozen=true"}},
    {"supcon", {NULL}},
    {"mocov1", {"method.norm_parts=2", "projector.hidden="}},
    {"mocov2", {"method.norm_parts=2", "loss.negatives=both"}},
    {"mocov3", {NULL}},
    {"byol", {NULL}},
    {"simsiam", {"projector.last_batchnorm=true", "projector.last_affine=false"}},
    {"simsiam", {"method.stop_gradient=false"}},
    {"barlow", {NULL}},
    {"vicreg", {NULL}},
    {"nnclr", {"loss.symmetric=true"}},
    {"nnclr", {NULL}},
    {"swav", {NULL}},
    {"swav", {"method.queue=0", "method.crops=2,1", "method.crop_sizes=6,5"}},
    {"dino", {NULL}},
    {"dino", {"method.crops=3", "method.crop_sizes=6"}},
    {"supervised", {NULL}},
    {"supervised", {"loss.smoothing=0.1", "projector.keep=1"}},
    {"supervised", {"encoder.frozen=true"}},
    {"byol", {"augmentation.second_solarise=0.5", "augmentation.solarise=0"}},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static size_t count_overrides(const variant *v) {
    size_t n = 0;
    while (n < 4 && v->overrides[n])
        n++;
    return n;
}

static void open_variant(fixture *f, const variant *v) {
    fixture_open(f, v->method, v->overrides, count_overrides(v));
}

static double *widened(const fixture *f, cl_mem buffer, size_t count) {
    float *floats = fixture_read(f, buffer, count);
    double *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)floats[i];
    free(floats);
    return values;
}

/* What the loss saw, read back. */
static reference_loss reference_of(const fixture *f) {
    const clc_wiring *w = &f->session.step.wiring;
    const size_t count = (size_t)(w->ports.output.views * w->batch * w->ports.output.dim);
    const bool nearest = w->nearest != NULL;
    reference_loss r = {.name = w->loss->name, .shape = w->shape, .options = w->options};
    r.scale = strcmp(r.name, "npair") ? 1 / w->options.temperature : 1;
    r.bias = w->options.bias;
    r.z = widened(f, w->ports.output.value, count);
    if (w->method->target != CLC_TARGET_NONE) {
        const int views = nearest ? w->ports.projection.views : w->ports.target.views;
        r.target = widened(f, nearest ? w->nearest : w->ports.target.value,
                           (size_t)(views * w->batch * w->ports.output.dim));
    }
    if (w->shape.queue)
        r.queue = w->branches.queue.graph
                      ? widened(f, w->branches.queue.output->value, w->branches.queue.output->count)
                      : widened(f, w->queue.data, (size_t)(w->queue.size * w->queue.dim));
    if (w->center)
        r.center = widened(f, w->center, (size_t)w->shape.dim);
    if (w->shape.labels) {
        r.labels = malloc((size_t)w->batch * sizeof *r.labels);
        for (int i = 0; i < w->batch; i++)
            r.labels[i] = f->indices[i] % 3;
    }
    return r;
}

static void free_reference(reference_loss *r) {
    free(r->z);
    free(r->target);
    free(r->queue);
    free(r->center);
    free(r->codes);
    free(r->labels);
}

/* Embeddings are given; the loss's own tolerances are tested elsewhere: this is who reads what. */
static const double tolerance = 2e-4;

static void the_loss_is_that_of_the_embeddings(void **state) {
    (void)state;
    for (int i = 0; i < VARIANTS; i++) {
        fixture f;
        open_variant(&f, &variants[i]);
        clc_wiring *w = &f.session.step.wiring;
        const size_t count = (size_t)(w->ports.output.views * w->batch * w->ports.output.dim);
        fixture_run_to_loss(&f, 3);
        reference_loss r = reference_of(&f);
        if (w->center) /* it has moved on since: it began at 0 */
            memset(r.center, 0, (size_t)w->shape.dim * sizeof *r.center);
        reference_freeze(&r);
        float *value = fixture_read(&f, w->value, 1),
              *dz = fixture_read(&f, w->ports.output.grad, count);
        const double loss = reference_value(&r);
        print_message("# %s (%d): loss %g, %g\n", variants[i].method, i, (double)*value, loss);
        assert_true(fabs((double)*value - loss) <= tolerance * fmax(1, fabs(loss)));
        float got[24];
        double want[24];
        for (size_t k = 0; k < 24; k++) {
            const size_t at = k * (count / 24);
            got[k] = dz[at];
            want[k] = reference_slope(&r, &r.z[at], 1e-6);
        }
        assert_true(test_close("gradient", got, want, 24, tolerance));
        free(value);
        free(dz);
        free_reference(&r);
        fixture_close(&f);
    }
}

/* On one batch, with a teacher that stays; a queue would fill with that batch. */
static void the_loss_falls(void **state) {
    (void)state;
    for (int i = 0; i < VARIANTS; i++) {
        variant with_still_teacher = variants[i];
        const variant *v = &with_still_teacher;
        fixture f;
        with_still_teacher.overrides[count_overrides(v)] = "method.momentum=1";
        open_variant(&f, v);
        clc_step *step = &f.session.step;
        if (step->wiring.queue.size) {
            fixture_close(&f);
            continue;
        }
        float *first = NULL, *last = NULL;
        for (int s = 0; s < 25; s++) {
            /* The same batch and views again and again. */
            fixture_set(&f, 0);
            clc_step_slot finished;
            CHECK(clc_step_enqueue(step, 0.02f, &f.batch, &finished));
            CHECK(clc_device_finish(step->device));
            if (s == 0)
                first = fixture_read(&f, step->wiring.value, 1);
        }
        last = fixture_read(&f, step->wiring.value, 1);
        print_message("# %s (%d): from %g to %g\n", v->method, i, (double)*first, (double)*last);
        if (!(*last < *first))
            fail_msg("%s (variant %d): loss %g became %g", v->method, i, (double)*first,
                     (double)*last);
        free(first);
        free(last);
        fixture_close(&f);
    }
}

static void the_teacher_follows_the_networks(void **state) {
    (void)state;
    static const char *const names[] = {"encoder.conv1.weight", "projector.0.weight",
                                        "projector.1.bias"};
    const char *const overrides[] = {"method.momentum=0.9", "method.momentum_schedule=cosine",
                                     "method.norm_parts=2"};
    const char *const methods[] = {"byol", "mocov2", "mocov3", "dino"};
    for (int m = 0; m < 4; m++) {
        fixture f;
        fixture_open(&f, methods[m], overrides, 3);
        const clc_wiring *w = &f.session.step.wiring;
        const int64_t number = 7, total = f.session.step.total;
        const double momentum = 1 - 0.1 * 0.5 * (cos(3.14159265358979 * 7 / (double)total) + 1);
        fixture_step(&f, 0, 0.5f);
        for (int i = 0; i < 3; i++) {
            size_t count;
            float *before = fixture_param(&f, &w->teacher, names[i], &count);
            if (i == 0)
                fixture_step(&f, number, 0.5f);
            float *after = fixture_param(&f, &w->teacher, names[i], &count);
            float *own = fixture_param(&f, &w->params, names[i], &count);
            for (size_t k = 0; i == 0 && k < count; k++) {
                const double want = momentum * (double)before[k] + (1 - momentum) * (double)own[k];
                assert_true(fabs((double)after[k] - want) <= 1e-6);
                assert_true(after[k] != own[k]);
            }
            free(before);
            free(after);
            free(own);
        }
        assert_null(clc_params_find(&w->teacher, "predictor.0.weight"));
        fixture_close(&f);
    }
}

/* CLIP's limits, which hold after each update whatever the gradient wants. */
static void a_learned_scale_stays_between_1_and_100(void **state) {
    (void)state;
    const char *const overrides[] = {"loss.name=clip", "loss.learned_scale=true",
                                     "optimizer.name=adamw", "loss.temperature=0.02"};
    fixture f;
    size_t count;
    fixture_open(&f, "pair", overrides, 4);
    const clc_params *params = clc_step_params(&f.session.step);
    /* Adam's first step is the rate, either way, for any gradient. */
    fixture_step(&f, 0, 20);
    float *scale = fixture_param(&f, params, CLC_LEARNED_SCALE, &count);
    print_message("# log scale %g\n", (double)*scale);
    assert_true(*scale == (float)CLC_LOSS_MOST_LOG_SCALE || *scale == 0.0f);
    free(scale);
    fixture_close(&f);
}

static double length(const float *row, int dim) {
    double squares = 0;
    for (int k = 0; k < dim; k++)
        squares += (double)row[k] * (double)row[k];
    return sqrt(squares);
}

/* After step s the rows from 8 s on (two views: 16 s), modulo 32, are the embeddings of unit
 * length. */
static void the_queue_takes_in_what_was_embedded(void **state) {
    (void)state;
    const char *const overrides[] = {"method.norm_parts=2"};
    const char *const methods[] = {"mocov1", "mocov2", "nnclr", "swav"};
    for (int m = 0; m < 4; m++) {
        fixture f;
        fixture_open(&f, methods[m], overrides, 1);
        const clc_wiring *w = &f.session.step.wiring;
        const int dim = w->queue.dim, size = w->queue.size, rows = clc_wiring_queued(w);
        const clc_port *from =
            w->method->queue == CLC_QUEUE_TEACHER ? &w->ports.target : &w->ports.projection;
        assert_int_equal(rows, m < 2 ? 8 : 16);
        float *before = fixture_read(&f, w->queue.data, (size_t)(size * dim));
        for (int i = 0; i < size; i++)
            assert_true(fabs(length(before + i * dim, dim) - 1) < 1e-5);
        fixture_run_to_loss(&f, 3);
        float *z = fixture_read(&f, from->value, (size_t)(rows * dim));
        fixture_run_to_update(&f, 3);
        float *after = fixture_read(&f, w->queue.data, (size_t)(size * dim));
        for (int i = 0; i < size; i++) {
            const int place = (i - 3 * rows % size + size) % size;
            for (int k = 0; k < dim; k++) {
                const double want = place < rows
                                        ? (double)z[place * dim + k] / length(z + place * dim, dim)
                                        : (double)before[i * dim + k];
                assert_true(fabs((double)after[i * dim + k] - want) < 1e-5);
            }
        }
        free(before);
        free(z);
        free(after);
        fixture_close(&f);
    }
}

static void neighbours_are_the_nearest(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "nnclr", NULL, 0);
    const clc_wiring *w = &f.session.step.wiring;
    const int dim = w->queue.dim, rows = 2 * FIXTURE_BATCH;
    fixture_run_to_loss(&f, 0);
    float *z = fixture_read(&f, w->ports.projection.value, (size_t)(rows * dim));
    float *queue = fixture_read(&f, w->queue.data, (size_t)(w->queue.size * dim));
    float *nearest = fixture_read(&f, w->nearest, (size_t)(rows * dim));
    for (int r = 0; r < rows; r++) {
        double best = -INFINITY, chosen = 0;
        for (int i = 0; i < w->queue.size; i++) {
            double dot = 0;
            for (int k = 0; k < dim; k++)
                dot += (double)z[r * dim + k] * (double)queue[i * dim + k];
            best = fmax(best, dot);
        }
        for (int k = 0; k < dim; k++)
            chosen += (double)z[r * dim + k] * (double)nearest[r * dim + k];
        assert_true(fabs(chosen - best) <= 1e-5 * fmax(1, fabs(best)));
    }
    free(z);
    free(queue);
    free(nearest);
    fixture_close(&f);
}

static bool changed(fixture *f, const char *name, int64_t number, float rate) {
    size_t count;
    float *before = fixture_param(f, &f->session.step.wiring.params, name, &count);
    fixture_step(f, number, rate);
    float *after = fixture_param(f, &f->session.step.wiring.params, name, &count);
    const bool same = !memcmp(before, after, count * sizeof *before);
    free(before);
    free(after);
    return !same;
}

static void prototypes_are_frozen_at_first(void **state) {
    (void)state;
    const char *const overrides[] = {"method.freeze_prototypes=1", "optimizer.weight_decay=0"};
    fixture f;
    fixture_open(&f, "dino", overrides, 2);
    const int64_t epoch = f.session.step.steps_per_epoch;
    assert_false(changed(&f, "prototypes.weight", 0, 0.5f));
    assert_false(changed(&f, "prototypes.weight", epoch - 1, 0.5f));
    assert_true(changed(&f, "prototypes.weight", epoch, 0.5f));
    fixture_close(&f);
}

static void swav_keeps_its_prototypes_on_the_sphere(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "swav", NULL, 0);
    size_t count;
    fixture_step(&f, 0, 0.5f);
    float *w = fixture_param(&f, &f.session.step.wiring.params, "prototypes.weight", &count);
    for (size_t k = 0; k < 12; k++) {
        double squares = 0;
        for (size_t r = 0; r < count / 12; r++)
            squares += (double)w[r * 12 + k] * (double)w[r * 12 + k];
        assert_true(fabs(squares - 1) < 1e-5);
    }
    free(w);
    fixture_close(&f);
}

static void the_predictor_may_have_a_rate_of_its_own(void **state) {
    (void)state;
    const char *const overrides[] = {"predictor.constant_rate=true"};
    fixture f;
    fixture_open(&f, "simsiam", overrides, 1);
    assert_true(changed(&f, "predictor.0.weight", 0, 0));
    assert_false(changed(&f, "projector.0.weight", 1, 0));
    fixture_close(&f);
    fixture_open(&f, "simsiam", NULL, 0);
    assert_false(changed(&f, "predictor.0.weight", 0, 0));
    fixture_close(&f);
}

static void batchnorm_without_scale_and_shift_keeps_them(void **state) {
    (void)state;
    const char *const overrides[] = {"projector.last_batchnorm=true", "projector.last_affine=false",
                                     "optimizer.exclude_bias_and_norm=false"};
    fixture f;
    fixture_open(&f, "simsiam", overrides, 3);
    assert_false(changed(&f, "projector.4.weight", 0, 0.5f));
    assert_false(changed(&f, "projector.4.bias", 1, 0.5f));
    assert_true(changed(&f, "projector.1.weight", 2, 0.5f));
    fixture_close(&f);
}

static void every_word_is_a_method_and_a_loss(void **state) {
    (void)state;
#define CHECK_METHOD(unused, word)                                                                 \
    assert_string_equal(clc_method_find(#word)->name, #word);                                      \
    assert_non_null(clc_loss_find(clc_method_find(#word)->loss));
    CLC_METHODS(CHECK_METHOD, )
#define CHECK_LOSS(unused, word) assert_string_equal(clc_loss_find(#word)->name, #word);
    CLC_LOSSES(CHECK_LOSS, )
    assert_null(clc_method_find("simcl"));
}

static const char *config_folder;

/* config/<word>.ini is there, loads, and is of the method. */
static void every_method_has_a_configuration(void **state) {
    (void)state;
#define WORD(unused, word) #word,
    static const char *const words[] = {CLC_METHODS(WORD, )};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char path[1024];
        clc_config config;
        snprintf(path, sizeof path, "%s/%s.ini", config_folder, words[i]);
        CHECK(clc_config_load(path, NULL, 0, &config));
        assert_string_equal(clc_config_choice(&config, "method", "name"), words[i]);
    }
}

static void impossible_wirings_are_refused(void **state) {
    (void)state;
    static const char *const bad[][3] = {
        {"mocov1", "method.queue=0", "a queue"},
        {"mocov1", "method.queue=4", "holds less"},
        {"nnclr", "method.queue=0", "needs a queue"},
        {"simclr", "method.crops=2", "has no small views"},
        {"simclr", "loss.name=cosine", "targets"},
        {"simclr", "loss.learned_scale=true", "only clip and logistic"},
        {"simclr", "loss.name=crossentropy", "use method supervised"},
        {"supervised", "method.classes=0", "needs labels"},
        {"mocov2", "method.norm_parts=3", "can't be split"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char name[64];
        snprintf(name, sizeof name, "method.name=%s", bad[i][0]);
        const char *const overrides[] = {
            name, bad[i][1], "training.batch=16", "training.epochs=20",
            !strcmp(bad[i][1], "method.crops=2") ? "method.crop_sizes=6" : "training.seed=1"};
        clc_config config;
        clc_step step = {0};
        uint8_t pixels[64] = {0};
        const clc_dataset data = {.name = "one",
                                  .count = 16,
                                  .height = 8,
                                  .width = 8,
                                  .channels = 1,
                                  .uniform = true,
                                  .pixels = pixels};
        CHECK(clc_config_load(NULL, overrides, 5, &config));
        config.augmentation.mean = config.augmentation.std = (clc_floats){1, {0.5}};
        if (clc_step_plan(&step, test_device(), &config, &data) != CLC_INVALID)
            fail_msg("%s with %s is not refused", bad[i][0], bad[i][1]);
        if (!strstr(clc_error(), bad[i][2]))
            fail_msg("%s with %s: '%s' lacks '%s'", bad[i][0], bad[i][1], clc_error(), bad[i][2]);
        clc_step_release(&step);
    }
}

int main(int argc, char **argv) {
    config_folder = argc > 1 ? argv[1] : "config";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_is_a_method_and_a_loss),
        cmocka_unit_test(the_loss_is_that_of_the_embeddings),
        cmocka_unit_test(the_loss_falls),
        cmocka_unit_test(the_teacher_follows_the_networks),
        cmocka_unit_test(a_learned_scale_stays_between_1_and_100),
        cmocka_unit_test(the_queue_takes_in_what_was_embedded),
        cmocka_unit_test(neighbours_are_the_nearest),
        cmocka_unit_test(prototypes_are_frozen_at_first),
        cmocka_unit_test(swav_keeps_its_prototypes_on_the_sphere),
        cmocka_unit_test(the_predictor_may_have_a_rate_of_its_own),
        cmocka_unit_test(batchnorm_without_scale_and_shift_keeps_them),
        cmocka_unit_test(every_method_has_a_configuration),
        cmocka_unit_test(impossible_wirings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
