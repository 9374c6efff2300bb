#include "golden/golden.h"

#include "harness.h"
#include "op/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values and gradients pass some hundred terms at most. A wrong formula shows as 1e-2 and more. */
static const double tolerance = 1e-5;
/* Scores of 100 and more are rounded to 1e-5 before their exponential is taken. */
static const double attention_tolerance = 1e-4;

/* A graph of one op on inputs that the file holds. */
typedef struct op_case {
    const clc_safetensors *file;
    clc_params params;
    clc_graph *graph;
    clc_tensor *out;
} op_case;

static void begin(op_case *c, const clc_safetensors *file) {
    *c = (op_case){.file = file};
    CHECK(clc_graph_create(test_device(), &c->params, true, &c->graph));
}

static void build(op_case *c) {
    clc_params_layout(&c->params);
    CHECK(clc_params_allocate(&c->params, test_device(), true, 0));
    CHECK(clc_graph_plan(c->graph));
    CHECK(clc_graph_allocate(c->graph));
    CHECK(clc_graph_build(c->graph));
}

static void end(op_case *c) {
    clc_graph_free(&c->graph);
    clc_params_release(&c->params, test_device());
}

/* (rows,channels), of a tensor of any rank. */
static clc_shape rows_of(const clc_st_tensor *tensor) {
    const size_t channels = tensor->shape[tensor->rank - 1];
    return clc_shape_rows((int)(tensor->count / channels), (int)channels);
}

static void expect(const op_case *c, const char *name, const float *got, double limit) {
    const clc_st_tensor *tensor = golden_tensor(c->file, name);
    double *want = golden_doubles(tensor);
    const bool close = test_close(name, got, want, tensor->count, limit);
    free(want);
    assert_true(close);
}

static void expect_buffer(const op_case *c, const char *name, cl_mem buffer) {
    const size_t count = golden_tensor(c->file, name)->count;
    float *got = malloc(count * sizeof *got);
    CHECK(clc_buffer_read(test_device(), buffer, 0, count * sizeof *got, got));
    expect(c, name, got, tolerance);
    free(got);
}

static void forward(const op_case *c) {
    CHECK(clc_sequence_run(&c->graph->forward, test_device()));
}

/* What forward has left need not be there any more behind it. */
static void backward(const op_case *c, const float *upstream) {
    CHECK(clc_buffer_write(test_device(), c->out->grad, 0, c->out->count * sizeof *upstream,
                           upstream));
    CHECK(clc_sequence_run(&c->graph->backward, test_device()));
}

/* Both directions, from what has been uploaded; y has the file's layout. */
static void run_file(const op_case *c) {
    float *upstream = golden_floats(golden_tensor(c->file, "upstream"));
    forward(c);
    expect_buffer(c, "y", c->out->value);
    backward(c, upstream);
    free(upstream);
}

/* Parameters "op.<name>" are what the file holds as <name>. */
static void load_params(op_case *c) {
    for (size_t i = 0; i < c->params.count; i++) {
        char *name = c->params.items[i].name;
        memmove(name, name + strlen("op."), strlen(name + strlen("op.")) + 1);
    }
    golden_load_params(c->file, &c->params, "");
}

static void expect_params(const op_case *c) {
    for (size_t i = 0; i < c->params.count; i++) {
        char name[160];
        snprintf(name, sizeof name, "d_%s", c->params.items[i].name);
        assert_true(golden_param_close(c->file, name, &c->params.items[i], c->params.items[i].grad,
                                       tolerance));
    }
}

/* An op of one input x. */
static void one_input(op_case *c, clc_tensor *x) {
    build(c);
    golden_upload(golden_tensor(c->file, "x"), x);
    load_params(c);
    run_file(c);
    expect_buffer(c, "d_x", x->grad);
    expect_params(c);
}

static void layer_norm(op_case *c) {
    clc_tensor *x = NULL;
    CHECK(clc_graph_input(c->graph, "x", rows_of(golden_tensor(c->file, "x")), true, &x));
    CHECK(clc_op_layernorm(c->graph, "op", x, (float)golden_number(c->file, "eps"), &c->out));
    one_input(c, x);
}

