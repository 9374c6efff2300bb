#include "eval/classification.h"
#include "eval/linear.h"

static bool wanted(const clc_config *config, char *why, size_t size) {
    const bool trained = config->evaluation.linear_epochs > 0;
    if (!trained)
        snprintf(why, size, "evaluation.linear_epochs is 0");
    return trained;
}

static clc_status choose(clc_evaluated *row, const clc_features *train, clc_config_evaluation *o,
                         json_t *result) {
    clc_choice choice;
    char text[80];
    const clc_status status =
        clc_choose_linear(row->of->device, train, row->of->config->training.seed, o, &choice);
    if (status != CLC_OK)
        return status;
    if (o->linear_solver == CLC_CONFIG_SOLVER_LBFGS)
        snprintf(text, sizeof text, "decay %g", o->linear_weight_decay);
    else
        snprintf(text, sizeof text, "rate %g, decay %g", o->linear_learning_rate,
                 o->linear_weight_decay);
    clc_classification_chosen(&choice, text, result);
    return CLC_OK;
}

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    const clc_config *config = row->of->config;
    clc_config_evaluation o = config->evaluation;
    const clc_evaluated_set *train, *test;
    clc_classified said = {0};
    CLC_TRY(clc_classification_sets(row, &train, &test));
    CLC_TRY(clc_classified_make(test, &said));
    if (o.choose && row->of->folder)
        CLC_TRY(choose(row, &train->features, &o, result));
    CLC_TRY(clc_linear_probe(row->of->device, &train->features, &test->features, &o,
                             config->training.seed, said.predictions, said.logits));
    CLC_TRY(clc_classification_score(row, test, &said, "linear", result));
fail:
    clc_classified_free(&said);
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
    .wanted = wanted,
    .request = clc_linear_request,
    .run = run,
    .columns = clc_classification_columns,
    .more = more,
    .figures = figures};
