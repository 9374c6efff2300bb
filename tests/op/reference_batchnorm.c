#include "reference_batchnorm.h"

#include <math.h>
#include <stddef.h>

static const double epsilon = 1e-5, momentum = 0.1;

static size_t at(const reference_batchnorm *b, int row, int channel) {
    return (size_t)row * (size_t)b->channels + (size_t)channel;
}

/* Biased: divided by the number of rows. */
static void statistics(const reference_batchnorm *b, int c, double *mean, double *variance) {
    *mean = *variance = 0;
    for (int r = 0; r < b->rows; r++)
        *mean += b->x[at(b, r, c)] / b->rows;
    for (int r = 0; r < b->rows; r++)
        *variance += pow(b->x[at(b, r, c)] - *mean, 2) / b->rows;
}

static void normalise(const reference_batchnorm *b, int c, double mean, double variance) {
    for (int r = 0; r < b->rows; r++) {
        const size_t i = at(b, r, c);
        const double xhat = (b->x[i] - mean) / sqrt(variance + epsilon);
        const double y = b->weight[c] * xhat + b->bias[c] + (b->residual ? b->residual[i] : 0);
        b->before[i] = y;
        b->y[i] = b->relu && y < 0 ? 0 : y;
    }
}

void reference_batchnorm_training(const reference_batchnorm *b) {
    for (int c = 0; c < b->channels; c++) {
        double mean, variance;
        statistics(b, c, &mean, &variance);
        normalise(b, c, mean, variance);
        const double unbiased = b->rows > 1 ? variance * b->rows / (b->rows - 1) : 0;
        b->running_mean[c] += momentum * (mean - b->running_mean[c]);
        b->running_variance[c] += momentum * (unbiased - b->running_variance[c]);
    }
}

void reference_batchnorm_inference(const reference_batchnorm *b) {
    for (int c = 0; c < b->channels; c++)
        normalise(b, c, b->running_mean[c], b->running_variance[c]);
}

/* With d the gradient behind the ReLU: dx = weight / std (d - mean(d) - xhat mean(d xhat)). */
void reference_batchnorm_backward(const reference_batchnorm *b) {
    for (int c = 0; c < b->channels; c++) {
        double mean, variance, sum = 0, product = 0;
        statistics(b, c, &mean, &variance);
        const double deviation = sqrt(variance + epsilon);
        for (int r = 0; r < b->rows; r++) {
            const size_t i = at(b, r, c);
            const double d = b->relu && b->before[i] <= 0 ? 0 : b->dy[i];
            b->dresidual[i] = d;
            sum += d;
            product += d * (b->x[i] - mean) / deviation;
        }
        for (int r = 0; r < b->rows; r++) {
            const size_t i = at(b, r, c);
            const double xhat = (b->x[i] - mean) / deviation;
            b->dx[i] = b->weight[c] / deviation *
                       (b->dresidual[i] - sum / b->rows - xhat * product / b->rows);
        }
        b->dweight[c] = product;
        b->dbias[c] = sum;
    }
}
