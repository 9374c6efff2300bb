#include "eval/classification.h"

#include "eval/metrics.h"

#include <string.h>

const clc_task_column clc_classification_columns[] = {{"", "dim", CLC_CELL_DIM},
                                                      {"", "classifier", CLC_CELL_TASK},
                                                      {"accuracy", "accuracy", CLC_CELL_PERCENT},
                                                      {"precision", "precision", CLC_CELL_PERCENT},
                                                      {"recall", "recall", CLC_CELL_PERCENT},
                                                      {"f1", "F1", CLC_CELL_PERCENT},
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

clc_status clc_classification_score(clc_evaluated *row, const clc_evaluated_set *test,
                                    int32_t *predictions, const char *by, json_t *result) {
    clc_status status = CLC_OK;
    clc_metrics m = {0};
    free(row->predicted);
    row->predicted = predictions;
    row->predicted_by = by;
    CLC_TRY(clc_metrics_compute(test->labels, predictions, test->features.rows,
                                test->features.classes, &m));
    json_object_update_new(result, json_pack("{s:f,s:f,s:f,s:f,s:o}", "accuracy", m.accuracy,
                                             "precision", m.precision, "recall", m.recall, "f1",
                                             m.f1, "confusion", confusion_json(&m)));
fail:
    clc_metrics_free(&m);
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
