#include "core/log.h"
#include "dense/dense.h"
#include "eval/segmentation_score.h"
#include "eval/labelled_scenes.h"
#include "eval/task.h"
#include "report/table.h"

#include <math.h>

static bool can(const clc_evaluation *e, char *why, size_t size) {
    const bool there = *e->config->data.train_masks && *e->config->data.test_masks;
    if (!there)
        snprintf(
            why, size,
            "it needs masks of pictures: data.train_masks and data.test_masks, folders of PNG");
    return there;
}

/* There are maps in networks alone. */
static bool fits(const clc_evaluated *row) {
    return row->embedders[0].graph != NULL;
}

static clc_status count(void *context, const clc_scenes *scenes, size_t scene,
                        const uint8_t *labels) {
    clc_status status = CLC_OK;
    clc_image mask;
    CLC_TRY(clc_scenes_mask(scenes, scene, &mask));
    const size_t n = (size_t)mask.height * (size_t)mask.width;
    status = clc_segmentation_score_add(context, mask.pixels, labels, n);
    if (status != CLC_OK)
        clc_fail_context(status, "%s", clc_scenes_name(scenes, scene));
fail:
    clc_image_free(&mask);
    return status;
}

static json_t *json_of(const clc_segmentation_score *score, const clc_scenes *test) {
    json_t *iou = json_array();
    for (int c = 0; c < score->classes; c++)
        json_array_append_new(iou, clc_json_number(score->iou[c]));
    return json_pack("{s:I,s:i,s:o,s:o,s:o}", "scenes", (json_int_t)test->count, "classes",
                     score->classes, "miou", clc_json_number(score->miou), "pixel_accuracy",
                     clc_json_number(score->pixel_accuracy), "iou", iou);
}

static clc_status run(clc_evaluated *row, json_t *result) {
    clc_status status = CLC_OK;
    const clc_scenes *train, *test;
    clc_dense dense = {0};
    clc_segmentation_score score = {0};
    CLC_TRY(clc_labelled_scenes(row->of, CLC_SCENES_MASKS, &train, &test));
    CLC_TRY(clc_dense_create(&dense, row->of->device, row->of->config, train,
                             row->embedders[0].graph->params));
    CLC_TRY(clc_dense_train(&dense, train, row->name));
    CLC_TRY(clc_segmentation_score_begin(train->classes, &score));
    CLC_TRY(clc_dense_segment(&dense, test, count, &score, row->name));
    clc_segmentation_score_finish(&score);
    json_object_update_new(result, json_of(&score, test));
fail:
    clc_segmentation_score_free(&score);
    clc_dense_release(&dense);
    return status;
}

static clc_status more(const json_t *row, FILE *file) {
    const json_t *iou = json_object_get(json_object_get(row, "segmentation"), "iou");
    const json_t *share;
    clc_table table;
    size_t c;
    fprintf(file, "\nintersection over union by class, %s\n",
            json_string_value(json_object_get(row, "features")));
    clc_table_begin(&table, "rr", 2);
    clc_table_cell(&table, "class");
    clc_table_cell(&table, "IoU");
    json_array_foreach(iou, c, share) {
        clc_table_cell(&table, "%zu", c);
        if (json_is_number(share))
            clc_table_percent(&table, json_number_value(share));
        else
            clc_table_cell(&table, "-");
    }
    return clc_table_print(&table, file);
}

static const clc_task_column columns[] = {{"scenes", "scenes", CLC_CELL_COUNT},
                                          {"miou", "mIoU", CLC_CELL_PERCENT},
                                          {"pixel_accuracy", "pixels right", CLC_CELL_PERCENT},
                                          {NULL, NULL, CLC_CELL_COUNT}};

const clc_task clc_task_segmentation = {
    .name = "segmentation",
    .label = "segmentation",
    .about = "do feature maps tell what each pixel is of? mIoU, IoU by class, pixels right",
    .can = can,
    .fits = fits,
    .request = clc_dense_request,
    .run = run,
    .columns = columns,
    .more = more};
