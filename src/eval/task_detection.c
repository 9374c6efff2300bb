#include "core/log.h"
#include "dense/dense.h"
#include "eval/detection_score.h"
#include "eval/labelled_scenes.h"
#include "eval/task.h"
#include "report/table.h"

static bool can(const clc_evaluation *e, char *why, size_t size) {
    const bool there = *e->config->data.train_boxes && *e->config->data.test_boxes;
    if (!there)
        snprintf(why, size,
                 "it needs boxes around objects: data.train_boxes and data.test_boxes, COCO's JSON "
                 "or folders of VOC's XML");
    return there;
}

/* There are maps in networks alone. */
static bool fits(const clc_evaluated *row) {
    return row->embedders[0].graph != NULL;
}

static json_t *json_of(const clc_detection_score *score, const clc_scenes *train,
                       const clc_scenes *test) {
    json_t *by_class = json_object();
    for (int c = 0; c < score->classes; c++)
        json_object_set_new(by_class, clc_names_at(&train->class_names, (size_t)c),
                            clc_json_number(score->ap_of_class[c]));
    return json_pack("{s:I,s:I,s:o,s:o,s:o,s:o}", "scenes", (json_int_t)test->count, "objects",
                     (json_int_t)test->object_count, "ap", clc_json_number(score->ap), "ap50",
                     clc_json_number(score->ap50), "ap75", clc_json_number(score->ap75),
                     "ap_of_class", by_class);
}

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    const clc_scenes *train, *test;
    clc_dense dense = {0};
    clc_detection *found = NULL;
    clc_detection_score score = {0};
    size_t n;
    CLC_TRY(clc_labelled_scenes(row->of, CLC_SCENES_BOXES, &train, &test));
    CLC_TRY(clc_dense_create(&dense, row->of->device, row->of->config, train,
                             row->embedders[0].graph->params));
    CLC_TRY(clc_dense_train(&dense, train, row->name));
    CLC_TRY(clc_dense_detect(&dense, test, CLC_DETECTIONS_MOST, &found, &n, row->name));
    CLC_TRY(clc_detection_score_make(test->objects, test->object_count, found, n, (int)test->count,
                                     train->classes, &score));
    json_object_update_new(result, json_of(&score, train, test));
fail:
    clc_detection_score_free(&score);
    clc_dense_release(&dense);
    free(found);
    return status;
}

static clc_status more(const json_t *row, FILE *file) {
    json_t *by_class = json_object_get(json_object_get(row, "detection"), "ap_of_class"), *share;
    const char *name;
    clc_table table;
    fprintf(file, "\naverage precision by class, %s\n",
            json_string_value(json_object_get(row, "features")));
    clc_table_begin(&table, "lr", 2);
    clc_table_cell(&table, "class");
    clc_table_cell(&table, "AP");
    json_object_foreach(by_class, name, share) {
        clc_table_cell(&table, "%s", name);
        if (json_is_number(share))
            clc_table_percent(&table, json_number_value(share));
        else
            clc_table_cell(&table, "-");
    }
    return clc_table_print(&table, file);
}

static const clc_task_column columns[] = {
    {"scenes", "scenes", CLC_CELL_COUNT}, {"objects", "objects", CLC_CELL_COUNT},
    {"ap", "AP", CLC_CELL_PERCENT},       {"ap50", "AP50", CLC_CELL_PERCENT},
    {"ap75", "AP75", CLC_CELL_PERCENT},   {NULL, NULL, CLC_CELL_COUNT}};

const clc_task clc_task_detection = {
    .name = "detection",
    .label = "detection",
    .about = "do feature maps tell where objects are? COCO's AP, AP50, AP75, AP by class",
    .can = can,
    .fits = fits,
    .request = clc_dense_request,
    .run = run,
    .columns = columns,
    .more = more};
