#include "loss/loss.h"
#include "loss/ntxent.h"

#include <math.h>
#include <stdio.h>

/* How the work is cut; see cl/loss/ntxent.cl. */
typedef struct tiling {
    unsigned width;         /* floats a vector */
    unsigned rows, vectors; /* of a register tile */
    unsigned block, panels; /* rows of a group, panels of columns between gradient updates */
    unsigned chunk;         /* vectors of a row that the gradient's register tile covers */
    size_t dim;             /* DP */
    size_t padded;          /* rows in the workspace */
    size_t per, groups;     /* rows of a group in this launch, groups */
} tiling;

static size_t ceil_div(size_t a, size_t b) {
    return (a + b - 1) / b;
}

/* 24 accumulators with 32 vector registers, 12 with 16. */
static void register_tile(const clc_device *device, tiling *t) {
    const bool cpu = device->profile == CLC_PROFILE_CPU;
    t->width = device->vector_width;
    t->rows = cpu ? 6 : 4;
    t->vectors = cpu && t->width == 16 ? 4 : 2;
}

static tiling tile(const clc_device *device, const clc_ntxent *loss) {
    enum { PRIVATE_FLOATS = 65536 }; /* of the gradient's block: a quarter of a MB on the stack */
    tiling t = {0};
    const size_t views = (size_t)loss->views, dim = (size_t)loss->dim;
    register_tile(device, &t);
    const size_t vectors = ceil_div(dim, t.width), chunks = ceil_div(vectors, t.vectors);
    t.chunk = (unsigned)ceil_div(vectors, chunks);
    t.dim = chunks * t.chunk * t.width;
    const size_t most = device->profile == CLC_PROFILE_CPU ? 96 : t.rows;
    const size_t fitting = PRIVATE_FLOATS / t.dim < most ? PRIVATE_FLOATS / t.dim : most;
    t.block = fitting < t.rows ? t.rows : (unsigned)(fitting / t.rows * t.rows);
    const size_t column_block = t.vectors * t.width;
    t.panels = (unsigned)(column_block < 128 ? 128 / column_block : 1);
    t.padded = ceil_div(views + t.rows, column_block) * column_block;
    const size_t share = ceil_div(ceil_div(views, device->groups), t.rows) * t.rows;
    t.per = share < t.block ? share : t.block;
    t.groups = ceil_div(views, t.per);
    return t;
}

size_t clc_ntxent_workspace(const clc_device *device, const clc_ntxent *loss) {
    const tiling t = tile(device, loss);
    return (t.padded * (t.dim + (size_t)loss->dim + 2) + t.groups) * sizeof(float);
}

static clc_status check(const clc_ntxent *loss) {
    if (loss->views < 2 || loss->views % 2)
        return clc_fail(CLC_INVALID, "NT-Xent needs an even number of views, at least 2, not %d",
                        loss->views);
    if (loss->dim < 1)
        return clc_fail(CLC_INVALID, "NT-Xent needs at least 1 dimension, not %d", loss->dim);
    if (!(loss->temperature >= 1e-3 && loss->temperature <= 1e6))
        return clc_fail(CLC_INVALID, "NT-Xent's temperature is %g; it must be 0.001 to 1000000",
                        loss->temperature);
    return CLC_OK;
}

clc_status clc_ntxent_build(clc_sequence *sequence, clc_device *device, const clc_ntxent *loss,
                            cl_mem z, cl_mem dz, cl_mem value, cl_mem workspace) {
    clc_status status = CLC_OK;
    CLC_TRY(check(loss));
    const tiling t = tile(device, loss);
    const double views = loss->views, dim = loss->dim, rate = 1.0 / loss->temperature;
    const float scale = (float)(rate / log(2.0));
    char options[160];
    snprintf(options, sizeof options,
             "-DD=%d -DDP=%zu -DNU=%u -DVW=%u -DMR=%u -DNV=%u -DBI=%u -DPANELS=%u", loss->dim,
             t.dim, t.chunk, t.width, t.rows, t.vectors, t.block, t.panels);
    clc_launch_spec spec = {.source = "loss/ntxent.cl", .options = options, .layer = "loss"};
    spec.kernel = "ntxent_normalize";
    spec.groups[0] = t.padded / (t.vectors * t.width);
    spec.flops = 4 * views * dim;
    spec.bytes = 12 * views * dim;
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(z), CLC_MEM(workspace),
                       CLC_INT(loss->views), CLC_INT(t.padded)));
    spec.kernel = "ntxent_forward";
    spec.groups[0] = t.groups;
    spec.flops = 2 * views * views * dim;
    spec.bytes = 8 * views * dim;
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(workspace), CLC_INT(loss->views),
                       CLC_INT(t.padded), CLC_INT(t.per), CLC_FLOAT(scale)));
    spec.kernel = "ntxent_backward";
    spec.flops = 4 * views * views * dim;
    spec.bytes = 12 * views * dim;
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(workspace), CLC_MEM(dz),
                       CLC_INT(loss->views), CLC_INT(t.padded), CLC_INT(t.per), CLC_FLOAT(scale),
                       CLC_FLOAT(rate / views)));
    spec.kernel = "ntxent_loss";
    spec.groups[0] = 1;
    spec.flops = (double)t.groups;
    spec.bytes = 4 * (double)t.groups;
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(workspace), CLC_MEM(value),
                       CLC_INT(t.padded), CLC_INT(t.groups), CLC_FLOAT(log(2.0) / views)));
fail:
    return status;
}

static clc_ntxent ntxent_of(const clc_loss_shape *shape, const clc_loss_options *options) {
    return (clc_ntxent){shape->views, shape->dim, options->temperature};
}

static size_t workspace_bytes(const clc_device *device, const clc_loss_shape *shape,
                              const clc_loss_options *options) {
    const clc_ntxent loss = ntxent_of(shape, options);
    return clc_ntxent_workspace(device, &loss);
}

static clc_status build(clc_sequence *sequence, clc_device *device, const clc_loss_shape *shape,
                        const clc_loss_options *options, cl_mem z, cl_mem dz, cl_mem value,
                        cl_mem workspace) {
    const clc_ntxent loss = ntxent_of(shape, options);
    return clc_ntxent_build(sequence, device, &loss, z, dz, value, workspace);
}

const clc_loss clc_loss_ntxent = {"ntxent", workspace_bytes, build};
