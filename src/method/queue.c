#include "method/queue.h"

#include "core/rng.h"

#include <math.h>
#include <stdio.h>

enum { QUEUE_STREAM = 0x71756575 }; /* of random numbers */

clc_status clc_queue_initialise(const clc_queue *q, clc_device *device, uint64_t seed) {
    clc_status status = CLC_OK;
    const size_t dim = (size_t)q->dim, count = (size_t)q->size * dim;
    clc_rng rng = clc_rng_make(seed, QUEUE_STREAM);
    float *data = NULL;
    CLC_NEW(data, count);
    /* Normal numbers have no preferred direction. */
    clc_fill_normal(data, count, 1, &rng);
    for (int i = 0; i < q->size; i++) {
        float *row = data + (size_t)i * dim;
        double squares = 0;
        for (size_t k = 0; k < dim; k++)
            squares += (double)row[k] * (double)row[k];
        for (size_t k = 0; k < dim; k++)
            row[k] /= (float)sqrt(squares > 0 ? squares : 1);
    }
    CLC_TRY(clc_buffer_write(device, q->data, 0, count * sizeof *data, data));
fail:
    free(data);
    return status;
}

static clc_launch_spec spec_of(const clc_device *device, const char *kernel, int rows,
                               const clc_queue *q, char options[32]) {
    const size_t n = (size_t)rows < device->groups ? (size_t)rows : device->groups;
    snprintf(options, 32, "-DD=%d -DVW=1", q->dim);
    return (clc_launch_spec){.source = "method/queue.cl",
                             .kernel = kernel,
                             .options = options,
                             .groups = {n},
                             .local = {device->group_size},
                             .op = "queue",
                             .bytes = 8.0 * rows * q->dim};
}

clc_status clc_queue_push_build(clc_sequence *sequence, clc_device *device, const clc_queue *q,
                                cl_mem z, cl_mem step_state, int rows) {
    char options[32];
    const clc_launch_spec spec = spec_of(device, "queue_push", rows, q, options);
    return CLC_LAUNCH(sequence, device, &spec, CLC_MEM(z), CLC_MEM(q->data), CLC_MEM(step_state),
                      CLC_INT(rows), CLC_INT(q->size));
}

static clc_gemm scores_of(const clc_queue *q, cl_mem z, cl_mem scores, int rows) {
    return (clc_gemm){.transpose_b = true,
                      .m = (size_t)rows,
                      .n = (size_t)q->size,
                      .k = (size_t)q->dim,
                      .a = z,
                      .b = q->data,
                      .c = scores};
}

size_t clc_queue_nearest_workspace(const clc_device *device, const clc_queue *q, int rows) {
    const clc_gemm gemm = scores_of(q, NULL, NULL, rows);
    return clc_gemm_workspace(device, CLC_GEMM_AUTO, &gemm);
}

clc_status clc_queue_nearest_build(clc_sequence *sequence, clc_device *device, const clc_queue *q,
                                   cl_mem z, cl_mem nearest, cl_mem gemm_space, cl_mem scores,
                                   int rows) {
    clc_status status = CLC_OK;
    const clc_gemm gemm = scores_of(q, z, scores, rows);
    char options[32];
    clc_launch_spec spec = spec_of(device, "queue_nearest", rows, q, options);
    spec.bytes += 4.0 * rows * q->size;
    CLC_TRY(clc_gemm_build(sequence, device, CLC_GEMM_AUTO, &gemm, gemm_space, "queue", "queue"));
    CLC_TRY(CLC_LAUNCH(sequence, device, &spec, CLC_MEM(scores), CLC_MEM(q->data), CLC_MEM(nearest),
                       CLC_INT(rows), CLC_INT(q->size)));
fail:
    return status;
}
