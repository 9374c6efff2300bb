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

static clc_config_encoder encoder_of(const clc_safetensors *file) {
    const bool bottleneck = !strcmp(clc_safetensors_metadata(file, "block"), "bottleneck");
    const bool small = !strcmp(clc_safetensors_metadata(file, "stem"), "small");
    clc_config_encoder encoder = {.name = CLC_CONFIG_ENCODER_CUSTOM,
                                  .block = bottleneck ? CLC_CONFIG_BLOCK_BOTTLENECK
                                                      : CLC_CONFIG_BLOCK_BASIC,
                                  .width = (int)golden_number(file, "width"),
                                  .stem = small ? CLC_CONFIG_STEM_SMALL : CLC_CONFIG_STEM_LARGE};
    encoder.blocks.count =
        (size_t)golden_list(file, "blocks", encoder.blocks.values, CLC_CONFIG_LIST_MAX);
    return encoder;
}

static void build(const clc_safetensors *file, net_case *c) {
    const clc_config_encoder encoder = encoder_of(file);
    const clc_st_tensor *x = golden_tensor(file, "x");
    clc_graph **graphs[2] = {&c->training, &c->inference};
    for (int i = 0; i < 2; i++) {
        CHECK(clc_graph_create(test_device(), &c->params, i == 0, graphs[i]));
        CHECK(clc_graph_input(*graphs[i], "x",
                              clc_shape_images((int)x->shape[0], (int)x->shape[2], (int)x->shape[3],
                                               (int)x->shape[1]),
                              true, &c->x[i]));
        const clc_net_input in = clc_net_images(c->x[i]);
        CHECK(clc_net_resnet.build(*graphs[i], "encoder", &encoder, &in, &c->y[i]));
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

static void rename_params(clc_params *params) {
    for (size_t i = 0; i < params->count; i++)
        memmove(params->items[i].name, outer_name(&params->items[i]),
                strlen(outer_name(&params->items[i])) + 1);
}

static void upload_x(const clc_safetensors *file, clc_tensor *to, int attempt) {
    const clc_st_tensor *x = golden_tensor(file, "x");
    float *nhwc = malloc(x->count * sizeof *nhwc);
    golden_to_nhwc(x->data, nhwc, x->shape[0], x->shape[1], x->shape[2], x->shape[3]);
    golden_nudge(nhwc, x->count, attempt);
    CHECK(clc_buffer_write(test_device(), to->value, 0, x->count * sizeof *nhwc, nhwc));
    free(nhwc);
}

static bool is_close(const clc_safetensors *file, const char *name, cl_mem buffer,
                     double tolerance) {
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
    return close;
}

static bool params_close(const clc_safetensors *file, const net_case *c) {
    bool close = true;
    for (size_t i = 0; i < c->params.count; i++) {
        char name[160];
        const clc_param *param = &c->params.items[i];
        const bool trained = clc_param_trainable(param);
        snprintf(name, sizeof name, "%s%s", trained ? "grad." : "after.", param->name);
        close = close && golden_param_close(file, name, param, trained ? param->grad : param->value,
                                            trained ? gradient_tolerance : output_tolerance);
    }
    return close;
}

/* Runs both graphs; whether all that the file holds is close. */
static bool run(const clc_safetensors *file, const net_case *c, int attempt) {
    const clc_st_tensor *tensor = golden_tensor(file, "upstream");
    double *values = golden_doubles(tensor);
    float *upstream = malloc(tensor->count * sizeof *upstream);
    for (size_t i = 0; i < tensor->count; i++)
        upstream[i] = (float)values[i];
    upload_x(file, c->x[1], attempt);
    CHECK(clc_sequence_run(&c->inference->forward, test_device()));
    bool close = is_close(file, "y_eval", c->y[1]->value, output_tolerance);
    upload_x(file, c->x[0], attempt);
    CHECK(clc_sequence_run(&c->training->forward, test_device()));
    close = close && is_close(file, "y", c->y[0]->value, output_tolerance);
    CHECK(clc_buffer_write(test_device(), c->y[0]->grad, 0, tensor->count * sizeof *upstream,
                           upstream));
    CHECK(clc_sequence_run(&c->training->backward, test_device()));
    close = close && is_close(file, "d_x", c->x[0]->grad, gradient_tolerance);
    close = close && params_close(file, c);
    free(values);
    free(upstream);
    return close;
}

void golden_net(const clc_safetensors *file) {
    net_case c = {0};
    bool close = false;
    build(file, &c);
    rename_params(&c.params);
    for (int attempt = 0; attempt < golden_attempts() && !close; attempt++) {
        golden_load_params(file, &c.params, "param.");
        close = run(file, &c, attempt);
        golden_report(attempt, close);
    }
    clc_graph_free(&c.training);
    clc_graph_free(&c.inference);
    clc_params_release(&c.params, test_device());
    assert_true(close);
}
