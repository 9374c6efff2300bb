/* Synonyms as tokens: which ones may stand for which. */
#ifndef CLC_TEXT_SYNONYMS_H
#define CLC_TEXT_SYNONYMS_H

#include "text/tokenizer.h"

typedef struct clc_synonyms {
    int32_t *starts; /* (vocabulary + 1) */
    int32_t *ids;    /* (starts[vocabulary]): those of token t from starts[t] on, ascending */
    size_t words;    /* words of the file that are one token */
    size_t left_out; /* words that are unknown, or several tokens */
} clc_synonyms;

/* Reads a file of groups, one a line: words with tabs or commas between, each of which may stand
 * for any other of its line. Words that are not one token of the tokenizer are left out. CLC_IO,
 * or CLC_FORMAT where no word has a synonym left. */
clc_status clc_synonyms_load(const char *path, clc_tokenizer *tokenizer, clc_synonyms *synonyms);

void clc_synonyms_free(clc_synonyms *synonyms);

#endif
