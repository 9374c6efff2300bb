/* References of the losses on scores: SwAV and DINO. */
#include "loss/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void softmax(const double *x, int n, double rate, double *p) {
    double largest = -INFINITY, sum = 0;
    for (int k = 0; k < n; k++)
        largest = fmax(largest, x[k] * rate);
    for (int k = 0; k < n; k++)
        sum += p[k] = exp(x[k] * rate - largest);
    for (int k = 0; k < n; k++)
        p[k] /= sum;
}

/* Algorithm 1 of the paper's appendix, as it is written there: q (rows,scores) begins as exp(scores
 * / epsilon). */
static void sinkhorn(double *q, int rows, int scores, int iterations) {
    for (int round = 0; round < iterations; round++) {
        for (int k = 0; k < scores; k++) {
            double sum = 0;
            for (int i = 0; i < rows; i++)
                sum += q[i * scores + k];
            for (int i = 0; i < rows; i++)
                q[i * scores + k] /= sum * scores;
        }
        for (int i = 0; i < rows; i++) {
            double sum = 0;
            for (int k = 0; k < scores; k++)
                sum += q[i * scores + k];
            for (int k = 0; k < scores; k++)
                q[i * scores + k] /= sum * rows;
        }
    }
    for (int i = 0; i < rows * scores; i++)
        q[i] *= rows;
}

static void codes_of_view(const reference_loss *l, int view, double *codes) {
    const clc_loss_shape *s = &l->shape;
    const int n = s->images, scores = s->dim, rows = n + s->queue;
    const size_t size = (size_t)n * (size_t)scores;
    double *q = malloc((size_t)rows * (size_t)scores * sizeof *q);
    for (int i = 0; i < rows * scores; i++) {
        const double score =
            i < n * scores ? l->z[(size_t)view * size + (size_t)i] : l->queue[(size_t)i - size];
        q[i] = exp(score / l->options.epsilon);
    }
    sinkhorn(q, rows, scores, l->options.iterations);
    memcpy(codes, q, size * sizeof *codes);
    free(q);
}

void reference_freeze(reference_loss *l) {
    const clc_loss_shape *s = &l->shape;
    const size_t size = (size_t)s->images * (size_t)s->dim;
    double *x = malloc((size_t)s->dim * sizeof *x);
    free(l->codes);
    l->codes = NULL;
    if (!s->large) {
        free(x);
        return;
    }
    l->codes = malloc((size_t)s->large * size * sizeof *l->codes);
    for (int v = 0; v < s->large && !l->center; v++)
        codes_of_view(l, v, l->codes + (size_t)v * size);
    for (int r = 0; r < s->large * s->images && l->center; r++) {
        for (int k = 0; k < s->dim; k++)
            x[k] = l->target[r * s->dim + k] - l->center[k];
        softmax(x, s->dim, 1 / l->options.teacher_temperature, l->codes + r * s->dim);
    }
    free(x);
}

double reference_codes(const reference_loss *l) {
    const clc_loss_shape *s = &l->shape;
    const int n = s->images, scores = s->dim;
    double *p = malloc((size_t)scores * sizeof *p), loss = 0;
    for (int w = 0; w < s->views; w++)
        for (int i = 0; i < n; i++) {
            softmax(l->z + (w * n + i) * scores, scores, 1 / l->options.temperature, p);
            for (int v = 0; v < s->large; v++)
                for (int k = 0; k < scores && v != w; k++)
                    loss -= l->codes[(v * n + i) * scores + k] * log(p[k]);
        }
    free(p);
    return loss / (n * s->large * (s->views - 1));
}
