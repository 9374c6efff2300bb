/* Search: an index is one file of features and names, made by an encoder; what in it is most like a
 * picture, text or features. */
#ifndef CLCONTRAST_SEARCH_H
#define CLCONTRAST_SEARCH_H

#include "clcontrast/encoder.h"
#include "clcontrast/log.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct clc_index_options {
    const char *encoder; /* a run or an encoder file */
    const char *device;  /* NULL: the best */
    const char *tower;   /* of an encoder of both: "image" or "text"; NULL: by the first path */
    const char *output;  /* the index */
    const char *const *paths;
    size_t path_count;
    const char *const *overrides; /* "section.key=value", may be NULL */
    size_t override_count;

    /* As those of clc_train_options: with any of them no signal handlers are installed and nothing
     * is printed. */
    void *context;
    clc_log_callback log;
    bool (*stop)(void *context);
} clc_index_options;

/* Writes an index of what the paths name: pictures, folders, lists and archives of them, files of
 * texts, a file of series. Of an index that is there already, by the same weights, files that
 * haven't changed keep their features; a torn one is made anew. Files that are no pictures are
 * listed in <output>.skipped.txt. CLC_INTERRUPTED: what is done is in the index. CLC_INVALID:
 * `output` is another kind of file. */
CLC_API clc_status clc_index_update(const clc_index_options *options);

/* An open index, whose features are on a device. Several threads may use one at once, but for its
 * closing; they take turns on the device. */
typedef struct clc_searcher clc_searcher;

/* Opens an index and `encoder`, a run or file, on a device (as clc_encoder_open). encoder NULL: the
 * one that made the index, where it was then (CLC_IO: it isn't there any more). CLC_INVALID: the
 * index was made by other weights. */
CLC_API clc_status clc_searcher_open(const char *index, const char *encoder, const char *device,
                                     clc_searcher **searcher);

/* How many samples it holds, and the name of one, such as its path, which is the searcher's; NULL
 * behind the last. */
CLC_API size_t clc_searcher_count(const clc_searcher *searcher);
CLC_API const char *clc_searcher_name(const clc_searcher *searcher, size_t sample);

/* What embeds queries; it belongs to the searcher. */
CLC_API clc_encoder *clc_searcher_encoder(clc_searcher *searcher);

typedef struct clc_match {
    size_t sample;    /* its number in the index; SIZE_MAX: fewer have a cosine with the query,
                         which is then no finite number */
    float similarity; /* cosine of its features with the query's */
} clc_match;

/* Finds the k samples most like each query, the nearest first. features (count,
 * clc_encoder_features()), of any length; matches (count,k) of the caller. k is at most
 * clc_searcher_count() (CLC_INVALID). */
CLC_API clc_status clc_searcher_find(clc_searcher *searcher, const float *features, size_t count,
                                     int k, clc_match *matches);

/* The same for a file of one picture, and for a text; matches (k). CLC_INVALID: the encoder reads
 * no such. */
CLC_API clc_status clc_searcher_find_file(clc_searcher *searcher, const char *path, int k,
                                          clc_match *matches);
CLC_API clc_status clc_searcher_find_text(clc_searcher *searcher, const char *text, int k,
                                          clc_match *matches);

CLC_API void clc_searcher_close(clc_searcher **searcher);

#ifdef __cplusplus
}
#endif
#endif
