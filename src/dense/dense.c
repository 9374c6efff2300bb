#include "dense/dense.h"

#include "core/log.h"
#include "dense/head.h"
#include "dense/memory.h"
#include "model/heads.h"

#include <math.h>
#include <string.h>

static const float prior = -2.19f; /* a tenth of all places, as CenterNet begins */

/* ---- graphs ---- */

static clc_status begin_graph(clc_dense *d, bool training, clc_graph **graph) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_graph_create(d->device, &d->params, training, graph));
    (*graph)->convolution = d->config->device.convolution;
    (*graph)->gemm = (clc_gemm_kind)d->config->device.gemm;
fail:
    return status;
}

/* The encoder up to its maps. */
static clc_status add_encoder(clc_dense *d, clc_graph *graph, clc_tensor **images, clc_taps *maps) {
    clc_status status = CLC_OK;
    const clc_tower tower = clc_tower_at(d->config, 0);
    const clc_shape shape = clc_shape_images(d->batch, d->side, d->side, d->channels);
    CLC_TRY(clc_graph_input(graph, "images", shape, false, images));
    const clc_net_input in = clc_net_images(*images);
    CLC_TRY(clc_net_taps(graph, tower.section, clc_config_choice(d->config, tower.section, "name"),
                         &d->encoder, &in, &d->config->dense.stages, maps));
fail:
    return status;
}

/* The head, in segmentation up to whole pixels. */
static clc_status add_head(clc_dense *d, clc_graph *graph, const clc_taps *maps,
                           clc_tensor **said) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_head_build(graph, &d->config->dense, maps, d->outputs, said));
    if (d->kind == CLC_SCENES_MASKS)
        CLC_TRY(clc_op_upsample(graph, "head.pixels", *said, d->side, d->side, said));
fail:
    return status;
}

static clc_status finish_graph(clc_graph *graph) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_graph_allocate(graph));
    CLC_TRY(clc_graph_build(graph));
fail:
    return status;
}

/* A head that reads the encoder's maps where they are. */
static clc_status plan_head(clc_dense *d, bool training, clc_graph **graph, clc_tensor **said) {
    clc_status status = CLC_OK;
    clc_taps maps = d->maps;
    CLC_TRY(begin_graph(d, training, graph));
    for (int i = 0; i < maps.count; i++) {
        CLC_TRY(clc_graph_input_external(*graph, "map", d->maps.maps[i]->shape, &maps.maps[i]));
        maps.maps[i]->value = d->maps.maps[i]->value;
    }
    CLC_TRY(add_head(d, *graph, &maps, said));
    CLC_TRY(clc_graph_plan(*graph));
fail:
    return status;
}

static clc_status plan_encoder(clc_dense *d) {
    clc_status status = CLC_OK;
    CLC_TRY(begin_graph(d, false, &d->encode));
    CLC_TRY(add_encoder(d, d->encode, &d->images, &d->maps));
    for (int i = 0; i < d->maps.count; i++) {
        clc_graph_expose(d->maps.maps[i], false);
        d->map_floats += d->maps.maps[i]->count / (size_t)d->batch;
    }
    CLC_TRY(clc_graph_plan(d->encode));
    CLC_TRY(clc_dense_memory_check(d->device, (const clc_graph *const[]){d->encode}, 1, 0));
    CLC_TRY(clc_graph_allocate(d->encode));
fail:
    return status;
}

static clc_status plan_all(clc_dense *d) {
    clc_status status = CLC_OK;
    clc_dense_stage *all = &d->stages[CLC_DENSE_ALL];
    clc_taps maps = {0};
    if (!d->config->dense.finetune_epochs)
        return CLC_OK;
    CLC_TRY(begin_graph(d, true, &all->graph));
    all->graph->fixed_norm = all->graph->frozen = true;
    CLC_TRY(add_encoder(d, all->graph, &all->images, &maps));
    CLC_TRY(add_head(d, all->graph, &maps, &all->said));
    CLC_TRY(clc_graph_plan(all->graph));
fail:
    return status;
}

