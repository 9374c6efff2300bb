/* Gradient caching (arXiv 2101.06983): a batch in micro-batches has the gradient of the batch in
 * one piece, in the memory of a micro-batch and the embeddings. */
#include "method/fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct variant {
    const char *method;
    const char *overrides[3];
} variant;

/* Batch-norm by fixed statistics: no sample depends on another but by the loss. */
static const variant variants[] = {
    {"simclr", {NULL}},
    {"supcon", {NULL}},
    {"pair", {"loss.name=infonce"}},
    {"pair", {"loss.name=npair"}},
    {"pair", {"loss.name=clip", "loss.learned_scale=true"}},
    {"pair", {"loss.name=logistic", "loss.learned_scale=true"}},
    {"pair", {"loss.name=contrastive"}},
    {"pair", {"loss.name=triplet", "method.labels=true"}},
    {"pair", {"loss.name=triplet", "loss.mining=hard", "loss.soft=true"}},
    {"clip", {NULL}},
    {"clip", {"loss.name=logistic", "text_encoder.frozen=true"}},
    {"barlow", {NULL}},
    {"vicreg", {NULL}},
    {"mocov2", {"method.norm_parts=2"}},
    {"mocov3", {NULL}},
    {"byol", {NULL}},
    {"simsiam", {"method.stop_gradient=false"}},
    {"nnclr", {NULL}},
    {"swav", {"method.crops=2", "method.crop_sizes=6"}},
    {"dino", {"method.crops=2", "method.crop_sizes=6"}},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static void open_with(fixture *f, const variant *v, const char *micro) {
    const char *all[6] = {micro, "encoder.norm=fixed"};
    size_t n = 2;
    for (int i = 0; i < 3 && v->overrides[i]; i++)
        all[n++] = v->overrides[i];
    fixture_open(f, v->method, all, n);
}

static double *doubled(const fixture *f, cl_mem buffer, size_t count) {
    float *floats = fixture_read(f, buffer, count);
    double *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)floats[i];
    free(floats);
    return values;
}

/* Sums over the batch are in another order: a few units in the last place of the largest. */
static void micro_batches_have_the_gradient_of_the_whole(void **state) {
    (void)state;
    for (int i = 0; i < VARIANTS; i++) {
        fixture whole, parts;
        open_with(&whole, &variants[i], "training.micro_batch=0");
        open_with(&parts, &variants[i], "training.micro_batch=2");
        const size_t count = whole.session.step.wiring.params.trainable;
        fixture_run_to_update(&whole, 2);
        fixture_run_to_update(&parts, 2);
        double *want = doubled(&whole, whole.session.step.wiring.params.grad, count);
        float *got = fixture_read(&parts, parts.session.step.wiring.params.grad, count);
        print_message("# %s (%d): off by %.1e\n", variants[i].method, i,
                      test_error(got, want, count));
        assert_true(test_close(variants[i].method, got, want, count, 1e-5));
        free(want);
        free(got);
        fixture_close(&whole);
        fixture_close(&parts);
    }
}

/* Batch-norm by the micro-batch's statistics: two passes must not move the running averages twice.
 */
static void running_averages_take_in_each_micro_batch_once(void **state) {
    (void)state;
    const char *const overrides[] = {"training.micro_batch=4", "encoder.norm=batch"};
    fixture f;
    size_t count;
    fixture_open(&f, "simclr", overrides, 2);
    clc_wiring *w = &f.session.step.wiring;
    double expected[8] = {0};
    fixture_run_to_update(&f, 0);
    float *mean = fixture_param(&f, &w->params, "encoder.bn1.running_mean", &count);
    assert_true(count <= 8);
    /* Again, by hand: the statistics of each micro-batch from the convolution's output. */
    fixture g;
    fixture_open(&g, "simclr", overrides, 2);
    clc_wiring *v = &g.session.step.wiring;
    fixture_set(&g, 0);
    for (int m = 0; m < 2; m++) {
        const clc_node *conv = &v->branches.students[0].graph->nodes[0];
        CHECK(clc_sequence_run(&v->augment[m], g.session.device));
        CHECK(clc_sequence_run_range(&v->branches.students[0].graph->forward, g.session.device, 0,
                                     v->branches.students[0].graph->forward_end[0]));
        float *x = fixture_read(&g, conv->out->value, conv->out->count);
        const size_t rows = conv->out->count / count;
        for (size_t k = 0; k < count; k++) {
            double sum = 0;
            for (size_t r = 0; r < rows; r++)
                sum += (double)x[r * count + k] / (double)rows;
            expected[k] = 0.9 * expected[k] + 0.1 * sum;
        }
        free(x);
    }
    assert_true(test_close("running mean", mean, expected, count, 1e-4));
    free(mean);
    fixture_close(&f);
    fixture_close(&g);
}

static size_t planned(const char *batch, const char *micro) {
    enum { IMAGES = 4096, PIXELS = 28 * 28 };
    const char *const overrides[] = {batch,
                                     micro,
                                     "encoder.name=resnet10",
                                     "encoder.width=16",
                                     "training.epochs=20",
                                     "augmentation.mean=0.5",
                                     "augmentation.std=0.5"};
    clc_config config;
    clc_step step = {0};
    clc_memory_line lines[CLC_MEMORY_LINES];
    size_t total, largest;
    uint8_t pixels[1] = {0};
    const clc_dataset data = {.name = "none",
                              .count = IMAGES,
                              .height = 28,
                              .width = 28,
                              .channels = 1,
                              .uniform = true,
                              .bytes = IMAGES * PIXELS,
                              .pixels = pixels};
    CHECK(clc_config_load(NULL, overrides, sizeof overrides / sizeof *overrides, &config));
    CHECK(clc_step_plan(&step, test_device(), &config, &data));
    clc_step_memory(&step, lines, &total, &largest);
    clc_step_release(&step);
    return total;
}

/* 4,096 images in parts of 256: as 256 alone, the embeddings' 8,192 x 128 floats with gradients and
 * the loss's workspace for them, and a second set of activations that lives for one node at a time.
 */
static void memory_is_that_of_a_micro_batch(void **state) {
    (void)state;
    const size_t small = planned("training.batch=256", "training.micro_batch=0");
    const size_t cached = planned("training.batch=4096", "training.micro_batch=256");
    const size_t whole = planned("training.batch=4096", "training.micro_batch=0");
    const size_t embeddings = (size_t)2 * 4096 * 128 * sizeof(float);
    print_message("# 256: %zu MB, 4096 in parts of 256: %zu MB, 4096: %zu MB\n", small >> 20,
                  cached >> 20, whole >> 20);
    assert_true(cached < small + small / 2 + 6 * embeddings);
    assert_true(cached < whole / 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(micro_batches_have_the_gradient_of_the_whole),
        cmocka_unit_test(running_averages_take_in_each_micro_batch_once),
        cmocka_unit_test(memory_is_that_of_a_micro_batch),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
