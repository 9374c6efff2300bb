#include "eval/logistic.h"

#include "core/log.h"
#include "core/math.h"
#include "core/signals.h"
#include "device/gemm.h"
#include "device/program.h"
#include "eval/lbfgs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows that are on their way at a time; the slope at which it ends, where float's rounding of the
 * gradient is near. */
enum { BLOCK = 4096 };
static const double tolerance = 1e-5;
static const char source[] = "eval/linear.cl";

typedef struct fit {
    clc_device *device;
    const clc_features *train, *test;
    double decay;
    int batch, classes, dim;
    cl_mem standard, part, labels, state, rows, logits, weight, bias, grad, sums, workspace;
    clc_sequence step, ask; /* loss and gradient of training rows; logits of test rows */
    float *values;          /* (dim,classes) or a block's logits, whichever is more */
} fit;

static clc_launch_spec spec(const fit *f, const char *kernel, size_t groups) {
    return (clc_launch_spec){.source = source,
                             .kernel = kernel,
                             .groups = {groups},
                             .local = {f->device->group_size},
                             .op = kernel};
}

static clc_gemm logits_gemm(const fit *f) {
    return (clc_gemm){.m = (size_t)f->batch,
                      .n = (size_t)f->classes,
                      .k = (size_t)f->dim,
                      .a = f->rows,
                      .b = f->weight,
                      .c = f->logits};
}

static clc_gemm grad_gemm(const fit *f) {
    return (clc_gemm){.transpose_a = true,
                      .m = (size_t)f->dim,
                      .n = (size_t)f->classes,
                      .k = (size_t)f->batch,
                      .a = f->rows,
                      .b = f->logits,
                      .c = f->grad};
}

