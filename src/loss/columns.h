/* What losses on the columns of the embeddings share; see cl/loss/columns.cl. */
#ifndef CLC_LOSS_COLUMNS_H
#define CLC_LOSS_COLUMNS_H

#include "device/gemm.h"
#include "loss/loss.h"

/* Where things are in the workspace, in floats; GEMM's own workspace comes first. */
typedef struct clc_columns {
    const char *name; /* of the loss */
    int rows, dim;    /* of one view */
    size_t groups;    /* launches over columns */
    size_t items;     /* a group */
    size_t base;      /* x: (2,rows,dim) */
    size_t matrices;  /* (count,dim,dim) */
    size_t shares;    /* of the loss */
    size_t floats;    /* all of it */
    char options[48];
} clc_columns;

clc_columns clc_columns_place(const clc_device *device, const char *name,
                              const clc_loss_shape *shape, size_t matrices, size_t shares);

/* Two views of at least 2 images. */
clc_status clc_columns_check(const char *name, const clc_loss_shape *shape);

/* A launch over columns of both views, or with groups given over those. */
clc_launch_spec clc_columns_spec(const clc_columns *columns, const char *kernel, size_t groups,
                                 size_t views);

/* Appends the sum of the loss. */
clc_status clc_columns_merge(clc_sequence *sequence, clc_device *device, const clc_columns *columns,
                             const clc_loss_buffers *buffers, size_t shares, double weight);

#endif
