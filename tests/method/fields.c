/* Training on texts and series: every method, its views, its micro-batches and its checkpoints, as
 * on images. */
#include "method/fixture.h"

#include "core/file.h"
#include "method/method.h"
#include "model/run_folder.h"
#include "train/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 9, VOCABULARY = 20, CHANNELS = 3 };

/* Lengths 3 to LONGEST, and where they begin. */
static void set_places(clc_field *f, size_t texts_of_first) {
    f->count = FIXTURE_IMAGES + texts_of_first - 1;
    f->firsts = calloc(FIXTURE_IMAGES + 1, sizeof *f->firsts);
    f->extents = calloc(f->count, sizeof *f->extents);
    assert_true(f->firsts && f->extents);
    for (size_t i = 0; i < FIXTURE_IMAGES; i++)
        f->firsts[i + 1] = (int32_t)(i + texts_of_first);
    for (size_t i = 0; i < f->count; i++) {
        f->extents[i] = (clc_extent){f->total, (int32_t)(3 + i * 5 % (LONGEST - 2)), 0};
        f->total += (size_t)f->extents[i].length;
    }
}

/* Samples of three classes, of texts or series, which differ by class; the first has two texts. */
static clc_dataset *make_data(clc_kind kind) {
    clc_field f = {.kind = kind, .name = "x", .vocabulary = VOCABULARY, .channels = CHANNELS};
    clc_dataset *data = NULL;
    int32_t *labels = calloc(FIXTURE_IMAGES, sizeof *labels);
    set_places(&f, 2);
    f.ids = calloc(f.total, sizeof *f.ids);
    f.values = calloc(f.total * CHANNELS, sizeof *f.values);
    assert_true(labels && f.ids && f.values);
    for (size_t i = 0; i < f.count; i++)
        for (int t = 0; t < f.extents[i].length; t++) {
            const size_t at = f.extents[i].offset + (size_t)t;
            const bool end = t + 1 == f.extents[i].length;
            f.ids[at] = t == 0 ? VOCABULARY - 2 : end ? VOCABULARY - 1 : (int32_t)(2 + at * 7 % 16);
            for (int c = 0; c < CHANNELS; c++)
                f.values[at * CHANNELS + (size_t)c] = sinf((float)(at * (size_t)(c + 3)));
        }
    for (int i = 0; i < FIXTURE_IMAGES; i++)
        labels[i] = i % 3;
    CHECK(clc_dataset_make_fields("noise", FIXTURE_IMAGES, &f, 1, labels, 3, &data));
    return data;
}

static const char *const network[] = {"encoder.name=transformer",
                                      "encoder.block=auto",
                                      "encoder.blocks=",
                                      "encoder.width=8",
                                      "encoder.depth=1",
                                      "encoder.heads=2",
                                      "tokens.crop=0.5",
                                      "tokens.mask=0.5",
                                      "series.crop=0.5",
                                      "series.jitter=0.5",
                                      "method.momentum_schedule=cosine", "method.norm_parts=2"};
enum { NETWORK = sizeof network / sizeof *network, MOST = NETWORK + 4 };

static clc_status try_open(fixture *f, clc_kind kind, const char *method, const char *const *more,
                           size_t n) {
    const char *all[MOST];
    memcpy(all, network, sizeof network);
    for (size_t i = 0; i < n; i++)
        all[NETWORK + i] = more[i];
    return fixture_try(f, make_data(kind), method, all, NETWORK + n);
}

static void open_on(fixture *f, clc_kind kind, const char *method, const char *const *more,
                    size_t n) {
    CHECK(try_open(f, kind, method, more, n));
}

/* A step changes the first weight of the network by a finite number. */
static void check_training(clc_kind kind, const char *word) {
    fixture f;
    const char *name =
        kind == CLC_KIND_TOKENS ? "encoder.token_embedding.weight" : "encoder.input.weight";
    size_t n;
    double change = 0;
    if (clc_method_find(word)->towers == 2)
        return;
    open_on(&f, kind, word, NULL, 0);
    float *before = fixture_param(&f, clc_step_params(&f.session.step), name, &n);
    fixture_step(&f, 0, 0.1f);
    float *after = fixture_param(&f, clc_step_params(&f.session.step), name, &n);
    for (size_t i = 0; i < n; i++)
        change += fabs((double)after[i] - (double)before[i]);
    if (!(isfinite(change) && change > 0))
        fail_msg("%s: %s changes by %g", word, name, change);
    free(before);
    free(after);
    fixture_close(&f);
}

static void every_method_trains_on_texts(void **state) {
    (void)state;
#define CHECK_WORD(unused, word) check_training(CLC_KIND_TOKENS, #word);
    CLC_METHODS(CHECK_WORD, )
}

static void methods_train_on_series(void **state) {
    (void)state;
    check_training(CLC_KIND_SERIES, "simclr");
    check_training(CLC_KIND_SERIES, "mocov2");
}

/* Nothing random: the network reads what the batch's samples say. */
static void the_network_reads_the_texts_of_the_batch(void **state) {
    (void)state;
    static const char *const plain[] = {"tokens.crop=0", "tokens.mask=0", "encoder.context=7"};
    enum { CONTEXT = 7 };
    fixture f;
    open_on(&f, CLC_KIND_TOKENS, "simclr", plain, 3);
    const clc_crop_views *crop = &f.session.step.wiring.views.crops[0];
    const clc_field *field = &f.session.data->fields[0];
    assert_int_equal(crop->context, CONTEXT);
    fixture_run_to_loss(&f, 2);
    int32_t *ids = (int32_t *)fixture_read(&f, crop->values, 2 * FIXTURE_BATCH * CONTEXT);
    int32_t *lengths = (int32_t *)fixture_read(&f, crop->lengths, 2 * FIXTURE_BATCH);
    for (int row = 0; row < 2 * FIXTURE_BATCH; row++) {
        const int32_t sample = f.indices[row % FIXTURE_BATCH];
        const clc_extent *e = &field->extents[field->firsts[sample]];
        const int n = e->length < CONTEXT ? e->length : CONTEXT;
        if (sample == 0)
            continue; /* one of two */
        assert_int_equal(lengths[row], n);
        assert_memory_equal(ids + row * CONTEXT, field->ids + e->offset,
                            (size_t)(n - 1) * sizeof *ids);
        assert_int_equal(ids[row * CONTEXT + n - 1], VOCABULARY - 1);
    }
    free(ids);
    free(lengths);
    fixture_close(&f);
}

