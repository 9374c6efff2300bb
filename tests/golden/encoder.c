#include "golden/golden.h"

#include "harness.h"
#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Some ten layers of float32; PyTorch's own are within 5e-6. A wrong formula shows as 1e-2. */
static const double tolerance = 5e-5;

typedef struct encoder_case {
    const clc_safetensors *file;
    clc_params params;
    clc_graph *graph;
    clc_net_input in;
    clc_tensor *features;
} encoder_case;

static const char *text(const clc_safetensors *file, const char *key) {
    const char *value = clc_safetensors_metadata(file, key);
    return value ? value : "";
}

/* 0 where the file doesn't say it. */
static int number(const clc_safetensors *file, const char *key) {
    return *text(file, key) ? (int)golden_number(file, key) : 0;
}

static int pooling_of(const clc_safetensors *file) {
    const char *pooling = text(file, "pooling");
    return !strcmp(pooling, "mean")    ? CLC_CONFIG_POOLING_MEAN
           : !strcmp(pooling, "last")  ? CLC_CONFIG_POOLING_LAST
           : !strcmp(pooling, "class") ? CLC_CONFIG_POOLING_CLASS
                                       : CLC_CONFIG_POOLING_AUTO;
}

static clc_config_encoder settings(const clc_safetensors *file) {
    const int width = number(file, "width"), mlp = number(file, "mlp");
    const bool quick = !strcmp(text(file, "activation"), "quick_gelu");
    return (clc_config_encoder){
        .name = CLC_CONFIG_ENCODER_vit, /* whose size the keys say */
        .width = width ? width : number(file, "hidden"),
        .embedding = number(file, "channels"),
        .depth = number(file, "layers"),
        .heads = number(file, "heads"),
        .mlp_ratio = mlp ? (double)mlp / width : 4,
        .activation = quick ? CLC_CONFIG_ACTIVATION_QUICK_GELU : CLC_CONFIG_ACTIVATION_GELU,
        .patch = number(file, "patch"),
        .bidirectional =
            *text(file, "causal") ? !number(file, "causal") : number(file, "bidirectional") != 0,
        .pooling = pooling_of(file),
        .output = number(file, "output"),
        .context = number(file, "context")};
}

static clc_kind kind_of(const clc_safetensors *file) {
    const char *input = text(file, "input");
    return !strcmp(input, "tokens")   ? CLC_KIND_TOKENS
           : !strcmp(input, "series") ? CLC_KIND_SERIES
                                      : CLC_KIND_IMAGES;
}

static void add_inputs(encoder_case *c) {
    const bool tokens = kind_of(c->file) == CLC_KIND_TOKENS;
    const clc_st_tensor *x = golden_tensor(c->file, tokens ? "ids" : "x");
    const int *s = (const int[4]){(int)x->shape[0], (int)x->shape[1], (int)x->shape[2],
                                  x->rank == 4 ? (int)x->shape[3] : 0};
    c->in = (clc_net_input){.kind = kind_of(c->file), .vocabulary = number(c->file, "vocabulary")};
    const clc_shape shape = tokens         ? clc_shape_tokens(s[0], s[1])
                            : x->rank == 3 ? clc_shape_sequences(s[0], s[1], s[2])
                                           : clc_shape_images(s[0], s[2], s[3], s[1]);
    CHECK(clc_graph_input(c->graph, "x", shape, true, &c->in.values));
    if (c->in.kind != CLC_KIND_IMAGES)
        CHECK(clc_graph_input(c->graph, "lengths", clc_shape_lengths(s[0]), false, &c->in.lengths));
}

static void build(encoder_case *c) {
    const clc_config_encoder encoder = settings(c->file);
    CHECK(clc_graph_create(test_device(), &c->params, true, &c->graph));
    add_inputs(c);
    CHECK(
        clc_net_build(c->graph, "encoder", text(c->file, "name"), &encoder, &c->in, &c->features));
    clc_params_layout(&c->params);
    CHECK(clc_params_allocate(&c->params, test_device(), true, 0));
    CHECK(clc_graph_plan(c->graph));
    CHECK(clc_graph_allocate(c->graph));
    CHECK(clc_graph_build(c->graph));
    for (size_t i = 0; i < c->params.count; i++) {
        char *name = c->params.items[i].name;
        memmove(name, name + strlen("encoder."), strlen(name + strlen("encoder.")) + 1);
    }
    golden_load_params(c->file, &c->params, "param.");
}

static void upload(const encoder_case *c) {
    const bool images = c->in.kind == CLC_KIND_IMAGES;
    if (c->in.kind == CLC_KIND_TOKENS)
        golden_upload_ints(golden_tensor(c->file, "ids"), c->in.values);
    else
        golden_upload(golden_tensor(c->file, "x"), c->in.values);
    if (!images)
        golden_upload_ints(golden_tensor(c->file, "lengths"), c->in.lengths);
}

static bool close_to(const encoder_case *c, const char *name, cl_mem buffer) {
    const clc_st_tensor *tensor = golden_tensor(c->file, name);
    double *want = golden_doubles(tensor);
    float *got = golden_download(tensor, buffer);
    const bool close = test_close(name, got, want, tensor->count, tolerance);
    free(got);
    free(want);
    return close;
}

static bool params_close(const encoder_case *c) {
    bool close = true;
    for (size_t i = 0; i < c->params.count; i++) {
        char name[160];
        const clc_param *param = &c->params.items[i];
        snprintf(name, sizeof name, "grad.%s", param->name);
        close &= golden_param_close(c->file, name, param, param->grad, tolerance);
    }
    return close;
}

bool golden_encoder_known(const char *name) {
    return strcmp(name, "resnet") != 0 && clc_net_find(name) != NULL;
}

void golden_encoder(const clc_safetensors *file) {
    encoder_case c = {.file = file};
    build(&c);
    upload(&c);
    float *upstream = golden_floats(golden_tensor(file, "upstream"));
    CHECK(clc_sequence_run(&c.graph->forward, test_device()));
    bool close = close_to(&c, "y", c.features->value);
    CHECK(clc_buffer_write(test_device(), c.features->grad, 0, c.features->count * sizeof *upstream,
                           upstream));
    CHECK(clc_sequence_run(&c.graph->backward, test_device()));
    close &= params_close(&c);
    if (c.in.kind != CLC_KIND_TOKENS)
        close &= close_to(&c, "d_x", c.in.values->grad);
    free(upstream);
    clc_graph_free(&c.graph);
    clc_params_release(&c.params, test_device());
    assert_true(close);
}
