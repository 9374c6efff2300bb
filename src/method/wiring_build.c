/* Memory and launches of a planned wiring. */
#include "method/wiring.h"

#include "op/ops.h"
#include "optim/optim.h"

#include <stdio.h>
#include <string.h>

static size_t crop_bytes(const clc_wiring *w, int i) {
    const clc_crop_views *c = &w->crops[i];
    return (size_t)c->views * (size_t)w->micro * (size_t)c->size * (size_t)c->size *
           (size_t)w->channels * sizeof(float);
}

static size_t port_bytes(const clc_wiring *w, const clc_port *port) {
    return (size_t)port->views * (size_t)w->batch * (size_t)port->dim * sizeof(float);
}

static int backwards(const clc_wiring *w) {
    return clc_wiring_micros(w) * w->student_count;
}

/* Buffers besides graphs and parameters, as (size, where, what). Returns how many. */
typedef struct buffer_plan {
    size_t bytes;
    cl_mem *mem;
    const char *what;
    bool embeddings; /* else workspace */
} buffer_plan;

enum { MOST_BUFFERS = 24 };

static int list_buffers(clc_wiring *w, buffer_plan *list) {
    const size_t f = sizeof(float), batch = (size_t)w->batch;
    const bool nearest = w->method->target == CLC_TARGET_NEIGHBOURS;
    const size_t near_rows = (size_t)w->projection.views * batch;
    clc_port *const ports[] = {&w->output, &w->target, &w->projection};
    int n = 0;
#define ADD(size, where, text, kind)                                                               \
    list[n++] = (buffer_plan) {                                                                    \
        size, where, text, kind                                                                    \
    }
    for (int i = 0; i < w->crop_count; i++)
        ADD(crop_bytes(w, i), &w->crops[i].images, "views", true);
    for (int i = 0; i < 3; i++) {
        if (ports[i]->owned && ports[i]->views)
            ADD(port_bytes(w, ports[i]), &ports[i]->value, "embeddings", true);
        if (ports[i]->owned && ports[i]->gradient)
            ADD(port_bytes(w, ports[i]), &ports[i]->grad, "embeddings", true);
    }
    if (w->queue.size)
        ADD((size_t)w->queue.size * (size_t)w->queue.dim * f, &w->queue.data, "the queue", true);
    if (nearest) {
        ADD(near_rows * (size_t)w->queue.dim * f, &w->nearest, "neighbours", true);
        ADD(near_rows * (size_t)w->queue.size * f, &w->nearest_scores, "neighbours", false);
        ADD(w->nearest_space_bytes, &w->nearest_space, "neighbours", false);
    }
    if (w->loss == &clc_loss_dino)
        ADD((size_t)w->shape.dim * f, &w->center, "the centre", true);
    if (w->label_count) {
        ADD(w->label_count * sizeof(int32_t), &w->all_labels, "labels", true);
        ADD(batch * sizeof(int32_t), &w->labels, "labels", true);
    }
    if (backwards(w) > 1)
        ADD(w->params.trainable * f, &w->grad_sum, "gradients", false);
    ADD(w->loss_workspace_bytes, &w->loss_workspace, "the loss", false);
    ADD(f, &w->value, "the loss", false);
    ADD(w->augment_bytes, &w->augment_workspace, "augmentation", false);
#undef ADD
    return n;
}

clc_wiring_bytes clc_wiring_memory(const clc_wiring *wiring) {
    clc_wiring copy = *wiring, *w = &copy;
    buffer_plan list[MOST_BUFFERS];
    const size_t f = sizeof(float);
    clc_wiring_bytes b = {.params = w->params.total * f,
                          .gradients = w->params.trainable * f,
                          .teacher = w->teacher.total * f};
    const int n = list_buffers(w, list);
    for (int i = 0; i < n; i++) {
        *(list[i].embeddings ? &b.embeddings : &b.workspace) += clc_buffer_bytes(list[i].bytes);
        b.largest = list[i].bytes > b.largest ? list[i].bytes : b.largest;
    }
    for (int i = 0; i < CLC_WIRING_GRAPHS; i++) {
        const clc_graph *graph = clc_wiring_graph(w, i);
        if (!graph)
            continue;
        const size_t largest = clc_graph_largest_buffer(graph);
        b.activations += clc_graph_activation_bytes(graph);
        b.workspace += clc_graph_workspace_bytes(graph);
        b.largest = largest > b.largest ? largest : b.largest;
    }
    b.largest = b.params > b.largest ? b.params : b.largest;
    return b;
}

