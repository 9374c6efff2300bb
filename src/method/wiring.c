#include "method/wiring.h"

#include "method/trained.h"
#include "model/weights.h"

#include <math.h>

int clc_wiring_micros(const clc_wiring *w) {
    return w->batch / w->micro;
}

int clc_wiring_backwards(const clc_wiring *w) {
    return clc_wiring_micros(w) * w->branches.student_count;
}

/* Two towers have no parameter in common. */
bool clc_wiring_accumulates(const clc_wiring *w) {
    const int each = w->method->towers == CLC_TOWERS ? CLC_TOWERS : 1;
    return clc_wiring_backwards(w) > each;
}

int clc_wiring_queued(const clc_wiring *w) {
    if (!w->queue.size)
        return 0;
    return w->method->queue == CLC_QUEUE_TEACHER ? w->ports.target.views * w->batch
                                                 : w->ports.projection.views * w->batch;
}

clc_graph *clc_wiring_graph(clc_wiring *w, int i) {
    return clc_branches_at(&w->branches, i)->graph;
}

/* ---- planning ---- */

static clc_status add_learned(clc_wiring *w) {
    clc_status status = CLC_OK;
    const int one = 1;
    const struct {
        const char *name;
        double initial;
    } all[] = {{CLC_LEARNED_SCALE, -log(w->options.temperature)},
               {CLC_LEARNED_BIAS, w->options.bias}};
    if (w->options.learned_scale != CLC_CONFIG_LEARN_TRUE || !w->loss->learns_scale)
        return CLC_OK;
    for (int i = 0; i < (w->loss->learns_bias ? 2 : 1); i++) {
        int index;
        CLC_TRY(clc_params_add(&w->params, all[i].name, CLC_PARAM_CONSTANT, 1, &one, &index));
        w->params.items[index].initial = (float)all[i].initial;
    }
fail:
    return status;
}

static clc_status plan_branches(clc_wiring *w, const clc_branches_plan *plan) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_branches_add_students(&w->branches, plan, &w->params, clc_wiring_micros(w) > 1));
    CLC_TRY(add_learned(w));
    if (w->method->queue != CLC_QUEUE_NONE && w->config->method.queue) {
        w->queue.size = w->config->method.queue;
        w->queue.dim = clc_tensor_channels(w->branches.students[0].projection);
    }
    if (w->method->queue == CLC_QUEUE_SCORED && w->queue.size)
        CLC_TRY(clc_branches_add_queue(&w->branches, plan, &w->params, &w->queue));
    clc_params_layout(&w->params);
    if (w->method->target == CLC_TARGET_TEACHER)
        CLC_TRY(clc_branches_add_teacher(&w->branches, plan, &w->params, &w->teacher));
    if (w->method->target == CLC_TARGET_TRAINED) {
        CLC_TRY(clc_trained_config(w->config, &w->trained));
        CLC_TRY(clc_branches_add_trained(&w->branches, plan, w->trained, &w->teacher));
    }
fail:
    return status;
}

/* What a queue longer than the other images of an epoch holds of the batch's own. */
static clc_status check_queue_length(const clc_wiring *w, size_t images) {
    const bool keys = w->method->queue == CLC_QUEUE_TEACHER;
    const size_t batch = (size_t)w->batch, others = images > batch ? images - batch : 0;
    if (!keys && w->method->target != CLC_TARGET_NEIGHBOURS)
        return CLC_OK;
    const size_t most = others * (size_t)clc_wiring_queued(w) / batch;
    if ((size_t)w->queue.size <= most)
        return CLC_OK;
    return clc_fail(
        CLC_INVALID,
        "method.queue = %d is more than the %zu embeddings of an epoch of %zu images without "
        "those of one batch of %d: %s; set method.queue to %zu or less, or lower training.batch",
        w->queue.size, most, images, w->batch,
        keys ? "an image's own earlier keys would be among its negatives"
             : "an image's nearest neighbour would be itself",
        most);
}

static clc_status check_queue(const clc_wiring *w, size_t images) {
    if (!w->queue.size && w->method->target == CLC_TARGET_NEIGHBOURS)
        return clc_fail(CLC_INVALID, "%s needs a queue; set method.queue", w->method->name);
    if (w->queue.size && w->queue.size < clc_wiring_queued(w))
        return clc_fail(
            CLC_INVALID,
            "method.queue = %d holds less than the %d embeddings of a step; use at least "
            "so many, or a smaller batch",
            w->queue.size, clc_wiring_queued(w));
    return w->queue.size ? check_queue_length(w, images) : CLC_OK;
}

/* What the loss compares has one length. */
static clc_status check_widths(const clc_wiring *w) {
    const clc_port *port = &w->ports.output;
    for (int i = 1; i < port->part_count; i++) {
        const int first = clc_tensor_channels(port->parts[0].from);
        const int other = clc_tensor_channels(port->parts[i].from);
        if (first != other)
            return clc_fail(CLC_INVALID,
                            "%s: one tower makes embeddings of %d numbers, the other of %d; set "
                            "projector.output and text_projector.output to the same",
                            w->method->name, first, other);
    }
    return CLC_OK;
}

