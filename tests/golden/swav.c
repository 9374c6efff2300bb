#include "golden/golden.h"

#include "harness.h"
#include "loss/loss.h"
#include "op/ops.h"

#include <stdlib.h>
#include <string.h>

/* Scores are cosines of sums of D terms, divided by 0.1, and the codes' exponentials divide by
 * 0.05. */
static const double tolerance = 4e-5;

/* The prototypes' layer on both views, and the loss on its scores. */
typedef struct swav_case {
    clc_params params;
    clc_graph *graph;
    clc_tensor *z, *scores;
    cl_mem value, workspace;
    clc_sequence loss;
} swav_case;

static void build(const clc_safetensors *file, swav_case *c) {
    const clc_st_tensor *z = golden_tensor(file, "z1");
    const int images = (int)z->shape[0], dim = (int)z->shape[1];
    const int prototypes = (int)golden_tensor(file, "prototypes")->shape[0];
    clc_device *device = test_device();
    CHECK(clc_graph_create(device, &c->params, true, &c->graph));
    CHECK(clc_graph_input(c->graph, "z", clc_shape_rows(2 * images, dim), true, &c->z));
    CHECK(clc_op_prototypes(c->graph, "prototypes", c->z, prototypes, &c->scores));
    clc_params_layout(&c->params);
    CHECK(clc_params_allocate(&c->params, device, true, 1));
    CHECK(clc_graph_plan(c->graph));
    CHECK(clc_graph_allocate(c->graph));
    CHECK(clc_graph_build(c->graph));
    const clc_loss_shape shape = {.images = images, .views = 2, .large = 2, .dim = prototypes};
    const clc_config_loss options = {.weight = 1,
                                     .temperature = golden_number(file, "temperature"),
                                     .epsilon = golden_number(file, "epsilon"),
                                     .iterations = (int)golden_number(file, "iterations")};
    const size_t bytes = clc_loss_swav.workspace(device, &shape, &options);
    CHECK(clc_buffer_create(device, sizeof(float), "loss", &c->value));
    CHECK(clc_buffer_create(device, bytes, "workspace", &c->workspace));
    const clc_loss_buffers buffers = {
        .z = c->scores->value, .dz = c->scores->grad, .value = c->value, .workspace = c->workspace};
    CHECK(clc_loss_build(&clc_loss_swav, &c->loss, device, &shape, &options, &buffers));
}

static void load(const clc_safetensors *file, swav_case *c) {
    const clc_st_tensor *z[2] = {golden_tensor(file, "z1"), golden_tensor(file, "z2")};
    const size_t bytes = z[0]->count * sizeof(float);
    for (size_t i = 0; i < 2; i++)
        CHECK(clc_buffer_write(test_device(), c->z->value, i * bytes, bytes, z[i]->data));
    CHECK(clc_param_import(&c->params.items[0], test_device(),
                           golden_tensor(file, "prototypes")->data));
}

static void expect_half(const clc_safetensors *file, const char *name, const float *got) {
    const clc_st_tensor *tensor = golden_tensor(file, name);
    double *want = golden_doubles(tensor);
    const bool close = test_close(name, got, want, tensor->count, tolerance);
    free(want);
    assert_true(close);
}

void golden_swav(const clc_safetensors *file) {
    swav_case c = {0};
    build(file, &c);
    load(file, &c);
    CHECK(clc_sequence_run(&c.graph->forward, test_device()));
    CHECK(clc_sequence_run(&c.loss, test_device()));
    CHECK(clc_sequence_run(&c.graph->backward, test_device()));
    float value, *dz = malloc(c.z->count * sizeof *dz);
    double *want = golden_doubles(golden_tensor(file, "loss"));
    CHECK(clc_buffer_read(test_device(), c.value, 0, sizeof value, &value));
    CHECK(clc_buffer_read(test_device(), c.z->grad, 0, c.z->count * sizeof *dz, dz));
    assert_true(test_close("loss", &value, want, 1, tolerance));
    expect_half(file, "d_z1", dz);
    expect_half(file, "d_z2", dz + c.z->count / 2);
    assert_true(golden_param_close(file, "d_prototypes", &c.params.items[0], c.params.items[0].grad,
                                   tolerance));
    free(dz);
    free(want);
    clc_sequence_free(&c.loss);
    clc_graph_free(&c.graph);
    clc_buffer_release(test_device(), &c.value);
    clc_buffer_release(test_device(), &c.workspace);
    clc_params_release(&c.params, test_device());
}
