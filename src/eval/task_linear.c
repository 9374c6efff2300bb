#include "eval/classification.h"
#include "eval/linear.h"

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    const clc_config *config = row->of->config;
    const clc_evaluated_set *train, *test;
    int32_t *predicted = NULL;
    CLC_TRY(clc_classification_sets(row, &train, &test));
    CLC_NEW(predicted, test->features.rows);
    CLC_TRY(clc_linear_probe(row->of->device, &train->features, &test->features,
                             &config->evaluation, config->training.seed, predicted));
    return clc_classification_score(row, test, predicted, "linear", result);
fail:
    free(predicted);
    return status;
}

static clc_status more(const json_t *row, FILE *file) {
    return clc_classification_print(row, "linear", file);
}

static size_t figures(const json_t *result, clc_task_figure figures[CLC_TASK_FIGURES]) {
    figures[0] = (clc_task_figure){"linear_accuracy", clc_json_figure(result, "accuracy")};
    return 1;
}

const clc_task clc_task_linear = {
    .name = "linear",
    .label = "linear",
    .about = "can a line divide the classes? logistic regression on frozen features",
    .can = clc_evaluation_has_classes,
    .request = clc_linear_request,
    .run = run,
    .columns = clc_classification_columns,
    .more = more,
    .figures = figures};
