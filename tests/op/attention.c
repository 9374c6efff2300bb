/* Attention against its reference, which holds all scores: any sizes, causal or not, padded, with
 * steps in front that lengths don't count, with scores beyond exp's range. */
#include "differences.h"
#include "harness.h"
#include "node_case.h"

#include <math.h>
#include <stdlib.h>

typedef struct attention_case {
    int n, steps, heads, width; /* width of a head */
    bool causal, padded;
    int front;
    double factor; /* of q: scores grow with it */
} attention_case;

typedef struct reference {
    const attention_case *c;
    const int *lengths;
    double *qkv, *dy, *y, *dqkv;
} reference;

static int channels(const attention_case *c) {
    return c->heads * c->width;
}

static size_t inputs(const attention_case *c) {
    return (size_t)(3 * c->n * c->steps * channels(c));
}

/* Where a head's row of q, k or v (part 0, 1, 2) lies; of y with parts = 1. */
static size_t row(const attention_case *c, int parts, int part, int i, int h, int t) {
    return (size_t)(((i * c->steps + t) * parts + part) * channels(c) + h * c->width);
}

static int length_of(const reference *r, int i) {
    const int length = r->c->padded ? r->lengths[i] + r->c->front : r->c->steps;
    return length < r->c->steps ? length : r->c->steps;
}

static int last_key(const reference *r, int i, int q) {
    return r->c->causal ? q + 1 : length_of(r, i);
}

/* The weights of the keys that query q sees; returns their number. */
static int weights_of(const reference *r, int i, int h, int q, double *weights) {
    const attention_case *c = r->c;
    const int keys = last_key(r, i, q);
    double most = -INFINITY, sum = 0;
    for (int k = 0; k < keys; k++) {
        weights[k] =
            dot(r->qkv + row(c, 3, 0, i, h, q), r->qkv + row(c, 3, 1, i, h, k), (size_t)c->width) /
            sqrt(c->width);
        most = fmax(most, weights[k]);
    }
    for (int k = 0; k < keys; k++)
        sum += weights[k] = exp(weights[k] - most);
    for (int k = 0; k < keys; k++)
        weights[k] /= sum;
    return keys;
}

static void forward_query(const reference *r, int i, int h, int q, double *weights) {
    const attention_case *c = r->c;
    const int keys = q < length_of(r, i) ? weights_of(r, i, h, q, weights) : 0;
    double *y = r->y + row(c, 1, 0, i, h, q);
    for (int d = 0; d < c->width; d++) {
        y[d] = 0;
        for (int k = 0; k < keys; k++)
            y[d] += weights[k] * r->qkv[row(c, 3, 2, i, h, k) + (size_t)d];
    }
}

static void backward_query(const reference *r, int i, int h, int q, double *weights) {
    const attention_case *c = r->c;
    const int keys = q < length_of(r, i) ? weights_of(r, i, h, q, weights) : 0;
    const size_t width = (size_t)c->width;
    const double *dy = r->dy + row(c, 1, 0, i, h, q);
    const double delta = dot(dy, r->y + row(c, 1, 0, i, h, q), width);
    for (int k = 0; k < keys; k++) {
        const double dw = dot(dy, r->qkv + row(c, 3, 2, i, h, k), width);
        const double ds = weights[k] * (dw - delta) / sqrt(c->width);
        for (size_t d = 0; d < width; d++) {
            r->dqkv[row(c, 3, 0, i, h, q) + d] += ds * r->qkv[row(c, 3, 1, i, h, k) + d];
            r->dqkv[row(c, 3, 1, i, h, k) + d] += ds * r->qkv[row(c, 3, 0, i, h, q) + d];
            r->dqkv[row(c, 3, 2, i, h, k) + d] += weights[k] * dy[d];
        }
    }
}

static void each_query(const reference *r,
                       void (*work)(const reference *, int, int, int, double *)) {
    double *weights = zeros((size_t)r->c->steps);
    for (int i = 0; i < r->c->n; i++)
        for (int h = 0; h < r->c->heads; h++)
            for (int q = 0; q < r->c->steps; q++)
                work(r, i, h, q, weights);
    free(weights);
}

