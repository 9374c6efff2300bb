/* Byte-pair encoding of pieces of text (Sennrich et al. 2016, on bytes as in GPT-2): tokens 0 to
 * 255 are the bytes, each further one is two others joined. Merges have ranks: the lower goes
 * first, and of equal ones the one that stands before. */
#ifndef CLC_TEXT_BPE_H
#define CLC_TEXT_BPE_H

#include "core/names.h"

enum {
    CLC_BPE_TOKEN_BYTES = 256, /* of a token at most */
};
#define CLC_BPE_NO_MERGE UINT32_MAX

typedef struct clc_merge {
    uint32_t left, right, result; /* tokens; two merges may give the same one */
} clc_merge;

typedef struct clc_bpe {
    clc_name_set tokens;
    clc_merge *merges; /* by rank */
    size_t count, capacity;
    uint32_t *slots; /* rank + 1, or 0 */
    size_t slot_count;
} clc_bpe;

/* Of a pair of tokens, for tables of powers of two. */
static inline size_t clc_bpe_hash(uint32_t left, uint32_t right) {
    uint64_t x = ((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15u;
    return (size_t)(x ^ x >> 29);
}

/* The bytes, and no merge. */
clc_status clc_bpe_start(clc_bpe *bpe);

/* Adds the merge of the next rank. CLC_FORMAT: it is there already, or the token is too long. */
clc_status clc_bpe_add(clc_bpe *bpe, uint32_t left, uint32_t right, uint32_t *result);

/* The rank of the pair, or CLC_BPE_NO_MERGE. */
uint32_t clc_bpe_find(const clc_bpe *bpe, uint32_t left, uint32_t right);

/* Adds merges until there are `most` tokens or no pair is left that occurs twice: each time the
 * most frequent pair of neighbours, of equally frequent ones that of the lower left token, then of
 * the lower right one. `counts`: of each piece. The order of the pieces doesn't matter. */
clc_status clc_bpe_train(clc_bpe *bpe, const clc_names *pieces, const uint64_t *counts,
                         size_t most);

/* What encoding needs besides. */
typedef struct clc_bpe_scratch {
    uint32_t *tokens, *next, *before; /* (capacity) */
    uint64_t *heap;                   /* (3 capacity) rank and place */
    size_t capacity, heap_count;
} clc_bpe_scratch;

/* *count tokens of the piece, in scratch->tokens until the next call. */
clc_status clc_bpe_encode(const clc_bpe *bpe, clc_bpe_scratch *scratch, const char *piece, size_t n,
                          size_t *count);

void clc_bpe_scratch_free(clc_bpe_scratch *scratch);
void clc_bpe_free(clc_bpe *bpe);

#endif
