#include "eval/linear.h"

#include "core/math.h"
#include "core/rng.h"
#include "core/signals.h"
#include "data/order.h"
#include "device/gemm.h"
#include "device/program.h"
#include "eval/logistic.h"

#include <math.h>
#include <stdio.h>

static const double momentum = 0.9; /* as in linear probes since MoCo (arXiv 1911.05722) */

typedef struct probe {
    clc_device *device;
    const clc_features *train, *test;
    int batch, classes, dim;
    cl_mem standard, part, order, labels, state, rates; /* see cl/eval/linear.cl */
    cl_mem rows, logits, weight, momentum, grad, bias, predicted, workspace;
    clc_sequence step, predict;
} probe;

clc_status clc_linear_request(clc_device *device) {
    size_t number;
    return clc_program_request(device, "eval/linear.cl", "", &number);
}

static clc_launch_spec spec(const probe *p, const char *kernel, size_t groups) {
    return (clc_launch_spec){.source = "eval/linear.cl",
                             .kernel = kernel,
                             .groups = {groups},
                             .local = {p->device->group_size},
                             .op = kernel};
}

static clc_gemm logits_gemm(const probe *p) {
    return (clc_gemm){.m = (size_t)p->batch,
                      .n = (size_t)p->classes,
                      .k = (size_t)p->dim,
                      .a = p->rows,
                      .b = p->weight,
                      .c = p->logits};
}

static clc_gemm grad_gemm(const probe *p) {
    return (clc_gemm){.transpose_a = true,
                      .m = (size_t)p->dim,
                      .n = (size_t)p->classes,
                      .k = (size_t)p->batch,
                      .a = p->rows,
                      .b = p->logits,
                      .c = p->grad};
}

