#include "method/stages.h"

#include "method/memory.h"
#include "op/ops.h"
#include "optim/optim.h"

#include <stdlib.h>

/* What a micro-batch drops is the same whenever it goes forward in a step. */
static clc_status build_dropout(clc_wiring *w, int micro, cl_mem step_state) {
    clc_status status = CLC_OK;
    const size_t u = sizeof(cl_uint);
    CLC_TRY(clc_sequence_add_copy(&w->augment[micro], step_state, CLC_STEP_NUMBER * u, w->dropout,
                                  2 * u, u));
    CLC_TRY(clc_sequence_add_copy(&w->augment[micro], w->micro_numbers, (size_t)micro * u,
                                  w->dropout, 3 * u, u));
fail:
    return status;
}

static clc_status build_micros(clc_wiring *w, const clc_samples *samples, cl_mem step_state) {
    clc_status status = CLC_OK;
    const int micros = clc_wiring_micros(w);
    CLC_NEW(w->augment, (size_t)micros);
    CLC_NEW(w->gather, (size_t)micros);
    CLC_NEW(w->scatter, (size_t)micros);
    for (int m = 0; m < micros; m++) {
        CLC_TRY(build_dropout(w, m, step_state));
        CLC_TRY(clc_views_build(&w->views, &w->augment[m], w->device, m, samples, step_state));
        CLC_TRY(clc_ports_gather(&w->ports, m, &w->gather[m]));
        CLC_TRY(clc_ports_scatter(&w->ports, m, &w->scatter[m]));
    }
fail:
    return status;
}

static clc_status build_before(clc_wiring *w, cl_mem indices) {
    clc_status status = CLC_OK;
    const int rows = w->ports.projection.views * w->batch;
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
        CLC_TRY(clc_queue_nearest_build(&w->before, w->device, &w->queue, w->ports.projection.value,
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
    clc_loss_buffers b = {.z = w->ports.output.value,
                          .dz = w->ports.output.grad,
                          .target = nearest ? w->nearest : w->ports.target.value,
                          .dtarget = w->ports.target.grad,
                          .queue = scored && w->queue.size ? w->branches.queue.output->value
                                                           : w->queue.data,
                          .center = w->center,
                          .labels = w->labels,
                          .value = w->value,
                          .workspace = w->loss_workspace};
    b.dlog_scale = grad_of(w, CLC_LEARNED_SCALE, &b.log_scale);
    b.dbias = grad_of(w, CLC_LEARNED_BIAS, &b.bias);
    shape.queue = queue || !scored ? shape.queue : 0;
    return clc_loss_build(w->loss, &w->loss_sequence[queue], w->device, &shape, &w->options, &b);
}

static clc_status build_after(clc_wiring *w, cl_mem step_state) {
    const clc_port *from =
        w->method->queue == CLC_QUEUE_TEACHER ? &w->ports.target : &w->ports.projection;
    if (!w->queue.size)
        return CLC_OK;
    return clc_queue_push_build(&w->after, w->device, &w->queue, from->value, step_state,
                                clc_wiring_queued(w));
}

clc_status clc_wiring_build(clc_wiring *w, const clc_samples *samples, cl_mem step_state) {
    clc_status status = CLC_OK;
    CLC_TRY(build_micros(w, samples, step_state));
    for (int i = 0; i < CLC_BRANCHES; i++)
        if (clc_wiring_graph(w, i))
            CLC_TRY(clc_graph_build(clc_wiring_graph(w, i)));
    CLC_TRY(build_before(w, samples->images.indices));
    for (int queue = 0; queue < 2; queue++)
        CLC_TRY(build_loss(w, queue));
    CLC_TRY(build_after(w, step_state));
    for (int i = 0; i < 3 && clc_wiring_accumulates(w); i++)
        CLC_TRY(clc_accumulate_build(&w->accumulate[i], w->device, w->grad_sum, w->params.grad,
                                     w->params.trainable, i == 0, i == 2));
fail:
    return status;
}

clc_status clc_wiring_build_update(clc_wiring *w, clc_sequence *sequence, cl_mem hyper) {
    clc_status status = CLC_OK;
    const clc_param *scale = clc_params_find(&w->params, CLC_LEARNED_SCALE);
    if (scale)
        CLC_TRY(clc_clamp_build(sequence, w->device, scale->value, 1, CLC_LOSS_LEAST_LOG_SCALE,
                                CLC_LOSS_MOST_LOG_SCALE));
    if (w->method->unit_prototypes)
        CLC_TRY(clc_prototypes_renormalize(sequence, w->device,
                                           clc_params_find(&w->params, "prototypes.weight")));
    if (w->method->target == CLC_TARGET_TEACHER)
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

static void add_bases(clc_wiring *w, stage_list *list) {
    for (int i = 0; i < w->branches.student_count; i++)
        add_forward(list, &w->branches.bases[i]);
}

/* The embeddings of one micro-batch. */
static void add_embedding(clc_wiring *w, int micro, stage_list *list) {
    add_stage(list, &w->augment[micro], NULL, false);
    add_forward(list, &w->branches.teacher);
    add_bases(w, list);
    for (int i = 0; i < w->branches.student_count; i++)
        add_forward(list, clc_branches_seen(&w->branches, i));
    add_stage(list, &w->gather[micro], NULL, false);
}

/* One micro-batch's share of the gradient (gradient cache, arXiv 2101.06983): with several, its
 * activations are made again. */
static void add_learning(clc_wiring *w, int micro, int *done, stage_list *list) {
    const bool several = clc_wiring_micros(w) > 1;
    if (several)
        add_stage(list, &w->augment[micro], NULL, false);
    if (several)
        add_bases(w, list);
    for (int i = 0; several && i < w->branches.student_count; i++)
        add_forward(list, &w->branches.students[i]);
    add_stage(list, &w->scatter[micro], NULL, false);
    for (int i = 0; i < w->branches.student_count; i++) {
        const int all = clc_wiring_backwards(w), which = *done == 0 ? 0 : *done == all - 1 ? 2 : 1;
        add_stage(list, &w->branches.students[i].graph->backward, w->branches.students[i].graph,
                  true);
        if (clc_wiring_accumulates(w))
            add_stage(list, &w->accumulate[which], NULL, false);
        ++*done;
    }
}

size_t clc_wiring_stages(clc_wiring *w, bool queue, clc_stage *stages) {
    stage_list list = {stages, 0};
    int done = 0;
    for (int m = 0; m < clc_wiring_micros(w); m++)
        add_embedding(w, m, &list);
    add_forward(&list, &w->branches.queue);
    add_stage(&list, &w->before, NULL, false);
    add_stage(&list, &w->loss_sequence[queue], NULL, false);
    add_stage(&list, &w->after, NULL, false);
    for (int m = 0; m < clc_wiring_micros(w); m++)
        add_learning(w, m, &done, &list);
    return list.count;
}

static void release_stages(clc_wiring *w) {
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
}

void clc_wiring_release(clc_wiring *w) {
    if (!w->device)
        return;
    release_stages(w);
    clc_branches_release(&w->branches);
    free(w->trained);
    clc_wiring_release_memory(w);
}
