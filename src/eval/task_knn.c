#include "eval/classification.h"
#include "eval/knn.h"

static clc_status choose(clc_evaluated *row, const clc_features *train, clc_config_evaluation *o,
                         json_t *result) {
    clc_choice choice;
    char text[80];
    const clc_status status =
        clc_choose_knn(row->of->device, train, row->of->config->training.seed, o, &choice);
    if (status != CLC_OK)
        return status;
    snprintf(text, sizeof text, "k %d, T %g", o->knn_k, o->knn_temperature);
    clc_classification_chosen(&choice, text, result);
    return CLC_OK;
}

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    clc_config_evaluation o = row->of->config->evaluation;
    const clc_evaluated_set *train, *test;
    clc_classified said = {0};
    CLC_TRY(clc_classification_sets(row, &train, &test));
    CLC_TRY(clc_classified_make(test, &said));
    if (o.choose && row->of->folder)
        CLC_TRY(choose(row, &train->features, &o, result));
    CLC_TRY(clc_knn_find(row->of->device, &train->features, &test->features, o.knn_k,
                         o.knn_temperature,
                         &(clc_knn_found){.predictions = said.predictions, .logits = said.logits}));
    CLC_TRY(clc_classification_score(row, test, &said, "knn", result));
fail:
    clc_classified_free(&said);
    return status;
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
