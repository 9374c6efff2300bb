/* What the loss and the queue see of the branches. */
#ifndef CLC_METHOD_PORTS_H
#define CLC_METHOD_PORTS_H

#include "method/branches.h"

/* A matrix of all the batch's images: a branch's tensor itself or, if it has several parts or is
 * made in several micro-batches, gathered from those. */
typedef struct clc_port {
    int views, dim;
    bool gradient;
    struct {
        clc_tensor *from; /* its value is gathered, row v * micro + i */
        clc_tensor *to;   /* its gradient is scattered to; NULL for none */
        int first, views; /* rows first * batch ... */
    } parts[CLC_CROP_SIZES];
    int part_count;
    bool owned;
    cl_mem value, grad; /* (views*batch,dim) */
} clc_port;

typedef struct clc_ports {
    int batch, micro;    /* images */
    clc_port output;     /* the networks' */
    clc_port target;     /* what it is compared with, the teacher's or the projections */
    clc_port projection; /* what the queue takes, if not the teacher's */
    /* Projections of a (micro-)batch: of first views, and of second ones from row `second_row` on.
     */
    clc_tensor *watched, *watched_second;
    int second_row;
} clc_ports;

/* `ports` must be zeroed; `queue` may be one that there is not. */
void clc_ports_plan(clc_ports *ports, const clc_branches_plan *plan, clc_branches *branches,
                    const clc_queue *queue);

enum { CLC_PORTS = 3 };
clc_port *clc_ports_at(clc_ports *ports, int i);

/* Bytes of a value or a gradient. */
size_t clc_ports_bytes(const clc_ports *ports, const clc_port *port);

/* Ports that are not gathered become their tensors, which must have been allocated. */
void clc_ports_bind(clc_ports *ports);

/* Appends copies of micro-batch number `micro` from the parts to the ports, or of gradients back.
 */
clc_status clc_ports_gather(clc_ports *ports, int micro, clc_sequence *sequence);
clc_status clc_ports_scatter(clc_ports *ports, int micro, clc_sequence *sequence);

#endif
