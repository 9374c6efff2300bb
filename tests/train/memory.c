/* The memory plan against what is really allocated. */
#include "harness.h"

#include "core/log.h"
#include "train/session.h"

#include <stdlib.h>
#include <string.h>

static clc_dataset *noise(int side, int channels, size_t count) {
    clc_dataset *data = NULL;
    const size_t bytes = count * (size_t)(side * side * channels);
    uint8_t *pixels = malloc(bytes);
    assert_non_null(pixels);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 13);
    CHECK(clc_dataset_make("noise", count, side, side, channels, pixels, NULL, 0, &data));
    return data;
}

static void check_plan(const char *const *overrides, size_t n, int side, int channels) {
    clc_session session;
    clc_memory_line lines[CLC_MEMORY_LINES];
    size_t total = 0, largest = 0;
    const clc_train_options options = {.overrides = overrides, .override_count = n};
    CHECK(clc_session_open(&session, &options, noise(side, channels, 64)));
    clc_step_memory(&session.step, lines, &total, &largest);
    assert_int_equal(total, session.device->allocated);
    assert_true(largest <= total && largest > 0);
    clc_session_close(&session);
}

static void the_plan_is_what_is_allocated(void **state) {
    (void)state;
    static const char *const small[] = {"encoder.name=resnet10", "encoder.width=8",
                                        "training.batch=6", "training.epochs=20"};
    static const char *const large[] = {"encoder.name=resnet50",  "encoder.width=4",
                                        "encoder.stem=large",     "training.batch=5",
                                        "optimizer.name=adamw",   "augmentation.blur=0.5",
                                        "projector.hidden=24,16", "training.epochs=20"};
    check_plan(small, 4, 12, 1);
    check_plan(large, 8, 40, 3);
}

static void a_step_allocates_nothing(void **state) {
    (void)state;
    static const char *const overrides[] = {"encoder.name=resnet10", "encoder.width=8",
                                            "training.batch=6", "training.epochs=20"};
    clc_session session;
    clc_step_slot finished;
    clc_loader *loader = NULL;
    clc_batch batch;
    const clc_train_options options = {.overrides = overrides, .override_count = 4};
    CHECK(clc_session_open(&session, &options, noise(12, 1, 64)));
    CHECK(clc_step_loader(&session.step, 0, &loader));
    const uint64_t peak = session.device->peak;
    for (int i = 0; i < 6; i++) {
        CHECK(clc_loader_next(loader, &batch));
        CHECK(clc_step_enqueue(&session.step, 0.01f, &batch, &finished));
    }
    CHECK(clc_device_finish(session.device));
    clc_loader_close(&loader);
    assert_int_equal(session.device->peak, peak);
    assert_true(finished.step == 1 && finished.result.finite > 0.5f);
    clc_session_close(&session);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_is_what_is_allocated),
        cmocka_unit_test(a_step_allocates_nothing),
    };
    clc_log_quiet(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
