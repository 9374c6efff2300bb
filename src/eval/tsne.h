/* Maps by t-SNE (van der Maaten and Hinton, JMLR 2008) on the device. All points repel each other,
 * exactly; those attract that are among the nearest in the space of features, three times the
 * perplexity of them, beyond which P is as good as 0 (van der Maaten, JMLR 2014). Memory grows with
 * points times neighbours; time with the square of the points. */
#ifndef CLC_EVAL_TSNE_H
#define CLC_EVAL_TSNE_H

#include "device/sequence.h"

#include <stdint.h>

enum { CLC_TSNE_MOST = 20000 }; /* points */

/* Asks for its program ahead of time, and for that of neighbours. */
clc_status clc_tsne_request(clc_device *device);

/* P as lists: point i attracts others[starts[i]] to others[starts[i + 1] - 1] with those weights; a
 * pair may stand twice, its halves add up. All weights sum to 1. */
typedef struct clc_tsne_graph {
    int n;
    int32_t *starts; /* (n + 1) */
    int32_t *others; /* (starts[n]) */
    float *weights;  /* (starts[n]) */
} clc_tsne_graph;

/* p (k): exp(-beta d) / sum with the beta whose perplexity, 2 to the entropy in bits, is the given
 * one. distances (k): squared. Returns the perplexity that was reached: less than asked for where
 * fewer than that many are all there are. */
double clc_tsne_perplexity(const double *distances, int k, double perplexity, double *p);

/* Neighbours near (n,k) with their cosines; features of length 1 have the squared distance 2 - 2
 * cosine. */
clc_status clc_tsne_graph_make(const int32_t *near, const float *cosine, int n, int k,
                               double perplexity, clc_tsne_graph *graph);
void clc_tsne_graph_free(clc_tsne_graph *graph);

typedef struct clc_tsne {
    clc_device *device;
    int n, padded;
    size_t steps; /* taken */
    cl_mem points[2], force, total, starts, others, weights, hyper, motion;
    clc_sequence sequences[2]; /* from points[s] to points[1 - s] */
} clc_tsne;

/* Begins with points (n,2). Release it also after a failure. */
clc_status clc_tsne_make(clc_device *device, const clc_tsne_graph *graph, const double *points,
                         clc_tsne *tsne);

/* Takes `count` steps. Ctrl-C ends them with CLC_INTERRUPTED. */
typedef struct clc_tsne_settings {
    float exaggeration, momentum, rate;
} clc_tsne_settings;
clc_status clc_tsne_run(clc_tsne *tsne, const clc_tsne_settings *settings, int count);

/* The points (n,2) as they are. */
clc_status clc_tsne_read(clc_tsne *tsne, double *points);
void clc_tsne_release(clc_tsne *tsne);

/* All of it, from `points` (n,2), such as principal components, which are scaled down first and
 * replaced: 250 steps with P times 12, 500 without, at the rate n / 12, at least 50 (Belkina et
 * al., Nature Communications 2019). */
clc_status clc_tsne_map(clc_device *device, const clc_tsne_graph *graph, double *points);

#endif
