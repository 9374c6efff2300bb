#include "eval/segmentation_score.h"

#include <math.h>

clc_status clc_segmentation_score_begin(int classes, clc_segmentation_score *score) {
    clc_status status = CLC_OK;
    *score = (clc_segmentation_score){.classes = classes};
    if (classes < 1 || classes > CLC_MASK_IGNORED)
        return clc_fail(CLC_INVALID, "%d classes of pixels: there can be 1 to %d", classes,
                        CLC_MASK_IGNORED);
    CLC_NEW(score->confusion, (size_t)classes * (size_t)classes);
    CLC_NEW(score->iou, classes);
fail:
    return status;
}

clc_status clc_segmentation_score_add(clc_segmentation_score *score, const uint8_t *truth,
                                      const uint8_t *predicted, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (truth[i] == CLC_MASK_IGNORED)
            continue;
        if (truth[i] >= score->classes || predicted[i] >= score->classes)
            return clc_fail(CLC_INVALID, "pixel %zu is of class %d and predicted as %d of %d", i,
                            truth[i], predicted[i], score->classes);
        score->confusion[truth[i] * score->classes + predicted[i]]++;
    }
    return CLC_OK;
}

void clc_segmentation_score_finish(clc_segmentation_score *score) {
    const int classes = score->classes;
    int64_t all = 0, right = 0;
    double sum = 0;
    int counted = 0;
    for (int c = 0; c < classes; c++) {
        int64_t is = 0, found = 0;
        const int64_t both = score->confusion[c * classes + c];
        for (int k = 0; k < classes; k++) {
            is += score->confusion[c * classes + k];
            found += score->confusion[k * classes + c];
        }
        all += is;
        right += both;
        score->iou[c] = is + found ? (double)both / (double)(is + found - both) : NAN;
        if (is + found) {
            sum += score->iou[c];
            counted++;
        }
    }
    score->miou = counted ? sum / counted : NAN;
    score->pixel_accuracy = all ? (double)right / (double)all : NAN;
}

void clc_segmentation_score_free(clc_segmentation_score *score) {
    free(score->confusion);
    free(score->iou);
    score->confusion = NULL;
    score->iou = NULL;
}
