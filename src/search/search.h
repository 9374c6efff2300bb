/* `clcontrast index` and `clcontrast search`: pictures, texts or series that are like a given one.
 */
#ifndef CLC_SEARCH_SEARCH_H
#define CLC_SEARCH_SEARCH_H

#include "core/status.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct clc_index_options {
    const char *encoder; /* a run or an encoder file */
    const char *device;  /* NULL: the best */
    const char *tower;   /* of an encoder of both: "image" or "text"; NULL: by the first path */
    const char *output;  /* the index */
    const char *const *paths;
    size_t path_count;
    const char *const *overrides;
    size_t override_count;
} clc_index_options;

/* Writes an index of what the paths name (as for `embed`). Of an index that is there already, by
 * the same weights, files that haven't changed keep their features; a torn one is made anew. Files
 * that are no pictures are listed in <output>.skipped.txt. Ctrl-C: CLC_INTERRUPTED, and what is
 * done is in the index. CLC_INVALID: `output` is another kind of file. */
clc_status clc_index_update(const clc_index_options *options);

typedef struct clc_search_options {
    const char *index;
    const char *encoder; /* NULL: the one that made the index, where it was */
    const char *device;
    const char *const *queries;
    size_t query_count;
    int k;
    bool json;
} clc_search_options;

/* Prints the k samples of the index that are most like each query, by the cosine of their features:
 * a line each, similarity and name with a tab between, or JSON. A query is a file or folder of what
 * the index holds; where there is no such file and the encoder reads texts, it is a text. */
clc_status clc_search(const clc_search_options *options, FILE *file);

/* Hash of the weights of a run or encoder file, as 16 hexadecimal digits: what an index is of. */
clc_status clc_search_weights_hash(const char *encoder, char digits[17]);

#endif
