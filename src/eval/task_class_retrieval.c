#include "eval/ranking.h"
#include "eval/task.h"

static size_t labelled(const clc_dataset *data) {
    size_t count = 0;
    for (size_t i = 0; data && data->labels && i < data->count; i++)
        count += data->labels[i] >= 0;
    return count;
}

static bool can(const clc_evaluation *e, char *why, size_t size) {
    const size_t queries = labelled(e->sets.test);
    const bool able = queries >= 2 || (queries && labelled(e->sets.train));
    if (!able)
        snprintf(why, size,
                 "it needs labelled test samples: data.test (or data.test_fraction) in "
                 "folders, a file's column or data.test_labels");
    return able;
}

/* Test samples look for those of their class among the training samples or, where these have no
 * labels, among each other. */
static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    const bool gallery = labelled(row->of->sets.train) > 0;
    const clc_evaluated_set *bank, *test;
    clc_ranking_score s;
    CLC_TRY(clc_evaluated_labelled(row, CLC_SPLIT_TEST, &test));
    bank = test;
    if (gallery)
        CLC_TRY(clc_evaluated_labelled(row, CLC_SPLIT_TRAIN, &bank));
    CLC_TRY(clc_ranking_score_make(row->of->device, &bank->features,
                                   gallery ? &test->features : NULL, &s));
    json_object_set_new(result, "gallery", json_string(gallery ? "train" : "test"));
    json_object_set_new(result, "queries", json_integer((json_int_t)s.first.queries));
    json_object_set_new(result, "among",
                        json_integer((json_int_t)bank->features.rows - (gallery ? 0 : 1)));
    json_object_set_new(result, "recall_at_1", clc_json_number(s.first.recall[0]));
    json_object_set_new(result, "recall_at_5", clc_json_number(s.first.recall[1]));
    json_object_set_new(result, "recall_at_10", clc_json_number(s.first.recall[2]));
    json_object_set_new(result, "mrr", clc_json_number(s.mrr));
    json_object_set_new(result, "map", clc_json_number(s.map));
    json_object_set_new(result, "r_precision", clc_json_number(s.r_precision));
    json_object_set_new(result, "map_at_r", clc_json_number(s.map_at_r));
fail:
    return status;
}

static const clc_task_column columns[] = {{"gallery", "gallery", CLC_CELL_WORD},
                                          {"queries", "queries", CLC_CELL_COUNT},
                                          {"among", "among", CLC_CELL_COUNT},
                                          {"recall_at_1", "R@1", CLC_CELL_PERCENT},
                                          {"recall_at_5", "R@5", CLC_CELL_PERCENT},
                                          {"recall_at_10", "R@10", CLC_CELL_PERCENT},
                                          {"mrr", "MRR", CLC_CELL_PERCENT},
                                          {"map", "mAP", CLC_CELL_PERCENT},
                                          {"r_precision", "R-precision", CLC_CELL_PERCENT},
                                          {"map_at_r", "MAP@R", CLC_CELL_PERCENT},
                                          {NULL, NULL, CLC_CELL_COUNT}};

const clc_task clc_task_class_retrieval = {
    .name = "class_retrieval",
    .label = "retrieval by class",
    .about = "do test samples find all of their class? R@k, MRR, mAP, R-precision, MAP@R",
    .costly = true,
    .can = can,
    .request = clc_ranking_request,
    .run = run,
    .columns = columns};
