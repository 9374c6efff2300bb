/* Which rows of a bank are relevant for which queries, as sets that queries share: captions that
 * say the same are right for the same pictures, however many there are. */
#ifndef CLC_EVAL_RELEVANCE_H
#define CLC_EVAL_RELEVANCE_H

#include "core/status.h"

#include <stdint.h>

/* Of each source its targets, ascending and without doubles: targets[starts[source]] and so on. */
typedef struct clc_relation {
    int32_t *starts; /* (sources + 1) */
    int32_t *targets;
    size_t sources;
} clc_relation;

/* Of `n` pairs, in any order and perhaps doubled; from NULL and to NULL: i itself. CLC_INVALID: a
 * number that is not in [0, sources) or [0, target_count). */
clc_status clc_relation_make(const int32_t *from, const int32_t *to, size_t n, size_t sources,
                             size_t target_count, clc_relation *relation);
void clc_relation_free(clc_relation *relation);

/* Relevant are the rows of all sets of a query; its sets have no row in common. */
typedef struct clc_relevance {
    clc_relation sets; /* of each query */
    clc_relation rows; /* of each set */
} clc_relevance;

void clc_relevance_free(clc_relevance *relevance);

/* Of images and their texts: text i is of image owner[i], in [0, images). Texts of one number
 * same[i], in [0, texts), can't be told apart, so each is right for the image of the other; NULL:
 * no two are alike. Queries of the first are images, of the second texts. */
clc_status clc_relevance_of_texts(const int32_t *owner, const int32_t *same, size_t texts,
                                  size_t images, clc_relevance *image_to_text,
                                  clc_relevance *text_to_image);

#endif
