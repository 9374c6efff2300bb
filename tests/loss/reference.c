#include "loss/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double shortest = 1e-12; /* torch.nn.functional.normalize */

/* One set of vectors, normalised if the options say so. */
typedef struct vectors {
    double *u;
    int rows, dim;
} vectors;

static double dot(const double *a, const double *b, int n) {
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += a[k] * b[k];
    return sum;
}

static vectors take(const reference_loss *l, const double *z, int rows) {
    const int dim = l->shape.dim;
    vectors v = {malloc((size_t)rows * (size_t)dim * sizeof(double)), rows, dim};
    for (int i = 0; i < rows; i++) {
        const double *row = z + (size_t)i * (size_t)dim;
        const double length = l->options.normalize ? fmax(sqrt(dot(row, row, dim)), shortest) : 1;
        for (int k = 0; k < dim; k++)
            v.u[i * dim + k] = row[k] / length;
    }
    return v;
}

static const double *row_of(const vectors *v, int i) {
    return v->u + (size_t)i * (size_t)v->dim;
}

static int id_of(const reference_loss *l, int row) {
    const int image = row % l->shape.images;
    return l->labels ? l->labels[image] : image;
}

/* -log softmax of an anchor's positives, their mean; false without positives. */
static bool cross_entropy(const double *s, const bool *positive, int n, double *loss) {
    double largest = -INFINITY, sum = 0, good = 0, count = 0;
    for (int j = 0; j < n; j++)
        largest = fmax(largest, s[j]);
    for (int j = 0; j < n; j++) {
        sum += exp(s[j] - largest);
        good += positive[j] ? s[j] : 0;
        count += positive[j];
    }
    *loss = largest + log(sum) - good / count;
    return count > 0;
}

/* ntxent and supcon: every view against all others. */
static double joint(const reference_loss *l) {
    const int rows = l->shape.views * l->shape.images;
    vectors v = take(l, l->z, rows);
    double *s = malloc((size_t)rows * sizeof *s), sum = 0, anchors = 0, one;
    bool *positive = malloc((size_t)rows);
    for (int i = 0; i < rows; i++) {
        int n = 0;
        for (int j = 0; j < rows; j++)
            if (j != i) {
                s[n] = dot(row_of(&v, i), row_of(&v, j), v.dim) * l->scale;
                positive[n++] = id_of(l, i) == id_of(l, j);
            }
        if (cross_entropy(s, positive, n, &one)) {
            sum += one;
            anchors++;
        }
    }
    free(s);
    free(positive);
    free(v.u);
    return anchors > 0 ? sum / anchors : 0;
}

/* Similarities and positives of vector i of a against all of b and the queue; returns how many. */
static int columns(const reference_loss *l, const vectors *a, int i, const vectors *b,
                   const vectors *queue, double *s, bool *positive) {
    int n = 0;
    for (int j = 0; j < b->rows; j++) {
        const bool same = id_of(l, i) == id_of(l, j);
        if (l->options.negatives == CLC_CONFIG_NEGATIVES_QUEUE && !same && queue)
            continue;
        s[n] = dot(row_of(a, i), row_of(b, j), a->dim) * l->scale;
        positive[n++] = same;
    }
    for (int j = 0; queue && j < queue->rows; j++) {
        s[n] = dot(row_of(a, i), row_of(queue, j), a->dim) * l->scale;
        positive[n++] = false;
    }
    return n;
}

/* What one direction adds: cross-entropy, or for `logistic` the sum over all columns. */
static void direction(const reference_loss *l, const vectors *a, const vectors *b,
                      const vectors *queue, bool logistic, double *sum, double *anchors) {
    const size_t most = (size_t)(b->rows + (queue ? queue->rows : 0));
    double *s = malloc(most * sizeof *s), one;
    bool *positive = malloc(most);
    for (int i = 0; i < a->rows; i++) {
        const int n = columns(l, a, i, b, queue, s, positive);
        for (int j = 0; j < n && logistic; j++) {
            const double x = s[j] + l->bias, t = positive[j] ? -x : x;
            *sum += fmax(t, 0) + log1p(exp(-fabs(t)));
        }
        if (!logistic && cross_entropy(s, positive, n, &one))
            *sum += one;
        *anchors += 1;
    }
    free(s);
    free(positive);
}

/* One view against the other, or each against the targets' other view. */
static double cross(const reference_loss *l, bool both, bool logistic) {
    const int n = l->shape.images, views = l->shape.views;
    const size_t view = (size_t)n * (size_t)l->shape.dim;
    vectors v[4], queue;
    int count = views;
    double sum = 0, anchors = 0;
    for (int i = 0; i < views; i++)
        v[i] = take(l, l->z + (size_t)i * view, n);
    for (int i = 0; l->target && i < views; i++)
        v[count++] = take(l, l->target + (size_t)i * view, n);
    const bool wanted = l->options.negatives == CLC_CONFIG_NEGATIVES_QUEUE ||
                        l->options.negatives == CLC_CONFIG_NEGATIVES_BOTH;
    const bool queued = l->queue && (wanted || logistic);
    queue = (vectors){l->queue, l->shape.queue, l->shape.dim};
    const int last = both ? count : l->target ? views : 1;
    for (int i = 0; i < last; i++)
        direction(l, &v[i], &v[count - 1 - i], queued ? &queue : NULL, logistic, &sum, &anchors);
    for (int i = 0; i < count; i++)
        free(v[i].u);
    return sum / anchors;
}

