/* Encoders that start from saved weights, frozen ones, and methods with two of them. */
#include "harness.h"
#include "method/fixture.h"
#include "model/weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char weights_path[] = "test_towers.safetensors";

/* Whether a parameter of two sessions, or of one at two times, has the same bits. */
static bool same(const float *a, const float *b, size_t count) {
    return !memcmp(a, b, count * sizeof *a);
}

static float *param(const fixture *f, const char *name, size_t *count) {
    return fixture_param(f, &f->session.step.wiring.params, name, count);
}

/* A step changes what is behind a frozen encoder, and nothing of it: neither weights, nor what
 * batch-norm has averaged. */
static void a_frozen_encoder_stays_as_it_is(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool stays;
    } expected[] = {{"encoder.conv1.weight", true},     {"encoder.bn1.weight", true},
                    {"encoder.bn1.running_mean", true}, {"encoder.layer2.0.bn2.running_var", true},
                    {"projector.0.weight", false},      {"projector.1.running_mean", false}};
    const char *const overrides[] = {"encoder.frozen=true", "optimizer.name=adamw",
                                     "optimizer.weight_decay=0.1"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        fixture f;
        size_t count;
        fixture_open(&f, "simclr", overrides, 3);
        float *before = param(&f, expected[i].name, &count);
        fixture_step(&f, 0, 0.1f);
        float *after = param(&f, expected[i].name, &count);
        if (same(before, after, count) != expected[i].stays)
            fail_msg("%s %s", expected[i].name, expected[i].stays ? "changed" : "stayed");
        free(before);
        free(after);
        fixture_close(&f);
    }
}

/* The features that heads see are those of evaluation: of running statistics. */
static void micro_batches_of_a_frozen_encoder_have_the_gradient_of_the_whole(void **state) {
    (void)state;
    const char *const whole[] = {"encoder.frozen=true", "projector.batchnorm=false"};
    const char *const parts[] = {"encoder.frozen=true", "projector.batchnorm=false",
                                 "training.micro_batch=2"};
    const char *const name = "projector.0.weight";
    fixture f, g;
    fixture_open(&f, "simclr", whole, 2);
    fixture_open(&g, "simclr", parts, 3);
    fixture_run_to_update(&f, 1);
    fixture_run_to_update(&g, 1);
    const clc_param *p = clc_params_find(&f.session.step.wiring.params, name);
    const clc_param *q = clc_params_find(&g.session.step.wiring.params, name);
    float *want = fixture_read(&f, p->grad, p->count), *got = fixture_read(&g, q->grad, q->count);
    double *wanted = malloc(p->count * sizeof *wanted);
    for (size_t i = 0; i < p->count; i++)
        wanted[i] = (double)want[i];
    /* Sums of 16 rows in another order. */
    assert_true(test_close("gradient", got, wanted, p->count, 1e-5));
    free(want);
    free(wanted);
    free(got);
    fixture_close(&f);
    fixture_close(&g);
}

static void save(fixture *f) {
    const clc_names classes = {0};
    const clc_encoder_notes notes = {.classes = &classes, .steps = 1};
    CHECK(clc_encoder_save(weights_path, &f->session.step.wiring.params, f->session.device,
                           &f->session.config, &notes));
}

static void training_starts_from_saved_weights(void **state) {
    (void)state;
    const char *const overrides[] = {"training.seed=2", "encoder.weights=test_towers.safetensors"};
    const char *const names[] = {"encoder.layer1.0.conv2.weight", "encoder.bn1.running_mean"};
    fixture f, g;
    size_t count;
    fixture_open(&f, "simclr", NULL, 0);
    fixture_step(&f, 0, 0.1f);
    save(&f);
    fixture_open(&g, "byol", overrides, 2);
    for (int i = 0; i < 2; i++) {
        float *want = param(&f, names[i], &count), *got = param(&g, names[i], &count);
        float *teacher = fixture_param(&g, &g.session.step.wiring.teacher, names[i], &count);
        assert_true(same(want, got, count));
        assert_true(same(want, teacher, count));
        free(want);
        free(got);
        free(teacher);
    }
    float *own = param(&f, "projector.0.weight", &count);
    float *fresh = param(&g, "projector.0.weight", &count);
    assert_false(same(own, fresh, count));
    free(own);
    free(fresh);
    fixture_close(&f);
    fixture_close(&g);
    unlink(weights_path);
}

/* View v of the output of sample i. */
static const float *output(const fixture *f, const float *all, int v, int i) {
    const clc_port *port = &f->session.step.wiring.ports.output;
    return all + (size_t)(v * FIXTURE_BATCH + i) * (size_t)port->dim;
}