/* Ports that are not gathered are their tensors. */
static void bind_ports(clc_wiring *w) {
    clc_port *const ports[] = {&w->output, &w->target, &w->projection};
    for (int i = 0; i < 3; i++)
        if (!ports[i]->owned && ports[i]->views) {
            ports[i]->value = ports[i]->parts[0].from->value;
            ports[i]->grad = ports[i]->gradient ? ports[i]->parts[0].to->grad : NULL;
        }
}

static void bind_images(clc_wiring *w) {
    for (int i = 0; i < w->student_count; i++) {
        w->students[i].images->value = w->crops[i].images;
        if (w->embedders[i].graph)
            w->embedders[i].images->value = w->crops[i].images;
    }
    if (w->teacher_branch.graph)
        w->teacher_branch.images->value = w->crops[w->method->split ? 1 : 0].images;
    if (w->queue_branch.graph)
        w->queue_branch.images->value = w->queue.data;
}

clc_status clc_wiring_allocate(clc_wiring *w, int optimizer_states, const clc_dataset *data) {
    clc_status status = CLC_OK;
    buffer_plan list[MOST_BUFFERS];
    const int n = list_buffers(w, list);
    CLC_TRY(clc_params_allocate(&w->params, w->device, true, optimizer_states));
    if (w->teacher.count)
        CLC_TRY(clc_params_allocate(&w->teacher, w->device, false, 0));
    for (int i = 0; i < n; i++)
        CLC_TRY(clc_buffer_create(w->device, list[i].bytes, list[i].what, list[i].mem));
    for (int i = 0; i < CLC_WIRING_GRAPHS; i++)
        if (clc_wiring_graph(w, i))
            CLC_TRY(clc_graph_allocate(clc_wiring_graph(w, i)));
    bind_ports(w);
    bind_images(w);
    if (w->label_count)
        CLC_TRY(clc_buffer_write(w->device, w->all_labels, 0, w->label_count * sizeof *data->labels,
                                 data->labels));
    if (w->center)
        CLC_TRY(clc_buffer_zero(w->device, w->center, 0, (size_t)w->shape.dim * sizeof(float)));
fail:
    return status;
}

/* ---- launches ---- */

static clc_status build_augment(clc_wiring *w, int micro, cl_mem pixels, cl_mem indices,
                                cl_mem step_state) {
    clc_status status = CLC_OK;
    for (int i = 0; i < w->set_count; i++) {
        const clc_view_set *set = &w->sets[i];
        const clc_augment_batch batch = {.images = w->micro,
                                         .views = set->views,
                                         .first_image = micro * w->micro,
                                         .first_view = set->first_view,
                                         .first_row = set->first * w->micro};
        CLC_TRY(clc_augment_build(&w->augment[micro], w->device, &set->augment, &batch, pixels,
                                  indices, step_state, w->crops[set->crop].images,
                                  w->augment_workspace));
    }
fail:
    return status;
}

/* Copies rows of one micro-batch between a port and its parts. */
static clc_status build_copies(clc_wiring *w, const clc_port *port, int micro, bool scatter,
                               clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const size_t row = (size_t)port->dim * sizeof(float), rows = (size_t)w->micro;
    for (int p = 0; p < port->part_count && port->owned; p++)
        for (int v = 0; v < port->parts[p].views; v++) {
            const size_t all =
                (size_t)(port->parts[p].first + v) * (size_t)w->batch + (size_t)micro * rows;
            const size_t own = (size_t)v * rows;
            if (scatter && port->parts[p].to)
                CLC_TRY(clc_sequence_add_copy(sequence, port->grad, all * row,
                                              port->parts[p].to->grad, own * row, rows * row));
            if (!scatter)
                CLC_TRY(clc_sequence_add_copy(sequence, port->parts[p].from->value, own * row,
                                              port->value, all * row, rows * row));
        }
fail:
    return status;
}

