#include "method/memory.h"

/* Buffers besides graphs and parameters. */
typedef struct buffer_plan {
    size_t bytes;
    cl_mem *mem;
    const char *what;
    bool embeddings; /* else workspace */
} buffer_plan;

enum { MOST_BUFFERS = 32 };

typedef struct buffer_list {
    buffer_plan items[MOST_BUFFERS];
    int count;
} buffer_list;

static void add(buffer_list *list, size_t bytes, cl_mem *mem, const char *what, bool embeddings) {
    list->items[list->count++] = (buffer_plan){bytes, mem, what, embeddings};
}

static void add_ports(buffer_list *list, clc_ports *ports) {
    for (int i = 0; i < CLC_PORTS; i++) {
        clc_port *port = clc_ports_at(ports, i);
        const size_t bytes = clc_ports_bytes(ports, port);
        if (port->owned && port->views)
            add(list, bytes, &port->value, "embeddings", true);
        if (port->owned && port->gradient)
            add(list, bytes, &port->grad, "embeddings", true);
    }
}

static void add_queue(buffer_list *list, clc_wiring *w) {
    const size_t f = sizeof(float), size = (size_t)w->queue.size, dim = (size_t)w->queue.dim;
    const size_t rows = (size_t)w->ports.projection.views * (size_t)w->batch;
    if (size)
        add(list, size * dim * f, &w->queue.data, "the queue", true);
    if (w->method->target != CLC_TARGET_NEIGHBOURS)
        return;
    add(list, rows * dim * f, &w->nearest, "neighbours", true);
    add(list, rows * size * f, &w->nearest_scores, "neighbours", false);
    add(list, w->nearest_space_bytes, &w->nearest_space, "neighbours", false);
}

static buffer_list list_buffers(clc_wiring *w) {
    buffer_list list = {.count = 0};
    const size_t f = sizeof(float);
    for (int i = 0; i < w->views.crop_count; i++) {
        clc_crop_views *crop = &w->views.crops[i];
        add(&list, clc_views_bytes(&w->views, i), &crop->values, "views", true);
        if (crop->kind != CLC_KIND_IMAGES)
            add(&list, clc_views_rows(&w->views, i) * sizeof(cl_int), &crop->lengths, "views",
                true);
    }
    add_ports(&list, &w->ports);
    add_queue(&list, w);
    if (w->loss->keeps_center)
        add(&list, (size_t)w->shape.dim * f, &w->center, "the centre", true);
    if (w->label_count) {
        add(&list, w->label_count * sizeof(int32_t), &w->all_labels, "labels", true);
        add(&list, (size_t)w->batch * sizeof(int32_t), &w->labels, "labels", true);
    }
    if (clc_wiring_accumulates(w))
        add(&list, w->params.trainable * f, &w->grad_sum, "gradients", false);
    add(&list, 4 * sizeof(cl_uint), &w->dropout, "dropout", false);
    add(&list, (size_t)clc_wiring_micros(w) * sizeof(cl_uint), &w->micro_numbers, "dropout", false);
    add(&list, w->loss_workspace_bytes, &w->loss_workspace, "the loss", false);
    add(&list, f, &w->value, "the loss", false);
    add(&list, w->views.workspace_bytes, &w->views.workspace, "augmentation", false);
    return list;
}

clc_wiring_bytes clc_wiring_memory(const clc_wiring *wiring) {
    clc_wiring copy = *wiring, *w = &copy;
    const buffer_list list = list_buffers(w);
    const size_t f = sizeof(float);
    clc_wiring_bytes b = {.params = w->params.total * f,
                          .gradients = w->params.trainable * f,
                          .teacher = w->teacher.total * f};
    for (int i = 0; i < list.count; i++) {
        const buffer_plan *p = &list.items[i];
        *(p->embeddings ? &b.embeddings : &b.workspace) += clc_buffer_bytes(p->bytes);
        b.largest = p->bytes > b.largest ? p->bytes : b.largest;
    }
    for (int i = 0; i < CLC_BRANCHES; i++) {
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

/* An image without a label, -1, is a class of its own: only its views are its positives. */
static clc_status upload_labels(clc_wiring *w, const clc_dataset *data) {
    clc_status status = CLC_OK;
    int32_t *labels = NULL;
    CLC_NEW(labels, w->label_count);
    for (size_t i = 0; i < w->label_count; i++)
        labels[i] = data->labels[i] < 0 ? -1 - (int32_t)i : data->labels[i];
    CLC_TRY(clc_buffer_write(w->device, w->all_labels, 0, w->label_count * sizeof *labels, labels));
fail:
    free(labels);
    return status;
}

/* The seed, which stays, and the numbers of micro-batches, which stages copy behind it. */
static clc_status upload_dropout(clc_wiring *w) {
    clc_status status = CLC_OK;
    const uint64_t seed = w->config->training.seed;
    const cl_uint state[4] = {(cl_uint)seed, (cl_uint)(seed >> 32), 0, 0};
    const size_t micros = (size_t)clc_wiring_micros(w);
    cl_uint *numbers = NULL;
    CLC_NEW(numbers, micros);
    for (size_t i = 0; i < micros; i++)
        numbers[i] = (cl_uint)i;
    CLC_TRY(clc_buffer_write(w->device, w->dropout, 0, sizeof state, state));
    CLC_TRY(clc_buffer_write(w->device, w->micro_numbers, 0, micros * sizeof *numbers, numbers));
    for (int i = 0; i < CLC_BRANCHES; i++)
        if (clc_wiring_graph(w, i))
            clc_wiring_graph(w, i)->dropout_state = w->dropout;
fail:
    free(numbers);
    return status;
}

clc_status clc_wiring_allocate(clc_wiring *w, int optimizer_states, const clc_dataset *data) {
    clc_status status = CLC_OK;
    const buffer_list list = list_buffers(w);
    CLC_TRY(clc_params_allocate(&w->params, w->device, true, optimizer_states));
    if (w->teacher.count)
        CLC_TRY(clc_params_allocate(&w->teacher, w->device, false, 0));
    for (int i = 0; i < list.count; i++)
        CLC_TRY(clc_buffer_create(w->device, list.items[i].bytes, list.items[i].what,
                                  list.items[i].mem));
    for (int i = 0; i < CLC_BRANCHES; i++)
        if (clc_wiring_graph(w, i))
            CLC_TRY(clc_graph_allocate(clc_wiring_graph(w, i)));
    clc_ports_bind(&w->ports);
    clc_branches_bind(&w->branches, &w->views, &w->queue);
    CLC_TRY(upload_dropout(w));
    if (w->label_count)
        CLC_TRY(upload_labels(w, data));
    if (w->center)
        CLC_TRY(clc_buffer_zero(w->device, w->center, 0, (size_t)w->shape.dim * sizeof(float)));
fail:
    return status;
}

void clc_wiring_release_memory(clc_wiring *w) {
    const buffer_list list = list_buffers(w);
    for (int i = 0; i < list.count; i++)
        clc_buffer_release(w->device, list.items[i].mem);
    clc_params_release(&w->params, w->device);
    clc_params_release(&w->teacher, w->device);
}