static double mean_squared_length(const reference_loss *l) {
    const int rows = l->shape.views * l->shape.images;
    vectors v = take(l, l->z, rows);
    double sum = 0;
    for (int i = 0; i < rows; i++)
        sum += dot(row_of(&v, i), row_of(&v, i), v.dim);
    free(v.u);
    return sum / l->shape.images;
}

static double distance(const reference_loss *l, const vectors *v, int i, int j) {
    const double *a = row_of(v, i), *b = row_of(v, j);
    double sum = 0;
    if (l->options.distance == CLC_CONFIG_DISTANCE_COSINE)
        return 1 - dot(a, b, v->dim);
    for (int k = 0; k < v->dim; k++)
        sum += (a[k] - b[k]) * (a[k] - b[k]);
    return l->options.distance == CLC_CONFIG_DISTANCE_EUCLIDEAN ? sqrt(sum) : sum;
}

static double contrastive(const reference_loss *l) {
    const int rows = l->shape.views * l->shape.images;
    const bool linear = l->options.linear;
    vectors v = take(l, l->z, rows);
    double sum[2] = {0, 0}, count[2] = {0, 0};
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < i; j++) {
            const bool same = id_of(l, i) == id_of(l, j);
            const double d = distance(l, &v, i, j), near = linear ? l->options.positive_margin : 0;
            const double miss = fmax(0, same ? d - near : l->options.margin - d);
            sum[same] += linear ? miss : miss * miss;
            count[same] += !linear || miss > 0;
        }
    free(v.u);
    if (!linear)
        return count[0] + count[1] > 0 ? (sum[0] + sum[1]) / (count[0] + count[1]) : 0;
    return (count[0] > 0 ? sum[0] / count[0] : 0) + (count[1] > 0 ? sum[1] / count[1] : 0);
}

static double hinge(const reference_loss *l, double x) {
    return l->options.soft ? fmax(x, 0) + log1p(exp(-fabs(x))) : fmax(0, x + l->options.margin);
}

/* One anchor's triplets; adds their loss and number. */
static void triplets_of(const reference_loss *l, const vectors *v, int a, double *sum,
                        double *count) {
    double far = -INFINITY, near = INFINITY;
    for (int p = 0; p < v->rows; p++) {
        if (p == a || id_of(l, p) != id_of(l, a))
            continue;
        const double dp = distance(l, v, a, p);
        far = fmax(far, dp);
        for (int n = 0; n < v->rows; n++) {
            if (id_of(l, n) == id_of(l, a))
                continue;
            const double dn = distance(l, v, a, n), x = dp - dn;
            near = fmin(near, dn);
            if (l->options.mining == CLC_CONFIG_MINING_HARD ||
                (l->options.mining == CLC_CONFIG_MINING_SEMIHARD && !(x < 0)))
                continue;
            *sum += hinge(l, x);
            *count += l->options.soft || hinge(l, x) > 0;
        }
    }
    if (l->options.mining == CLC_CONFIG_MINING_HARD && far > -INFINITY && near < INFINITY) {
        *sum += hinge(l, far - near);
        *count += 1;
    }
}

static double triplet(const reference_loss *l) {
    vectors v = take(l, l->z, l->shape.views * l->shape.images);
    double sum = 0, count = 0;
    for (int a = 0; a < v.rows; a++)
        triplets_of(l, &v, a, &sum, &count);
    free(v.u);
    return count > 0 ? sum / count : 0;
}

static double ntxent(const reference_loss *l) {
    return joint(l);
}

static double infonce(const reference_loss *l) {
    return cross(l, l->options.symmetric, false);
}

static double clip(const reference_loss *l) {
    return cross(l, true, false);
}

/* Views 1 and, if there is one, 2 are the columns of view 0. */
static double simcse(const reference_loss *l) {
    const int n = l->shape.images;
    const size_t view = (size_t)n * (size_t)l->shape.dim;
    vectors v[3] = {{NULL, 0, 0}};
    double sum = 0, anchors = 0;
    for (int i = 0; i < l->shape.views; i++)
        v[i] = take(l, l->z + (size_t)i * view, n);
    direction(l, &v[0], &v[1], l->shape.views > 2 ? &v[2] : NULL, false, &sum, &anchors);
    for (int i = 0; i < l->shape.views; i++)
        free(v[i].u);
    return sum / anchors;
}

static double npair(const reference_loss *l) {
    return cross(l, false, false) + l->options.l2 / 4 * mean_squared_length(l);
}

static double logistic(const reference_loss *l) {
    return cross(l, false, true);
}

double reference_value(const reference_loss *l) {
    static const struct {
        const char *name;
        double (*value)(const reference_loss *);
    } all[] = {{"ntxent", ntxent},
               {"supcon", ntxent},
               {"infonce", infonce},
               {"clip", clip},
               {"npair", npair},
               {"simcse", simcse},
               {"logistic", logistic},
               {"contrastive", contrastive},
               {"triplet", triplet},
               {"barlow", reference_barlow},
               {"vicreg", reference_vicreg},
               {"cosine", reference_cosine},
               {"crossentropy", reference_crossentropy},
               {"distillation", reference_distillation},
               {"swav", reference_codes},
               {"dino", reference_codes}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(l->name, all[i].name))
            return l->options.weight * all[i].value(l);
    return NAN;
}

double reference_slope(const reference_loss *loss, double *x, double h) {
    const double kept = *x;
    *x = kept + h;
    const double up = reference_value(loss);
    *x = kept - h;
    const double down = reference_value(loss);
    *x = kept;
    return (up - down) / (2 * h);
}
