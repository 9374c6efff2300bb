#include "method/branches.h"

#include "model/heads.h"
#include "op/ops.h"
#include "optim/optim.h"

/* BASE, TRAINED: as in evaluation. */
typedef enum branch_kind { STUDENT, EMBEDDER, TEACHER, BASE, TRAINED } branch_kind;

/* Of each view; 0: all views together. */
static int norm_parts(const clc_branches_plan *plan) {
    const int given = plan->config->method.norm_parts;
    return given ? given : plan->method->norm_parts;
}

static int norm_splits(const clc_branches_plan *plan, int views) {
    const int parts = norm_parts(plan);
    return parts ? parts * views : 1;
}

/* Scaled by its own mean and deviation, one image is no different from another: behind the pooling
 * one value becomes 0, and two views' become 1 and -1. */
static clc_status check_norm(const clc_branches_plan *plan) {
    const clc_config *config = plan->config;
    const int parts = norm_parts(plan) ? norm_parts(plan) : 1;
    const char *key = config->training.micro_batch ? "micro_batch" : "batch";
    if (plan->views->images >= 2 * parts || config->encoder.norm == CLC_CONFIG_NORM_FIXED)
        return CLC_OK;
    return clc_fail(CLC_INVALID,
                    "training.%s = %d: with views in %d part%s batch-norm would see less than two "
                    "images at a time and make all embeddings alike; use at least %d, or "
                    "encoder.norm = fixed",
                    key, plan->views->images, parts, parts == 1 ? "" : "s", 2 * parts);
}

/* Whose network sees a crop. */
static int tower_of(const clc_branches_plan *plan, int crop) {
    return plan->method->towers == CLC_TOWERS ? plan->views->crops[crop].field : 0;
}

/* Layers of a network that aren't trained. */
static bool has_frozen(const clc_branches_plan *plan, int crop) {
    const clc_config_encoder *encoder = clc_tower_at(plan->config, tower_of(plan, crop)).encoder;
    return encoder->frozen || encoder->frozen_layers;
}

static bool is_frozen(const clc_branches_plan *plan, int crop) {
    return clc_tower_at(plan->config, tower_of(plan, crop)).encoder->frozen;
}

/* A projection goes on to the prototypes, or for all but the teacher to the predictor; a
 * classifier's is what evaluation sees. */
static clc_status build_heads(const clc_branches_plan *plan, clc_branch *b, branch_kind kind,
                              int tower) {
    clc_status status = CLC_OK;
    const clc_config *config = plan->config;
    if (plan->method->classifier) {
        CLC_TRY(clc_kept_layers_build(b->graph, config, tower, b->features, &b->projection));
        return clc_classifier_build(b->graph, config, b->projection, &b->output);
    }
    CLC_TRY(clc_projector_build(b->graph, config, tower, b->features, &b->projection));
    b->output = b->projection;
    if (plan->method->prototypes) {
        CLC_TRY(clc_op_prototypes(b->graph, "prototypes", b->projection, config->method.prototypes,
                                  &b->output));
        clc_param *weight = clc_params_find(b->graph->params, "prototypes.weight");
        weight->group = CLC_GROUP_PROTOTYPES;
    }
    if (plan->method->predictor && kind != TEACHER)
        CLC_TRY(clc_predictor_build(b->graph, config, b->projection, &b->output));
fail:
    return status;
}

/* What the branch reads: the views of one crop. */
static clc_status add_input(const clc_views *views, int crop, clc_branch *b) {
    clc_status status = CLC_OK;
    const clc_crop_views *c = &views->crops[crop];
    const int rows = (int)clc_views_rows(views, crop);
    const clc_shape lengths = {CLC_TYPE_INT32, 1, {rows}};
    const clc_shape shapes[CLC_KINDS] = {
        [CLC_KIND_IMAGES] = clc_shape_images(rows, c->size, c->size, c->channels),
        [CLC_KIND_TOKENS] = {CLC_TYPE_INT32, 2, {rows, c->context}},
        [CLC_KIND_SERIES] = {CLC_TYPE_FLOAT32, 3, {rows, c->context, c->channels}}};
    b->input = (clc_net_input){.kind = c->kind, .vocabulary = c->vocabulary};
    CLC_TRY(clc_graph_input_external(b->graph, "input", shapes[c->kind], &b->input.values));
    if (c->kind != CLC_KIND_IMAGES)
        CLC_TRY(clc_graph_input_external(b->graph, "lengths", lengths, &b->input.lengths));
fail:
    return status;
}

