#include "train/watch.h"

#include "core/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double lowest_deviation = 0.1;
static const double lowest_rank = 1.5;

static double dot(const double *a, const double *b, int n) {
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += a[k] * b[k];
    return sum;
}

static void normalize(const float *z, int rows, int dim, double *u) {
    for (int i = 0; i < rows; i++) {
        double *row = u + (size_t)i * (size_t)dim;
        for (int k = 0; k < dim; k++)
            row[k] = (double)z[(size_t)i * (size_t)dim + (size_t)k];
        const double length = sqrt(dot(row, row, dim));
        for (int k = 0; k < dim; k++)
            row[k] /= length > 1e-12 ? length : 1e-12;
    }
}

/* Eigenvalues of the symmetric a (n,n) on its diagonal, by Jacobi's rotations. */
static void diagonalize(double *a, int n) {
    for (int sweep = 0; sweep < 30; sweep++) {
        double off = 0, all = 0;
        for (int p = 0; p < n; p++)
            for (int q = 0; q < n; q++) {
                all += a[p * n + q] * a[p * n + q];
                off += p == q ? 0 : a[p * n + q] * a[p * n + q];
            }
        if (!(off > 1e-20 * all))
            return;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++) {
                if (fabs(a[p * n + q]) < 1e-300)
                    continue;
                const double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
                const double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
                const double c = 1 / sqrt(t * t + 1), s = t * c;
                for (int k = 0; k < n; k++) {
                    const double x = a[k * n + p], y = a[k * n + q];
                    a[k * n + p] = c * x - s * y;
                    a[k * n + q] = s * x + c * y;
                }
                for (int k = 0; k < n; k++) {
                    const double x = a[p * n + k], y = a[q * n + k];
                    a[p * n + k] = c * x - s * y;
                    a[q * n + k] = s * x + c * y;
                }
            }
    }
}

/* Of u (rows,dim) about its mean, by the Gram matrix: its eigenvalues are the squared singular
 * values. */
static clc_status effective_rank(const double *u, int rows, int dim, double *rank) {
    clc_status status = CLC_OK;
    const size_t n = (size_t)rows, d = (size_t)dim;
    double *centred = NULL, *gram = NULL, sum = 0, entropy = 0;
    CLC_NEW(centred, n * d);
    CLC_NEW(gram, n * n);
    for (size_t k = 0; k < d; k++) {
        double mean = 0;
        for (size_t i = 0; i < n; i++)
            mean += u[i * d + k] / rows;
        for (size_t i = 0; i < n; i++)
            centred[i * d + k] = u[i * d + k] - mean;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            gram[i * n + j] = dot(centred + i * d, centred + j * d, dim);
    diagonalize(gram, rows);
    for (size_t i = 0; i < n; i++)
        sum += sqrt(fmax(gram[i * n + i], 0));
    for (size_t i = 0; i < n; i++) {
        const double p = sqrt(fmax(gram[i * n + i], 0)) / fmax(sum, 1e-300);
        entropy -= p > 0 ? p * log(p) : 0;
    }
    *rank = sum > 1e-6 * rows ? exp(entropy) : 1; /* all alike */
fail:
    free(centred);
    free(gram);
    return status;
}

static double deviation(const double *u, int rows, int dim) {
    double all = 0;
    for (int k = 0; k < dim; k++) {
        double mean = 0, squares = 0;
        for (int i = 0; i < rows; i++)
            mean += u[i * dim + k] / rows;
        for (int i = 0; i < rows; i++)
            squares += pow(u[i * dim + k] - mean, 2) / rows;
        all += sqrt(squares) / dim;
    }
    return all * sqrt(dim);
}

static double uniformity(const double *u, int rows, int dim) {
    double sum = 0;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < i; j++)
            sum += exp(-2 * (2 - 2 * dot(u + i * dim, u + j * dim, dim)));
    return rows > 1 ? log(sum * 2 / ((double)rows * (rows - 1))) : 0;
}

clc_status clc_watch_measure(const float *first, const float *second, int rows, int dim,
                             clc_spread *spread) {
    clc_status status = CLC_OK;
    const size_t count = (size_t)rows * (size_t)dim;
    double *u = NULL, *v = NULL;
    CLC_NEW(u, count);
    CLC_NEW(v, count);
    normalize(first, rows, dim, u);
    spread->deviation = deviation(u, rows, dim);
    spread->uniformity = uniformity(u, rows, dim);
    spread->alignment = NAN;
    CLC_TRY(effective_rank(u, rows, dim, &spread->rank));
    if (second) {
        normalize(second, rows, dim, v);
        spread->alignment = 0;
        for (int i = 0; i < rows; i++)
            spread->alignment += (2 - 2 * dot(u + i * dim, v + i * dim, dim)) / rows;
    }
fail:
    free(u);
    free(v);
    return status;
}

static const char *advice_for(const clc_config *config) {
    const char *method = clc_config_choice(config, "method", "name");
    if (!strcmp(method, "simsiam") && !config->method.stop_gradient)
        return "set method.stop_gradient = true";
    if (!config->projector.batchnorm && config->projector.enabled)
        return "set projector.batchnorm = true, or lower optimizer.learning_rate";
    if (!strcmp(method, "vicreg"))
        return "raise loss.variance, or lower optimizer.learning_rate";
    if (!strcmp(method, "dino"))
        return "lower loss.teacher_temperature, raise loss.center_momentum, or lower "
               "optimizer.learning_rate";
    if (!strcmp(method, "swav"))
        return "lower loss.epsilon, freeze the prototypes for longer, or lower "
               "optimizer.learning_rate";
    return "lower optimizer.learning_rate, lengthen optimizer.warmup_epochs, or weaken weight "
           "decay";
}

clc_status clc_watch_take(clc_watch *watch, const clc_config *config, const clc_spread *spread,
                          int rows, int dim, int64_t step) {
    /* With few images or dimensions a low rank says nothing. */
    const bool flat = spread->rank < lowest_rank && rows >= 8 && dim >= 8;
    watch->low = !(spread->deviation >= lowest_deviation) || flat ? watch->low + 1 : 0;
    if (watch->low < 2)
        return CLC_OK;
    if (config->training.on_collapse == CLC_CONFIG_COLLAPSE_STOP)
        return clc_fail(CLC_COLLAPSED,
                        "step %" PRId64
                        ": the embeddings have collapsed: standard deviation %.3g of 1, "
                        "effective rank %.3g of %d; %s; training.on_collapse = warn goes on",
                        step, spread->deviation, spread->rank, dim, advice_for(config));
    if (!watch->said)
        clc_warn("step %" PRId64
                 ": the embeddings collapse: standard deviation %.3g of 1, effective rank "
                 "%.3g of %d: all images look alike to the loss; %s",
                 step, spread->deviation, spread->rank, dim, advice_for(config));
    watch->said = true;
    return CLC_OK;
}
