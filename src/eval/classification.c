#include "eval/classification.h"

#include "eval/metrics.h"
#include "eval/probabilities.h"

#include <string.h>

const clc_task_column clc_classification_columns[] = {
    {"", "dim", CLC_CELL_DIM},
    {"", "classifier", CLC_CELL_TASK},
    {"accuracy", "accuracy", CLC_CELL_PERCENT},
    {"top5", "top-5", CLC_CELL_PERCENT},
    {"precision", "precision", CLC_CELL_PERCENT},
    {"recall", "recall", CLC_CELL_PERCENT},
    {"f1", "F1", CLC_CELL_PERCENT},
    {"roc_auc", "AUC", CLC_CELL_PERCENT},
    {"calibration_error", "ECE", CLC_CELL_PERCENT},
    {"settings", "chosen on held-out training samples", CLC_CELL_WORD},
    {"", "seconds", CLC_CELL_SECONDS},
    {NULL, NULL, CLC_CELL_COUNT}};

clc_status clc_classification_sets(clc_evaluated *row, const clc_evaluated_set **train,
                                   const clc_evaluated_set **test) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_evaluated_labelled(row, CLC_SPLIT_TRAIN, train));
    CLC_TRY(clc_evaluated_labelled(row, CLC_SPLIT_TEST, test));
fail:
    return status;
}

static json_t *confusion_json(const clc_metrics *m) {
    json_t *confusion = json_array();
    for (int i = 0; i < m->classes; i++) {
        json_t *row = json_array();
        for (int j = 0; j < m->classes; j++)
            json_array_append_new(row, json_integer(m->confusion[i * m->classes + j]));
        json_array_append_new(confusion, row);
    }
    return confusion;
}

clc_status clc_classified_make(const clc_evaluated_set *test, clc_classified *said) {
    clc_status status = CLC_OK;
    const clc_features *f = &test->features;
    *said = (clc_classified){0};
    CLC_NEW(said->predictions, f->rows);
    CLC_NEW(said->logits, f->rows * (size_t)f->classes);
fail:
    return status;
}

void clc_classified_free(clc_classified *said) {
    free(said->predictions);
    free(said->logits);
    *said = (clc_classified){0};
}

static void add_figure(json_t *object, const char *key, double value) {
    json_object_set_new(object, key, clc_json_number(value));
}

static void add_metrics(const clc_metrics *m, json_t *result) {
    const struct {
        const char *key;
        double value;
    } figures[] = {{"accuracy", m->accuracy},
                   {"precision", m->precision},
                   {"recall", m->recall},
                   {"f1", m->f1},
                   {"weighted_precision", m->weighted_precision},
                   {"weighted_recall", m->weighted_recall},
                   {"weighted_f1", m->weighted_f1},
                   {"balanced_accuracy", m->balanced_accuracy}};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        add_figure(result, figures[i].key, figures[i].value);
}

static void add_scores(const clc_class_scores *s, json_t *result) {
    json_t *auc = json_array(), *precision = json_array();
    if (s->classes > 5)
        add_figure(result, "top5", s->top5);
    add_figure(result, "roc_auc", s->roc_auc);
    add_figure(result, "average_precision", s->average_precision);
    add_figure(result, "calibration_error", s->calibration_error);
    for (int c = 0; c < s->classes; c++) {
        json_array_append_new(auc, clc_json_number(s->by_class[c].roc_auc));
        json_array_append_new(precision, clc_json_number(s->by_class[c].average_precision));
    }
    json_object_set_new(result, "per_class",
                        json_pack("{s:o,s:o}", "roc_auc", auc, "average_precision", precision));
}

