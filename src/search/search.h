/* `clcontrast index` (clcontrast/search.h) and `clcontrast search`: pictures, texts or series that
 * are like a given one. */
#ifndef CLC_SEARCH_SEARCH_H
#define CLC_SEARCH_SEARCH_H

#include "clcontrast/search.h"
#include "core/status.h"
#include "search/index.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct clc_search_options {
    const char *index;
    const char *encoder; /* NULL: the one that made the index, where it was */
    const char *device;
    const char *const *queries;
    size_t query_count;
    int k;
    bool json;
    const char *html; /* a file for a page of pictures, too; NULL: none */
} clc_search_options;

/* Prints the k samples of the index that are most like each query, by the cosine of their features:
 * a line each, similarity and name with a tab between, or JSON; with `html` it also writes a page
 * of them with their pictures. A query is a file or folder of what the index holds; where there is
 * no such file and the encoder reads texts, it is a text. */
clc_status clc_search(const clc_search_options *options, FILE *file);

/* Opens the encoder of an index that was read from `path`: `encoder`, or with NULL the one that
 * made it; it must be of the same weights, since others' features mean something else. */
clc_status clc_search_encoder(const clc_index *index, const char *path, const char *encoder,
                              const char *device, clc_encoder **opened);

/* Hash of the weights of a run or encoder file, as 16 hexadecimal digits: what an index is of. */
clc_status clc_search_weights_hash(const char *encoder, char digits[17]);

#endif
