/* What methods keep between steps, queues and running averages, against plain references. */
#include "harness.h"

#include "method/queue.h"
#include "optim/optim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *widen(const float *values, size_t count) {
    double *wide = malloc(count * sizeof *wide);
    assert_non_null(wide);
    for (size_t i = 0; i < count; i++)
        wide[i] = (double)values[i];
    return wide;
}

/* Rows of z, of length 1, from row `position` on, and from the queue's beginning behind its end. */
static void push(int size, int dim, int rows, unsigned position) {
    clc_device *device = test_device();
    const size_t all = (size_t)size * (size_t)dim, added = (size_t)rows * (size_t)dim;
    float *old = test_random(all, 1), *z = test_random(added, 2), state[2] = {0, 0};
    double *want = widen(old, all);
    memset(z, 0, (size_t)dim * sizeof *z); /* has no direction: stays 0 */
    memcpy(&state[1], &position, sizeof position);
    for (int r = 0; r < rows; r++) {
        const float *from = z + (size_t)r * (size_t)dim;
        double squares = 0;
        for (int k = 0; k < dim; k++)
            squares += (double)from[k] * (double)from[k];
        for (int k = 0; k < dim; k++)
            want[((position + (unsigned)r) % (unsigned)size) * (unsigned)dim + (unsigned)k] =
                (double)from[k] / fmax(sqrt(squares), 1e-12);
    }
    test_buffer queue = test_buffer_make("queue", old, all);
    test_buffer in = test_buffer_make("z", z, added), at = test_buffer_make("state", state, 2);
    const clc_queue q = {.size = size, .dim = dim, .data = queue.mem};
    clc_sequence sequence = {0};
    CHECK(clc_queue_push_build(&sequence, device, &q, in.mem, at.mem, rows));
    test_run(&sequence);
    test_expect(&queue, want, 6e-8 * (4 + sqrt(dim)));
    test_buffer_release(&queue);
    test_buffer_release(&in);
    test_buffer_release(&at);
    free(old);
    free(z);
    free(want);
}

static void a_queue_takes_rows_and_begins_again(void **state) {
    (void)state;
    push(1, 1, 1, 0);
    push(17, 5, 7, 0);
    push(64, 128, 48, 40);
    push(131, 67, 131, 130);
}

/* The queue's row of the largest product; the first of several. */
static void nearest(int size, int dim, int rows) {
    clc_device *device = test_device();
    const size_t all = (size_t)size * (size_t)dim, asked = (size_t)rows * (size_t)dim;
    float *data = test_random(all, 3), *z = test_random(asked, 4);
    double *want = malloc(asked * sizeof *want);
    assert_non_null(want);
    memcpy(data + all - (size_t)dim, data, (size_t)dim * sizeof *data); /* a tie */
    for (int r = 0; r < rows; r++) {
        int best = 0;
        double most = -INFINITY;
        for (int i = 0; i < size; i++) {
            double sum = 0;
            for (int k = 0; k < dim; k++)
                sum += (double)z[r * dim + k] * (double)data[i * dim + k];
            if (sum > most) {
                most = sum;
                best = i;
            }
        }
        for (int k = 0; k < dim; k++)
            want[r * dim + k] = (double)data[best * dim + k];
    }
    test_buffer queue = test_buffer_make("queue", data, all), in = test_buffer_make("z", z, asked);
    test_buffer out = test_buffer_make("nearest", NULL, asked);
    test_buffer scores = test_buffer_make("scores", NULL, (size_t)rows * (size_t)size);
    const clc_queue q = {.size = size, .dim = dim, .data = queue.mem};
    test_buffer space = test_buffer_make(
        "gemm", NULL, clc_queue_nearest_workspace(device, &q, rows) / sizeof(float));
    clc_sequence sequence = {0};
    CHECK(clc_queue_nearest_build(&sequence, device, &q, in.mem, out.mem, space.mem, scores.mem,
                                  rows));
    test_run(&sequence);
    test_expect(&out, want, 0);
    test_buffer *const buffers[] = {&queue, &in, &out, &scores, &space};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        test_buffer_release(buffers[i]);
    free(data);
    free(z);
    free(want);
}

static void the_nearest_of_a_queue_is_found(void **state) {
    (void)state;
    nearest(1, 3, 2);
    nearest(67, 16, 33);
    nearest(300, 128, 5);
}

enum { FLOATS = 16 * 1237 }; /* whole vectors of any device */

static void a_teacher_follows(void **state) {
    (void)state;
    float *average = test_random(FLOATS, 5), *value = test_random(FLOATS, 6);
    float hyper[8] = {NAN, NAN, NAN, 0.99f, NAN, NAN, NAN, NAN};
    double *want = widen(average, FLOATS);
    for (size_t i = 0; i < FLOATS; i++)
        want[i] = (double)hyper[3] * want[i] + (1 - (double)hyper[3]) * (double)value[i];
    test_buffer to = test_buffer_make("average", average, FLOATS);
    test_buffer from = test_buffer_make("value", value, FLOATS);
    test_buffer rates = test_buffer_make("hyper", hyper, 8);
    clc_sequence sequence = {0};
    CHECK(clc_average_build(&sequence, test_device(), to.mem, from.mem, rates.mem, FLOATS));
    test_run(&sequence);
    test_expect(&to, want, 2e-7);
    test_buffer_release(&to);
    test_buffer_release(&from);
    test_buffer_release(&rates);
    free(average);
    free(value);
    free(want);
}

/* The first of several parts sets the sum, the last hands it back as the gradient. */
static void gradients_of_parts_add_up(void **state) {
    (void)state;
    float *part = test_random(FLOATS, 7);
    double *zero = calloc(FLOATS, sizeof *zero), *twice = widen(part, FLOATS);
    assert_non_null(zero);
    test_buffer sum = test_buffer_make("sum", NULL, FLOATS);
    test_buffer grad = test_buffer_make("grad", part, FLOATS);
    for (int last = 0; last < 2; last++) {
        clc_sequence sequence = {0};
        CHECK(clc_buffer_write(test_device(), grad.mem, 0, FLOATS * sizeof *part, part));
        CHECK(
            clc_accumulate_build(&sequence, test_device(), sum.mem, grad.mem, FLOATS, !last, last));
        test_run(&sequence);
        for (size_t i = 0; last && i < FLOATS; i++)
            twice[i] *= 2;
        test_expect(&grad, last ? twice : zero, 0);
        test_expect(&sum, twice, 0);
    }
    test_buffer_release(&sum);
    test_buffer_release(&grad);
    free(part);
    free(zero);
    free(twice);
}

static void a_learned_scale_stays_in_its_range(void **state) {
    (void)state;
    const float values[5] = {-3, 0.5f, 0.25f, 7, 1};
    const double want[5] = {0.25, 0.5, 0.25, 1, 1};
    test_buffer buffer = test_buffer_make("scale", values, 5);
    clc_sequence sequence = {0};
    CHECK(clc_clamp_build(&sequence, test_device(), buffer.mem, 5, 0.25, 1));
    test_run(&sequence);
    test_expect(&buffer, want, 0);
    test_buffer_release(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_takes_rows_and_begins_again),
        cmocka_unit_test(the_nearest_of_a_queue_is_found),
        cmocka_unit_test(a_teacher_follows),
        cmocka_unit_test(gradients_of_parts_add_up),
        cmocka_unit_test(a_learned_scale_stays_in_its_range),
    };
    return cmocka_run_group_tests(tests, NULL, test_close_device);
}