static clc_status create_graph(const clc_branches_plan *plan, clc_params *params, branch_kind kind,
                               int crop, clc_branch *b) {
    clc_status status = CLC_OK;
    const clc_config *config = plan->config;
    const clc_tower tower = clc_tower_at(config, tower_of(plan, crop));
    b->views = plan->views->crops[crop].views;
    CLC_TRY(clc_graph_create(plan->device, params, kind != BASE && kind != TRAINED, &b->graph));
    b->graph->gradients = kind == STUDENT;
    b->graph->dropout_stream = (unsigned)(kind == TEACHER ? CLC_CROP_SIZES + crop : crop);
    b->graph->frozen = kind == EMBEDDER;
    b->graph->norm_splits = norm_splits(plan, b->views);
    b->graph->fixed_norm = tower.encoder->norm == CLC_CONFIG_NORM_FIXED;
    b->graph->convolution = config->device.convolution;
    b->graph->gemm = (clc_gemm_kind)config->device.gemm;
fail:
    return status;
}

/* A frozen encoder is one of evaluation, and its parameters are those of no update. */
static clc_status build_base(const clc_branches_plan *plan, clc_params *params, int crop,
                             clc_branch *b) {
    clc_status status = CLC_OK;
    const size_t first = params->count;
    CLC_TRY(create_graph(plan, params, BASE, crop, b));
    CLC_TRY(add_input(plan->views, crop, b));
    CLC_TRY(
        clc_encoder_build(b->graph, plan->config, tower_of(plan, crop), &b->input, &b->features));
    for (size_t i = first; i < params->count; i++)
        params->items[i].group = CLC_GROUP_FROZEN;
fail:
    return status;
}

/* `base` makes the features, or has no graph. */
static clc_status build_branch(const clc_branches_plan *plan, clc_params *params, branch_kind kind,
                               int crop, const clc_branch *base, clc_branch *b) {
    clc_status status = CLC_OK;
    const int tower = tower_of(plan, crop);
    CLC_TRY(create_graph(plan, params, kind, crop, b));
    if (base->graph) {
        CLC_TRY(
            clc_graph_input_external(b->graph, "features", base->features->shape, &b->features));
    } else {
        CLC_TRY(add_input(plan->views, crop, b));
        CLC_TRY(clc_encoder_build(b->graph, plan->config, tower, &b->input, &b->features));
    }
    CLC_TRY(build_heads(plan, b, kind, tower));
fail:
    return status;
}

/* A teacher's encoder would have to be frozen, too, which nothing asks for. */
static clc_status check_frozen(const clc_branches_plan *plan, const clc_branches *b) {
    for (int i = 0; i < b->student_count; i++)
        if (has_frozen(plan, i) && plan->method->target == CLC_TARGET_TEACHER)
            return clc_fail(CLC_INVALID,
                            "encoder.%s: the teacher of %s follows its encoder, which must learn; "
                            "use encoder.frozen = false and encoder.frozen_layers = 0, or a method "
                            "without teacher",
                            is_frozen(plan, i) ? "frozen = true" : "frozen_layers is above 0",
                            plan->method->name);
    return CLC_OK;
}

/* Without a layer to learn there is no training, though a loss may have parameters of its own. */
static clc_status check_learning(const clc_params *params) {
    for (size_t i = 0; i < params->count; i++)
        if (clc_param_trainable(&params->items[i]) && params->items[i].group != CLC_GROUP_FROZEN)
            return CLC_OK;
    return clc_fail(CLC_INVALID, "everything is frozen: set a projector's enabled to true, or an "
                                 "encoder's frozen to false");
}

clc_status clc_branches_add_students(clc_branches *b, const clc_branches_plan *plan,
                                     clc_params *params, bool several) {
    clc_status status = CLC_OK;
    CLC_TRY(check_norm(plan));
    b->several = several;
    b->student_count = plan->method->split ? 1 : plan->views->crop_count;
    CLC_TRY(check_frozen(plan, b));
    for (int i = 0; i < b->student_count; i++)
        if (is_frozen(plan, i))
            CLC_TRY(build_base(plan, params, i, &b->bases[i]));
    for (int i = 0; i < b->student_count; i++)
        CLC_TRY(build_branch(plan, params, STUDENT, i, &b->bases[i], &b->students[i]));
    for (int i = 0; several && i < b->student_count; i++)
        CLC_TRY(build_branch(plan, params, EMBEDDER, i, &b->bases[i], &b->embedders[i]));
    CLC_TRY(check_learning(params));
fail:
    return status;
}

