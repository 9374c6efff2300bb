#include "optim/optim.h"

#include "core/math.h"

#include <stdio.h>

enum { CHUNK_FLOATS = 16384, VECTOR = 16 };

int clc_optim_states(const clc_config_optimizer *o) {
    return o->name == CLC_CONFIG_OPTIMIZER_ADAMW ? 2 : 1;
}

static size_t chunks_of(const clc_optim_segment *segment) {
    return clc_ceil_div(segment->count, CHUNK_FLOATS);
}

static size_t count_chunks(const clc_optim_segment *segments, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += chunks_of(&segments[i]);
    return count;
}

/* Partial sums (chunks,3). */
size_t clc_optim_workspace(const clc_optim_segment *segments, size_t n) {
    return count_chunks(segments, n) * 3 * sizeof(float);
}

size_t clc_optim_tables_bytes(const clc_optim_segment *segments, size_t n) {
    return (count_chunks(segments, n) + n) * sizeof(cl_int4);
}

static void fill_tables(const clc_optim_segment *segments, size_t n, cl_int4 *chunk_table,
                        cl_int4 *segment_table) {
    size_t c = 0;
    for (size_t s = 0; s < n; s++) {
        segment_table[s] = (cl_int4){{(cl_int)c, (cl_int)chunks_of(&segments[s]), segments[s].decay,
                                      segments[s].adapt | (int)segments[s].group << 1}};
        for (size_t start = 0; start < segments[s].count; start += CHUNK_FLOATS) {
            size_t left = segments[s].count - start;
            chunk_table[c++] =
                (cl_int4){{(cl_int)s, (cl_int)((segments[s].offset + start) / VECTOR),
                           (cl_int)(left < CHUNK_FLOATS ? left : CHUNK_FLOATS), 0}};
        }
    }
}

clc_status clc_optim_prepare(clc_device *device, const clc_optim_segment *segments, size_t n,
                             clc_optim_tables *tables) {
    clc_status status = CLC_OK;
    const size_t count = count_chunks(segments, n);
    cl_int4 *chunk_table = NULL, *segment_table = NULL;
    CLC_NEW(chunk_table, count);
    CLC_NEW(segment_table, n);
    fill_tables(segments, n, chunk_table, segment_table);
    tables->chunk_count = count;
    CLC_TRY(clc_buffer_create(device, count * sizeof(cl_int4), "the optimizer", &tables->chunks));
    CLC_TRY(clc_buffer_create(device, n * sizeof(cl_int4), "the optimizer", &tables->segments));
    CLC_TRY(clc_buffer_write(device, tables->chunks, 0, count * sizeof(cl_int4), chunk_table));
    CLC_TRY(clc_buffer_write(device, tables->segments, 0, n * sizeof(cl_int4), segment_table));
fail:
    free(chunk_table);
    free(segment_table);
    return status;
}

void clc_optim_release(clc_device *device, clc_optim_tables *tables) {
    clc_buffer_release(device, &tables->chunks);
    clc_buffer_release(device, &tables->segments);
}

clc_status clc_optim_build(clc_sequence *sequence, clc_device *device,
                           const clc_config_optimizer *o, size_t segments,
                           const clc_optim_tables *tables, const clc_optim_buffers *b) {
    clc_status status = CLC_OK;
    char options[64];
    const double bytes = 4.0 * (double)b->floats;
    snprintf(options, sizeof options, "-DVW=16 -DKIND=%d -DNESTEROV=%d", o->name, o->nesterov);
    clc_launch_spec sums = {.source = "optim/optim.cl",
                            .kernel = "optim_sums",
                            .options = options,
                            .groups = {tables->chunk_count},
                            .local = {device->group_size},
                            .op = "optimizer",
                            .flops = 2.0 * (double)b->floats,
                            .bytes = bytes * (o->name == CLC_CONFIG_OPTIMIZER_LARS ? 2 : 1)};
    clc_launch_spec merge = {
        .source = "optim/optim.cl", .kernel = "optim_merge", .options = options, .op = "optimizer"};
    clc_launch_spec update = {.source = "optim/optim.cl",
                              .kernel = "optim_update",
                              .options = options,
                              .groups = {tables->chunk_count},
                              .local = {device->group_size},
                              .op = "optimizer",
                              .flops = 6.0 * (double)b->floats,
                              .bytes = bytes * (3 + 2 * clc_optim_states(o))};
    CLC_TRY(CLC_LAUNCH(sequence, device, &sums, CLC_MEM(b->value), CLC_MEM(b->grad),
                       CLC_MEM(tables->chunks), CLC_MEM(b->workspace)));
    CLC_TRY(CLC_LAUNCH(sequence, device, &merge, CLC_MEM(b->workspace), CLC_MEM(tables->segments),
                       CLC_MEM(b->loss), CLC_MEM(b->norms), CLC_MEM(b->result), CLC_INT(segments),
                       CLC_FLOAT(o->clip_norm), CLC_FLOAT(o->weight_decay),
                       CLC_FLOAT(o->trust_coefficient), CLC_FLOAT(o->epsilon)));
    CLC_TRY(CLC_LAUNCH(sequence, device, &update, CLC_MEM(b->value), CLC_MEM(b->grad),
                       CLC_MEM(b->state), CLC_MEM(tables->chunks), CLC_MEM(tables->segments),
                       CLC_MEM(b->norms), CLC_MEM(b->result), CLC_MEM(b->hyper),
                       CLC_INT(b->floats / VECTOR), CLC_INT(segments), CLC_FLOAT(o->weight_decay),
                       CLC_FLOAT(o->name == CLC_CONFIG_OPTIMIZER_ADAMW ? o->beta1 : o->momentum),
                       CLC_FLOAT(o->beta2), CLC_FLOAT(1 - o->beta1), CLC_FLOAT(1 - o->beta2),
                       CLC_FLOAT(o->epsilon)));
fail:
    return status;
}
