/* GRU and LSTM against their reference: any sizes and lengths, one and both directions, several
 * layers, one input with two readers. */
#include "harness.h"
#include "node_case.h"
#include "reference_recurrent.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_LAYERS = 3, PARAMS = 4 };

typedef struct recurrent_case {
    bool lstm;
    int n, steps, inputs, hidden, layers, directions;
    bool ragged; /* lengths from 1 to steps */
} recurrent_case;

static const char *const param_names[PARAMS] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};

/* A stack of reference layers with its values. */
typedef struct stack {
    recurrent_case c;
    int *lengths;
    float *x, *dy;
    float *values[MOST_LAYERS][2][PARAMS];
    reference_recurrent layers[MOST_LAYERS];
} stack;

static double *zeros(size_t count) {
    double *values = calloc(count, sizeof *values);
    assert_non_null(values);
    return values;
}

static size_t param_count(const recurrent_case *c, int layer, int which) {
    const size_t rows = (size_t)((c->lstm ? 4 : 3) * c->hidden);
    const size_t inputs = (size_t)(layer ? c->directions * c->hidden : c->inputs);
    return rows * (which == 0 ? inputs : which == 1 ? (size_t)c->hidden : 1);
}

static double **fields_of(reference_recurrent_params *p, double **fields[PARAMS]) {
    fields[0] = &p->weight_ih;
    fields[1] = &p->weight_hh;
    fields[2] = &p->bias_ih;
    fields[3] = &p->bias_hh;
    return *fields;
}

static void make_params(stack *s, int layer, int direction) {
    double **values[PARAMS], **grads[PARAMS];
    fields_of(&s->layers[layer].params[direction], values);
    fields_of(&s->layers[layer].grads[direction], grads);
    for (int which = 0; which < PARAMS; which++) {
        const size_t count = param_count(&s->c, layer, which);
        float *numbers = test_random(count, (uint64_t)(100 + layer * 10 + direction * 5 + which));
        s->values[layer][direction][which] = numbers;
        *values[which] = node_case_widen(numbers, count);
        *grads[which] = zeros(count);
    }
}

/* Lengths that hold 1 and all steps. */
static int *make_lengths(const recurrent_case *c) {
    int *lengths = malloc((size_t)c->n * sizeof *lengths);
    assert_non_null(lengths);
    for (int i = 0; i < c->n; i++)
        lengths[i] = c->ragged ? 1 + (i * 7 + c->steps - 1) % c->steps : c->steps;
    return lengths;
}

static stack make_stack(const recurrent_case *c) {
    stack s = {.c = *c, .lengths = make_lengths(c)};
    const size_t places = (size_t)(c->n * c->steps), outputs = (size_t)(c->directions * c->hidden);
    s.x = test_random(places * (size_t)c->inputs, 1);
    s.dy = test_random(places * outputs, 2);
    for (int i = 0; i < c->layers; i++) {
        const size_t inputs = i ? outputs : (size_t)c->inputs;
        reference_recurrent *r = &s.layers[i];
        *r = (reference_recurrent){.lstm = c->lstm,
                                   .n = c->n,
                                   .steps = c->steps,
                                   .inputs = (int)inputs,
                                   .hidden = c->hidden,
                                   .directions = c->directions,
                                   .lengths = s.lengths,
                                   .x = i ? s.layers[i - 1].y
                                          : node_case_widen(s.x, places * inputs),
                                   .y = zeros(places * outputs),
                                   .dx = zeros(places * inputs)};
        for (int direction = 0; direction < c->directions; direction++)
            make_params(&s, i, direction);
    }
    return s;
}

static void free_stack(stack *s) {
    double **fields[PARAMS];
    for (int i = 0; i < s->c.layers; i++) {
        for (int direction = 0; direction < s->c.directions; direction++)
            for (int which = 0; which < PARAMS; which++) {
                free(*(fields_of(&s->layers[i].params[direction], fields), fields[which]));
                free(*(fields_of(&s->layers[i].grads[direction], fields), fields[which]));
                free(s->values[i][direction][which]);
            }
        free(s->layers[i].y);
        free(s->layers[i].dx);
    }
    free((double *)s->layers[0].x);
    free(s->lengths);
    free(s->x);
    free(s->dy);
}