static clc_status build_micros(clc_wiring *w, cl_mem pixels, cl_mem indices, cl_mem step_state) {
    clc_status status = CLC_OK;
    const int micros = clc_wiring_micros(w);
    const clc_port *const ports[] = {&w->output, &w->target, &w->projection};
    CLC_NEW(w->augment, (size_t)micros);
    CLC_NEW(w->gather, (size_t)micros);
    CLC_NEW(w->scatter, (size_t)micros);
    for (int m = 0; m < micros; m++) {
        CLC_TRY(build_augment(w, m, pixels, indices, step_state));
        for (int i = 0; i < 3; i++) {
            CLC_TRY(build_copies(w, ports[i], m, false, &w->gather[m]));
            CLC_TRY(build_copies(w, ports[i], m, true, &w->scatter[m]));
        }
    }
fail:
    return status;
}

static clc_status build_before(clc_wiring *w, cl_mem indices) {
    clc_status status = CLC_OK;
    const int rows = w->projection.views * w->batch;
    if (w->label_count) {
        const clc_launch_spec spec = {.source = "method/queue.cl",
                                      .kernel = "labels_gather",
                                      .options = "-DVW=1",
                                      .local = {w->device->group_size},
                                      .op = "labels"};
        CLC_TRY(CLC_LAUNCH(&w->before, w->device, &spec, CLC_MEM(w->all_labels), CLC_MEM(indices),
                           CLC_MEM(w->labels), CLC_INT(w->batch)));
    }
    if (w->method->target == CLC_TARGET_NEIGHBOURS)
        CLC_TRY(clc_queue_nearest_build(&w->before, w->device, &w->queue, w->projection.value,
                                        w->nearest, w->nearest_space, w->nearest_scores, rows));
fail:
    return status;
}

static cl_mem grad_of(const clc_wiring *w, const char *name, cl_mem *value) {
    const clc_param *param = clc_params_find(&w->params, name);
    *value = param ? param->value : NULL;
    return param ? param->grad : NULL;
}

static clc_status build_loss(clc_wiring *w, bool queue) {
    const bool scored = w->method->queue == CLC_QUEUE_SCORED;
    const bool nearest = w->method->target == CLC_TARGET_NEIGHBOURS;
    clc_loss_shape shape = w->shape;
    clc_loss_buffers b = {.z = w->output.value,
                          .dz = w->output.grad,
                          .target = nearest ? w->nearest : w->target.value,
                          .dtarget = w->target.grad,
                          .queue = scored && w->queue.size ? w->queue_branch.output->value
                                                           : w->queue.data,
                          .center = w->center,
                          .labels = w->labels,
                          .value = w->value,
                          .workspace = w->loss_workspace};
    b.dlog_scale = grad_of(w, "loss.log_scale", &b.log_scale);
    b.dbias = grad_of(w, "loss.bias", &b.bias);
    shape.queue = queue || !scored ? shape.queue : 0;
    return clc_loss_build(w->loss, &w->loss_sequence[queue], w->device, &shape, &w->options, &b);
}

static clc_status build_after(clc_wiring *w, cl_mem step_state) {
    const clc_port *from = w->method->queue == CLC_QUEUE_TEACHER ? &w->target : &w->projection;
    if (!w->queue.size)
        return CLC_OK;
    return clc_queue_push_build(&w->after, w->device, &w->queue, from->value, step_state,
                                clc_wiring_queued(w));
}

clc_status clc_wiring_build(clc_wiring *w, cl_mem pixels, cl_mem indices, cl_mem step_state) {
    clc_status status = CLC_OK;
    CLC_TRY(build_micros(w, pixels, indices, step_state));
    for (int i = 0; i < CLC_WIRING_GRAPHS; i++)
        if (clc_wiring_graph(w, i))
            CLC_TRY(clc_graph_build(clc_wiring_graph(w, i)));
    CLC_TRY(build_before(w, indices));
    for (int queue = 0; queue < 2; queue++)
        CLC_TRY(build_loss(w, queue));
    CLC_TRY(build_after(w, step_state));
    for (int i = 0; i < 3 && backwards(w) > 1; i++)
        CLC_TRY(clc_accumulate_build(&w->accumulate[i], w->device, w->grad_sum, w->params.grad,
                                     w->params.trainable, i == 0, i == 2));
fail:
    return status;
}