/* Of the heads, and the weights with gradients and the optimizer's state. */
static clc_status check_memory(const clc_dense *d) {
    const clc_graph *const graphs[] = {d->stages[CLC_DENSE_HEAD].graph, d->predict,
                                       d->stages[CLC_DENSE_ALL].graph};
    const size_t states = 1 + (size_t)clc_optim_states(&d->optimizer);
    const size_t floats = d->params.total + states * d->params.trainable;
    return clc_dense_memory_check(d->device, graphs, 3, floats * sizeof(float));
}

static clc_status make_graphs(clc_dense *d) {
    clc_status status = CLC_OK;
    clc_dense_stage *head = &d->stages[CLC_DENSE_HEAD], *all = &d->stages[CLC_DENSE_ALL];
    CLC_TRY(plan_encoder(d));
    CLC_TRY(plan_head(d, true, &head->graph, &head->said));
    CLC_TRY(plan_head(d, false, &d->predict, &d->said));
    CLC_TRY(plan_all(d));
    clc_params_layout(&d->params);
    CLC_TRY(check_memory(d));
    CLC_TRY(clc_params_allocate(&d->params, d->device, true, clc_optim_states(&d->optimizer)));
    CLC_TRY(clc_graph_build(d->encode));
    CLC_TRY(finish_graph(head->graph));
    CLC_TRY(finish_graph(d->predict));
    if (all->graph)
        CLC_TRY(finish_graph(all->graph));
    const int *dims = d->said->shape.dims;
    d->places = (clc_places){dims[1], dims[2], d->classes};
fail:
    return status;
}

/* ---- weights ---- */

/* A table of positions of a grid of patches, for another grid: the class token's row, then the
 * others, interpolated between the middles of patches. */
static void resize_positions(const float *from, int from_side, float *to, int to_side, int width) {
    memcpy(to, from, (size_t)width * sizeof *to);
    for (int y = 0; y < to_side; y++)
        for (int x = 0; x < to_side; x++) {
            const double py = fmax((y + 0.5) * from_side / to_side - 0.5, 0);
            const double px = fmax((x + 0.5) * from_side / to_side - 0.5, 0);
            const int y0 = (int)py, x0 = (int)px;
            const int y1 = y0 + 1 < from_side ? y0 + 1 : y0, x1 = x0 + 1 < from_side ? x0 + 1 : x0;
            const double down = py - y0, across = px - x0;
            const float *a = from + (1 + y0 * from_side) * width;
            const float *b = from + (1 + y1 * from_side) * width;
            float *row = to + (1 + y * to_side + x) * width;
            for (int c = 0; c < width; c++)
                row[c] = (float)((1 - down) * ((1 - across) * (double)a[x0 * width + c] +
                                               across * (double)a[x1 * width + c]) +
                                 down * ((1 - across) * (double)b[x0 * width + c] +
                                         across * (double)b[x1 * width + c]));
        }
}

static int side_of_grid(const clc_param *table) {
    return (int)(sqrt((double)(table->shape[1] - 1)) + 0.5);
}

static clc_status copy_positions(clc_dense *d, const clc_param *from, const clc_param *to) {
    clc_status status = CLC_OK;
    float *values[2] = {NULL, NULL};
    const int sides[2] = {side_of_grid(from), side_of_grid(to)};
    CLC_NEW(values[0], from->count);
    CLC_NEW(values[1], to->count);
    CLC_TRY(clc_param_export(from, d->device, from->value, values[0]));
    resize_positions(values[0], sides[0], values[1], sides[1], to->shape[2]);
    CLC_TRY(clc_param_import(to, d->device, values[1]));
fail:
    free(values[0]);
    free(values[1]);
    return status;
}

static clc_status copy_weights(clc_dense *d, const clc_params *encoder) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < d->params.count; i++) {
        const clc_param *to = &d->params.items[i];
        const clc_param *from = clc_params_find(encoder, to->name);
        if (!strncmp(to->name, "head.", 5))
            continue;
        if (!from)
            CLC_TRY(clc_fail(CLC_INVALID, "%s: the encoder has no such weights", to->name));
        if (from->count != to->count)
            CLC_TRY(copy_positions(d, from, to));
        else
            CLC_CL(clEnqueueCopyBuffer(d->device->queue, from->value, to->value, 0, 0,
                                       to->count * sizeof(float), 0, NULL, NULL));
    }
    CLC_TRY(clc_device_finish(d->device));
