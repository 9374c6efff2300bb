#include "eval/classification.h"
#include "eval/linear.h"

static bool wanted(const clc_config *config, char *why, size_t size) {
    const bool trained = config->evaluation.linear_epochs > 0;
    if (!trained)
        snprintf(why, size, "evaluation.linear_epochs is 0");
    return trained;
}

static void settings(const clc_config_evaluation *o, char *text, size_t size) {
    if (o->linear_solver == CLC_CONFIG_SOLVER_LBFGS)
        snprintf(text, size, "decay %g", o->linear_weight_decay);
    else
        snprintf(text, size, "rate %g, decay %g", o->linear_learning_rate, o->linear_weight_decay);
}

static clc_status say(clc_evaluated *row, const clc_features *train, const clc_features *test,
                      const clc_config_evaluation *o, clc_classified *said) {
    return clc_linear_probe(row->of->device, train, test, o, row->of->config->training.seed,
                            said->predictions, said->logits);
}

static clc_status run(clc_evaluated *row, json_t *result) {
    static const clc_frozen_classifier linear = {"linear", clc_choose_linear, settings, say};
    return clc_frozen_classifier_run(&linear, row, result);
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
