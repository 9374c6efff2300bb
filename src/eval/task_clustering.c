#include "eval/centres.h"
#include "eval/kmeans.h"
#include "eval/partition.h"
#include "eval/silhouette.h"
#include "eval/task.h"

/* Classes that the labels have. */
static int present(const clc_evaluated_set *set) {
    int count = 0;
    for (int32_t c = 0; c < set->features.classes; c++)
        for (size_t i = 0; i < set->features.rows; i++)
            if (set->labels[i] == c) {
                count++;
                break;
            }
    return count;
}

static bool can(const clc_evaluation *e, char *why, size_t size) {
    const clc_dataset *test = e->sets.test;
    for (size_t i = 0; test && test->labels && i < test->count; i++)
        if (test->labels[i] >= 0)
            return true;
    snprintf(why, size,
             "it needs labelled test samples: data.test (or data.test_fraction) in "
             "folders, a file's column or data.test_labels");
    return false;
}

static clc_status run(clc_evaluated *row, json_t *result) {
    enum { STARTS = 4 };
    clc_status status = CLC_OK;
    clc_device *device = row->of->device;
    const clc_evaluated_set *test;
    clc_kmeans_result found = {0};
    clc_partition_score score;
    double of_clusters, of_classes;
    CLC_TRY(clc_evaluated_labelled(row, CLC_SPLIT_TEST, &test));
    const clc_features *f = &test->features;
    const int k = present(test);
    CLC_TRY(clc_kmeans(device, f, k, STARTS, row->of->config->training.seed, &found));
    CLC_TRY(clc_partition_compare(test->labels, f->classes, found.assigned, k, f->rows, &score));
    CLC_TRY(clc_silhouette(device, f, found.assigned, k, NULL, &of_clusters));
    CLC_TRY(clc_silhouette(device, f, test->labels, f->classes, NULL, &of_classes));
    json_object_set_new(result, "clusters", json_integer(k));
    json_object_set_new(result, "nmi", clc_json_number(score.nmi));
    json_object_set_new(result, "ari", clc_json_number(score.ari));
    json_object_set_new(result, "purity", clc_json_number(score.purity));
    json_object_set_new(result, "silhouette", clc_json_number(of_clusters));
    json_object_set_new(result, "silhouette_classes", clc_json_number(of_classes));
    json_object_set_new(result, "inertia", clc_json_number(found.inertia));
    json_object_set_new(result, "iterations", json_integer(found.iterations));
fail:
    free(found.assigned);
    return status;
}

static const clc_task_column columns[] = {{"clusters", "k-means clusters", CLC_CELL_COUNT},
                                          {"nmi", "NMI", CLC_CELL_PERCENT},
                                          {"ari", "ARI", CLC_CELL_PERCENT},
                                          {"purity", "purity", CLC_CELL_PERCENT},
                                          {"silhouette", "silhouette", CLC_CELL_NUMBER},
                                          {"silhouette_classes", "of the classes", CLC_CELL_NUMBER},
                                          {NULL, NULL, CLC_CELL_COUNT}};

const clc_task clc_task_clustering = {
    .name = "clustering",
    .label = "clustering",
    .about = "are the classes clusters? k-means of the test samples against their classes",
    .costly = true,
    .can = can,
    .request = clc_centres_request,
    .run = run,
    .columns = columns};
