#include "eval/ranking.h"

/* Rows as similar as relevant ones i and on: `relevant` of `count`, behind `before` others and i
 * relevant ones. */
typedef struct tie {
    int32_t i, relevant, count;
    int64_t before;
} tie;

/* Expected over random orders of a tie (McSherry & Najork, "Computing information retrieval
 * performance measures efficiently in the presence of tied scores", ECIR 2008): place j holds a
 * relevant row with probability r / n, behind (j - 1) (r - 1) / (n - 1) others of them. */
static void add_tie(const tie *t, int32_t n, clc_ranking_measures *m) {
    const double share = (double)t->relevant / t->count;
    const double next = t->count > 1 ? (t->relevant - 1.0) / (t->count - 1.0) : 0;
    for (int32_t j = 0; j < t->count; j++) {
        const int64_t rank = t->before + t->i + j + 1;
        const double precision = share * (t->i + 1 + j * next) / (double)rank;
        m->average_precision += precision;
        if (rank <= n) {
            m->r_precision += share;
            m->precision_at_r += precision;
        }
    }
}

/* Of the first tie: the chance that its first j places hold nothing relevant, times that of place
 * j + 1. */
static double reciprocal_rank(const tie *t) {
    double none = 1, sum = 0;
    for (int32_t j = 0; j < t->count && none > 0; j++) {
        const double found = (double)t->relevant / (t->count - j);
        sum += none * (found < 1 ? found : 1) / (double)(t->before + j + 1);
        none *= 1 - found;
    }
    return sum;
}

static int32_t equal_from(const clc_ranking *ranking, int32_t i) {
    int32_t end = i + 1;
    while (end < ranking->relevant && ranking->values[end] >= ranking->values[i])
        end++;
    return end - i;
}

void clc_ranking_measure(const clc_ranking *ranking, clc_ranking_measures *measures) {
    const int32_t n = ranking->relevant;
    clc_ranking_measures m = {0};
    tie t = {0};
    for (; t.i < n; t.i += t.relevant) {
        const int32_t others = ranking->counts[2 * t.i + 1];
        t.before += ranking->counts[2 * t.i];
        /* Relevant rows that equal only each other take places one by one. */
        t.relevant = others || !t.i ? equal_from(ranking, t.i) : 1;
        t.count = t.relevant + others;
        if (!t.i) {
            m.first = (clc_retrieval_place){(int32_t)t.before, t.count, t.relevant};
            m.reciprocal_rank = reciprocal_rank(&t);
        }
        add_tie(&t, n, &m);
        t.before += others;
    }
    if (n > 0) {
        m.average_precision /= n;
        m.r_precision /= n;
        m.precision_at_r /= n;
    }
    *measures = m;
}
