#include "method/ports.h"

#include <stddef.h>

/* `pick` of a branch. */
static clc_tensor *tensor_of(const clc_branch *b, size_t pick) {
    return *(clc_tensor *const *)((const char *)b + pick);
}

static void add_part(clc_port *port, const clc_branch *student, const clc_branch *seen,
                     size_t pick) {
    clc_tensor *to = tensor_of(student, pick), *from = tensor_of(seen, pick);
    clc_graph_expose(from, false);
    clc_graph_expose(to, port->gradient);
    port->parts[port->part_count].from = from;
    port->parts[port->part_count].to = port->gradient && to->wants_grad ? to : NULL;
    port->parts[port->part_count].first = port->views;
    port->parts[port->part_count++].views = student->views;
    port->views += student->views;
    port->dim = clc_tensor_channels(to);
}

/* A port on the networks' tensors: of the first `count` crop sizes. */
static void plan_port(clc_port *port, clc_branches *b, size_t pick, bool gradient, int count) {
    port->gradient = gradient;
    for (int i = 0; i < count; i++)
        add_part(port, &b->students[i], clc_branches_seen(b, i), pick);
    port->owned = b->several || count > 1;
}

/* Of one view there is no second one, unless a running average of the networks sees it. */
static void plan_watched(clc_ports *p, clc_branches *b, clc_target target) {
    const clc_branch *seen = clc_branches_seen(b, 0);
    const clc_branch *other = b->student_count > 1 ? clc_branches_seen(b, 1) : &b->teacher;
    p->watched = seen->projection;
    p->watched_second = seen->views > 1                ? seen->projection
                        : b->student_count > 1         ? other->projection
                        : target == CLC_TARGET_TEACHER ? b->teacher.output
                                                       : NULL;
    p->second_row = seen->views > 1 ? p->micro : 0;
    clc_graph_expose(p->watched, false);
    if (seen->views == 1 && b->student_count > 1)
        clc_graph_expose(other->projection, false);
}

void clc_ports_plan(clc_ports *p, const clc_branches_plan *plan, clc_branches *b,
                    const clc_queue *queue) {
    const clc_method *method = plan->method;
    const size_t output = offsetof(clc_branch, output);
    const size_t projection = offsetof(clc_branch, projection);
    p->batch = plan->config->training.batch;
    p->micro = plan->views->images;
    plan_port(&p->output, b, output, true, b->student_count);
    if (b->teacher.graph) {
        add_part(&p->target, &b->teacher, &b->teacher, output);
        p->target.owned = b->several;
    }
    if (method->target == CLC_TARGET_PROJECTION)
        plan_port(&p->target, b, projection, !plan->config->method.stop_gradient, 1);
    plan_watched(p, b, method->target);
    if (queue->size && method->queue != CLC_QUEUE_TEACHER)
        plan_port(&p->projection, b, projection, false, 1);
}

clc_port *clc_ports_at(clc_ports *p, int i) {
    clc_port *const all[CLC_PORTS] = {&p->output, &p->target, &p->projection};
    return all[i];
}

size_t clc_ports_bytes(const clc_ports *p, const clc_port *port) {
    return (size_t)port->views * (size_t)p->batch * (size_t)port->dim * sizeof(float);
}

void clc_ports_bind(clc_ports *p) {
    for (int i = 0; i < CLC_PORTS; i++) {
        clc_port *port = clc_ports_at(p, i);
        if (port->owned || !port->views)
            continue;
        port->value = port->parts[0].from->value;
        port->grad = port->gradient ? port->parts[0].to->grad : NULL;
    }
}

/* Copies rows of one micro-batch between a port and its parts. */
static clc_status copy_rows(const clc_ports *p, const clc_port *port, int micro, bool scatter,
                            clc_sequence *sequence) {
    clc_status status = CLC_OK;
    const size_t row = (size_t)port->dim * sizeof(float), rows = (size_t)p->micro;
    for (int i = 0; i < port->part_count && port->owned; i++)
        for (int v = 0; v < port->parts[i].views; v++) {
            const size_t all =
                (size_t)(port->parts[i].first + v) * (size_t)p->batch + (size_t)micro * rows;
            const size_t own = (size_t)v * rows;
            if (scatter && port->parts[i].to)
                CLC_TRY(clc_sequence_add_copy(sequence, port->grad, all * row,
                                              port->parts[i].to->grad, own * row, rows * row));
            if (!scatter)
                CLC_TRY(clc_sequence_add_copy(sequence, port->parts[i].from->value, own * row,
                                              port->value, all * row, rows * row));
        }
fail:
    return status;
}

clc_status clc_ports_gather(clc_ports *p, int micro, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    for (int i = 0; i < CLC_PORTS; i++)
        CLC_TRY(copy_rows(p, clc_ports_at(p, i), micro, false, sequence));
fail:
    return status;
}

clc_status clc_ports_scatter(clc_ports *p, int micro, clc_sequence *sequence) {
    clc_status status = CLC_OK;
    for (int i = 0; i < CLC_PORTS; i++)
        CLC_TRY(copy_rows(p, clc_ports_at(p, i), micro, true, sequence));
fail:
    return status;
}
