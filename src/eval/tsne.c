#include "eval/tsne.h"

#include "core/log.h"
#include "core/signals.h"
#include "eval/cosines.h"

#include <math.h>
#include <string.h>

enum { PADDING = 64, CHECKED = 50 /* steps between looks at Ctrl-C */ };
static const char source[] = "eval/tsne.cl";

clc_status clc_tsne_request(clc_device *device) {
    return clc_cosines_request(device, source);
}

double clc_tsne_perplexity(const double *distances, int k, double perplexity, double *p) {
    double beta = 1, low = 0, high = INFINITY, reached = 0, nearest = INFINITY;
    for (int i = 0; i < k; i++)
        nearest = fmin(nearest, distances[i]); /* the greatest p is exp(0) */
    for (int step = 0; step < 200; step++) {
        double sum = 0, mean = 0;
        for (int i = 0; i < k; i++) {
            p[i] = exp(-beta * (distances[i] - nearest));
            sum += p[i];
            mean += p[i] * (distances[i] - nearest);
        }
        reached = exp(log(sum) + beta * mean / sum);
        for (int i = 0; i < k; i++)
            p[i] /= sum;
        if (fabs(reached - perplexity) < 1e-9 * perplexity)
            break;
        *(reached > perplexity ? &low : &high) = beta;
        beta = isinf(high) ? 2 * beta : (low + high) / 2;
        if (isinf(beta))
            break;
    }
    return reached;
}

/* weights and others in two passes: how many edges a point has, then the edges. */
static void add_edges(const int32_t *near, const double *p, int n, int k, int32_t *at,
                      clc_tsne_graph *graph) {
    for (int i = 0; i < n; i++)
        for (int e = 0; e < k; e++) {
            const int32_t j = near[i * k + e];
            const float half = (float)(p[i * k + e] / (2.0 * n));
            graph->others[at[i]] = j;
            graph->weights[at[i]++] = half;
            graph->others[at[j]] = i;
            graph->weights[at[j]++] = half;
        }
}

clc_status clc_tsne_graph_make(const int32_t *near, const float *cosine, int n, int k,
                               double perplexity, clc_tsne_graph *graph) {
    clc_status status = CLC_OK;
    double *p = NULL, *distances = NULL;
    int32_t *at = NULL;
    *graph = (clc_tsne_graph){.n = n};
    CLC_NEW(p, (size_t)n * (size_t)k);
    CLC_NEW(distances, k);
    CLC_NEW(at, n);
    CLC_NEW(graph->starts, (size_t)n + 1);
    CLC_NEW(graph->others, 2 * (size_t)n * (size_t)k);
    CLC_NEW(graph->weights, 2 * (size_t)n * (size_t)k);
    for (int i = 0; i < n; i++) {
        for (int e = 0; e < k; e++)
            distances[e] = fmax(0, 2 - 2 * (double)cosine[i * k + e]);
        clc_tsne_perplexity(distances, k, perplexity, p + i * k);
    }
    for (int i = 0; i < n * k; i++) {
        graph->starts[i / k + 1]++;
        graph->starts[near[i] + 1]++;
    }
    for (int i = 0; i < n; i++) {
        graph->starts[i + 1] += graph->starts[i];
        at[i] = graph->starts[i];
    }
    add_edges(near, p, n, k, at, graph);
fail:
    free(p);
    free(distances);
    free(at);
    return status;
}

void clc_tsne_graph_free(clc_tsne_graph *graph) {
    free(graph->starts);
    free(graph->others);
    free(graph->weights);
    *graph = (clc_tsne_graph){0};
}

/* ---- on the device ---- */

static clc_status upload(clc_tsne *t, cl_mem *buffer, size_t bytes, const void *data) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_buffer_create(t->device, bytes, "t-SNE", buffer));
    CLC_TRY(clc_buffer_write(t->device, *buffer, 0, bytes, data));
fail:
    return status;
}

/* Everything begins at rest with gains of 1; padding lies at 0. */
static clc_status allocate(clc_tsne *t, const clc_tsne_graph *graph, const double *points) {
    clc_status status = CLC_OK;
    const size_t padded = (size_t)t->padded, edges = (size_t)graph->starts[t->n];
    float *begin = NULL;
    CLC_NEW(begin, 4 * padded);
    for (int i = 0; i < t->n; i++) {
        begin[i] = (float)points[2 * i];
        begin[padded + (size_t)i] = (float)points[2 * i + 1];
    }
    CLC_TRY(upload(t, &t->points[0], 2 * padded * sizeof *begin, begin));
    CLC_TRY(upload(t, &t->points[1], 2 * padded * sizeof *begin, begin));
    memset(begin, 0, 4 * padded * sizeof *begin);
    for (size_t i = 0; i < padded; i++)
        begin[padded + i] = begin[3 * padded + i] = 1;
    CLC_TRY(upload(t, &t->motion, 4 * padded * sizeof *begin, begin));
    CLC_TRY(upload(t, &t->starts, ((size_t)t->n + 1) * sizeof(cl_int), graph->starts));
    CLC_TRY(upload(t, &t->others, edges * sizeof(cl_int), graph->others));
    CLC_TRY(upload(t, &t->weights, edges * sizeof(float), graph->weights));
    CLC_TRY(clc_buffer_create(t->device, 3 * padded * sizeof *begin, "t-SNE", &t->force));
    CLC_TRY(clc_buffer_create(t->device, sizeof *begin, "t-SNE", &t->total));
    CLC_TRY(clc_buffer_create(t->device, 3 * sizeof *begin, "t-SNE", &t->hyper));
fail:
    free(begin);
    return status;
}