static double loss(void *context) {
    const reference *r = context;
    each_query(r, forward_query);
    return dot(r->y, r->dy, inputs(r->c) / 3);
}

/* From 1 on: a sample each is as short and as long as can be. */
static int *make_lengths(const attention_case *c) {
    int *lengths = malloc((size_t)c->n * sizeof *lengths);
    assert_non_null(lengths);
    for (int i = 0; i < c->n; i++)
        lengths[i] = i == 1 ? 1 : c->steps - c->front - i * 3 % (c->steps - c->front);
    return lengths;
}

static reference make(const attention_case *c, const int *lengths, float *qkv, const float *dy) {
    const size_t count = inputs(c), third = (size_t)channels(c);
    for (size_t e = 0; e < count; e++)
        if (e % (3 * third) < third)
            qkv[e] *= (float)c->factor;
    reference r = {.c = c,
                   .lengths = lengths,
                   .qkv = node_case_widen(qkv, count),
                   .dy = node_case_widen(dy, count / 3),
                   .y = zeros(count / 3),
                   .dqkv = zeros(count)};
    each_query(&r, forward_query);
    each_query(&r, backward_query);
    return r;
}

static void release(reference *r) {
    free(r->qkv);
    free(r->dy);
    free(r->y);
    free(r->dqkv);
}

static void reference_agrees_with_finite_differences(void **state) {
    static const attention_case cases[] = {{2, 5, 2, 3, false, false, 0, 1},
                                           {2, 5, 1, 4, true, false, 0, 1},
                                           {3, 4, 2, 2, false, true, 1, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const attention_case *c = &cases[i];
        int *lengths = make_lengths(c);
        float *qkv = test_random(inputs(c), 1), *dy = test_random(inputs(c) / 3, 2);
        reference r = make(c, lengths, qkv, dy);
        check_differences("qkv", loss, &r, r.qkv, inputs(c), r.dqkv);
        release(&r);
        free(lengths);
        free(qkv);
        free(dy);
    }
}

/* Steps beyond the length hold what they like, as long as it is a number. */
static void fill_padding(const attention_case *c, const reference *r, float *qkv) {
    for (int i = 0; i < c->n; i++)
        for (int t = length_of(r, i); t < c->steps; t++)
            for (int e = 0; e < 3 * channels(c); e++)
                qkv[row(c, 3, 0, i, 0, t) + (size_t)e] = 1e30f;
}

static void check(const attention_case *c) {
    node_case node;
    clc_tensor *in = NULL, *lengths = NULL, *out = NULL;
    if (!test_affordable(7.0 * c->n * c->steps * c->steps * channels(c)))
        return;
    const clc_attention settings = {c->heads, c->causal, c->front};
    int *valid = make_lengths(c);
    float *qkv = test_random(inputs(c), 1), *dy = test_random(inputs(c) / 3, 2);
    reference r = make(c, valid, qkv, dy);
    fill_padding(c, &r, qkv);
    node_case_begin(&node, true);
    CHECK(clc_graph_input(node.graph, "qkv", clc_shape_sequences(c->n, c->steps, 3 * channels(c)),
                          true, &in));
    if (c->padded)
        CHECK(clc_graph_input(node.graph, "lengths", clc_shape_lengths(c->n), false, &lengths));
    CHECK(clc_op_attention(node.graph, "attention", &settings, in, lengths, &out));
    node_case_build(&node);
    node_case_set(in, qkv);
    if (c->padded)
        node_case_set(lengths, (const float *)valid);
    node_case_forward(&node);
    /* Scores of up to s are off by s width roundings, and so, relatively, are the weights. */
    const double scores = c->factor * sqrt(c->width);
    const double tolerance = 1e-6 + 3e-7 * scores * sqrt(c->width);
    node_case_expect(&node, out, r.y, tolerance);
    node_case_set_grad(out, dy);
    node_case_backward(&node);
    /* dk is a sum over all queries of products with q. */
    node_case_expect_grad(&node, in, r.dqkv, 4 * tolerance * fmax(1, c->factor) * sqrt(c->steps));
    node_case_end(&node);
    release(&r);
    free(valid);
    free(qkv);
    free(dy);
}

static void all_sizes(void **state) {
    static const int sizes[][4] = {{1, 1, 1, 1},   {2, 5, 1, 3},   {3, 16, 2, 8},
                                   {2, 17, 3, 3},  {1, 31, 2, 16}, {2, 32, 1, 8},
                                   {1, 33, 2, 64}, {1, 65, 1, 16}, {1, 9, 1, 80}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int causal = 0; causal < 2; causal++) {
            const attention_case c = {sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3],
                                      causal,      false,       0,           1};
            check(&c);
        }
}

