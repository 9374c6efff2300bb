/* Planning: what there is and how large. */
#include "method/wiring.h"

#include "method/setup.h"
#include "op/ops.h"
#include "optim/optim.h"

#include <math.h>
#include <stddef.h>

static bool has_teacher(const clc_wiring *w) {
    return w->method->target == CLC_TARGET_TEACHER;
}

int clc_wiring_micros(const clc_wiring *w) {
    return w->batch / w->micro;
}

int clc_wiring_queued(const clc_wiring *w) {
    if (!w->queue.size)
        return 0;
    return w->method->queue == CLC_QUEUE_TEACHER ? w->target.views * w->batch
                                                 : w->projection.views * w->batch;
}

/* ---- views ---- */

static clc_view_set *add_set(clc_wiring *w, const clc_augment *augment, int crop, int views) {
    clc_crop_views *c = &w->crops[crop];
    clc_view_set *set = &w->sets[w->set_count++];
    *set = (clc_view_set){*augment, crop, c->views, views, w->views};
    c->size = augment->size;
    c->views += views;
    w->views += views;
    return set;
}

/* Two large views; the second may be blurred or solarised with another probability. */
static void add_large_views(clc_wiring *w, const clc_augment *first) {
    const double blur = w->config->augmentation.second_blur;
    const double solarise = w->config->augmentation.second_solarise;
    clc_augment second = *first;
    w->crop_count = w->method->split ? 2 : 1;
    if (!w->method->split && blur < 0 && solarise < 0) {
        add_set(w, first, 0, 2);
        return;
    }
    second.blur = blur < 0 ? second.blur : (float)blur;
    second.solarise = solarise < 0 ? second.solarise : (float)solarise;
    add_set(w, first, 0, 1);
    add_set(w, &second, w->crop_count - 1, 1);
}

static clc_status plan_views(clc_wiring *w, const clc_dataset *data) {
    clc_status status = CLC_OK;
    clc_augment augment;
    const clc_ints *crops = &w->config->method.crops;
    CLC_TRY(clc_augment_from_config(w->config, data, &augment));
    add_large_views(w, &augment);
    if (crops->count && !w->method->multicrop)
        return clc_fail(CLC_INVALID,
                        "method.crops: %s has no small views; leave it empty, or use swav "
                        "or dino",
                        w->method->name);
    for (size_t i = 0; i < crops->count; i++) {
        augment.size = w->config->method.crop_sizes.values[i];
        for (int k = 0; k < 2; k++)
            augment.crop_scale[k] = (float)w->config->method.crop_scale.values[k];
        add_set(w, &augment, w->crop_count++, crops->values[i]);
        CLC_TRY(clc_augment_check(&augment));
    }
    for (int i = 0; i < w->set_count; i++) {
        const size_t bytes =
            clc_augment_workspace(w->device, &w->sets[i].augment, w->sets[i].views * w->micro);
        w->augment_bytes = bytes > w->augment_bytes ? bytes : w->augment_bytes;
    }
fail:
    return status;
}

/* ---- branches ---- */

static int norm_splits(const clc_wiring *w, int views) {
    const int given = w->config->method.norm_parts;
    const int parts = given ? given : w->method->norm_parts;
    return parts ? parts * views : 1;
}

typedef enum branch_kind { STUDENT, EMBEDDER, TEACHER } branch_kind;

/* A projection goes on to the prototypes, or for all but the teacher to the predictor. */
static clc_status build_heads(clc_wiring *w, clc_branch *b, branch_kind kind) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_projector_build(b->graph, w->config, b->features, &b->projection));
    b->output = b->projection;
    if (w->method->prototypes) {
        CLC_TRY(clc_prototypes(b->graph, "prototypes", b->projection, w->config->method.prototypes,
                               &b->output));
        clc_param *weight = clc_params_find(b->graph->params, "prototypes.weight");
        weight->group = CLC_GROUP_PROTOTYPES;
    }
    if (w->method->predictor && kind != TEACHER)
        CLC_TRY(clc_predictor_build(b->graph, w->config, b->projection, &b->output));
fail:
    return status;
}

