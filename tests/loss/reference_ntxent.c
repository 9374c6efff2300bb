#include "loss/reference_ntxent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double shortest = 1e-12; /* torch.nn.functional.normalize */

static double dot(const double *a, const double *b, int n) {
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += a[k] * b[k];
    return sum;
}

/* log sum_{k != i} exp(s_ik) of row i. */
static double log_sum(const double *s, int views, int i) {
    double largest = -INFINITY, sum = 0;
    for (int k = 0; k < views; k++)
        if (k != i)
            largest = fmax(largest, s[k]);
    for (int k = 0; k < views; k++)
        if (k != i)
            sum += exp(s[k] - largest);
    return largest + log(sum);
}

/* s (views,views): cosine / t of all pairs; u (views,dim) = z / |z|. */
static void similarities(const double *z, int views, int dim, double temperature, double *u,
                         double *s) {
    for (int i = 0; i < views; i++) {
        const double *row = z + (size_t)i * (size_t)dim;
        const double length = fmax(sqrt(dot(row, row, dim)), shortest);
        for (int k = 0; k < dim; k++)
            u[i * dim + k] = row[k] / length;
    }
    for (int i = 0; i < views; i++)
        for (int j = 0; j < views; j++)
            s[(size_t)i * (size_t)views + (size_t)j] =
                dot(u + i * dim, u + j * dim, dim) / temperature;
}

/* dz = (du - u (u . du)) / |z|; for a vector shorter than the shortest, du / shortest. */
static void through_normalize(const double *z, const double *u, const double *du, int dim,
                              double *dz) {
    const double length = sqrt(dot(z, z, dim)), along = dot(u, du, dim);
    for (int k = 0; k < dim; k++)
        dz[k] = length < shortest ? du[k] / shortest : (du[k] - u[k] * along) / length;
}

double reference_ntxent(const double *z, int views, int dim, double temperature, double *dz) {
    const size_t v = (size_t)views, d = (size_t)dim;
    double *u = malloc(v * d * sizeof *u), *s = malloc(v * v * sizeof *s);
    double *l = malloc(v * sizeof *l), *du = malloc(d * sizeof *du), loss = 0;
    similarities(z, views, dim, temperature, u, s);
    for (int i = 0; i < views; i++) {
        l[i] = log_sum(s + (size_t)i * v, views, i);
        loss += (l[i] - s[(size_t)i * v + (size_t)((i + views / 2) % views)]) / views;
    }
    for (int i = 0; dz && i < views; i++) {
        memset(du, 0, d * sizeof *du);
        for (int j = 0; j < views; j++) {
            const double sij = s[(size_t)i * v + (size_t)j];
            double w = exp(sij - l[i]) + exp(sij - l[j]) - (j == (i + views / 2) % views ? 2 : 0);
            for (int k = 0; k < dim && j != i; k++)
                du[k] += w / (views * temperature) * u[j * dim + k];
        }
        through_normalize(z + (size_t)i * d, u + (size_t)i * d, du, dim, dz + (size_t)i * d);
    }
    free(u);
    free(s);
    free(l);
    free(du);
    return loss;
}
