#include "eval/sts.h"
#include "eval/task.h"

/* What is wrong with a score is said when it is read to be used. */
static bool can(const clc_evaluation *e, char *why, size_t size) {
    const bool there = e->sts_status != CLC_OK || e->sts.count;
    if (!there)
        snprintf(why, size, "it needs a data.test with columns sent0, sent1 and score");
    return there;
}

static const clc_embedder *reader(const clc_evaluated *row) {
    return &row->embedders[row->towers - 1];
}

static bool fits(const clc_evaluated *row) {
    return reader(row)->in.like->kind == CLC_KIND_TOKENS;
}

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    clc_sts_score score = {0};
    if (row->of->sts_status != CLC_OK)
        return clc_fail(row->of->sts_status, "%s", row->of->sts_error);
    CLC_TRY(clc_sts_make(&row->embedders[row->towers - 1], &row->of->sts, &score));
    json_object_update_new(result, json_pack("{s:I,s:o,s:o}", "pairs", (json_int_t)score.pairs,
                                             "spearman", clc_json_number(score.spearman), "pearson",
                                             clc_json_number(score.pearson)));
fail:
    return status;
}

static size_t figures(const json_t *result, clc_task_figure figures[CLC_TASK_FIGURES]) {
    figures[0] = (clc_task_figure){"spearman", clc_json_figure(result, "spearman")};
    return 1;
}

static const clc_task_column columns[] = {{"pairs", "pairs", CLC_CELL_COUNT},
                                          {"spearman", "Spearman", CLC_CELL_NUMBER},
                                          {"pearson", "Pearson", CLC_CELL_NUMBER},
                                          {NULL, NULL, CLC_CELL_COUNT}};

const clc_task clc_task_sts = {
    .name = "sts",
    .label = "sts",
    .about = "do cosines of pairs of sentences agree with people's scores? Spearman, Pearson",
    .can = can,
    .fits = fits,
    .run = run,
    .columns = columns,
    .figures = figures};
