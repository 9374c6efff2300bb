/* The JSON of a tokenizer as a tree. */
#ifndef CLC_TEXT_TOKENIZER_JSON_H
#define CLC_TEXT_TOKENIZER_JSON_H

#include "text/tokenizer_state.h"

#include <jansson.h>

/* The whole file; the caller lets go of it. */
clc_status clc_tokenizer_tree(const clc_tokenizer *tokenizer, json_t **tree);

/* The names of special tokens: pad, unknown, start, end. */
extern const char *const clc_token_names[CLC_TOKENS_SPECIAL];

#endif
