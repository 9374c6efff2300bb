/* Where non-finite values are said to appear first. */
#include "method/fixture.h"
#include "train/diagnose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fill(const fixture *f, cl_mem buffer, size_t floats, float value) {
    float *values = malloc(floats * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < floats; i++)
        values[i] = value;
    CHECK(clc_buffer_write(f->session.device, buffer, 0, floats * sizeof *values, values));
    free(values);
}

/* The first step is repeated; fails unless the message says `where`. */
static void expect_said(fixture *f, const char *where) {
    fixture_set(f, 0);
    const clc_step_slot slot = {.batch = f->batch};
    assert_int_equal(clc_diagnose(&f->session.step, &slot), CLC_NONFINITE);
    if (!strstr(clc_error(), where))
        fail_msg("\"%s\" doesn't say \"%s\"", clc_error(), where);
}

/* A layer with one parameter has nothing to do with another layer's, whose gradient is still that
 * of the step that failed. */
static void gradients_left_behind_are_nobodys(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "simclr", NULL, 0);
    const clc_params *params = &f.session.step.wiring.params;
    fill(&f, params->grad, params->trainable, NAN);
    expect_said(&f, "this step only (a repetition was finite)");
    fixture_close(&f);
}

static void an_output_is_named_by_its_layer(void **state) {
    (void)state;
    fixture f;
    fixture_open(&f, "simclr", NULL, 0);
    const clc_param *weight =
        clc_params_find(&f.session.step.wiring.params, "encoder.layer2.0.conv2.weight");
    assert_non_null(weight);
    fill(&f, weight->value, weight->count, INFINITY);
    expect_said(&f, "the output of encoder.layer2.0.conv2 (conv2d)");
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_left_behind_are_nobodys),
        cmocka_unit_test(an_output_is_named_by_its_layer),
    };
    return cmocka_run_group_tests_name("diagnose", tests, NULL, test_close_device);
}