static clc_status allocate(fit *f) {
    clc_status status = CLC_OK;
    const size_t b = sizeof(float), batch = (size_t)f->batch, classes = (size_t)f->classes;
    const size_t dim = (size_t)f->dim, weights = dim * classes, block = batch * classes;
    const clc_gemm gemms[2] = {logits_gemm(f), grad_gemm(f)};
    size_t workspace = 0;
    for (int i = 0; i < 2; i++) {
        const size_t bytes = clc_gemm_workspace(f->device, CLC_GEMM_AUTO, &gemms[i]);
        workspace = bytes > workspace ? bytes : workspace;
    }
    const struct {
        cl_mem *buffer;
        size_t bytes;
    } table[] = {{&f->standard, 2 * dim * b},
                 {&f->part, f->device->groups * 2 * dim * b},
                 {&f->labels, f->train->rows * sizeof(cl_int)},
                 {&f->state, 2 * sizeof(cl_int)},
                 {&f->rows, batch * dim * b},
                 {&f->logits, block * b},
                 {&f->weight, weights * b},
                 {&f->bias, classes * b},
                 {&f->grad, weights * b},
                 {&f->sums, (classes + batch) * b},
                 {&f->workspace, workspace}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        CLC_TRY(
            clc_buffer_create(f->device, table[i].bytes, "logistic regression", table[i].buffer));
    CLC_NEW(f->values, weights > block ? weights : block);
    CLC_TRY(clc_buffer_write(f->device, f->labels, 0, f->train->rows * sizeof(cl_int),
                             f->train->labels));
fail:
    return status;
}

static clc_status standardise(fit *f) {
    clc_status status = CLC_OK;
    clc_sequence sequence = {0};
    const clc_launch_spec moments = spec(f, "linear_moments", f->device->groups);
    const clc_launch_spec merge = spec(f, "linear_standard", f->device->groups);
    CLC_TRY(CLC_LAUNCH(&sequence, f->device, &moments, CLC_MEM(f->train->data), CLC_MEM(f->part),
                       CLC_INT(f->train->rows), CLC_INT(f->dim)));
    CLC_TRY(CLC_LAUNCH(&sequence, f->device, &merge, CLC_MEM(f->train->data), CLC_MEM(f->part),
                       CLC_MEM(f->standard), CLC_INT(f->train->rows), CLC_INT(f->dim),
                       CLC_INT(f->device->groups)));
    CLC_TRY(clc_sequence_run(&sequence, f->device));
fail:
    clc_sequence_free(&sequence);
    return status;
}

/* From the rows of block state[0] to their logits without the bias. */
static clc_status build_logits(fit *f, clc_sequence *sequence, const clc_features *features) {
    clc_status status = CLC_OK;
    const clc_launch_spec gather = spec(f, "linear_gather", f->device->groups * 2);
    const clc_gemm gemm = logits_gemm(f);
    CLC_TRY(CLC_LAUNCH(sequence, f->device, &gather, CLC_MEM(features->data), CLC_MEM(f->standard),
                       CLC_MEM(f->labels), CLC_MEM(f->state), CLC_MEM(f->rows), CLC_INT(f->batch),
                       CLC_INT(f->dim), CLC_INT(0), CLC_INT(features->rows)));
    CLC_TRY(clc_gemm_build(sequence, f->device, CLC_GEMM_AUTO, &gemm, f->workspace,
                           "logistic_logits", NULL));
fail:
    return status;
}

static clc_status build(fit *f) {
    clc_status status = CLC_OK;
    const clc_launch_spec loss = spec(f, "linear_loss", f->device->groups);
    const clc_launch_spec sums = spec(f, "linear_sums", 1);
    const clc_gemm gemm = grad_gemm(f);
    CLC_TRY(build_logits(f, &f->step, f->train));
    CLC_TRY(CLC_LAUNCH(&f->step, f->device, &loss, CLC_MEM(f->logits), CLC_MEM(f->bias),
                       CLC_MEM(f->labels), CLC_MEM(f->state), CLC_MEM(f->sums), CLC_INT(f->batch),
                       CLC_INT(f->classes), CLC_INT(f->train->rows)));
    CLC_TRY(CLC_LAUNCH(&f->step, f->device, &sums, CLC_MEM(f->logits), CLC_MEM(f->sums),
                       CLC_INT(f->batch), CLC_INT(f->classes)));
    CLC_TRY(clc_gemm_build(&f->step, f->device, CLC_GEMM_AUTO, &gemm, f->workspace, "logistic_grad",
                           NULL));
    CLC_TRY(build_logits(f, &f->ask, f->test));
fail:
    return status;
}

static clc_status go_to(fit *f, size_t block) {
    const cl_int state[2] = {(cl_int)block, 0};
    return clc_buffer_write(f->device, f->state, 0, sizeof state, state);
}

/* x is (dim + 1,classes): the weights, then the bias. */
static clc_status upload(fit *f, const double *x) {
    clc_status status = CLC_OK;
    const size_t classes = (size_t)f->classes, weights = (size_t)f->dim * classes;
    float *bias = NULL;
    CLC_NEW(bias, classes);
    for (size_t i = 0; i < weights; i++)
        f->values[i] = (float)x[i];
    for (size_t c = 0; c < classes; c++)
        bias[c] = (float)x[weights + c];
    CLC_TRY(clc_buffer_write(f->device, f->weight, 0, weights * sizeof *bias, f->values));
    CLC_TRY(clc_buffer_write(f->device, f->bias, 0, classes * sizeof *bias, bias));
fail:
    free(bias);
    return status;
}

/* Adds loss and gradient of a block to those before. */
static clc_status add_block(fit *f, size_t block, float *sums, double *value, double *gradient) {
    clc_status status = CLC_OK;
    const size_t classes = (size_t)f->classes, weights = (size_t)f->dim * classes;
    const size_t batch = (size_t)f->batch;
    CLC_TRY(go_to(f, block));
    CLC_TRY(clc_sequence_run(&f->step, f->device));
    CLC_TRY(clc_buffer_read(f->device, f->grad, 0, weights * sizeof *sums, f->values));
    CLC_TRY(clc_buffer_read(f->device, f->sums, 0, (classes + batch) * sizeof *sums, sums));
    for (size_t i = 0; i < weights; i++)
        gradient[i] += (double)f->values[i];
    for (size_t c = 0; c < classes; c++)
        gradient[weights + c] += (double)sums[batch + c];
    for (size_t i = 0; i < batch; i++)
        *value += (double)sums[i];
fail:
    return status;
}

static clc_status objective(void *context, const double *x, double *value, double *gradient) {
    clc_status status = CLC_OK;
    fit *f = context;
    const size_t classes = (size_t)f->classes, weights = (size_t)f->dim * classes;
    float *sums = NULL;
    if (clc_signals_stop())
        return clc_fail(CLC_INTERRUPTED, "interrupted in logistic regression");
    CLC_NEW(sums, classes + (size_t)f->batch);
    CLC_TRY(upload(f, x));
    *value = 0;
    memset(gradient, 0, (weights + classes) * sizeof *gradient);
    for (size_t b = 0; b < clc_ceil_div(f->train->rows, (size_t)f->batch); b++)
        CLC_TRY(add_block(f, b, sums, value, gradient));
    for (size_t i = 0; i < weights; i++) {
        *value += f->decay / 2 * x[i] * x[i];
        gradient[i] += f->decay * x[i];
    }
fail:
    free(sums);
    return status;
}

/* Logits of test rows [first, first + n), and the classes of the greatest. */
static clc_status classify(fit *f, const double *x, size_t block, int32_t *predictions,
                           float *logits) {
    clc_status status = CLC_OK;
    const size_t batch = (size_t)f->batch, first = block * batch, classes = (size_t)f->classes;
    const size_t n = f->test->rows - first < batch ? f->test->rows - first : batch;
    const double *bias = x + (size_t)f->dim * classes;
    CLC_TRY(go_to(f, block));
    CLC_TRY(clc_sequence_run(&f->ask, f->device));
    CLC_TRY(clc_buffer_read(f->device, f->logits, 0, n * classes * sizeof(float), f->values));
    for (size_t i = 0; i < n; i++) {
        float *row = f->values + i * classes;
        int32_t best = 0;
        for (size_t c = 0; c < classes; c++) {
            row[c] += (float)bias[c];
            best = row[c] > row[best] ? (int32_t)c : best;
        }
        predictions[first + i] = best;
    }
    if (logits)
        memcpy(logits + first * classes, f->values, n * classes * sizeof *logits);
fail:
    return status;
}

static void release(fit *f) {
    cl_mem *buffers[] = {&f->standard, &f->part, &f->labels, &f->state, &f->rows,     &f->logits,
                         &f->weight,   &f->bias, &f->grad,   &f->sums,  &f->workspace};
    clFinish(f->device->queue);
    clc_sequence_free(&f->step);
    clc_sequence_free(&f->ask);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(f->device, buffers[i]);
    free(f->values);
}

clc_status clc_logistic_probe(clc_device *device, const clc_features *train,
                              const clc_features *test, const clc_config_evaluation *options,
                              int32_t *predictions, float *logits) {
    clc_status status = CLC_OK;
    clc_lbfgs_end end;
    fit f = {.device = device,
             .train = train,
             .test = test,
             .decay = options->linear_weight_decay,
             .batch = train->rows < BLOCK ? (int)train->rows : BLOCK,
             .classes = train->classes,
             .dim = train->dim};
    const size_t n = ((size_t)f.dim + 1) * (size_t)f.classes;
    double *x = NULL;
    CLC_NEW(x, n);
    CLC_TRY(allocate(&f));
    CLC_TRY(standardise(&f));
    CLC_TRY(build(&f));
    CLC_TRY(clc_lbfgs(objective, &f, n, x, options->linear_epochs, tolerance, &end));
    CLC_TRY(upload(&f, x));
    for (size_t b = 0; b < clc_ceil_div(test->rows, (size_t)f.batch); b++)
        CLC_TRY(classify(&f, x, b, predictions, logits));
fail:
    release(&f);
    free(x);
    return status;
}