static clc_status plan_loss(clc_wiring *w) {
    clc_status status = CLC_OK;
    const clc_method *m = w->method;
    CLC_TRY(check_widths(w));
    w->shape = (clc_loss_shape){.images = w->batch,
                                .views = w->ports.output.views,
                                .dim = w->ports.output.dim,
                                .targets = m->target != CLC_TARGET_NONE,
                                .large = m->prototypes ? 2 : 0,
                                .labels = clc_method_wants_labels(w->config),
                                .classes = m->classifier ? w->config->method.classes : 0};
    if (m->queue == CLC_QUEUE_TEACHER || m->queue == CLC_QUEUE_SCORED)
        w->shape.queue = w->queue.size;
    CLC_TRY(clc_loss_check(w->loss, &w->shape, &w->options));
    if (w->ports.target.gradient && !w->loss->moves_targets)
        return clc_fail(CLC_INVALID,
                        "method.stop_gradient = false: the loss %s has no gradient of its targets; "
                        "use loss.name = cosine, or stop_gradient = true",
                        w->loss->name);
    w->loss_workspace_bytes = w->loss->workspace(w->device, &w->shape, &w->options);
    if (m->target == CLC_TARGET_NEIGHBOURS)
        w->nearest_space_bytes =
            clc_queue_nearest_workspace(w->device, &w->queue, w->ports.projection.views * w->batch);
fail:
    return status;
}

static clc_status plan_labels(clc_wiring *w, const clc_dataset *data) {
    if (!clc_method_wants_labels(w->config))
        return CLC_OK;
    if (!data->labels)
        return clc_fail(CLC_INVALID, "%s needs labels: folders, a column or data.train_labels",
                        w->method->name);
    size_t alike = 1;
    while (alike < data->count && data->labels[alike] == data->labels[0])
        alike++;
    if (alike >= data->count && data->labels[0] >= 0)
        return clc_fail(CLC_INVALID,
                        "%s needs images of at least two classes, but all %zu have label %d; look "
                        "at the labels, and at data.limit, which takes the first ones",
                        w->method->name, data->count, (int)data->labels[0]);
    w->label_count = data->count;
    return CLC_OK;
}

static clc_status check_fields(const clc_wiring *w, const clc_dataset *data) {
    static const char *const kinds[CLC_KINDS] = {
        [CLC_KIND_IMAGES] = "pictures", [CLC_KIND_TOKENS] = "texts", [CLC_KIND_SERIES] = "series"};
    if (w->method->towers != CLC_TOWERS || data->field_count >= CLC_TOWERS)
        return CLC_OK;
    return clc_fail(CLC_INVALID,
                    "%s needs two things of each sample, such as a picture and its caption, but %s "
                    "has %s alone; give pairs (data.as = pairs), or choose another method",
                    w->method->name, data->name, kinds[data->fields[0].kind]);
}

clc_status clc_wiring_plan(clc_wiring *w, clc_device *device, const clc_config *config,
                           const clc_dataset *data) {
    clc_status status = CLC_OK;
    w->device = device;
    w->config = config;
    w->method = clc_method_of(config);
    w->loss = clc_method_loss(w->method, config);
    w->options = clc_method_options(w->method, config);
    w->batch = config->training.batch;
    w->micro = config->training.micro_batch ? config->training.micro_batch : w->batch;
    const clc_branches_plan plan = {device, config, w->method, &w->views};
    CLC_TRY(check_fields(w, data));
    CLC_TRY(plan_labels(w, data));
    CLC_TRY(clc_views_plan(&w->views, device, config, w->method, data, w->micro));
    CLC_TRY(plan_branches(w, &plan));
    clc_ports_plan(&w->ports, &plan, &w->branches, &w->queue);
    CLC_TRY(check_queue(w, data->count));
    CLC_TRY(plan_loss(w));
    CLC_TRY(clc_branches_plan_memory(&w->branches));
fail:
    return status;
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

/* Weights of the towers that start from files. */
static clc_status load_weights(clc_wiring *w) {
    clc_status status = CLC_OK;
    for (int i = 0; i < (w->method->towers == CLC_TOWERS ? CLC_TOWERS : 1); i++)
        CLC_TRY(clc_tower_load(w->config, i, w->method->classifier, &w->params, w->device));
fail:
    return status;
}

clc_status clc_wiring_initialise(clc_wiring *w, uint64_t seed, bool from_files) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_params_initialise(&w->params, w->device, seed));
    if (from_files)
        CLC_TRY(load_weights(w));
    if (w->method->target == CLC_TARGET_TEACHER)
        CLC_TRY(copy_to_teacher(w));
    if (w->trained && from_files)
        CLC_TRY(clc_trained_load(w->config, &w->teacher, w->device));
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