static clc_status allocate(probe *p, size_t steps) {
    clc_status status = CLC_OK;
    const size_t f = sizeof(float), classes = (size_t)p->classes, dim = (size_t)p->dim;
    const size_t batch = (size_t)p->batch, weights = dim * classes * f;
    const clc_gemm gemms[2] = {logits_gemm(p), grad_gemm(p)};
    size_t workspace = 0;
    for (int i = 0; i < 2; i++) {
        size_t bytes = clc_gemm_workspace(p->device, CLC_GEMM_AUTO, &gemms[i]);
        workspace = bytes > workspace ? bytes : workspace;
    }
    const struct {
        cl_mem *buffer;
        size_t bytes;
    } table[] = {{&p->standard, 2 * dim * f},
                 {&p->part, p->device->groups * 2 * dim * f},
                 {&p->order, p->train->rows * sizeof(cl_int)},
                 {&p->labels, p->train->rows * sizeof(cl_int)},
                 {&p->state, 2 * sizeof(cl_int)},
                 {&p->rates, steps * f},
                 {&p->rows, batch * dim * f},
                 {&p->logits, batch * classes * f},
                 {&p->weight, weights},
                 {&p->momentum, weights},
                 {&p->grad, weights},
                 {&p->bias, 2 * classes * f},
                 {&p->predicted, batch * sizeof(cl_int)},
                 {&p->workspace, workspace}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        CLC_TRY(clc_buffer_create(p->device, table[i].bytes, "the linear probe", table[i].buffer));
    CLC_TRY(clc_buffer_zero(p->device, p->weight, 0, weights));
    CLC_TRY(clc_buffer_zero(p->device, p->momentum, 0, weights));
    CLC_TRY(clc_buffer_zero(p->device, p->bias, 0, 2 * classes * f));
    CLC_TRY(clc_buffer_zero(p->device, p->state, 0, 2 * sizeof(cl_int)));
    CLC_TRY(clc_buffer_write(p->device, p->labels, 0, p->train->rows * sizeof(cl_int),
                             p->train->labels));
fail:
    return status;
}

static clc_status standardise(probe *p) {
    clc_status status = CLC_OK;
    clc_sequence sequence = {0};
    const clc_launch_spec moments = spec(p, "linear_moments", p->device->groups);
    const clc_launch_spec merge = spec(p, "linear_standard", p->device->groups);
    CLC_TRY(CLC_LAUNCH(&sequence, p->device, &moments, CLC_MEM(p->train->data), CLC_MEM(p->part),
                       CLC_INT(p->train->rows), CLC_INT(p->dim)));
    CLC_TRY(CLC_LAUNCH(&sequence, p->device, &merge, CLC_MEM(p->train->data), CLC_MEM(p->part),
                       CLC_MEM(p->standard), CLC_INT(p->train->rows), CLC_INT(p->dim),
                       CLC_INT(p->device->groups)));
    CLC_TRY(clc_sequence_run(&sequence, p->device));
fail:
    clc_sequence_free(&sequence);
    return status;
}

/* The launches from a batch's rows to its logits. */
static clc_status build_logits(probe *p, clc_sequence *sequence, const clc_features *features,
                               bool ordered) {
    clc_status status = CLC_OK;
    const clc_launch_spec gather = spec(p, "linear_gather", p->device->groups * 2);
    const clc_gemm gemm = logits_gemm(p);
    CLC_TRY(CLC_LAUNCH(sequence, p->device, &gather, CLC_MEM(features->data), CLC_MEM(p->standard),
                       CLC_MEM(p->order), CLC_MEM(p->state), CLC_MEM(p->rows), CLC_INT(p->batch),
                       CLC_INT(p->dim), CLC_INT(ordered), CLC_INT(features->rows)));
    CLC_TRY(clc_gemm_build(sequence, p->device, CLC_GEMM_AUTO, &gemm, p->workspace, "linear_logits",
                           NULL));
fail:
    return status;
}

static clc_status build_advance(probe *p, clc_sequence *sequence, size_t batches) {
    const clc_launch_spec advance = {
        .source = "eval/linear.cl", .kernel = "linear_advance", .op = "linear_advance"};
    return CLC_LAUNCH(sequence, p->device, &advance, CLC_MEM(p->state), CLC_INT(batches));
}

static clc_status build_step(probe *p, const clc_config_evaluation *o, size_t batches) {
    clc_status status = CLC_OK;
    const clc_launch_spec softmax = spec(p, "linear_softmax", p->device->groups);
    const clc_launch_spec update = spec(p, "linear_update", p->device->groups + 1);
    const clc_gemm gemm = grad_gemm(p);
    CLC_TRY(build_logits(p, &p->step, p->train, true));
    CLC_TRY(CLC_LAUNCH(&p->step, p->device, &softmax, CLC_MEM(p->logits), CLC_MEM(p->bias),
                       CLC_MEM(p->labels), CLC_MEM(p->order), CLC_MEM(p->state), CLC_INT(p->batch),
                       CLC_INT(p->classes)));
    CLC_TRY(clc_gemm_build(&p->step, p->device, CLC_GEMM_AUTO, &gemm, p->workspace, "linear_grad",
                           NULL));
    CLC_TRY(CLC_LAUNCH(&p->step, p->device, &update, CLC_MEM(p->weight), CLC_MEM(p->momentum),
                       CLC_MEM(p->grad), CLC_MEM(p->logits), CLC_MEM(p->bias), CLC_MEM(p->rates),
                       CLC_MEM(p->state), CLC_INT(p->dim), CLC_INT(p->classes), CLC_INT(p->batch),
                       CLC_FLOAT(momentum), CLC_FLOAT(o->linear_weight_decay)));
    CLC_TRY(build_advance(p, &p->step, batches));
fail:
    return status;
}

static clc_status upload_rates(probe *p, const clc_config_evaluation *o, size_t steps) {
    clc_status status = CLC_OK;
    float *rates = NULL;
    CLC_NEW(rates, steps);
    for (size_t i = 0; i < steps; i++)
        rates[i] = (float)(o->linear_learning_rate * p->batch / 256.0 * 0.5 *
                           (1 + cos(3.14159265358979323846 * (double)i / (double)steps)));
    CLC_TRY(clc_buffer_write(p->device, p->rates, 0, steps * sizeof *rates, rates));
fail:
    free(rates);
    return status;
}

static clc_status train(probe *p, const clc_config_evaluation *o, uint64_t seed, size_t batches) {
    clc_status status = CLC_OK;
    int32_t *order = NULL;
    CLC_NEW(order, p->train->rows);
    CLC_TRY(build_step(p, o, batches));
    for (int epoch = 0; epoch < o->linear_epochs; epoch++) {
        if (clc_signals_stop())
            CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted in the linear probe"));
        clc_epoch_order(seed, epoch, order, p->train->rows);
        CLC_TRY(clc_buffer_write(p->device, p->order, 0, p->train->rows * sizeof *order, order));
        for (size_t i = 0; i < batches; i++)
            CLC_TRY(clc_sequence_run(&p->step, p->device));
    }
fail:
    free(order);
    return status;
}

/* Logits of n rows of the batch, which lie on the device without the bias. */
static clc_status read_logits(probe *p, size_t n, float *logits) {
    clc_status status = CLC_OK;
    const size_t classes = (size_t)p->classes;
    float *bias = NULL;
    CLC_NEW(bias, classes);
    CLC_TRY(clc_buffer_read(p->device, p->bias, 0, classes * sizeof *bias, bias));
    CLC_TRY(clc_buffer_read(p->device, p->logits, 0, n * classes * sizeof *logits, logits));
    for (size_t i = 0; i < n * classes; i++)
        logits[i] += bias[i % classes];
fail:
    free(bias);
    return status;
}

static clc_status predict(probe *p, int32_t *predictions, float *logits) {
    clc_status status = CLC_OK;
    const size_t batch = (size_t)p->batch, blocks = clc_ceil_div(p->test->rows, batch);
    const clc_launch_spec choose = spec(p, "linear_predict", p->device->groups);
    CLC_TRY(clc_buffer_zero(p->device, p->state, 0, 2 * sizeof(cl_int)));
    CLC_TRY(build_logits(p, &p->predict, p->test, false));
    CLC_TRY(CLC_LAUNCH(&p->predict, p->device, &choose, CLC_MEM(p->logits), CLC_MEM(p->bias),
                       CLC_MEM(p->predicted), CLC_INT(p->batch), CLC_INT(p->classes)));
    CLC_TRY(build_advance(p, &p->predict, blocks));
    for (size_t first = 0; first < p->test->rows; first += batch) {
        size_t n = p->test->rows - first < batch ? p->test->rows - first : batch;
        CLC_TRY(clc_sequence_run(&p->predict, p->device));
        CLC_TRY(
            clc_buffer_read(p->device, p->predicted, 0, n * sizeof(cl_int), predictions + first));
        if (logits)
            CLC_TRY(read_logits(p, n, logits + first * (size_t)p->classes));
    }
fail:
    return status;
}

static void release(probe *p) {
    cl_mem *buffers[] = {&p->standard, &p->part, &p->order,     &p->labels,   &p->state,
                         &p->rates,    &p->rows, &p->logits,    &p->weight,   &p->momentum,
                         &p->grad,     &p->bias, &p->predicted, &p->workspace};
    clFinish(p->device->queue);
    clc_sequence_free(&p->step);
    clc_sequence_free(&p->predict);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(p->device, buffers[i]);
}

static clc_status check(const clc_features *train_set, const clc_features *test,
                        const clc_config_evaluation *o) {
    if (o->linear_epochs < 0 || o->linear_batch < 1)
        return clc_fail(CLC_INVALID, "the linear probe can't train %d epochs in batches of %d",
                        o->linear_epochs, o->linear_batch);
    return clc_features_check(train_set, test, "the linear probe");
}

clc_status clc_linear_probe(clc_device *device, const clc_features *train_set,
                            const clc_features *test, const clc_config_evaluation *options,
                            uint64_t seed, int32_t *predictions, float *logits) {
    clc_status status = check(train_set, test, options);
    if (status != CLC_OK)
        return status;
    if (options->linear_solver == CLC_CONFIG_SOLVER_LBFGS)
        return clc_logistic_probe(device, train_set, test, options, predictions, logits);
    probe p = {.device = device,
               .train = train_set,
               .test = test,
               .batch = options->linear_batch,
               .classes = train_set->classes,
               .dim = train_set->dim};
    if ((size_t)p.batch > train_set->rows)
        p.batch = (int)train_set->rows;
    const size_t batches = train_set->rows / (size_t)p.batch;
    const size_t steps = batches * (size_t)options->linear_epochs;
    CLC_TRY(allocate(&p, steps));
    CLC_TRY(standardise(&p));
    CLC_TRY(upload_rates(&p, options, steps));
    CLC_TRY(train(&p, options, seed, batches));
    CLC_TRY(predict(&p, predictions, logits));
fail:
    release(&p);
    return status;
}