static void gelu_of(op_case *c, bool quick) {
    clc_tensor *x = NULL;
    CHECK(clc_graph_input(c->graph, "x", rows_of(golden_tensor(c->file, "x")), true, &x));
    CHECK(clc_op_gelu(c->graph, "op", x, quick, &c->out));
    one_input(c, x);
}

static void gelu(op_case *c) {
    gelu_of(c, false);
}

static void quick_gelu(op_case *c) {
    gelu_of(c, true);
}

static void embedding(op_case *c) {
    const clc_st_tensor *ids = golden_tensor(c->file, "ids");
    const clc_st_tensor *weight = golden_tensor(c->file, "weight");
    clc_tensor *in = NULL;
    CHECK(clc_graph_input(c->graph, "ids", clc_shape_tokens((int)ids->shape[0], (int)ids->shape[1]),
                          false, &in));
    CHECK(clc_op_embedding(c->graph, "op", in, (int)weight->shape[0], (int)weight->shape[1],
                           &c->out));
    build(c);
    golden_upload_ints(ids, in);
    float *table = golden_floats(weight);
    CHECK(clc_param_import(&c->params.items[0], test_device(), table));
    free(table);
    run_file(c);
    expect_buffer(c, "d_weight", c->params.items[0].grad);
}

/* The device has (N,T,parts,heads,d), files have `parts` tensors (N,heads,T,d). */
typedef struct heads_layout {
    size_t n, heads, steps, width, parts;
} heads_layout;

static size_t place_of(const heads_layout *l, size_t element, size_t part) {
    const size_t e = element % l->width, t = element / l->width % l->steps;
    const size_t h = element / l->width / l->steps % l->heads;
    const size_t i = element / l->width / l->steps / l->heads;
    return (((i * l->steps + t) * l->parts + part) * l->heads + h) * l->width + e;
}

static float *to_device_layout(const op_case *c, const heads_layout *l, const char *const *names) {
    const size_t each = l->n * l->heads * l->steps * l->width;
    float *all = malloc(each * l->parts * sizeof *all);
    for (size_t part = 0; part < l->parts; part++) {
        float *values = golden_floats(golden_tensor(c->file, names[part]));
        for (size_t e = 0; e < each; e++)
            all[place_of(l, e, part)] = values[e];
        free(values);
    }
    return all;
}

static void expect_heads(const op_case *c, const heads_layout *l, const char *const *names,
                         cl_mem buffer) {
    const size_t each = l->n * l->heads * l->steps * l->width, bytes = each * sizeof(float);
    float *all = malloc(bytes * l->parts), *values = malloc(bytes);
    CHECK(clc_buffer_read(test_device(), buffer, 0, bytes * l->parts, all));
    for (size_t part = 0; part < l->parts; part++) {
        for (size_t e = 0; e < each; e++)
            values[e] = all[place_of(l, e, part)];
        expect(c, names[part], values, attention_tolerance);
    }
    free(all);
    free(values);
}

