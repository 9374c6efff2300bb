/* Texts of a data set: samples with texts by field, such as a picture's captions or pairs of
 * sentences, perhaps with classes. What a file or folder is, is found out from its contents:
 *
 *   lines of text       a sample a line
 *   tables              a sample a row, columns by their names in the first line; the separator is
 *                       found from it (comma, semicolon, tab); quoted as RFC 4180 says
 *   JSON                a sample an object: a line each, or an array of them; a text, or an array
 *                       of texts, by key
 *   COCO's captions     a sample a picture, named by file_name
 *   folder, tar, zip    a sample a picture "x.jpg" with "x.txt", a text a line, or "x.json" with
 *                       texts by key; "x" is the path up to the first dot of the last name
 *
 * With pictures, rows of the same path are one sample, which has the texts of all. White space
 * around a text is dropped, and a text of nothing else is empty: it is dropped and counted. */
#ifndef CLC_DATA_TEXTS_H
#define CLC_DATA_TEXTS_H

#include "data/source.h"

typedef struct clc_texts_options {
    /* Columns or keys of the fields, with commas between; "txt": a picture's .txt file. Empty:
     * sent0, sent1 and perhaps hard_neg, or else the first there is of caption, text, sentence,
     * title, description. */
    const char *columns;
    bool pictures;            /* samples belong to pictures */
    const char *path_column;  /* of the picture; empty: as for lists of pictures */
    const char *label_column; /* empty: label, class or target, if it is there */
    const char *split_column; /* empty: split, if it is there */
    clc_split split;          /* which rows are wanted */
    const char *folder;       /* where paths of pictures start; empty: at the file's folder */
    const clc_names *known;   /* classes that keep their numbers; NULL: none */
} clc_texts_options;

typedef struct clc_text_span {
    uint64_t offset; /* in the blob */
    uint32_t length;
} clc_text_span;

typedef struct clc_texts {
    size_t count;     /* samples */
    clc_names fields; /* their names; every sample has a text of each at least */
    clc_names names;  /* (count): of the picture as sources of pictures name it, or "file:line" */
    size_t *firsts;   /* (count * fields + 1): see clc_texts_of */
    clc_text_span *spans; /* (firsts[count * fields]) */
    char *blob;           /* the texts' bytes, of any encoding; no zeros between */
    size_t blob_bytes;
    int32_t *labels;   /* (count): class or -1; NULL if no sample has one */
    clc_names classes; /* by class number, as in sources */
    bool divided;      /* a column says which rows are of which split: only wanted ones are here */
    size_t empty;      /* texts dropped */
    clc_bad_files bad; /* rows and samples left out: without a partner, of another form */
} clc_texts;

/* The texts of one field of a sample: *n of them, at least one. */
static inline const clc_text_span *clc_texts_of(const clc_texts *texts, size_t sample, size_t field,
                                                size_t *n) {
    const size_t *first = texts->firsts + sample * texts->fields.count + field;
    *n = first[1] - first[0];
    return texts->spans + first[0];
}

/* Reads the texts of files or folders, one after the other, as one set of samples: all have the
 * same fields, and either all or none divide themselves. Strings of `options` may be NULL for
 * empty. CLC_IO, or CLC_FORMAT with the file: there is no sample, or no such column (the message
 * says which there are). Single bad rows go to texts->bad. */
clc_status clc_texts_open_all(const clc_names *paths, const clc_texts_options *options,
                              clc_texts **texts);

/* The same of one. */
clc_status clc_texts_open(const char *path, const clc_texts_options *options, clc_texts **texts);

void clc_texts_close(clc_texts **texts);

#endif
