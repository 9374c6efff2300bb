#include "eval/kmeans.h"

#include "core/log.h"
#include "core/rng.h"
#include "eval/centres.h"

#include <math.h>
#include <string.h>

enum { MOST_ITERATIONS = 100, STREAM = 0x6b6d }; /* host streams of its own */

typedef struct kmeans {
    clc_centres centres;
    int start, starts;
    size_t n;
    clc_rng rng;
    int32_t *assigned, *next; /* (n) */
    float *values;            /* (n): scores; while seeding, distances to the newest centre */
    double *nearest;          /* (n): while seeding, squared distances to the nearest centre */
    int64_t *counts;          /* (k) */
    double inertia;
    int iterations;
} kmeans;

static clc_status kmeans_make(clc_device *device, const clc_features *features, int k, kmeans *m) {
    clc_status status = CLC_OK;
    m->n = features->rows;
    CLC_TRY(clc_centres_make(device, features, k, &m->centres));
    CLC_NEW(m->assigned, m->n);
    CLC_NEW(m->next, m->n);
    CLC_NEW(m->values, m->n);
    CLC_NEW(m->nearest, m->n);
    CLC_NEW(m->counts, k);
fail:
    return status;
}

static void kmeans_free(kmeans *m) {
    clc_centres_release(&m->centres);
    free(m->assigned);
    free(m->next);
    free(m->values);
    free(m->nearest);
    free(m->counts);
}

/* ---- seeding ---- */

/* In [0, 1), with 48 random bits: more than rows times any useful resolution. */
static double draw(clc_rng *rng) {
    uint32_t bits[4];
    clc_rng_next4(rng, bits);
    return ((double)(bits[0] >> 8) + (double)(bits[1] >> 8) / 16777216.0) / 16777216.0;
}

/* A row with probability in proportion to its weight; any if all weights are 0. */
static size_t choose(kmeans *m, bool first) {
    const double u = draw(&m->rng);
    double total = 0, sum = 0;
    for (size_t i = 0; i < m->n; i++)
        total += first ? 1 : m->nearest[i];
    if (!(total > 0))
        return (size_t)(u * (double)m->n);
    size_t last = 0;
    for (size_t i = 0; i < m->n; i++) {
        const double weight = first ? 1 : m->nearest[i];
        sum += weight;
        last = weight > 0 ? i : last;
        if (sum > u * total)
            return i;
    }
    return last;
}

/* Distances to `row`, the newest centre. */
static clc_status measure(kmeans *m, size_t row, bool first) {
    clc_status status = CLC_OK;
    clc_centres *c = &m->centres;
    CLC_TRY(clc_centres_put(c, 0, row));
    for (size_t at = 0; at < m->n; at += c->rows) {
        CLC_TRY(clc_centres_load(c, at));
        CLC_TRY(clc_centres_distances(c, m->values + at));
    }
    for (size_t i = 0; i < m->n; i++) {
        /* What isn't finite is no centre. */
        const double d = isfinite(m->values[i]) ? (double)m->values[i] : 0;
        m->nearest[i] = first || d < m->nearest[i] ? d : m->nearest[i];
    }
    m->nearest[row] = 0;
fail:
    return status;
}

static clc_status seed(kmeans *m) {
    clc_status status = CLC_OK;
    size_t *rows = NULL;
    const int k = m->centres.k;
    CLC_NEW(rows, k);
    for (int i = 0; i < k; i++) {
        clc_live("k-means: start %d of %d, centre %d of %d", m->start + 1, m->starts, i + 1, k);
        rows[i] = choose(m, i == 0);
        CLC_TRY(measure(m, rows[i], i == 0));
    }
    for (int i = 0; i < k; i++)
        CLC_TRY(clc_centres_put(&m->centres, i, rows[i]));
fail:
    free(rows);
    return status;
}

/* ---- iterations ---- */

/* Assigns all rows to their nearest centres and sums the clusters. */
static clc_status assign(kmeans *m, size_t *changed) {
    clc_status status = CLC_OK;
    clc_centres *c = &m->centres;
    CLC_TRY(clc_centres_clear(c));
    for (size_t at = 0; at < m->n; at += c->rows) {
        CLC_TRY(clc_centres_load(c, at));
        CLC_TRY(clc_centres_multiply(c));
        CLC_TRY(clc_centres_assign(c, m->next + at, m->values + at));
        CLC_TRY(clc_centres_add(c, NULL));
    }
    *changed = 0;
    m->inertia = 0;
    memset(m->counts, 0, (size_t)c->k * sizeof *m->counts);
    for (size_t i = 0; i < m->n; i++) {
        *changed += m->next[i] != m->assigned[i];
        m->assigned[i] = m->next[i];
        m->counts[m->next[i]]++;
        m->inertia += fmax(1 - 2 * (double)m->values[i], 0);
    }
fail:
    return status;
}

/* The row that is farthest from its centre, once. */
static size_t farthest(kmeans *m) {
    size_t worst = 0;
    for (size_t i = 1; i < m->n; i++)
        worst = m->values[i] < m->values[worst] ? i : worst;
    m->values[worst] = INFINITY;
    return worst;
}

static clc_status move(kmeans *m) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_centres_mean(&m->centres, m->counts));
    for (int i = 0; i < m->centres.k; i++)
        if (!m->counts[i])
            CLC_TRY(clc_centres_put(&m->centres, i, farthest(m)));
fail:
    return status;
}

static clc_status run(kmeans *m) {
    clc_status status = CLC_OK;
    size_t changed = 1;
    CLC_TRY(seed(m));
    for (size_t i = 0; i < m->n; i++)
        m->assigned[i] = -1;
    for (m->iterations = 0; changed && m->iterations < MOST_ITERATIONS; m->iterations++) {
        CLC_TRY(assign(m, &changed));
        clc_live("k-means: start %d of %d, iteration %d, %zu rows move", m->start + 1, m->starts,
                 m->iterations + 1, changed);
        if (changed)
            CLC_TRY(move(m));
    }
fail:
    return status;
}

clc_status clc_kmeans(clc_device *device, const clc_features *features, int k, int starts,
                      uint64_t seed_number, clc_kmeans_result *result) {
    clc_status status = CLC_OK;
    kmeans m = {.starts = starts, .rng = clc_rng_make(seed_number, STREAM)};
    *result = (clc_kmeans_result){.inertia = INFINITY};
    CLC_NEW(result->assigned, features->rows);
    CLC_TRY(kmeans_make(device, features, k, &m));
    for (m.start = 0; m.start < starts; m.start++) {
        CLC_TRY(run(&m));
        if (!(m.inertia < result->inertia))
            continue;
        result->inertia = m.inertia;
        result->iterations = m.iterations;
        memcpy(result->assigned, m.assigned, m.n * sizeof *m.assigned);
    }
fail:
    clc_live("%s", "");
    kmeans_free(&m);
    if (status != CLC_OK) {
        free(result->assigned);
        result->assigned = NULL;
    }
    return status;
}
