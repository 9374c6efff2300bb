/* Tokenizers: texts to numbers and back. Three kinds:
 *
 *   bytes  a token a byte; nothing to learn.
 *   words  a token a word (text/pieces.h: letters, marks and numbers, also joined by apostrophes;
 *          an ideograph; any other character that is no white space), the most frequent ones, of
 *          equally frequent ones the first by their bytes; others are unknown.
 *   bpe    byte-pair encoding of GPT-2's pieces (text/pieces.h), with a blank before the first
 *          piece of a text unless it begins with one, learned as text/bpe.h says. Nothing is
 *          unknown.
 *
 * Any bytes are a text. What is no UTF-8 becomes U+FFFD, one for each maximal part of a character,
 * as by Python's errors="replace"; words and bpe then take NFC, and lower case if asked for, of
 * each character by itself. An empty text has no token but start and end. Nothing depends on the
 * locale, the order of texts or the machine.
 *
 * Of V tokens, 0 pads, 1 is unknown, V - 2 starts and V - 1 ends a text: the end has the largest
 * number, by which CLIP's text encoder finds it. No text gives these four but for what is unknown,
 * whatever it says: "<end>" in a text is five characters.
 *
 * A tokenizer is kept as JSON, which is at the same time a tokenizer.json of Hugging Face's
 * `tokenizers` with the same numbers for any text (of characters that both know: Unicode versions
 * differ in the newest ones). */
#ifndef CLC_TEXT_TOKENIZER_H
#define CLC_TEXT_TOKENIZER_H

#include "core/config.h"
#include "core/words.h"
#include "text/utf8.h"

typedef enum clc_tokenizer_kind {
    CLC_TOKENIZERS(CLC_WORD_VALUE, CLC_TOKENIZER_)
} clc_tokenizer_kind;

enum {
    CLC_TOKEN_PAD = 0,
    CLC_TOKEN_UNKNOWN = 1,
    CLC_TOKENS_BEFORE = 2,      /* special tokens before the others */
    CLC_TOKENS_SPECIAL = 4,     /* in all; start and end are the last */
    CLC_TOKENS_BYTES = 256 + 4, /* of a tokenizer of bytes, and the fewest of bpe */
    CLC_TOKENS_MAX = 1 << 22,
    CLC_CONTEXT_MIN = 3, /* start, a token, end */
};

typedef struct clc_tokenizer_options {
    clc_tokenizer_kind kind;
    int vocabulary; /* words, bpe: tokens at most, special ones included */
    bool lowercase; /* words, bpe */
    int context;    /* tokens of a text at most, start and end included; 0: any number */
} clc_tokenizer_options;

/* What [tokens] says. */
clc_tokenizer_options clc_tokenizer_options_from_config(const clc_config_tokens *config,
                                                        int context);

typedef struct clc_tokenizer clc_tokenizer;

/* The next of the texts to learn from, valid until the next call; *more: whether there was one. */
typedef clc_status (*clc_text_next)(void *texts, const char **text, size_t *n, bool *more);

/* Learns the vocabulary; `next` may be NULL for bytes. CLC_INVALID: impossible options, or texts
 * without a single token for words. */
clc_status clc_tokenizer_train(const clc_tokenizer_options *options, clc_text_next next,
                               void *texts, clc_tokenizer **tokenizer);

const clc_tokenizer_options *clc_tokenizer_settings(const clc_tokenizer *tokenizer);

/* Tokens there are: at most as many as were asked for. */
int clc_tokenizer_vocabulary(const clc_tokenizer *tokenizer);

static inline int32_t clc_tokenizer_start(const clc_tokenizer *tokenizer) {
    return clc_tokenizer_vocabulary(tokenizer) - 2;
}

static inline int32_t clc_tokenizer_end(const clc_tokenizer *tokenizer) {
    return clc_tokenizer_vocabulary(tokenizer) - 1;
}

/* Numbers that grow. */
typedef struct clc_ids {
    int32_t *data;
    size_t n, capacity;
} clc_ids;

void clc_ids_free(clc_ids *ids);

/* Appends the tokens of a text, with `ends` between start and end: at most `limit` in all (0: any
 * number; at least CLC_CONTEXT_MIN with ends, else 1). What is too long loses its last tokens, and
 * still ends with the end. One thread at a time: the tokenizer remembers pieces. */
clc_status clc_tokenizer_encode(clc_tokenizer *tokenizer, const char *text, size_t n, size_t limit,
                                bool ends, clc_ids *ids);

/* Puts the text in the place of `text`, without pads, starts and ends; the unknown are "<unk>".
 * Words have blanks between them. CLC_INVALID: a number that is no token. */
clc_status clc_tokenizer_decode(const clc_tokenizer *tokenizer, const int32_t *ids, size_t n,
                                clc_bytes *text);

/* The JSON text, with a final zero; the caller frees it. The file is written atomically. */
clc_status clc_tokenizer_to_json(const clc_tokenizer *tokenizer, char **text);
clc_status clc_tokenizer_save(const clc_tokenizer *tokenizer, const char *path);

/* The tokenizer of such a text; `name` stands for it in messages. CLC_FORMAT: it is no tokenizer
 * of these kinds; files of other tokenizers aren't taken. */
clc_status clc_tokenizer_from_json(const char *text, size_t n, const char *name,
                                   clc_tokenizer **tokenizer);
clc_status clc_tokenizer_load(const char *path, clc_tokenizer **tokenizer);

void clc_tokenizer_free(clc_tokenizer **tokenizer);

#endif
