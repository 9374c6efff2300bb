#include "eval/metrics.h"

#include "report/table.h"

enum { PRINTED_CLASSES = 40 };

static clc_status count_pairs(const int32_t *truth, const int32_t *predicted, size_t n, int classes,
                              int64_t *confusion) {
    for (size_t i = 0; i < n; i++) {
        if (truth[i] < 0 || truth[i] >= classes)
            return clc_fail(CLC_INVALID, "label %d of sample %zu is outside the %d classes",
                            (int)truth[i], i, classes);
        if (predicted[i] < 0 || predicted[i] >= classes)
            return clc_fail(CLC_INVALID, "prediction %d of sample %zu is outside the %d classes",
                            (int)predicted[i], i, classes);
        confusion[(size_t)truth[i] * (size_t)classes + (size_t)predicted[i]]++;
    }
    return CLC_OK;
}

static double ratio(double numerator, double denominator) {
    return denominator > 0 ? numerator / denominator : 0;
}

/* Class c: precision hit/predicted, recall hit/present, F1 their harmonic mean; the macro averages
 * weigh all classes alike, and F1's is the mean of the classes' F1. Classes that the truth doesn't
 * have count 0 in these, and take no part in the balanced accuracy. */
static void average(clc_metrics *m) {
    const size_t classes = (size_t)m->classes;
    double hits = 0, there = 0;
    for (size_t c = 0; c < classes; c++) {
        const double hit = (double)m->confusion[c * classes + c];
        double present = 0, predicted = 0;
        for (size_t o = 0; o < classes; o++) {
            present += (double)m->confusion[c * classes + o];
            predicted += (double)m->confusion[o * classes + c];
        }
        const double precision = ratio(hit, predicted), recall = ratio(hit, present);
        const double f1 = ratio(2 * hit, present + predicted);
        const double weight = ratio(present, (double)m->count);
        hits += hit;
        there += present > 0;
        m->precision += precision / (double)classes;
        m->recall += recall / (double)classes;
        m->f1 += f1 / (double)classes;
        m->weighted_precision += weight * precision;
        m->weighted_recall += weight * recall;
        m->weighted_f1 += weight * f1;
        m->balanced_accuracy += recall;
    }
    m->accuracy = ratio(hits, (double)m->count);
    m->balanced_accuracy = ratio(m->balanced_accuracy, there);
}

clc_status clc_metrics_compute(const int32_t *truth, const int32_t *predicted, size_t n,
                               int classes, clc_metrics *metrics) {
    clc_status status = CLC_OK;
    clc_metrics m = {.classes = classes, .count = n};
    if (classes < 1)
        return clc_fail(CLC_INVALID, "metrics need at least one class, not %d", classes);
    CLC_NEW(m.confusion, (size_t)classes * (size_t)classes);
    CLC_TRY(count_pairs(truth, predicted, n, classes, m.confusion));
    average(&m);
    *metrics = m;
    return CLC_OK;
fail:
    clc_metrics_free(&m);
    return status;
}

/* Classes that go before class `c` of a sample. */
static int before(const float *scores, int classes, int c) {
    int count = 0;
    for (int o = 0; o < classes; o++)
        count += scores[o] > scores[c] || (o < c && scores[o] >= scores[c]);
    return scores[c] >= scores[c] ? count : classes;
}

double clc_metrics_top(const float *scores, const int32_t *labels, size_t n, int classes, int k) {
    size_t hits = 0;
    for (size_t i = 0; i < n; i++)
        hits += before(scores + i * (size_t)classes, classes, labels[i]) < k;
    return ratio((double)hits, (double)n);
}

clc_status clc_metrics_print_confusion(const clc_metrics *m, const char *const *names, FILE *file) {
    clc_table table = {0};
    if (m->classes > PRINTED_CLASSES) {
        fprintf(file, "(the confusion matrix of %d classes is too wide to print)\n", m->classes);
        return CLC_OK;
    }
    clc_table_begin(&table, "l", (size_t)m->classes + 1);
    clc_table_cell(&table, "true \\ predicted");
    for (int c = 0; c < m->classes; c++)
        clc_table_cell(&table, "%d", c);
    for (int c = 0; c < m->classes; c++) {
        clc_table_cell(&table, names ? "%d %s" : "%d", c, names ? names[c] : "");
        for (int p = 0; p < m->classes; p++)
            clc_table_cell(&table, "%lld", (long long)m->confusion[c * m->classes + p]);
    }
    return clc_table_print(&table, file);
}

void clc_metrics_free(clc_metrics *metrics) {
    free(metrics->confusion);
    *metrics = (clc_metrics){0};
}
