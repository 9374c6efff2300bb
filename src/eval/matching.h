/* Retrieval between two fields of samples that belong together, such as images and their captions.
 */
#ifndef CLC_EVAL_MATCHING_H
#define CLC_EVAL_MATCHING_H

#include "data/dataset.h"
#include "eval/embed.h"
#include "eval/retrieval.h"

typedef struct clc_matching {
    char names[2][64];            /* of the fields; "image" of pictures */
    size_t count[2];              /* rows of each; 0: nothing was matched */
    clc_retrieval_score score[2]; /* queries are of field 0, of field 1 */
} clc_matching;

/* Matches samples of `data` by their first two fields, each with its embedder (perhaps the same):
 * of field 0 the first text of each sample, of field 1 all. What can't be read is left out; equal
 * texts (not: of equal tokens) are each right for the sample of the other. */
clc_status clc_matching_make(clc_embedder *const embedders[2], const clc_dataset *data,
                             clc_matching *matching);

#endif