clc_status clc_wiring_build_update(clc_wiring *w, clc_sequence *sequence, cl_mem hyper) {
    clc_status status = CLC_OK;
    if (w->method->unit_prototypes)
        CLC_TRY(clc_prototypes_renormalize(sequence, w->device,
                                           clc_params_find(&w->params, "prototypes.weight")));
    if (w->teacher.count)
        CLC_TRY(clc_average_build(sequence, w->device, w->teacher.value, w->params.value, hyper,
                                  w->teacher.trainable));
fail:
    return status;
}

/* ---- order ---- */

typedef struct stage_list {
    clc_stage *items;
    size_t count;
} stage_list;

static void add_stage(stage_list *list, clc_sequence *sequence, clc_graph *graph, bool backward) {
    if (!sequence->count)
        return;
    if (list->items)
        list->items[list->count] = (clc_stage){sequence, graph, backward};
    list->count++;
}

static void add_forward(stage_list *list, clc_branch *branch) {
    if (branch->graph)
        add_stage(list, &branch->graph->forward, branch->graph, false);
}

/* The embeddings of one micro-batch. */
static void add_embedding(clc_wiring *w, int micro, stage_list *list) {
    const bool several = clc_wiring_micros(w) > 1;
    add_stage(list, &w->augment[micro], NULL, false);
    add_forward(list, &w->teacher_branch);
    for (int i = 0; i < w->student_count; i++)
        add_forward(list, several ? &w->embedders[i] : &w->students[i]);
    add_stage(list, &w->gather[micro], NULL, false);
}

/* One micro-batch's share of the gradient (gradient cache, arXiv 2101.06983): with several, its
 * activations are made again. */
static void add_learning(clc_wiring *w, int micro, int *done, stage_list *list) {
    const bool several = clc_wiring_micros(w) > 1;
    if (several)
        add_stage(list, &w->augment[micro], NULL, false);
    for (int i = 0; several && i < w->student_count; i++)
        add_forward(list, &w->students[i]);
    add_stage(list, &w->scatter[micro], NULL, false);
    for (int i = 0; i < w->student_count; i++) {
        const int all = backwards(w), which = *done == 0 ? 0 : *done == all - 1 ? 2 : 1;
        add_stage(list, &w->students[i].graph->backward, w->students[i].graph, true);
        add_stage(list, &w->accumulate[which], NULL, false);
        ++*done;
    }
}

size_t clc_wiring_stages(clc_wiring *w, bool queue, clc_stage *stages) {
    stage_list list = {stages, 0};
    int done = 0;
    for (int m = 0; m < clc_wiring_micros(w); m++)
        add_embedding(w, m, &list);
    add_forward(&list, &w->queue_branch);
    add_stage(&list, &w->before, NULL, false);
    add_stage(&list, &w->loss_sequence[queue], NULL, false);
    add_stage(&list, &w->after, NULL, false);
    for (int m = 0; m < clc_wiring_micros(w); m++)
        add_learning(w, m, &done, &list);
    return list.count;
}

/* ---- state ---- */

static clc_status copy_to_teacher(clc_wiring *w) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < w->teacher.count; i++) {
        const clc_param *to = &w->teacher.items[i];
        const clc_param *from = clc_params_find(&w->params, to->name);
        CLC_CL(clEnqueueCopyBuffer(w->device->queue, from->value, to->value, 0, 0,
                                   to->count * sizeof(float), 0, NULL, NULL));
    }
fail:
    return status;
}

clc_status clc_wiring_initialise(clc_wiring *w, uint64_t seed) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_params_initialise(&w->params, w->device, seed));
    CLC_TRY(copy_to_teacher(w));
    if (w->queue.size)
        CLC_TRY(clc_queue_initialise(&w->queue, w->device, seed));
fail:
    return status;
}

int clc_wiring_states(const clc_wiring *w, clc_wiring_state *states) {
    int n = 0;
    if (w->queue.size)
        states[n++] = (clc_wiring_state){"queue", w->queue.size, w->queue.dim, w->queue.data};
    if (w->center)
        states[n++] = (clc_wiring_state){"center", 1, w->shape.dim, w->center};
    return n;
}