static void run_reference(stack *s, double *dy) {
    for (int i = 0; i < s->c.layers; i++)
        reference_recurrent_run(&s->layers[i]);
    for (int i = s->c.layers - 1; i >= 0 && dy; i--) {
        s->layers[i].dy = i + 1 < s->c.layers ? s->layers[i + 1].dx : dy;
        reference_recurrent_run(&s->layers[i]);
    }
}

static void param_name(char name[64], const char *layer, int which, int index, int direction) {
    snprintf(name, 64, "%s.%s_l%d%s", layer, param_names[which], index,
             direction ? "_reverse" : "");
}

static void set_params(const node_case *node, const stack *s, const char *layer) {
    char name[64];
    for (int i = 0; i < s->c.layers; i++)
        for (int direction = 0; direction < s->c.directions; direction++)
            for (int which = 0; which < PARAMS; which++) {
                param_name(name, layer, which, i, direction);
                node_case_set_param(node, name, s->values[i][direction][which]);
            }
}

/* Values are at most 1 and each step passes some inputs + hidden terms through functions whose
 * slope is at most 1; sums over places are sums of that many terms of either sign. What is wrong
 * is wrong by 1e-2 and more. */
static double tolerance(const stack *s) {
    return 1e-6 * s->c.layers * sqrt((double)(s->c.n * s->c.steps)) *
           sqrt((double)(s->c.inputs + s->c.hidden));
}

static void expect_params(const node_case *node, stack *s, const char *layer) {
    double **grads[PARAMS];
    char name[64];
    for (int i = 0; i < s->c.layers; i++)
        for (int direction = 0; direction < s->c.directions; direction++)
            for (int which = 0; which < PARAMS; which++) {
                fields_of(&s->layers[i].grads[direction], grads);
                param_name(name, layer, which, i, direction);
                node_case_expect_param(node, name, *grads[which], tolerance(s));
            }
}

static const char *const layer_names[2] = {"rnn", "twin"};

static void add_stack(const recurrent_case *c, clc_graph *graph, const char *layer, clc_tensor *in,
                      clc_tensor *lengths, clc_tensor **out) {
    *out = in;
    for (int i = 0; i < c->layers; i++) {
        const clc_recurrent settings = {c->lstm, c->hidden, c->directions == 2, i};
        CHECK(clc_op_recurrent(graph, layer, *out, lengths, &settings, out));
    }
}

/* Two readers are the same layer twice. */
static void check(const recurrent_case *c, bool training, int readers) {
    const double work = (double)c->n * c->steps * c->hidden * c->layers * c->directions *
                        (c->inputs + c->hidden) * 3 * readers;
    if (!test_affordable(work))
        return;
    stack s = make_stack(c);
    const size_t outputs = (size_t)(c->n * c->steps * c->directions * c->hidden);
    const size_t inputs = (size_t)(c->n * c->steps * c->inputs);
    double *dy = node_case_widen(s.dy, outputs);
    node_case node;
    clc_tensor *in = NULL, *lengths = NULL, *out[2];
    node_case_begin(&node, training);
    CHECK(clc_graph_input(
        node.graph, "x", (clc_shape){CLC_TYPE_FLOAT32, 3, {c->n, c->steps, c->inputs}}, true, &in));
    if (c->ragged)
        CHECK(clc_graph_input(node.graph, "lengths", (clc_shape){CLC_TYPE_INT32, 1, {c->n}}, false,
                              &lengths));
    for (int i = 0; i < readers; i++)
        add_stack(c, node.graph, layer_names[i], in, lengths, &out[i]);
    node_case_build(&node);
    node_case_set(in, s.x);
    if (lengths)
        node_case_set(lengths, (const float *)s.lengths);
    for (int i = 0; i < readers; i++) {
        set_params(&node, &s, layer_names[i]);
        if (training)
            node_case_set_grad(out[i], s.dy);
    }
    node_case_forward(&node);
    if (training)
        node_case_backward(&node);
    run_reference(&s, training ? dy : NULL);
    for (int i = 0; i < readers; i++) {
        node_case_expect(&node, out[i], s.layers[c->layers - 1].y, tolerance(&s));
        if (training)
            expect_params(&node, &s, layer_names[i]);
    }
    for (size_t i = 0; i < inputs; i++)
        s.layers[0].dx[i] *= readers;
    if (training)
        node_case_expect_grad(&node, in, s.layers[0].dx, tolerance(&s) * readers);
    node_case_end(&node);
    free_stack(&s);
    free(dy);
}

