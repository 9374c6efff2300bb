#include "eval/classification.h"
#include "eval/knn.h"

static void settings(const clc_config_evaluation *o, char *text, size_t size) {
    snprintf(text, size, "k %d, T %g", o->knn_k, o->knn_temperature);
}

static clc_status say(clc_evaluated *row, const clc_features *train, const clc_features *test,
                      const clc_config_evaluation *o, clc_classified *said) {
    return clc_knn_find(row->of->device, train, test, o->knn_k, o->knn_temperature,
                        &(clc_knn_found){.predictions = said->predictions, .logits = said->logits});
}

static clc_status run(clc_evaluated *row, json_t *result) {
    static const clc_frozen_classifier knn = {"knn", clc_choose_knn, settings, say};
    return clc_frozen_classifier_run(&knn, row, result);
}

static clc_status more(const json_t *row, FILE *file) {
    return json_object_get(row, "linear") ? CLC_OK : clc_classification_print(row, "knn", file);
}

static size_t figures(const json_t *result, clc_task_figure figures[CLC_TASK_FIGURES]) {
    figures[0] = (clc_task_figure){"knn_accuracy", clc_json_figure(result, "accuracy")};
    return 1;
}

const clc_task clc_task_knn = {
    .name = "knn",
    .label = "kNN",
    .about = "are samples of a class neighbours? the vote of the nearest training samples",
    .can = clc_evaluation_has_classes,
    .request = clc_knn_request,
    .run = run,
    .columns = clc_classification_columns,
    .more = more,
    .figures = figures};