static void attention(op_case *c) {
    static const char *const inputs[] = {"q", "k", "v"}, *const gradients[] = {"d_q", "d_k", "d_v"};
    static const char *const y[] = {"y"}, *const dy[] = {"upstream"};
    const clc_st_tensor *q = golden_tensor(c->file, "q");
    const char *mask = clc_safetensors_metadata(c->file, "mask");
    const bool padding = mask && !strcmp(mask, "padding");
    const heads_layout in = {q->shape[0], q->shape[1], q->shape[2], q->shape[3], 3};
    heads_layout out = in;
    const int n = (int)in.n, steps = (int)in.steps;
    const clc_attention settings = {.heads = (int)in.heads,
                                    .causal = mask && !strcmp(mask, "causal")};
    clc_tensor *qkv = NULL, *lengths = NULL;
    out.parts = 1;
    CHECK(clc_graph_input(c->graph, "qkv",
                          clc_shape_sequences(n, steps, 3 * (int)(in.heads * in.width)), true,
                          &qkv));
    if (padding)
        CHECK(clc_graph_input(c->graph, "lengths", clc_shape_lengths(n), false, &lengths));
    CHECK(clc_op_attention(c->graph, "op", &settings, qkv, lengths, &c->out));
    build(c);
    if (padding)
        golden_upload_ints(golden_tensor(c->file, "lengths"), lengths);
    float *values = to_device_layout(c, &in, inputs), *upstream = to_device_layout(c, &out, dy);
    CHECK(clc_buffer_write(test_device(), qkv->value, 0, qkv->count * sizeof *values, values));
    forward(c);
    expect_heads(c, &out, y, c->out->value);
    backward(c, upstream);
    expect_heads(c, &in, gradients, qkv->grad);
    free(values);
    free(upstream);
}

/* Files have (N,C,T), the device (N,T,C). */
static float *steps_last_but_one(const op_case *c, const char *name) {
    const clc_st_tensor *tensor = golden_tensor(c->file, name);
    float *values = golden_floats(tensor), *turned = malloc(tensor->count * sizeof *turned);
    golden_to_nhwc(values, turned, tensor->shape[0], tensor->shape[1], tensor->shape[2], 1);
    free(values);
    return turned;
}

static void expect_turned(const op_case *c, const char *name, cl_mem buffer) {
    const clc_st_tensor *tensor = golden_tensor(c->file, name);
    const size_t bytes = tensor->count * sizeof(float);
    float *got = malloc(bytes), *turned = malloc(bytes);
    CHECK(clc_buffer_read(test_device(), buffer, 0, bytes, got));
    golden_to_nhwc(got, turned, tensor->shape[0], tensor->shape[2], tensor->shape[1], 1);
    expect(c, name, turned, tolerance);
    free(got);
    free(turned);
}

static void conv1d(op_case *c) {
    const clc_st_tensor *x = golden_tensor(c->file, "x");
    const clc_conv1d settings = {.filters = (int)golden_tensor(c->file, "bias")->count,
                                 .kernel = (int)golden_number(c->file, "kernel"),
                                 .stride = (int)golden_number(c->file, "stride"),
                                 .pad = (int)golden_number(c->file, "padding"),
                                 .dilation = clc_safetensors_metadata(c->file, "dilation")
                                                 ? (int)golden_number(c->file, "dilation")
                                                 : 1};
    float *values = steps_last_but_one(c, "x"), *upstream = steps_last_but_one(c, "upstream");
    clc_tensor *in = NULL;
    CHECK(clc_graph_input(c->graph, "x",
                          clc_shape_sequences((int)x->shape[0], (int)x->shape[2], (int)x->shape[1]),
                          true, &in));
    CHECK(clc_op_conv1d(c->graph, "op", in, NULL, &settings, &c->out));
    build(c);
    CHECK(clc_buffer_write(test_device(), in->value, 0, in->count * sizeof *values, values));
    load_params(c);
    forward(c);
    expect_turned(c, "y", c->out->value);
    backward(c, upstream);
    expect_turned(c, "d_x", in->grad);
    expect_params(c);
    free(values);
    free(upstream);
}

static const struct {
    const char *name;
    void (*run)(op_case *c);
} ops[] = {{"layer_norm", layer_norm}, {"gelu", gelu},           {"quick_gelu", quick_gelu},
           {"embedding", embedding},   {"attention", attention}, {"conv1d", conv1d}};
enum { OPS = sizeof ops / sizeof *ops };

static int find(const char *name) {
    int i = 0;
    while (i < OPS && strcmp(ops[i].name, name) != 0)
        i++;
    return i;
}

bool golden_op_known(const char *name) {
    return find(name) < OPS;
}

void golden_op(const clc_safetensors *file) {
    op_case c;
    begin(&c, file);
    ops[find(clc_safetensors_metadata(file, "name"))].run(&c);
    end(&c);
}