static clc_status build_branch(clc_wiring *w, branch_kind kind, int crop, clc_branch *b) {
    clc_status status = CLC_OK;
    const clc_crop_views *c = &w->crops[crop];
    CLC_TRY(
        clc_graph_create(w->device, kind == TEACHER ? &w->teacher : &w->params, true, &b->graph));
    b->graph->gradients = kind == STUDENT;
    b->graph->frozen = kind == EMBEDDER;
    b->graph->norm_splits = norm_splits(w, c->views);
    b->graph->fixed_norm = w->config->encoder.norm == CLC_CONFIG_NORM_FIXED;
    b->graph->convolution = (clc_conv2d_kind)w->config->device.convolution;
    b->graph->gemm = (clc_gemm_kind)w->config->device.gemm;
    b->views = c->views;
    CLC_TRY(clc_graph_input_external(b->graph, "images", c->views * w->micro, c->size, c->size,
                                     w->channels, &b->images));
    CLC_TRY(clc_encoder_build(b->graph, w->config, b->images, &b->features));
    CLC_TRY(build_heads(w, b, kind));
fail:
    return status;
}

/* Offsets of the teacher's weights must be those of the networks' for the average. */
static clc_status plan_teacher(clc_wiring *w) {
    clc_status status = CLC_OK;
    CLC_TRY(build_branch(w, TEACHER, w->method->split ? 1 : 0, &w->teacher_branch));
    clc_params_layout(&w->teacher);
    for (size_t i = 0; i < w->teacher.count; i++) {
        const clc_param *param = &w->teacher.items[i];
        const clc_param *own = clc_params_find(&w->params, param->name);
        if (!own || (clc_param_trainable(param) && own->offset != param->offset))
            return clc_fail(CLC_INVALID, "the teacher's %s lies elsewhere than the network's",
                            param->name);
    }
fail:
    return status;
}

/* Scores of the queue's embeddings. */
static clc_status plan_queue_branch(clc_wiring *w) {
    clc_status status = CLC_OK;
    clc_branch *b = &w->queue_branch;
    CLC_TRY(clc_graph_create(w->device, &w->params, true, &b->graph));
    b->graph->gradients = false;
    CLC_TRY(
        clc_graph_input_external(b->graph, "queue", w->queue.size, 1, 1, w->queue.dim, &b->images));
    CLC_TRY(clc_prototypes(b->graph, "prototypes", b->images, w->config->method.prototypes,
                           &b->output));
fail:
    return status;
}

static clc_status add_learned(clc_wiring *w) {
    clc_status status = CLC_OK;
    const int one = 1;
    const struct {
        const char *name;
        double initial;
    } all[] = {{"loss.log_scale", -log(w->config->loss.temperature)},
               {"loss.bias", w->config->loss.bias}};
    if (!w->config->loss.learned_scale)
        return CLC_OK;
    const bool bias = w->loss == &clc_loss_logistic;
    if (!bias && w->loss != &clc_loss_clip)
        return clc_fail(CLC_INVALID,
                        "loss.learned_scale: only clip and logistic learn their scale, not %s",
                        w->loss->name);
    for (int i = 0; i < (bias ? 2 : 1); i++) {
        int index;
        CLC_TRY(clc_params_add(&w->params, all[i].name, CLC_PARAM_CONSTANT, 1, &one, &index));
        w->params.items[index].initial = (float)all[i].initial;
    }
fail:
    return status;
}

static clc_status plan_branches(clc_wiring *w) {
    clc_status status = CLC_OK;
    const bool several = clc_wiring_micros(w) > 1;
    w->student_count = w->method->split ? 1 : w->crop_count;
    for (int i = 0; i < w->student_count; i++)
        CLC_TRY(build_branch(w, STUDENT, i, &w->students[i]));
    for (int i = 0; several && i < w->student_count; i++)
        CLC_TRY(build_branch(w, EMBEDDER, i, &w->embedders[i]));
    CLC_TRY(add_learned(w));
    if (w->method->queue != CLC_QUEUE_NONE && w->config->method.queue) {
        w->queue.size = w->config->method.queue;
        w->queue.dim = w->students[0].projection->c;
    }
    if (w->method->queue == CLC_QUEUE_SCORED && w->queue.size)
        CLC_TRY(plan_queue_branch(w));
    clc_params_layout(&w->params);
    if (has_teacher(w))
        CLC_TRY(plan_teacher(w));
fail:
    return status;
}