static const recurrent_case cases[] = {
    {false, 1, 1, 1, 1, 1, 1, false},   {false, 5, 7, 3, 13, 1, 1, true},
    {false, 17, 4, 5, 16, 1, 1, false}, {false, 23, 3, 8, 32, 1, 2, true},
    {false, 3, 5, 7, 8, 2, 2, true},    {false, 2, 3, 4, 48, 3, 1, true},
};

static void check_all(bool lstm) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        recurrent_case c = cases[i];
        c.lstm = lstm;
        check(&c, true, 1);
    }
}

static void gru_of_every_size(void **state) {
    (void)state;
    check_all(false);
}

static void lstm_of_every_size(void **state) {
    (void)state;
    check_all(true);
}

static void without_training(void **state) {
    (void)state;
    for (int lstm = 0; lstm < 2; lstm++) {
        recurrent_case c = cases[4];
        c.lstm = lstm;
        check(&c, false, 1);
    }
}

static void two_readers_add_their_gradients(void **state) {
    (void)state;
    for (int lstm = 0; lstm < 2; lstm++) {
        recurrent_case c = cases[1];
        c.lstm = lstm;
        check(&c, true, 2);
    }
}

/* L = sum dy y. */
static double loss_of(stack *s, const double *dy) {
    const recurrent_case *c = &s->c;
    double loss = 0;
    run_reference(s, NULL);
    for (int i = 0; i < c->n * c->steps * c->directions * c->hidden; i++)
        loss += dy[i] * s->layers[c->layers - 1].y[i];
    return loss;
}

static void check_differences(stack *s, const double *dy, double *values, size_t count,
                              const double *gradient) {
    const double h = 1e-5;
    for (size_t i = 0; i < count; i++) {
        const double old = values[i];
        values[i] = old + h;
        const double above = loss_of(s, dy);
        values[i] = old - h;
        const double below = loss_of(s, dy);
        values[i] = old;
        /* Third derivatives times h^2, and rounding 1e-15 / h. */
        if (!(fabs((above - below) / (2 * h) - gradient[i]) <= 1e-7))
            fail_msg("element %zu: gradient %g, difference %g", i, gradient[i],
                     (above - below) / (2 * h));
    }
}

static void reference_agrees_with_finite_differences(void **state) {
    (void)state;
    for (int lstm = 0; lstm < 2; lstm++) {
        const recurrent_case c = {lstm, 2, 3, 2, 3, 2, 2, true};
        stack s = make_stack(&c);
        double *dy = node_case_widen(s.dy, (size_t)(c.n * c.steps * c.directions * c.hidden));
        double **values[PARAMS], **grads[PARAMS];
        run_reference(&s, dy);
        for (int i = 0; i < c.layers; i++)
            s.layers[i].dy = NULL;
        check_differences(&s, dy, (double *)s.layers[0].x, (size_t)(c.n * c.steps * c.inputs),
                          s.layers[0].dx);
        for (int i = 0; i < c.layers; i++)
            for (int direction = 0; direction < c.directions; direction++)
                for (int which = 0; which < PARAMS; which++) {
                    fields_of(&s.layers[i].params[direction], values);
                    fields_of(&s.layers[i].grads[direction], grads);
                    check_differences(&s, dy, *values[which], param_count(&c, i, which),
                                      *grads[which]);
                }
        free_stack(&s);
        free(dy);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(gru_of_every_size),
        cmocka_unit_test(lstm_of_every_size),
        cmocka_unit_test(without_training),
        cmocka_unit_test(two_readers_add_their_gradients),
    };
    return cmocka_run_group_tests_name("recurrent", tests, NULL, test_close_device);
}
