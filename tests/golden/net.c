#include "golden/golden.h"

#include "harness.h"
#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Outputs pass some ten layers with sums of up to 9 x 64 terms and batch-norm over few values;
 * Winograd's transforms lose another digit. A wrong formula shows as 1e-2 and more. */
static const double output_tolerance = 2e-4;
/* Gradients pass the layers twice, and those of convolutions are small differences of large sums
 * behind batch-norm. */
static const double gradient_tolerance = 2e-3;

typedef struct net_case {
    clc_params params;
    clc_graph *training, *inference;
    clc_tensor *x[2], *y[2]; /* training, inference */
} net_case;

static clc_resnet resnet_of(const clc_safetensors *file) {
    clc_resnet resnet = {.bottleneck =
                             !strcmp(clc_safetensors_metadata(file, "block"), "bottleneck"),
                         .width = (int)golden_number(file, "width"),
                         .small_stem = !strcmp(clc_safetensors_metadata(file, "stem"), "small")};
    resnet.stages = golden_list(file, "blocks", resnet.blocks, CLC_RESNET_STAGES);
    return resnet;
}

static void build(const clc_safetensors *file, net_case *c) {
    const clc_resnet resnet = resnet_of(file);
    const clc_st_tensor *x = golden_tensor(file, "x");
    clc_graph **graphs[2] = {&c->training, &c->inference};
    for (int i = 0; i < 2; i++) {
        CHECK(clc_graph_create(test_device(), &c->params, i == 0, graphs[i]));
        CHECK(clc_graph_input(*graphs[i], "x", (int)x->shape[0], (int)x->shape[2], (int)x->shape[3],
                              (int)x->shape[1], true, &c->x[i]));
        CHECK(clc_resnet_build(*graphs[i], "encoder", &resnet, c->x[i], &c->y[i]));
    }
    clc_params_layout(&c->params);
    CHECK(clc_params_allocate(&c->params, test_device(), true, 1));
    for (int i = 0; i < 2; i++) {
        CHECK(clc_graph_plan(*graphs[i]));
        CHECK(clc_graph_allocate(*graphs[i]));
        CHECK(clc_graph_build(*graphs[i]));
    }
}

/* Files name parameters without the branch. */
static const char *outer_name(const clc_param *param) {
    return param->name + strlen("encoder.");
}

static void load(const clc_safetensors *file, net_case *c) {
    for (size_t i = 0; i < c->params.count; i++)
        memmove(c->params.items[i].name, outer_name(&c->params.items[i]),
                strlen(outer_name(&c->params.items[i])) + 1);
    golden_load_params(file, &c->params, "param.");
}

static void upload_x(const clc_safetensors *file, clc_tensor *to) {
    const clc_st_tensor *x = golden_tensor(file, "x");
    float *nhwc = malloc(x->count * sizeof *nhwc);
    golden_to_nhwc(x->data, nhwc, x->shape[0], x->shape[1], x->shape[2], x->shape[3]);
    CHECK(clc_buffer_write(test_device(), to->value, 0, x->count * sizeof *nhwc, nhwc));
    free(nhwc);
}

static void expect(const clc_safetensors *file, const char *name, cl_mem buffer, double tolerance) {
    const clc_st_tensor *tensor = golden_tensor(file, name);
    double *want = golden_doubles(tensor);
    float *got = malloc(tensor->count * sizeof *got), *sorted = NULL;
    CHECK(clc_buffer_read(test_device(), buffer, 0, tensor->count * sizeof *got, got));
    if (tensor->rank == 4) { /* NHWC on the device: turn back */
        sorted = malloc(tensor->count * sizeof *sorted);
        golden_to_nhwc(got, sorted, tensor->shape[0], tensor->shape[2] * tensor->shape[3],
                       tensor->shape[1], 1);
    }
    bool close = test_close(name, sorted ? sorted : got, want, tensor->count, tolerance);
    free(got);
    free(sorted);
    free(want);
    assert_true(close);
}

static void expect_params(const clc_safetensors *file, const net_case *c) {
    for (size_t i = 0; i < c->params.count; i++) {
        char name[160];
        const clc_param *param = &c->params.items[i];
        const bool trained = clc_param_trainable(param);
        snprintf(name, sizeof name, "%s%s", trained ? "grad." : "after.", param->name);
        golden_expect_param(file, name, param, trained ? param->grad : param->value,
                            trained ? gradient_tolerance : output_tolerance);
    }
}

void golden_net(const clc_safetensors *file) {
    net_case c = {0};
    const clc_st_tensor *upstream = golden_tensor(file, "upstream");
    double *values = golden_doubles(upstream);
    float *floats = malloc(upstream->count * sizeof *floats);
    for (size_t i = 0; i < upstream->count; i++)
        floats[i] = (float)values[i];
    build(file, &c);
    load(file, &c);
    upload_x(file, c.x[1]);
    CHECK(clc_sequence_run(&c.inference->forward, test_device()));
    expect(file, "y_eval", c.y[1]->value, output_tolerance);
    upload_x(file, c.x[0]);
    CHECK(clc_sequence_run(&c.training->forward, test_device()));
    expect(file, "y", c.y[0]->value, output_tolerance);
    CHECK(
        clc_buffer_write(test_device(), c.y[0]->grad, 0, upstream->count * sizeof *floats, floats));
    CHECK(clc_sequence_run(&c.training->backward, test_device()));
    expect(file, "d_x", c.x[0]->grad, gradient_tolerance);
    expect_params(file, &c);
    clc_graph_free(&c.training);
    clc_graph_free(&c.inference);
    clc_params_release(&c.params, test_device());
    free(values);
    free(floats);
}