static float *outputs(fixture *f, int64_t number, size_t *count) {
    const clc_port *port = &f->session.step.wiring.ports.output;
    *count = (size_t)(port->views * FIXTURE_BATCH * port->dim);
    fixture_run_to_loss(f, number);
    return fixture_read(f, port->value, *count);
}

/* SimCSE's only difference between two views; it is another one in each step and micro-batch, and
 * the same whenever a step is made. */
static void dropout_is_drawn_by_step_and_view(void **state) {
    (void)state;
    const char *const overrides[] = {"encoder.name=transformer", "encoder.block=auto",
                                     "encoder.blocks=",          "encoder.heads=2",
                                     "encoder.depth=1",          "encoder.dropout=0.3",
                                     "projector.enabled=false",  "training.micro_batch=4"};
    fixture f;
    size_t count;
    CHECK(fixture_try(&f, fixture_texts(1), "simcse", overrides, 8));
    float *first = outputs(&f, 1, &count), *again = outputs(&f, 1, &count);
    float *later = outputs(&f, 1 + FIXTURE_IMAGES, &count); /* the same samples */
    const size_t dim = (size_t)f.session.step.wiring.ports.output.dim;
    assert_true(same(first, again, count));
    assert_false(same(first, later, count));
    assert_false(same(output(&f, first, 0, 0), output(&f, first, 1, 0), dim));
    free(first);
    free(again);
    free(later);
    fixture_close(&f);
}

/* Each field is a view of its own: of two alike and one other, the first two are the same. */
static void fields_are_views(void **state) {
    (void)state;
    const char *const overrides[] = {"encoder.name=transformer", "encoder.block=auto",
                                     "encoder.blocks=", "encoder.heads=2", "encoder.depth=1"};
    for (int fields = 2; fields <= 3; fields++) {
        fixture f;
        size_t count;
        clc_dataset *data = fixture_texts(fields);
        memcpy(data->fields[1].ids, data->fields[0].ids, data->fields[0].total * sizeof(int32_t));
        memcpy(data->fields[1].extents, data->fields[0].extents,
               data->fields[0].count * sizeof(clc_extent));
        CHECK(fixture_try(&f, data, "simcse", overrides, 5));
        assert_int_equal(f.session.step.wiring.shape.views, fields);
        float *all = outputs(&f, 0, &count);
        const size_t dim = (size_t)f.session.step.wiring.ports.output.dim;
        for (int i = 0; i < FIXTURE_BATCH; i++) {
            assert_true(same(output(&f, all, 0, i), output(&f, all, 1, i), dim));
            if (fields == 3)
                assert_false(same(output(&f, all, 0, i), output(&f, all, 2, i), dim));
        }
        free(all);
        fixture_close(&f);
    }
}

/* What is refused, and a word that the message must have. */
static void expect_refusal(clc_dataset *data, const char *method, const char *const *overrides,
                           size_t n, const char *word) {
    fixture f;
    assert_int_not_equal(fixture_try(&f, data, method, overrides, n), CLC_OK);
    const char *message = clc_error();
    print_message("# %s\n", message);
    assert_non_null(strstr(message, word));
    fixture_close(&f);
}

static void what_cannot_work_is_refused(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "simclr", NULL, 0);
    save(&f);
    fixture_close(&f);
    const struct {
        const char *method, *word;
        const char *overrides[3];
    } all[] = {
        {"clip", "pairs", {NULL}},
        {"byol", "teacher", {"encoder.frozen=true"}},
        {"simclr", "frozen", {"encoder.frozen=true", "projector.enabled=false"}},
        {"simclr", "shape", {"encoder.weights=test_towers.safetensors", "encoder.width=5"}},
        {"simclr", "missing", {"encoder.weights=test_towers.safetensors", "encoder.blocks=1,2"}},
        {"simclr", "nowhere", {"encoder.weights=nowhere.safetensors"}},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        size_t n = 0;
        while (n < 3 && all[i].overrides[n])
            n++;
        expect_refusal(fixture_noise(), all[i].method, all[i].overrides, n, all[i].word);
    }
    unlink(weights_path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frozen_encoder_stays_as_it_is),
        cmocka_unit_test(micro_batches_of_a_frozen_encoder_have_the_gradient_of_the_whole),
        cmocka_unit_test(training_starts_from_saved_weights),
        cmocka_unit_test(dropout_is_drawn_by_step_and_view),
        cmocka_unit_test(fields_are_views),
        cmocka_unit_test(what_cannot_work_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