clc_status clc_classification_score(clc_evaluated *row, const clc_evaluated_set *test,
                                    clc_classified *said, const char *by, json_t *result) {
    clc_status status = CLC_OK;
    const size_t n = test->features.rows;
    const int classes = test->features.classes;
    clc_metrics m = {0};
    clc_class_scores scores = {0};
    CLC_TRY(clc_metrics_compute(test->labels, said->predictions, n, classes, &m));
    CLC_TRY(clc_class_scores_make(said->logits, test->labels, n, classes, &scores));
    add_metrics(&m, result);
    add_scores(&scores, result);
    json_object_set_new(result, "confusion", confusion_json(&m));
    free(row->predicted);
    row->predicted = said->predictions;
    row->predicted_by = by;
    said->predictions = NULL;
fail:
    clc_metrics_free(&m);
    clc_class_scores_free(&scores);
    return status;
}

/* Says in `result` which settings, such as "k 20, T 0.07", were chosen. */
static clc_status choose(const clc_frozen_classifier *c, clc_evaluated *row,
                         const clc_features *train, clc_config_evaluation *o, json_t *result) {
    clc_choice choice;
    char text[80];
    const clc_status status =
        c->choose(row->of->device, train, row->of->config->training.seed, o, &choice);
    if (status != CLC_OK)
        return status;
    c->settings(o, text, sizeof text);
    json_object_set_new(result, "settings", json_string(text));
    json_object_set_new(result, "chosen",
                        json_pack("{s:I,s:I,s:f}", "samples", (json_int_t)choice.held, "tried",
                                  (json_int_t)choice.tried, "best", choice.accuracy));
    return CLC_OK;
}

clc_status clc_frozen_classifier_run(const clc_frozen_classifier *c, clc_evaluated *row,
                                     json_t *result) {
    clc_status status = CLC_OK;
    clc_config_evaluation o = row->of->config->evaluation;
    const clc_evaluated_set *train, *test;
    clc_classified said = {0};
    CLC_TRY(clc_classification_sets(row, &train, &test));
    CLC_TRY(clc_classified_make(test, &said));
    if (o.choose && row->of->folder)
        CLC_TRY(choose(c, row, &train->features, &o, result));
    CLC_TRY(c->say(row, &train->features, &test->features, &o, &said));
    CLC_TRY(clc_classification_score(row, test, &said, c->name, result));
fail:
    clc_classified_free(&said);
    return status;
}

static clc_status read_confusion(const json_t *matrix, clc_metrics *m) {
    clc_status status = CLC_OK;
    m->classes = (int)json_array_size(matrix);
    CLC_NEW(m->confusion, (size_t)m->classes * (size_t)m->classes);
    for (int i = 0; i < m->classes; i++)
        for (int j = 0; j < m->classes; j++)
            m->confusion[i * m->classes + j] =
                json_integer_value(json_array_get(json_array_get(matrix, (size_t)i), (size_t)j));
fail:
    return status;
}

/* Whether the names say more than the numbers do. */
static bool have_names(const json_t *names, int classes) {
    for (size_t i = 0; json_array_size(names) >= (size_t)classes && i < json_array_size(names);
         i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        if (strcmp(json_string_value(json_array_get(names, i)), number))
            return true;
    }
    return false;
}

clc_status clc_classification_print(const json_t *row, const char *task, FILE *file) {
    clc_status status = CLC_OK;
    const json_t *names = json_object_get(row, "classes");
    const json_t *result = json_object_get(row, task);
    clc_metrics m = {0};
    const char **list = NULL;
    CLC_TRY(read_confusion(json_object_get(result, "confusion"), &m));
    CLC_NEW(list, json_array_size(names));
    for (size_t i = 0; i < json_array_size(names); i++)
        list[i] = json_string_value(json_array_get(names, i));
    fprintf(file, "\nconfusion matrix of the %s, %s (rows: true class, columns: predicted)\n",
            json_string_value(json_object_get(row, "features")), task);
    CLC_TRY(clc_metrics_print_confusion(&m, have_names(names, m.classes) ? list : NULL, file));
fail:
    clc_metrics_free(&m);
    free(list);
    return status;
}