/* Offsets of the teacher's weights must be those of the networks' for the average. */
clc_status clc_branches_add_teacher(clc_branches *b, const clc_branches_plan *plan,
                                    const clc_params *params, clc_params *teacher) {
    clc_status status = CLC_OK;
    const clc_branch none = {.graph = NULL};
    CLC_TRY(build_branch(plan, teacher, TEACHER, plan->views->teacher_crop, &none, &b->teacher));
    clc_params_layout(teacher);
    for (size_t i = 0; i < teacher->count; i++) {
        const clc_param *param = &teacher->items[i];
        const clc_param *own = clc_params_find(params, param->name);
        if (!own || (clc_param_trainable(param) && own->offset != param->offset))
            return clc_fail(CLC_INVALID, "the teacher's %s lies elsewhere than the network's",
                            param->name);
    }
fail:
    return status;
}

clc_status clc_branches_add_trained(clc_branches *b, const clc_branches_plan *plan,
                                    const clc_config *trained, clc_params *teacher) {
    clc_branches_plan own = *plan;
    const clc_branch none = {.graph = NULL};
    own.config = trained;
    const clc_status status =
        build_branch(&own, teacher, TRAINED, plan->views->teacher_crop, &none, &b->teacher);
    clc_params_layout(teacher);
    return status;
}

clc_status clc_branches_add_queue(clc_branches *branches, const clc_branches_plan *plan,
                                  clc_params *params, const clc_queue *queue) {
    clc_status status = CLC_OK;
    clc_branch *b = &branches->queue;
    CLC_TRY(clc_graph_create(plan->device, params, true, &b->graph));
    b->graph->gradients = false;
    CLC_TRY(clc_graph_input_external(b->graph, "queue", clc_shape_rows(queue->size, queue->dim),
                                     &b->input.values));
    CLC_TRY(clc_op_prototypes(b->graph, "prototypes", b->input.values,
                              plan->config->method.prototypes, &b->output));
fail:
    return status;
}

clc_branch *clc_branches_seen(clc_branches *b, int i) {
    return b->several ? &b->embedders[i] : &b->students[i];
}

clc_branch *clc_branches_at(clc_branches *b, int i) {
    if (i < CLC_CROP_SIZES)
        return &b->students[i];
    if (i < 2 * CLC_CROP_SIZES)
        return &b->embedders[i - CLC_CROP_SIZES];
    if (i < 3 * CLC_CROP_SIZES)
        return &b->bases[i - 2 * CLC_CROP_SIZES];
    return i == 3 * CLC_CROP_SIZES ? &b->teacher : &b->queue;
}

/* The teacher, the bases and the embedders have gone forward, and only their results are read,
 * before the students do: they need no memory besides theirs. */
clc_status clc_branches_plan_memory(clc_branches *b) {
    clc_status status = CLC_OK;
    clc_graph *students = b->students[0].graph;
    for (int i = 0; i < CLC_BRANCHES; i++)
        if (clc_branches_at(b, i)->graph)
            CLC_TRY(clc_graph_plan(clc_branches_at(b, i)->graph));
    for (int i = 1; i < CLC_BRANCHES; i++) {
        const clc_branch *branch = clc_branches_at(b, i);
        if (branch->graph)
            clc_graph_borrow(branch->graph, students, i >= CLC_CROP_SIZES && branch != &b->queue);
    }
fail:
    return status;
}

static void bind(clc_branch *b, const clc_crop_views *crop, const clc_branch *base) {
    if (!b->graph)
        return;
    if (base && base->graph) {
        b->features->value = base->features->value;
        return;
    }
    b->input.values->value = crop->values;
    if (b->input.lengths)
        b->input.lengths->value = crop->lengths;
}

void clc_branches_bind(clc_branches *b, const clc_views *views, const clc_queue *queue) {
    for (int i = 0; i < b->student_count; i++) {
        bind(&b->bases[i], &views->crops[i], NULL);
        bind(&b->students[i], &views->crops[i], &b->bases[i]);
        bind(&b->embedders[i], &views->crops[i], &b->bases[i]);
    }
    bind(&b->teacher, &views->crops[views->teacher_crop], NULL);
    if (b->queue.graph)
        b->queue.input.values->value = queue->data;
}

void clc_branches_release(clc_branches *b) {
    for (int i = 0; i < CLC_BRANCHES; i++)
        clc_graph_free(&clc_branches_at(b, i)->graph);
}
