/* Samples worth a look: with their neighbours, the hardest and the most typical. */
#include "eval/gallery_parts.h"

#include <math.h>
#include <string.h>

enum { SHOWN = 8, QUERIES = 12, EXTREMES = 24 };

/* A sample with a figure, to be sorted. */
typedef struct scored {
    int32_t sample;
    double value;
} scored;

static int by_value(const void *a, const void *b) {
    const scored *x = a, *y = b;
    return x->value < y->value ? -1 : x->value > y->value ? 1 : x->sample - y->sample;
}

/* Whether most of the first neighbours are of the sample's class: at least as many as of any other.
 */
static bool voted_right(const clc_gallery *g, size_t i) {
    const int n = g->k < SHOWN ? g->k : SHOWN;
    const int32_t *near = g->near + i * (size_t)g->k;
    int own = 0, most = 0;
    for (int a = 0; a < n; a++) {
        int votes = 0;
        for (int b = 0; b < n; b++)
            votes += g->labels[near[b]] == g->labels[near[a]];
        if (g->labels[near[a]] == g->labels[i])
            own = votes;
        else
            most = votes > most ? votes : most;
    }
    return own > most;
}

static json_t *neighbour_row(const clc_gallery *g, size_t i, bool right) {
    json_t *near = json_array(), *cosine = json_array();
    g->shown[i] = true;
    for (int k = 0; k < g->k && k < SHOWN; k++) {
        g->shown[g->near[i * (size_t)g->k + (size_t)k]] = true;
        json_array_append_new(near, json_integer(g->near[i * (size_t)g->k + (size_t)k]));
        json_array_append_new(cosine, json_real((double)g->cosine[i * (size_t)g->k + (size_t)k]));
    }
    return json_pack("[i,o,o,b]", (int)i, near, cosine, right);
}

/* Up to QUERIES right and as many wrong ones, evenly spaced among their kind; without classes all
 * count as right. */
static clc_status add_neighbours(clc_gallery *g) {
    clc_status status = CLC_OK;
    size_t *of[2] = {NULL, NULL}, count[2] = {0, 0};
    json_t *list = json_array();
    json_object_set_new(g->page, "neighbours", list);
    CLC_NEW(of[0], g->count);
    CLC_NEW(of[1], g->count);
    for (size_t i = 0; i < g->count; i++) {
        const int right = g->labels[i] < 0 || voted_right(g, i);
        of[right][count[right]++] = i;
    }
    for (size_t q = 0; q < QUERIES; q++)
        for (int right = 1; right >= 0; right--) {
            const size_t n = count[right] < QUERIES ? count[right] : QUERIES;
            if (q < n)
                json_array_append_new(list,
                                      neighbour_row(g, of[right][q * count[right] / n], right));
        }
fail:
    free(of[0]);
    free(of[1]);
    return status;
}

/* means (classes,dim): of unit length. */
static void class_means(const clc_gallery *g, float *means) {
    const size_t dim = (size_t)g->dim;
    for (size_t i = 0; i < g->count; i++)
        for (size_t d = 0; g->labels[i] >= 0 && d < dim; d++)
            means[(size_t)g->labels[i] * dim + d] += g->unit[i * dim + d];
    for (size_t c = 0; c < (size_t)g->classes; c++) {
        double sum = 0;
        for (size_t d = 0; d < dim; d++)
            sum += (double)means[c * dim + d] * (double)means[c * dim + d];
        for (size_t d = 0; d < dim && sum > 0; d++)
            means[c * dim + d] = (float)((double)means[c * dim + d] / sqrt(sum));
    }
}

static double mean_cosine(const clc_gallery *g, size_t i) {
    double sum = 0;
    for (int k = 0; k < g->k; k++)
        sum += (double)g->cosine[i * (size_t)g->k + (size_t)k] / g->k;
    return sum;
}

static double own_share(const clc_gallery *g, size_t i) {
    int own = 0;
    for (int k = 0; k < g->k; k++)
        own += g->labels[g->near[i * (size_t)g->k + (size_t)k]] == g->labels[i];
    return (double)own / g->k;
}

/* With classes the typical lie near the mean of theirs, one a class in turn; without, among many
 * that are alike. */
static double typicality(const clc_gallery *g, const float *means, size_t i) {
    const size_t dim = (size_t)g->dim;
    double sum = 0;
    if (!g->labelled)
        return mean_cosine(g, i);
    for (size_t d = 0; d < dim; d++)
        sum += (double)g->unit[i * dim + d] * (double)means[(size_t)g->labels[i] * dim + d];
    return sum;
}

/* The first EXTREMES of a sorted list, of each class at most `each`. */
static json_t *first_of(const clc_gallery *g, const scored *list, size_t n, int each, int *taken,
                        double sign) {
    json_t *picks = json_array();
    memset(taken, 0, (size_t)(g->classes + 1) * sizeof *taken);
    for (size_t i = 0; i < n && json_array_size(picks) < EXTREMES; i++)
        if (taken[g->labels[list[i].sample] + 1]++ < each || !g->labelled) {
            json_array_append_new(picks, json_pack("[i,f]", list[i].sample, sign * list[i].value));
            g->shown[list[i].sample] = true;
        }
    return picks;
}

static clc_status add_extremes(clc_gallery *g) {
    clc_status status = CLC_OK;
    scored *typical = NULL, *hard = NULL;
    float *means = NULL;
    int *taken = NULL;
    size_t n = 0;
    CLC_NEW(typical, g->count);
    CLC_NEW(hard, g->count);
    CLC_NEW(means, (size_t)g->classes * (size_t)g->dim);
    CLC_NEW(taken, g->classes + 1);
    class_means(g, means);
    for (size_t i = 0; i < g->count; i++) {
        if (g->labelled && g->labels[i] < 0)
            continue;
        typical[n] = (scored){(int32_t)i, -typicality(g, means, i)};
        hard[n++] = (scored){(int32_t)i, g->labelled ? own_share(g, i) : mean_cosine(g, i)};
    }
    qsort(typical, n, sizeof *typical, by_value);
    qsort(hard, n, sizeof *hard, by_value);
    const int each = g->classes > 0 ? (EXTREMES + g->classes - 1) / g->classes : 0;
    json_object_set_new(g->page, "typical", first_of(g, typical, n, each, taken, -1));
    json_object_set_new(g->page, "hardest", first_of(g, hard, n, EXTREMES, taken, 1));
fail:
    free(typical);
    free(hard);
    free(means);
    free(taken);
    return status;
}

clc_status clc_gallery_choose(clc_gallery *g) {
    clc_status status = CLC_OK;
    CLC_NEW(g->shown, g->count);
    CLC_TRY(add_neighbours(g));
    CLC_TRY(add_extremes(g));
fail:
    return status;
}
