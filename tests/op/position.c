/* Positions, class token and patches: what is added, put in front, taken away or cut, and where the
 * gradients go. All are linear, with factors 1, so loops over elements are the reference. */
#include "differences.h"
#include "harness.h"
#include "node_case.h"

#include <stdlib.h>
#include <string.h>

typedef struct sizes {
    int n, steps, width, more; /* more: rows of the table that no step uses */
} sizes;

static const sizes all[] = {{1, 1, 1, 0},   {2, 3, 5, 1},   {3, 7, 16, 0},
                            {5, 13, 33, 4}, {4, 17, 65, 2}, {9, 2, 24, 31}};
enum { ALL = sizeof all / sizeof *all };

static double sum_tolerance(const sizes *s) {
    return 1e-7 * (s->n + 1); /* sums of n + 1 numbers below 1 */
}

static void check_positions(const sizes *s) {
    node_case c;
    clc_tensor *x = NULL, *y = NULL;
    const size_t row = (size_t)(s->steps * s->width), count = (size_t)s->n * row;
    const size_t rows = (size_t)((s->steps + s->more) * s->width);
    const clc_positions positions = {.name = "table", .rank = 2, .rows = s->steps + s->more};
    float *in = test_random(count, 1), *table = test_random(rows, 2), *dy = test_random(count, 3);
    double *want = zeros(count), *dtable = zeros(rows), *dx = node_case_widen(dy, count);
    for (size_t i = 0; i < count; i++) {
        want[i] = (double)in[i] + (double)table[i % row];
        dtable[i % row] += (double)dy[i];
    }
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_sequences(s->n, s->steps, s->width), true, &x));
    CHECK(clc_op_position(c.graph, "steps", &positions, x, &y));
    node_case_build(&c);
    node_case_set(x, in);
    node_case_set_param(&c, "steps.table", table);
    node_case_forward(&c);
    node_case_expect(&c, y, want, 1.2e-7);
    node_case_set_grad(y, dy);
    node_case_backward(&c);
    node_case_expect_grad(&c, x, dx, 0);
    node_case_expect_param(&c, "steps.table", dtable, sum_tolerance(s));
    node_case_end(&c);
    free(in);
    free(table);
    free(dy);
    free(want);
    free(dtable);
    free(dx);
}

static void positions_are_added(void **state) {
    (void)state;
    for (int i = 0; i < ALL; i++)
        check_positions(&all[i]);
}

static void more_steps_than_positions(void **state) {
    node_case c;
    clc_tensor *x = NULL, *y = NULL;
    const clc_positions positions = {.name = "table", .rank = 2, .rows = 4};
    (void)state;
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_sequences(1, 5, 2), true, &x));
    assert_int_equal(clc_op_position(c.graph, "steps", &positions, x, &y), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "4 positions are learned, too few for 5 steps"));
    node_case_build(&c);
    node_case_end(&c);
}

static void check_class_token(const sizes *s) {
    node_case c;
    clc_tensor *x = NULL, *y = NULL;
    const size_t w = (size_t)s->width, from = (size_t)s->steps * w, to = from + w;
    const size_t n = (size_t)s->n;
    float *in = test_random(n * from, 1), *token = test_random(w, 2), *dy = test_random(n * to, 3);
    double *want = zeros(n * to), *dtoken = zeros(w), *dx = zeros(n * from);
    for (size_t i = 0; i < n * to; i++) {
        const size_t e = i % to;
        want[i] = (double)(e < w ? token[e] : in[i / to * from + e - w]);
        *(e < w ? &dtoken[e] : &dx[i / to * from + e - w]) += (double)dy[i];
    }
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_sequences(s->n, s->steps, s->width), true, &x));
    CHECK(clc_op_class_token(c.graph, "net", "class_token", x, &y));
    node_case_build(&c);
    node_case_set(x, in);
    node_case_set_param(&c, "net.class_token", token);
    node_case_forward(&c);
    node_case_expect(&c, y, want, 0);
    node_case_set_grad(y, dy);
    node_case_backward(&c);
    node_case_expect_grad(&c, x, dx, 0);
    node_case_expect_param(&c, "net.class_token", dtoken, sum_tolerance(s));
    node_case_end(&c);
    free(in);
    free(token);
    free(dy);
    free(want);
    free(dtoken);
    free(dx);
}

