#include "device/gemm_clblast.h"

#include <clblast_c.h>

static clc_status call_gemm(clc_device *device, void *context, cl_event *event) {
    const clc_gemm *g = context;
    cl_event done = NULL;
    CLBlastStatusCode code = CLBlastSgemm(
        CLBlastLayoutRowMajor, g->transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo,
        g->transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo, g->m, g->n, g->k, 1.0f, g->a,
        g->a_offset, g->transpose_a ? g->m : g->k, g->b, g->b_offset, g->transpose_b ? g->k : g->n,
        g->accumulate ? 1.0f : 0.0f, g->c, g->c_offset, g->n, &device->queue, &done);
    if (code != CLBlastSuccess)
        return clc_fail(CLC_OPENCL, "CLBlast: status %d from CLBlastSgemm (%zu x %zu x %zu) on %s",
                        (int)code, g->m, g->n, g->k, device->info.name);
    if (event)
        *event = done;
    else if (done)
        clReleaseEvent(done);
    return CLC_OK;
}

clc_status clc_gemm_clblast_build(clc_sequence *sequence, const clc_gemm *gemm, const char *op,
                                  const char *layer) {
    const clc_launch_spec spec = {
        .kernel = "clblast",
        .op = op,
        .layer = layer,
        .flops = 2.0 * (double)gemm->m * (double)gemm->n * (double)gemm->k,
        .bytes = 4.0 * (double)(gemm->m * gemm->k + gemm->n * gemm->k + gemm->m * gemm->n)};
    clc_gemm *copy = malloc(sizeof *copy);
    if (!copy)
        return clc_fail_alloc(sizeof *copy);
    *copy = *gemm;
    return clc_sequence_add_call(sequence, &spec, call_gemm, copy);
}
