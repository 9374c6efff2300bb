/* Every method goes on from a checkpoint bit for bit: weights, statistics, optimizer, teacher,
 * queue, centre, prototypes and schedules. */
#include "method/fixture.h"

#include "core/file.h"
#include "model/run_folder.h"
#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BEFORE = 4, AFTER = 9 }; /* steps; an epoch has 6 */

static const char *const overrides[] = {
    "method.norm_parts=2",      "method.momentum_schedule=cosine", "method.freeze_prototypes=0.5",
    "method.queue_start=0.5",   "predictor.constant_rate=true",    "optimizer.name=adamw",
    "text_encoder.dropout=0.2", "encoder.frozen_layers=1"}; /* the last one only if asked for */
enum { OVERRIDES = sizeof overrides / sizeof *overrides - 1 };

static float rate_of(int64_t number) {
    return 0.01f / (float)(number + 1);
}

static void run(fixture *f, int from, int to) {
    for (int i = from; i < to; i++)
        fixture_step(f, i, rate_of(i));
}

static void expect_same(const fixture *a, const fixture *b, cl_mem in_a, cl_mem in_b, size_t count,
                        const char *method, const char *what) {
    float *x = fixture_read(a, in_a, count), *y = fixture_read(b, in_b, count);
    if (memcmp(x, y, count * sizeof *x))
        fail_msg("%s: %s differs after resuming", method, what);
    free(x);
    free(y);
}

static void expect_equal(fixture *a, fixture *b, const char *method) {
    clc_wiring *wa = &a->session.step.wiring, *wb = &b->session.step.wiring;
    clc_wiring_state sa[CLC_WIRING_STATES], sb[CLC_WIRING_STATES];
    const int n = clc_wiring_states(wa, sa);
    clc_wiring_states(wb, sb);
    expect_same(a, b, wa->params.value, wb->params.value, wa->params.total, method, "a weight");
    expect_same(a, b, wa->params.state, wb->params.state,
                wa->params.trainable * (size_t)wa->params.states, method, "the optimizer");
    if (wa->teacher.count)
        expect_same(a, b, wa->teacher.value, wb->teacher.value, wa->teacher.total, method,
                    "the teacher");
    for (int i = 0; i < n; i++)
        expect_same(a, b, sa[i].data, sb[i].data, (size_t)(sa[i].rows * sa[i].dim), method,
                    sa[i].name);
}

static void check(const char *method, bool frozen) {
    char folder[] = "/tmp/clcontrast-resume-XXXXXX", path[CLC_PATH_BYTES];
    const clc_position position = {
        .step = BEFORE, .renumbered = 7, .images = 99, .best = 0.1, .epoch_loss = 1.5};
    clc_checkpoint *found = NULL;
    fixture whole, part;
    assert_non_null(mkdtemp(folder));
    fixture_open(&whole, method, overrides, OVERRIDES + (size_t)frozen);
    run(&whole, 0, BEFORE);
    CHECK(clc_checkpoint_save(folder, &whole.session.step, &position, 1));
    run(&whole, BEFORE, AFTER);
    fixture_open(&part, method, overrides, OVERRIDES + (size_t)frozen);
    run(&part, 0, 1); /* nothing of this may be left */
    CHECK(clc_checkpoint_find(folder, -1, path));
    CHECK(clc_checkpoint_open(path, &found));
    CHECK(clc_checkpoint_restore(found, &part.session.step));
    assert_memory_equal(&found->position, &position, sizeof position);
    clc_checkpoint_close(&found);
    run(&part, BEFORE, AFTER);
    expect_equal(&whole, &part, method);
    fixture_close(&whole);
    fixture_close(&part);
    unlink(path);
    rmdir(folder);
}

static void every_method_resumes_bit_for_bit(void **state) {
    (void)state;
#define CHECK_WORD(unused, word) check(#word, false);
    CLC_METHODS(CHECK_WORD, )
}

static void frozen_layers_resume_bit_for_bit(void **state) {
    (void)state;
    check("supervised", true);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_method_resumes_bit_for_bit),
                                       cmocka_unit_test(frozen_layers_resume_bit_for_bit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