static void a_token_in_front(void **state) {
    (void)state;
    for (int i = 0; i < ALL; i++)
        check_class_token(&all[i]);
}

static void check_without(const sizes *s) {
    node_case c;
    clc_tensor *x = NULL, *y = NULL;
    const size_t w = (size_t)s->width, to = (size_t)s->steps * w, from = to + w, n = (size_t)s->n;
    float *in = test_random(n * from, 1), *dy = test_random(n * to, 2);
    double *want = zeros(n * to), *dx = zeros(n * from);
    for (size_t i = 0; i < n * to; i++) {
        want[i] = (double)in[i / to * from + i % to + w];
        dx[i / to * from + i % to + w] = (double)dy[i];
    }
    node_case_begin(&c, true);
    CHECK(
        clc_graph_input(c.graph, "x", clc_shape_sequences(s->n, s->steps + 1, s->width), true, &x));
    CHECK(clc_op_without_class_token(c.graph, "net", x, &y));
    node_case_build(&c);
    node_case_set(x, in);
    node_case_forward(&c);
    node_case_expect(&c, y, want, 0);
    node_case_set_grad(y, dy);
    node_case_backward(&c);
    node_case_expect_grad(&c, x, dx, 0);
    node_case_end(&c);
    free(in);
    free(dy);
    free(want);
    free(dx);
}

static void without_the_first_step(void **state) {
    (void)state;
    for (int i = 0; i < ALL; i++)
        check_without(&all[i]);
}

/* Where pixel element e of an image lies in its patches (H/P,W/P,P,P,C). */
static size_t patch_place(size_t e, size_t width, size_t channels, size_t side) {
    const size_t ch = e % channels, x = e / channels % width, y = e / channels / width;
    return (((y / side * (width / side) + x / side) * side + y % side) * side + x % side) *
               channels +
           ch;
}

static void check_patches(int n, int height, int width, int channels, int side) {
    node_case c;
    clc_tensor *x = NULL, *y = NULL;
    const size_t image = (size_t)(height * width * channels), count = (size_t)n * image;
    float *in = test_random(count, 1), *dy = test_random(count, 2);
    double *want = zeros(count), *dx = zeros(count);
    for (size_t i = 0; i < count; i++) {
        const size_t at = i / image * image +
                          patch_place(i % image, (size_t)width, (size_t)channels, (size_t)side);
        want[at] = (double)in[i];
        dx[i] = (double)dy[at];
    }
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_images(n, height, width, channels), true, &x));
    CHECK(clc_op_patches(c.graph, "patches", x, side, &y));
    node_case_build(&c);
    node_case_set(x, in);
    node_case_forward(&c);
    node_case_expect(&c, y, want, 0);
    node_case_set_grad(y, dy);
    node_case_backward(&c);
    node_case_expect_grad(&c, x, dx, 0);
    node_case_end(&c);
    free(in);
    free(dy);
    free(want);
    free(dx);
}

static void images_are_cut_into_patches(void **state) {
    (void)state;
    check_patches(1, 1, 1, 1, 1);
    check_patches(3, 4, 6, 1, 2);
    check_patches(2, 9, 3, 5, 3);
    check_patches(2, 16, 8, 3, 4);
    check_patches(65, 2, 2, 2, 2);
}

static void a_patch_that_does_not_fit(void **state) {
    node_case c;
    clc_tensor *x = NULL, *y = NULL;
    (void)state;
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "x", clc_shape_images(1, 28, 30, 1), true, &x));
    assert_int_equal(clc_op_patches(c.graph, "conv_proj", x, 4, &y), CLC_INVALID);
    assert_non_null(strstr(clc_error(), "images of 28x30 can't be cut into patches of 4x4"));
    node_case_build(&c);
    node_case_end(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_are_added),
        cmocka_unit_test(more_steps_than_positions),
        cmocka_unit_test(a_token_in_front),
        cmocka_unit_test(without_the_first_step),
        cmocka_unit_test(images_are_cut_into_patches),
        cmocka_unit_test(a_patch_that_does_not_fit),
    };
    return cmocka_run_group_tests_name("position", tests, NULL, test_close_device);
}
