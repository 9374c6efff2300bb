#include "eval/classification.h"
#include "eval/classifier.h"

static bool can(const clc_evaluation *e, char *why, size_t size) {
    if (clc_classifier_there(e->config))
        return clc_evaluation_has_classes(e, why, size);
    snprintf(why, size,
             "the network has no classifier for these data: clcontrast finetune, or "
             "method.name = supervised, trains one");
    return false;
}

static bool fits(const clc_evaluated *row) {
    return row->kind == CLC_EVALUATED_ENCODER;
}

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    const clc_evaluated_set *test;
    clc_classified said = {0};
    CLC_TRY(clc_evaluated_labelled(row, CLC_SPLIT_TEST, &test));
    CLC_TRY(clc_classified_make(test, &said));
    CLC_TRY(clc_classifier_predict(row->of->device, row->of->config,
                                   row->embedders[0].graph->params, &test->features,
                                   said.predictions, said.logits));
    CLC_TRY(clc_classification_score(row, test, &said, "classifier", result));
fail:
    clc_classified_free(&said);
    return status;
}

static clc_status more(const json_t *row, FILE *file) {
    return clc_classification_print(row, "classifier", file);
}

static size_t figures(const json_t *result, clc_task_figure figures[CLC_TASK_FIGURES]) {
    figures[0] = (clc_task_figure){"classifier_accuracy", clc_json_figure(result, "accuracy")};
    return 1;
}

const clc_task clc_task_classifier = {
    .name = "classifier",
    .label = "its own",
    .about = "how often is the network's own last layer right? of supervised and fine-tuned runs",
    .can = can,
    .fits = fits,
    .run = run,
    .columns = clc_classification_columns,
    .more = more,
    .figures = figures};
