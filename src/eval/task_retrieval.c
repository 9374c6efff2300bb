#include "eval/matching.h"
#include "eval/task.h"

/* Field 1 is for tower 1, or of the kind that the one tower reads. */
static bool can(const clc_evaluation *e, char *why, size_t size) {
    const clc_dataset *test = e->sets.test;
    const bool two = test && test->field_count > 1;
    if (!two)
        snprintf(why, size, "it needs test samples of two fields, such as images with captions");
    else if (e->towers == 1 && test->fields[0].kind != test->fields[1].kind)
        snprintf(why, size,
                 "the test samples' two fields are of different kinds, and the encoder "
                 "reads one of them only");
    else
        return true;
    return false;
}

static bool fits(const clc_evaluated *row) {
    return row->towers == row->of->towers;
}

static json_t *direction_json(const clc_matching *m, int k) {
    const clc_retrieval_score *s = &m->score[k];
    return json_pack("{s:I,s:I,s:f,s:f,s:f,s:f}", "queries", (json_int_t)s->queries, "among",
                     (json_int_t)m->count[1 - k], "recall_at_1", s->recall[0], "recall_at_5",
                     s->recall[1], "recall_at_10", s->recall[2], "median_rank", s->median_rank);
}

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_matching m;
    clc_embedder *const pair[2] = {&row->embedders[0], &row->embedders[row->towers - 1]};
    const clc_status status = clc_matching_make(pair, row->of->sets.test, &m);
    if (status != CLC_OK)
        return status;
    for (int k = 0; k < 2; k++) {
        char key[160];
        snprintf(key, sizeof key, "%s_to_%s", m.names[k], m.names[1 - k]);
        json_object_set_new(result, key, direction_json(&m, k));
    }
    return CLC_OK;
}

static size_t figures(const json_t *result, clc_task_figure figures[CLC_TASK_FIGURES]) {
    double recall[2] = {0, 0};
    const char *key;
    json_t *direction;
    size_t n = 0;
    json_object_foreach((json_t *)result, key, direction) {
        if (n < 2)
            recall[n++] = clc_json_figure(direction, "recall_at_1");
    }
    figures[0] = (clc_task_figure){"recall_at_1", (recall[0] + recall[1]) / 2};
    figures[1] = (clc_task_figure){"recall_at_1_forward", recall[0]};
    figures[2] = (clc_task_figure){"recall_at_1_back", recall[1]};
    return 3;
}

static const clc_task_column columns[] = {{"", "retrieval", CLC_CELL_LINE},
                                          {"queries", "queries", CLC_CELL_COUNT},
                                          {"among", "among", CLC_CELL_COUNT},
                                          {"recall_at_1", "R@1", CLC_CELL_PERCENT},
                                          {"recall_at_5", "R@5", CLC_CELL_PERCENT},
                                          {"recall_at_10", "R@10", CLC_CELL_PERCENT},
                                          {"median_rank", "median rank", CLC_CELL_TENTH},
                                          {NULL, NULL, CLC_CELL_COUNT}};

const clc_task clc_task_retrieval = {
    .name = "retrieval",
    .label = "retrieval",
    .about = "does a picture find its caption, and back? of samples of two fields",
    .can = can,
    .fits = fits,
    .request = clc_retrieval_request,
    .run = run,
    .columns = columns,
    .figures = figures};
