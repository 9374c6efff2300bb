#include "reference_pool.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

int reference_pool_out(int size, int kernel, int stride, int pad) {
    return (size + 2 * pad - kernel) / stride + 1;
}

static size_t at(int i, int h, int w, int c, int height, int width, int channels) {
    return (size_t)(((i * height + h) * width + w) * channels + c);
}

/* Where the window's maximum is in x. */
static size_t window(const reference_pool *p, const double *x, int i, int oh, int ow, int c) {
    size_t best = (size_t)-1;
    for (int h = oh * p->stride - p->pad; h < oh * p->stride - p->pad + p->kernel; h++)
        for (int w = ow * p->stride - p->pad; w < ow * p->stride - p->pad + p->kernel; w++) {
            if (h < 0 || h >= p->h || w < 0 || w >= p->w)
                continue;
            const size_t here = at(i, h, w, c, p->h, p->w, p->c);
            if (best == (size_t)-1 || x[here] > x[best] || isnan(x[here]))
                best = here;
        }
    return best;
}

void reference_maxpool(const reference_pool *p, const double *x, double *y, const double *dy,
                       double *dx) {
    const int oh = reference_pool_out(p->h, p->kernel, p->stride, p->pad);
    const int ow = reference_pool_out(p->w, p->kernel, p->stride, p->pad);
    if (dx)
        memset(dx, 0, (size_t)(p->n * p->h * p->w * p->c) * sizeof *dx);
    for (int i = 0; i < p->n; i++)
        for (int h = 0; h < oh; h++)
            for (int w = 0; w < ow; w++)
                for (int c = 0; c < p->c; c++) {
                    const size_t from = window(p, x, i, h, w, c), to = at(i, h, w, c, oh, ow, p->c);
                    y[to] = x[from];
                    if (dx)
                        dx[from] += dy[to];
                }
}

void reference_avgpool(const reference_pool *p, const double *x, double *y, const double *dy,
                       double *dx) {
    const int pixels = p->h * p->w;
    for (int i = 0; i < p->n; i++)
        for (int c = 0; c < p->c; c++) {
            double sum = 0;
            for (int k = 0; k < pixels; k++) {
                const size_t here = (size_t)((i * pixels + k) * p->c + c);
                sum += x[here];
                if (dx)
                    dx[here] = dy[i * p->c + c] / pixels;
            }
            y[i * p->c + c] = sum / pixels;
        }
}