static clc_status build(clc_tsne *t, int s) {
    clc_status status = CLC_OK;
    clc_device *d = t->device;
    clc_sequence *q = &t->sequences[s];
    const size_t items = d->group_size;
    const size_t vector = d->profile == CLC_PROFILE_GPU ? 1 : d->vector_width;
    clc_launch_spec spec =
        clc_tile_spec(d, source, "tsne_repel", clc_ceil_div((size_t)t->padded / vector, items));
    spec.flops = 14.0 * t->n * t->n;
    CLC_TRY(CLC_LAUNCH(q, d, &spec, CLC_MEM(t->points[s]), CLC_MEM(t->force), CLC_INT(t->n),
                       CLC_INT(t->padded)));
    spec.groups[0] = 1;
    spec.flops = t->n;
    spec.kernel = spec.op = "tsne_total";
    CLC_TRY(CLC_LAUNCH(q, d, &spec, CLC_MEM(t->force), CLC_MEM(t->total), CLC_INT(t->n),
                       CLC_INT(t->padded)));
    spec.groups[0] = clc_ceil_div((size_t)t->n, items);
    spec.kernel = spec.op = "tsne_step";
    CLC_TRY(CLC_LAUNCH(q, d, &spec, CLC_MEM(t->points[s]), CLC_MEM(t->force), CLC_MEM(t->total),
                       CLC_MEM(t->starts), CLC_MEM(t->others), CLC_MEM(t->weights),
                       CLC_MEM(t->hyper), CLC_MEM(t->motion), CLC_MEM(t->points[1 - s]),
                       CLC_INT(t->n), CLC_INT(t->padded)));
    CLC_TRY(clc_sequence_prepare(q, d));
fail:
    return status;
}

clc_status clc_tsne_make(clc_device *device, const clc_tsne_graph *graph, const double *points,
                         clc_tsne *tsne) {
    clc_status status = CLC_OK;
    *tsne =
        (clc_tsne){.device = device, .n = graph->n, .padded = clc_round_up_int(graph->n, PADDING)};
    CLC_TRY(allocate(tsne, graph, points));
    for (int s = 0; s < 2; s++)
        CLC_TRY(build(tsne, s));
fail:
    return status;
}

clc_status clc_tsne_run(clc_tsne *t, const clc_tsne_settings *settings, int count) {
    clc_status status = CLC_OK;
    const float hyper[3] = {settings->exaggeration, settings->momentum, settings->rate};
    CLC_TRY(clc_device_finish(t->device));
    CLC_TRY(clc_buffer_write(t->device, t->hyper, 0, sizeof hyper, hyper));
    for (int i = 0; i < count; i++) {
        CLC_TRY(clc_sequence_run(&t->sequences[t->steps++ % 2], t->device));
        if (i % CHECKED != CHECKED - 1)
            continue;
        CLC_TRY(clc_device_finish(t->device));
        clc_live("t-SNE of %d samples: step %zu", t->n, t->steps);
        if (clc_signals_stop())
            CLC_TRY(clc_fail(CLC_INTERRUPTED, "interrupted in t-SNE"));
    }
    CLC_TRY(clc_device_finish(t->device));
fail:
    return status;
}

clc_status clc_tsne_read(clc_tsne *t, double *points) {
    clc_status status = CLC_OK;
    float *now = NULL;
    const size_t padded = (size_t)t->padded;
    CLC_NEW(now, 2 * padded);
    CLC_TRY(clc_buffer_read(t->device, t->points[t->steps % 2], 0, 2 * padded * sizeof *now, now));
    for (int i = 0; i < t->n; i++) {
        points[2 * i] = (double)now[i];
        points[2 * i + 1] = (double)now[padded + (size_t)i];
    }
fail:
    free(now);
    return status;
}

void clc_tsne_release(clc_tsne *t) {
    cl_mem *buffers[] = {&t->points[0], &t->points[1], &t->force, &t->total, &t->starts,
                         &t->others,    &t->weights,   &t->hyper, &t->motion};
    if (!t->device)
        return;
    clc_device_finish(t->device);
    for (int s = 0; s < 2; s++)
        clc_sequence_free(&t->sequences[s]);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        clc_buffer_release(t->device, buffers[i]);
    *t = (clc_tsne){0};
}

/* Such that x spreads by 0.0001. */
static void shrink(double *points, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += points[2 * i] * points[2 * i] / n;
    for (int i = 0; i < 2 * n && sum > 0; i++)
        points[i] *= 1e-4 / sqrt(sum);
}

clc_status clc_tsne_map(clc_device *device, const clc_tsne_graph *graph, double *points) {
    clc_status status = CLC_OK;
    clc_tsne tsne = {0};
    const float rate = fmaxf((float)graph->n / 12, 50);
    const clc_tsne_settings early = {12, 0.5f, rate}, late = {1, 0.8f, rate};
    shrink(points, graph->n);
    CLC_TRY(clc_tsne_make(device, graph, points, &tsne));
    CLC_TRY(clc_tsne_run(&tsne, &early, 250));
    CLC_TRY(clc_tsne_run(&tsne, &late, 500));
    CLC_TRY(clc_tsne_read(&tsne, points));
fail:
    clc_tsne_release(&tsne);
    return status;
}