/* The gradient cache is exact: what differs is the order of sums over 16 rows of numbers near 1,
 * after some products: 1e-5 of the largest gradient. */
static void micro_batches_give_the_gradient_of_the_batch(void **state) {
    (void)state;
    static const char *const plain[] = {"projector.batchnorm=false", "method.norm_parts=0",
                                        "training.micro_batch=2"};
    for (int kind = CLC_KIND_TOKENS; kind <= CLC_KIND_SERIES; kind++) {
        fixture whole, parts;
        double greatest = 0;
        open_on(&whole, (clc_kind)kind, "simclr", plain, 2);
        open_on(&parts, (clc_kind)kind, "simclr", plain, 3);
        fixture_run_to_update(&whole, 1);
        fixture_run_to_update(&parts, 1);
        const clc_params *a = clc_step_params(&whole.session.step);
        const clc_params *b = clc_step_params(&parts.session.step);
        float *x = fixture_read(&whole, a->grad, a->trainable);
        float *y = fixture_read(&parts, b->grad, b->trainable);
        for (size_t i = 0; i < a->trainable; i++)
            greatest = fmax(greatest, fabs((double)x[i]));
        assert_true(greatest > 0);
        for (size_t i = 0; i < a->trainable; i++)
            if (!(fabs((double)x[i] - (double)y[i]) <= 1e-5 * greatest))
                fail_msg("gradient %zu is %g, in parts %g", i, (double)x[i], (double)y[i]);
        free(x);
        free(y);
        fixture_close(&whole);
        fixture_close(&parts);
    }
}

static void run(fixture *f, int from, int to) {
    for (int i = from; i < to; i++)
        fixture_step(f, i, 0.05f);
}

static void check_resume(clc_kind kind, const char *method) {
    enum { BEFORE = 4, AFTER = 9 }; /* steps; an epoch has 6 */
    char folder[] = "/tmp/clcontrast-fields-XXXXXX", path[CLC_PATH_BYTES];
    const clc_position position = {.step = BEFORE, .images = FIXTURE_IMAGES};
    clc_checkpoint *found = NULL;
    fixture whole, part;
    assert_non_null(mkdtemp(folder));
    open_on(&whole, kind, method, NULL, 0);
    run(&whole, 0, BEFORE);
    CHECK(clc_checkpoint_save(folder, &whole.session.step, &position, 1));
    run(&whole, BEFORE, AFTER);
    open_on(&part, kind, method, NULL, 0);
    run(&part, 0, 1); /* nothing of this may be left */
    CHECK(clc_checkpoint_find(folder, -1, path));
    CHECK(clc_checkpoint_open(path, &found));
    CHECK(clc_checkpoint_restore(found, &part.session.step));
    clc_checkpoint_close(&found);
    run(&part, BEFORE, AFTER);
    const clc_params *a = clc_step_params(&whole.session.step);
    float *x = fixture_read(&whole, a->value, a->total);
    float *y = fixture_read(&part, clc_step_params(&part.session.step)->value, a->total);
    assert_memory_equal(x, y, a->total * sizeof *x);
    free(x);
    free(y);
    fixture_close(&whole);
    fixture_close(&part);
    unlink(path);
    rmdir(folder);
}

static void runs_resume_bit_for_bit(void **state) {
    (void)state;
    check_resume(CLC_KIND_TOKENS, "byol");
    check_resume(CLC_KIND_SERIES, "mocov2");
}

static void the_memory_plan_counts_texts(void **state) {
    (void)state;
    fixture f;
    clc_memory_line lines[CLC_MEMORY_LINES];
    size_t total, largest;
    bool found = false;
    open_on(&f, CLC_KIND_TOKENS, "simclr", NULL, 0);
    const size_t n = clc_step_memory(&f.session.step, lines, &total, &largest);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(lines[i].what, "texts, series")) {
            found = true;
            assert_true(lines[i].bytes >= f.session.data->fields[0].total * sizeof(int32_t));
        }
    assert_true(found);
    fixture_close(&f);
}

static void what_is_for_pictures_is_refused(void **state) {
    (void)state;
    static const char *const crops[] = {"method.crops=2", "method.crop_sizes=4"};
    static const char *const resnet[] = {"encoder.name=resnet18"};
    fixture f;
    assert_int_equal(try_open(&f, CLC_KIND_TOKENS, "dino", crops, 2), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "method.crops"));
    fixture_close(&f);
    assert_int_equal(try_open(&f, CLC_KIND_SERIES, "simclr", resnet, 1), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "doesn't take series; these do: transformer, gru"));
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_trains_on_texts),
        cmocka_unit_test(methods_train_on_series),
        cmocka_unit_test(the_network_reads_the_texts_of_the_batch),
        cmocka_unit_test(micro_batches_give_the_gradient_of_the_batch),
        cmocka_unit_test(runs_resume_bit_for_bit),
        cmocka_unit_test(the_memory_plan_counts_texts),
        cmocka_unit_test(what_is_for_pictures_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
