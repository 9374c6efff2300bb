#include "eval/relevance.h"

#include <limits.h>
#include <stdlib.h>

static int by_number(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static clc_status check(const char *what, const int32_t *numbers, size_t n, size_t count) {
    if (n > INT_MAX || count > INT_MAX || (!numbers && n > count))
        return clc_fail(CLC_INVALID, "%zu %ss for %zu pairs are too many or too few", count, what,
                        n);
    for (size_t i = 0; numbers && i < n; i++)
        if (numbers[i] < 0 || (size_t)numbers[i] >= count)
            return clc_fail(CLC_INVALID, "%s %d of pair %zu is outside the %zu there are", what,
                            (int)numbers[i], i, count);
    return CLC_OK;
}

clc_status clc_relation_make(const int32_t *from, const int32_t *to, size_t n, size_t sources,
                             size_t target_count, clc_relation *relation) {
    clc_status status = CLC_OK;
    uint64_t *pairs = NULL;
    size_t kept = 0;
    *relation = (clc_relation){.sources = sources};
    CLC_TRY(check("source", from, n, sources));
    CLC_TRY(check("target", to, n, target_count));
    CLC_NEW(pairs, n);
    CLC_NEW(relation->starts, sources + 1);
    CLC_NEW(relation->targets, n);
    for (size_t i = 0; i < n; i++)
        pairs[i] = (uint64_t)(from ? (size_t)from[i] : i) << 32 | (to ? (size_t)to[i] : i);
    qsort(pairs, n, sizeof *pairs, by_number);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || pairs[i] != pairs[i - 1]) {
            relation->targets[kept++] = (int32_t)(pairs[i] & UINT32_MAX);
            relation->starts[(pairs[i] >> 32) + 1]++;
        }
    for (size_t i = 0; i < sources; i++)
        relation->starts[i + 1] += relation->starts[i];
fail:
    free(pairs);
    if (status != CLC_OK)
        clc_relation_free(relation);
    return status;
}

void clc_relation_free(clc_relation *relation) {
    free(relation->starts);
    free(relation->targets);
    *relation = (clc_relation){0};
}

void clc_relevance_free(clc_relevance *relevance) {
    clc_relation_free(&relevance->sets);
    clc_relation_free(&relevance->rows);
}

clc_status clc_relevance_of_texts(const int32_t *owner, const int32_t *same, size_t texts,
                                  size_t images, clc_relevance *image_to_text,
                                  clc_relevance *text_to_image) {
    clc_status status = CLC_OK;
    *image_to_text = *text_to_image = (clc_relevance){0};
    CLC_TRY(clc_relation_make(owner, same, texts, images, texts, &image_to_text->sets));
    CLC_TRY(clc_relation_make(same, NULL, texts, texts, texts, &image_to_text->rows));
    CLC_TRY(clc_relation_make(NULL, same, texts, texts, texts, &text_to_image->sets));
    CLC_TRY(clc_relation_make(same, owner, texts, texts, images, &text_to_image->rows));
    return CLC_OK;
fail:
    clc_relevance_free(image_to_text);
    clc_relevance_free(text_to_image);
    return status;
}