static void padded_samples(void **state) {
    (void)state;
    for (int causal = 0; causal < 2; causal++) {
        check(&(attention_case){5, 9, 2, 3, causal, true, 0, 1});
        check(&(attention_case){4, 37, 1, 16, causal, true, 0, 1});
    }
}

static void steps_in_front(void **state) {
    (void)state;
    check(&(attention_case){4, 18, 2, 8, false, true, 1, 1});
}

static void large_scores(void **state) {
    (void)state;
    for (int causal = 0; causal < 2; causal++)
        check(&(attention_case){2, 21, 2, 16, causal, true, 0, 100});
}

/* Every second sample is no number at all; what stands in private memory behind the valid rows of
 * the others is its own rest. */
static void samples_know_nothing_of_each_other(void **state) {
    enum { N = 32, T = 6, D = 16 };
    node_case node;
    clc_tensor *in = NULL, *lengths = NULL, *out = NULL;
    const clc_attention settings = {.heads = 1};
    int valid[N];
    float *qkv = test_random(N * T * 3 * D, 1), *dy = test_random(N * T * D, 2);
    (void)state;
    for (int i = 0; i < N; i++) {
        valid[i] = i % 2 ? T - 1 : T;
        for (int e = 0; e < T * 3 * D && i % 2 == 0; e++)
            qkv[i * T * 3 * D + e] = INFINITY;
    }
    node_case_begin(&node, true);
    CHECK(clc_graph_input(node.graph, "qkv", clc_shape_sequences(N, T, 3 * D), true, &in));
    CHECK(clc_graph_input(node.graph, "lengths", clc_shape_lengths(N), false, &lengths));
    CHECK(clc_op_attention(node.graph, "attention", &settings, in, lengths, &out));
    node_case_build(&node);
    node_case_set(in, qkv);
    node_case_set(lengths, (const float *)valid);
    node_case_forward(&node);
    node_case_set_grad(out, dy);
    node_case_backward(&node);
    CHECK(clc_buffer_read(test_device(), out->value, 0, N * T * D * sizeof *dy, dy));
    CHECK(clc_buffer_read(test_device(), in->grad, 0, N * T * 3 * D * sizeof *qkv, qkv));
    for (int i = 1; i < N; i += 2) {
        for (int e = 0; e < T * D; e++)
            assert_true(e < (T - 1) * D ? isfinite(dy[i * T * D + e]) : dy[i * T * D + e] == 0);
        for (int e = 0; e < T * 3 * D; e++)
            assert_true(isfinite(qkv[i * T * 3 * D + e]));
    }
    node_case_end(&node);
    free(qkv);
    free(dy);
}

static void heads_that_do_not_divide(void **state) {
    node_case c;
    clc_tensor *in = NULL, *out = NULL;
    const clc_attention settings = {.heads = 3};
    (void)state;
    node_case_begin(&c, true);
    CHECK(clc_graph_input(c.graph, "qkv", clc_shape_sequences(1, 2, 3 * 8), true, &in));
    assert_int_equal(clc_op_attention(c.graph, "attention", &settings, in, NULL, &out),
                     CLC_INVALID);
    node_case_build(&c);
    node_case_end(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(all_sizes),
        cmocka_unit_test(padded_samples),
        cmocka_unit_test(steps_in_front),
        cmocka_unit_test(large_scores),
        cmocka_unit_test(samples_know_nothing_of_each_other),
        cmocka_unit_test(heads_that_do_not_divide),
    };
    return cmocka_run_group_tests_name("attention", tests, NULL, test_close_device);
}