/* ---- what the loss sees ---- */

/* `pick` of a branch. */
static clc_tensor *tensor_of(const clc_branch *b, size_t pick) {
    return *(clc_tensor *const *)((const char *)b + pick);
}

static void add_part(clc_wiring *w, clc_port *port, clc_branch *student, clc_branch *embedder,
                     size_t pick) {
    clc_tensor *to = tensor_of(student, pick), *from = tensor_of(embedder, pick);
    (void)w;
    clc_graph_expose(from, false);
    clc_graph_expose(to, port->gradient);
    port->parts[port->part_count].from = from;
    port->parts[port->part_count].to = port->gradient ? to : NULL;
    port->parts[port->part_count].first = port->views;
    port->parts[port->part_count++].views = student->views;
    port->views += student->views;
    port->dim = to->c;
}

/* A port on the networks' tensors: of the first `count` crop sizes. */
static void plan_port(clc_wiring *w, clc_port *port, size_t pick, bool gradient, int count) {
    const bool several = clc_wiring_micros(w) > 1;
    port->gradient = gradient;
    for (int i = 0; i < count; i++)
        add_part(w, port, &w->students[i], several ? &w->embedders[i] : &w->students[i], pick);
    port->owned = several || count > 1;
}

static void plan_ports(clc_wiring *w) {
    plan_port(w, &w->output, offsetof(clc_branch, output), true, w->student_count);
    if (has_teacher(w)) {
        add_part(w, &w->target, &w->teacher_branch, &w->teacher_branch,
                 offsetof(clc_branch, output));
        w->target.owned = clc_wiring_micros(w) > 1;
    }
    if (w->method->target == CLC_TARGET_PROJECTION)
        plan_port(w, &w->target, offsetof(clc_branch, projection), !w->config->method.stop_gradient,
                  1);
    const clc_branch *seen = clc_wiring_micros(w) > 1 ? &w->embedders[0] : &w->students[0];
    w->watched = seen->projection;
    w->watched_second = seen->views > 1 ? seen->projection : w->teacher_branch.output;
    w->second_row = seen->views > 1 ? w->micro : 0;
    clc_graph_expose(w->watched, false);
    if (w->queue.size && w->method->queue != CLC_QUEUE_TEACHER)
        plan_port(w, &w->projection, offsetof(clc_branch, projection), false, 1);
}

static clc_status check_queue(const clc_wiring *w) {
    if (!w->queue.size && w->method->target == CLC_TARGET_NEIGHBOURS)
        return clc_fail(CLC_INVALID, "%s needs a queue; set method.queue", w->method->name);
    if (w->queue.size && w->queue.size < clc_wiring_queued(w))
        return clc_fail(
            CLC_INVALID,
            "method.queue = %d holds less than the %d embeddings of a step; use at least "
            "so many, or a smaller batch",
            w->queue.size, clc_wiring_queued(w));
    return CLC_OK;
}

static clc_status plan_loss(clc_wiring *w) {
    clc_status status = CLC_OK;
    const clc_method *m = w->method;
    w->shape = (clc_loss_shape){.images = w->batch,
                                .views = w->output.views,
                                .dim = w->output.dim,
                                .targets = m->target != CLC_TARGET_NONE,
                                .large = m->prototypes ? 2 : 0,
                                .labels = clc_method_wants_labels(w->config)};
    if (m->queue == CLC_QUEUE_TEACHER || m->queue == CLC_QUEUE_SCORED)
        w->shape.queue = w->queue.size;
    CLC_TRY(w->loss->check(&w->shape, &w->options));
    w->loss_workspace_bytes = w->loss->workspace(w->device, &w->shape, &w->options);
    if (m->target == CLC_TARGET_NEIGHBOURS)
        w->nearest_space_bytes =
            clc_queue_nearest_workspace(w->device, &w->queue, w->projection.views * w->batch);
fail:
    return status;
}

