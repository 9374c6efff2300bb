#include "optim/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect_rate(const clc_schedule *schedule, int64_t step, double want) {
    const double got = clc_schedule_rate(schedule, step);
    if (!(fabs(got - want) <= 1e-9))
        fail_msg("step %lld: rate %.12g, expected %.12g", (long long)step, got, want);
}

static void warm_up_grows_in_equal_steps_and_never_is_0(void **state) {
    (void)state;
    for (int kind = CLC_CONFIG_SCHEDULE_COSINE; kind <= CLC_CONFIG_SCHEDULE_CONSTANT; kind++) {
        const clc_config_optimizer o = {.schedule = kind};
        const clc_schedule s = {.optimizer = &o, .greatest = 0.8, .warmup = 4, .total = 20};
        for (int64_t step = 0; step < 4; step++)
            expect_rate(&s, step, 0.2 * (double)(step + 1));
        expect_rate(&s, 4, 0.8);
    }
}

/* torch.optim.lr_scheduler.CosineAnnealingLR of 10 steps from 0.8 to 0.08. */
static void cosine_follows_pytorch(void **state) {
    (void)state;
    static const double want[10] = {0.800000000, 0.782380346, 0.731246118, 0.651602691,
                                    0.551246118, 0.440000000, 0.328753882, 0.228397309,
                                    0.148753882, 0.097619654};
    const clc_config_optimizer o = {.schedule = CLC_CONFIG_SCHEDULE_COSINE,
                                    .final_learning_rate = 0.1};
    const clc_schedule plain = {.optimizer = &o, .greatest = 0.8, .total = 10};
    const clc_schedule warm = {.optimizer = &o, .greatest = 0.8, .warmup = 5, .total = 15};
    for (int64_t step = 0; step < 10; step++) {
        expect_rate(&plain, step, want[step]);
        expect_rate(&warm, step + 5, want[step]);
    }
    expect_rate(&plain, 10, 0.08);
    expect_rate(&plain, 1000, 0.08);
}

/* Warm-up as long as the training leaves no step for the cosine. */
static void warm_up_may_fill_the_training(void **state) {
    (void)state;
    const clc_config_optimizer o = {.schedule = CLC_CONFIG_SCHEDULE_COSINE};
    const clc_schedule s = {.optimizer = &o, .greatest = 1, .warmup = 10, .total = 10};
    expect_rate(&s, 9, 1);
    expect_rate(&s, 10, 0);
}

/* A fixed length would be longer than a short training. */
static void warm_up_is_a_tenth_unless_given(void **state) {
    (void)state;
    enum { PER_EPOCH = 50 };
    static const struct {
        const char *epochs, *given;
        int64_t steps;
    } cases[] = {{"training.epochs=1", NULL, 5},
                 {"training.epochs=40", NULL, 4 * PER_EPOCH},
                 {"training.epochs=1000", NULL, 10 * PER_EPOCH},
                 {"training.epochs=40", "optimizer.warmup_epochs=0.5", 25},
                 {"training.epochs=40", "optimizer.warmup_epochs=0", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const overrides[] = {cases[i].epochs, cases[i].given};
        clc_config config;
        assert_int_equal(clc_config_load(NULL, overrides, cases[i].given ? 2 : 1, &config), CLC_OK);
        assert_int_equal(clc_schedule_make(&config, PER_EPOCH).warmup, cases[i].steps);
    }
}

static void warm_up_ends_before_the_first_drop(void **state) {
    (void)state;
    const char *const overrides[] = {"training.epochs=40", "optimizer.schedule=step",
                                     "optimizer.step_epochs=2,30"};
    clc_config config;
    assert_int_equal(clc_config_load(NULL, overrides, 3, &config), CLC_OK);
    assert_int_equal(clc_schedule_make(&config, 50).warmup, 2 * 50);
}

static void step_multiplies_at_each_drop(void **state) {
    (void)state;
    const clc_config_optimizer o = {
        .schedule = CLC_CONFIG_SCHEDULE_STEP, .step_factor = 0.1, .step_epochs = {2, {3, 6}}};
    const clc_schedule s = {.optimizer = &o, .greatest = 1, .epoch = 10, .total = 100};
    expect_rate(&s, 0, 1);
    expect_rate(&s, 29, 1);
    expect_rate(&s, 30, 0.1);
    expect_rate(&s, 59, 0.1);
    expect_rate(&s, 60, 0.01);
    expect_rate(&s, 99, 0.01);
}

static void constant_stays(void **state) {
    (void)state;
    const clc_config_optimizer o = {.schedule = CLC_CONFIG_SCHEDULE_CONSTANT, .step_factor = 0.1};
    const clc_schedule s = {.optimizer = &o, .greatest = 0.3, .total = 9};
    expect_rate(&s, 0, 0.3);
    expect_rate(&s, 8, 0.3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warm_up_grows_in_equal_steps_and_never_is_0),
        cmocka_unit_test(cosine_follows_pytorch),
        cmocka_unit_test(warm_up_may_fill_the_training),
        cmocka_unit_test(warm_up_is_a_tenth_unless_given),
        cmocka_unit_test(warm_up_ends_before_the_first_drop),
        cmocka_unit_test(step_multiplies_at_each_drop),
        cmocka_unit_test(constant_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
