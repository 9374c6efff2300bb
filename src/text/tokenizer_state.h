/* What a tokenizer holds: for its own files. */
#ifndef CLC_TEXT_TOKENIZER_STATE_H
#define CLC_TEXT_TOKENIZER_STATE_H

#include "text/bpe.h"
#include "text/clean.h"
#include "text/pieces.h"
#include "text/tokenizer.h"

/* Where the tokens of a piece that has been met lie. */
typedef struct clc_known_piece {
    size_t start;
    uint32_t n;
} clc_known_piece;

struct clc_tokenizer {
    clc_tokenizer_options options;
    clc_name_set words; /* words: token i + CLC_TOKENS_BEFORE */
    clc_bpe bpe;        /* bytes, bpe: the same of its tokens */
    clc_cleaner cleaner;
    clc_bpe_scratch scratch;
    clc_name_set met;
    clc_known_piece *known; /* (capacity of CLC_KNOWN_PIECES) by number in `met` */
    clc_ids known_ids;
};

enum { CLC_KNOWN_PIECES = 1 << 17, CLC_KNOWN_BYTES = 64 };

/* One without a vocabulary. CLC_INVALID: options that can't be. */
clc_status clc_tokenizer_make(const clc_tokenizer_options *options, clc_tokenizer **tokenizer);

/* Its tokens that aren't special. */
static inline const clc_names *clc_tokenizer_names(const clc_tokenizer *t) {
    return t->options.kind == CLC_TOKENIZER_WORDS ? &t->words.names : &t->bpe.tokens.names;
}

/* Appends `n` numbers, each increased by `shift`. */
clc_status clc_ids_add(clc_ids *ids, const uint32_t *numbers, size_t n, int32_t shift);

#endif
