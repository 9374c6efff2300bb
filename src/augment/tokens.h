/* Random views of texts that lie on the device as tokens. Steps, in this order:
 *
 *   crop      a span of the text: a part of its tokens, at least one
 *   delete    tokens vanish, each with the view's rate; where all would, the first stays
 *   synonym   tokens become another one that the table has for them
 *   mask      tokens become the unknown one
 *   swap      a token changes places with the next; no token moves twice
 *
 * Each is made with its probability, and then with a rate of tokens drawn for the view from its
 * range (of a crop the part that is kept). What is still too long loses its last tokens. With
 * `ends` the first and last token of a text are start and end, which always stay.
 *
 * What is drawn depends on the seed, the epoch, the sample and the number of the view only
 * (cl/augment/token_view.h): it is the same for any batch, context, place in the batch and device,
 * but that a shorter context shows less. */
#ifndef CLC_AUGMENT_TOKENS_H
#define CLC_AUGMENT_TOKENS_H

#include "augment/augment.h"
#include "core/config.h"

#include "../../cl/augment/field.h"
#include "../../cl/augment/token_view.h"

typedef struct clc_token_augment {
    int context;                /* T: tokens of a view at most; with ends at least 3 */
    bool ends;                  /* texts have at least two tokens, start and end */
    clc_config_tokens settings; /* all 0: texts as they are */
    uint64_t seed;
} clc_token_augment;

/* Fails with CLC_INVALID and what is wrong. */
clc_status clc_token_augment_check(const clc_token_augment *augment);

/* The transform of evaluation: texts as they are, cut at the context. */
clc_token_augment clc_token_augment_evaluation(const clc_token_augment *train);

/* The texts of a batch on the device. */
typedef struct clc_token_texts {
    cl_mem ids;            /* int: tokens of all texts */
    cl_mem places;         /* field_place: of all texts */
    cl_mem firsts;         /* int (samples + 1): which texts are a sample's; of several, one is
                              drawn for each epoch, the same for all views */
    cl_mem indices;        /* int (texts): the batch's samples, which decide what is drawn */
    cl_mem synonym_starts; /* int (vocabulary + 1); NULL: no synonyms */
    cl_mem synonyms;       /* int: tokens for token t from synonym_starts[t] on; its rows may be
                              empty, the buffer not */
} clc_token_texts;

/* Appends the launch that makes views of texts: batch->images counts texts. */
clc_status clc_token_augment_build(clc_sequence *sequence, clc_device *device,
                                   const clc_token_augment *augment, const clc_augment_batch *batch,
                                   const clc_token_texts *texts,
                                   cl_mem step_state, /* uint [0]: the epoch */
                                   cl_mem out,        /* int (rows,T) */
                                   cl_mem lengths);   /* int (rows) */

#endif