static clc_branch *branch_at(clc_wiring *w, int i) {
    clc_branch *const singles[] = {&w->teacher_branch, &w->queue_branch};
    if (i < CLC_CROP_SIZES)
        return &w->students[i];
    if (i < 2 * CLC_CROP_SIZES)
        return &w->embedders[i - CLC_CROP_SIZES];
    return i < 2 * CLC_CROP_SIZES + 2 ? singles[i - 2 * CLC_CROP_SIZES] : NULL;
}

clc_graph *clc_wiring_graph(clc_wiring *w, int i) {
    const clc_branch *b = branch_at(w, i);
    return b ? b->graph : NULL;
}

/* The teacher and the embedders have gone forward, and only their results are read, before the
 * students do: they need no memory besides theirs. */
static clc_status plan_graphs(clc_wiring *w) {
    clc_status status = CLC_OK;
    clc_graph *students = w->students[0].graph;
    for (int i = 0; i < CLC_WIRING_GRAPHS; i++)
        if (clc_wiring_graph(w, i))
            CLC_TRY(clc_graph_plan(clc_wiring_graph(w, i)));
    for (int i = 1; i < CLC_WIRING_GRAPHS; i++)
        if (clc_wiring_graph(w, i))
            clc_graph_borrow(clc_wiring_graph(w, i), students,
                             i >= CLC_CROP_SIZES && branch_at(w, i) != &w->queue_branch);
fail:
    return status;
}

clc_status clc_wiring_plan(clc_wiring *w, clc_device *device, const clc_config *config,
                           const clc_dataset *data) {
    clc_status status = CLC_OK;
    w->device = device;
    w->config = config;
    w->method = clc_method_find(clc_config_choice(config, "method", "name"));
    w->loss = clc_method_loss(w->method, config);
    w->options = clc_method_options(w->method, config);
    w->batch = config->training.batch;
    w->micro = config->training.micro_batch ? config->training.micro_batch : w->batch;
    w->channels = data->channels;
    CLC_TRY(plan_views(w, data));
    CLC_TRY(plan_branches(w));
    plan_ports(w);
    CLC_TRY(check_queue(w));
    CLC_TRY(plan_loss(w));
    if (w->shape.labels) {
        if (!data->labels)
            return clc_fail(CLC_INVALID, "%s needs labels; set data.train_labels", w->method->name);
        w->label_count = data->count;
    }
    CLC_TRY(plan_graphs(w));
fail:
    return status;
}

void clc_wiring_release(clc_wiring *w) {
    if (!w->device)
        return;
    clc_sequence *lists[] = {w->augment, w->gather, w->scatter};
    for (int i = 0; i < 3; i++) {
        for (int m = 0; lists[i] && m < clc_wiring_micros(w); m++)
            clc_sequence_free(&lists[i][m]);
        free(lists[i]);
    }
    clc_sequence_free(&w->before);
    clc_sequence_free(&w->after);
    for (int i = 0; i < 2; i++)
        clc_sequence_free(&w->loss_sequence[i]);
    for (int i = 0; i < 3; i++)
        clc_sequence_free(&w->accumulate[i]);
    for (int i = 0; i < CLC_WIRING_GRAPHS; i++)
        clc_graph_free(&branch_at(w, i)->graph);
    clc_port *const ports[] = {&w->output, &w->target, &w->projection};
    for (int i = 0; i < 3; i++)
        if (ports[i]->owned) {
            clc_buffer_release(w->device, &ports[i]->value);
            clc_buffer_release(w->device, &ports[i]->grad);
        }
    cl_mem *const buffers[] = {
        &w->queue.data, &w->nearest,           &w->nearest_scores, &w->nearest_space,
        &w->center,     &w->loss_workspace,    &w->value,          &w->all_labels,
        &w->labels,     &w->augment_workspace, &w->grad_sum};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(w->device, buffers[i]);
    for (int i = 0; i < w->crop_count; i++)
        clc_buffer_release(w->device, &w->crops[i].images);
    clc_params_release(&w->params, w->device);
    clc_params_release(&w->teacher, w->device);
}