fail:
    return status;
}

/* Objects are rare. */
static clc_status set_prior(clc_dense *d) {
    clc_status status = CLC_OK;
    const clc_param *bias = clc_params_find(&d->params, clc_head_last_bias(&d->config->dense));
    float *values = NULL;
    if (d->kind == CLC_SCENES_MASKS)
        return CLC_OK;
    CLC_NEW(values, bias->count);
    for (int c = 0; c < d->classes; c++)
        values[c] = prior;
    CLC_TRY(clc_param_import(bias, d->device, values));
fail:
    free(values);
    return status;
}

/* ---- buffers, loss and update ---- */

static clc_status make_buffers(clc_dense *d) {
    clc_status status = CLC_OK;
    const size_t batch = (size_t)d->batch, f = sizeof(float);
    const size_t rows = batch * (size_t)d->places.height * (size_t)d->places.width;
    const size_t pixels = batch * (size_t)d->side * (size_t)d->side;
    const bool masks = d->kind == CLC_SCENES_MASKS;
    const size_t heat = masks ? 0 : rows * (size_t)d->classes;
    const size_t sides = masks ? 0 : rows * (1 + CLC_BOX_SIDES);
    const struct {
        cl_mem *buffer;
        size_t bytes;
    } table[] = {{&d->scale, f},
                 {&d->target_labels, masks ? pixels : 0},
                 {&d->target_heat, heat * f},
                 {&d->target_sides, sides * f},
                 {&d->parts, d->device->groups * f},
                 {&d->value, f},
                 {&d->hyper, CLC_HYPER_COUNT * f},
                 {&d->result, 4 * f}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        CLC_TRY(clc_buffer_create(d->device, table[i].bytes, "the head", table[i].buffer));
    CLC_NEW(d->pixels, pixels * (size_t)d->channels);
    CLC_NEW(d->labels, pixels);
    CLC_NEW(d->heat, heat);
    CLC_NEW(d->sides, sides);
fail:
    return status;
}

static clc_dense_loss loss_of(const clc_dense *d, const clc_tensor *said) {
    return (clc_dense_loss){.rows = clc_tensor_rows(said),
                            .classes = d->classes,
                            .x = said->value,
                            .gradient = said->grad,
                            .scale = d->scale,
                            .labels = d->target_labels,
                            .heat = d->target_heat,
                            .sides = d->target_sides,
                            .parts = d->parts,
                            .value = d->value};
}

/* The tensors that a stage trains. */
static size_t list_segments(const clc_dense *d, int stage, clc_optim_segment *segments) {
    size_t n = 0;
    for (size_t i = 0; i < d->params.count; i++) {
        const clc_param *p = &d->params.items[i];
        const bool of_head = !strncmp(p->name, "head.", 5);
        if (clc_param_trainable(p) && (of_head || stage == CLC_DENSE_ALL))
            segments[n++] =
                (clc_optim_segment){p->offset, p->count, p->rank > 1, false, CLC_GROUP_MAIN};
    }
    return n;
}

static clc_status make_stage(clc_dense *d, int number) {
    clc_status status = CLC_OK;
    clc_dense_stage *s = &d->stages[number];
    clc_optim_segment *segments = NULL;
    CLC_NEW(segments, d->params.count);
    const clc_dense_loss loss = loss_of(d, s->said);
    const size_t n = list_segments(d, number, segments);
    CLC_TRY(clc_optim_prepare(d->device, segments, n, &s->tables));
    CLC_TRY(clc_buffer_create(d->device, 2 * n * sizeof(float), "the head", &s->norms));
    CLC_TRY(
        clc_buffer_create(d->device, clc_optim_workspace(segments, n), "the head", &s->workspace));
    const clc_optim_buffers buffers = {.value = d->params.value,
                                       .grad = d->params.grad,
                                       .state = d->params.state,
                                       .hyper = d->hyper,
                                       .loss = d->value,
                                       .result = d->result,
                                       .norms = s->norms,
                                       .workspace = s->workspace,
                                       .floats = d->params.trainable};
    CLC_TRY(d->kind == CLC_SCENES_MASKS ? clc_pixels_build(&s->loss, d->device, &loss)
                                        : clc_centres_build(&s->loss, d->device, &loss));
    CLC_TRY(clc_optim_build(&s->update, d->device, &d->optimizer, n, &s->tables, &buffers));
fail:
    free(segments);
    return status;
}

/* ---- making and freeing ---- */

/* The encoder's settings, at any size of pictures. */
static clc_status set_encoder(clc_dense *d) {
    enum { SMALL_PATCH = 4, LARGE_PATCH = 16, SMALL_MOST = 63 };
    const char *name = clc_config_choice(d->config, "encoder", "name");
    d->encoder = d->config->encoder;
    d->encoder.dropout = 0;
    d->encoder.frozen_layers = 0;
    if (clc_net_find(name) != &clc_net_vit)
        return CLC_OK;
    if (!d->encoder.patch)
        d->encoder.patch = d->config->augmentation.size <= SMALL_MOST ? SMALL_PATCH : LARGE_PATCH;
    return d->side % d->encoder.patch == 0
               ? CLC_OK
               : clc_fail(CLC_INVALID, "dense.size = %d isn't divided by the patches of %d pixels",
                          d->side, d->encoder.patch);
}

clc_status clc_dense_create(clc_dense *dense, clc_device *device, const clc_config *config,
                            const clc_scenes *train, const clc_params *encoder) {
    clc_status status = CLC_OK;
    const clc_config_dense *o = &config->dense;
    clc_dense *d = dense;
    *d = (clc_dense){.device = device,
                     .config = config,
                     .kind = train->kind,
                     .side = train->side,
                     .channels = train->channels,
                     .classes = train->classes};
    d->batch = (size_t)o->batch < train->count ? o->batch : (int)train->count;
    d->outputs = d->classes + (d->kind == CLC_SCENES_BOXES ? CLC_BOX_SIDES : 0);
    d->optimizer = (clc_config_optimizer){.name = CLC_CONFIG_OPTIMIZER_ADAMW,
                                          .weight_decay = o->weight_decay,
                                          .beta1 = 0.9,
                                          .beta2 = 0.999,
                                          .epsilon = 1e-8};
    CLC_TRY(set_encoder(d));
    CLC_TRY(make_graphs(d));
    CLC_TRY(clc_params_initialise(&d->params, device, config->training.seed));
    CLC_TRY(copy_weights(d, encoder));
    CLC_TRY(set_prior(d));
    CLC_TRY(make_buffers(d));
    CLC_TRY(make_stage(d, CLC_DENSE_HEAD));
    if (d->stages[CLC_DENSE_ALL].graph)
        CLC_TRY(make_stage(d, CLC_DENSE_ALL));
    const clc_dense_loss loss = loss_of(d, d->said);
    if (d->kind == CLC_SCENES_MASKS)
        CLC_TRY(clc_pixels_predict(&d->argmax, device, &loss));
fail:
    return status;
}

static void release_stage(clc_device *device, clc_dense_stage *s) {
    clc_sequence_free(&s->loss);
    clc_sequence_free(&s->update);
    clc_graph_free(&s->graph);
    clc_optim_release(device, &s->tables);
    clc_buffer_release(device, &s->norms);
    clc_buffer_release(device, &s->workspace);
}

void clc_dense_release(clc_dense *d) {
    if (!d->device)
        return;
    cl_mem *const buffers[] = {&d->scale, &d->target_labels, &d->target_heat, &d->target_sides,
                               &d->parts, &d->value,         &d->hyper,       &d->result};
    clFinish(d->device->queue);
    clc_sequence_free(&d->argmax);
    clc_graph_free(&d->predict);
    for (int i = 0; i < CLC_DENSE_STAGES; i++)
        release_stage(d->device, &d->stages[i]);
    clc_graph_free(&d->encode);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(d->device, buffers[i]);
    clc_params_release(&d->params, d->device);
    free(d->pixels);
    free(d->labels);
    free(d->heat);
    free(d->sides);
    free(d->cache);
    free(d->cached);
    *d = (clc_dense){0};
}
