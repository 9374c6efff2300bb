/* Texts while they are read: for formats of texts. */
#ifndef CLC_DATA_TEXTS_BUILD_H
#define CLC_DATA_TEXTS_BUILD_H

#include "data/texts.h"

#include <jansson.h>

enum { CLC_TEXT_FIELDS_MAX = 8, CLC_TEXTS_REJECTED = -2 };

/* A text before all are known. */
typedef struct clc_text_entry {
    size_t sample;
    uint32_t field, length;
    uint64_t offset;
} clc_text_entry;

typedef struct clc_texts_builder {
    const clc_texts_options *options; /* no NULL but `known` */
    clc_texts *texts;                 /* blob, fields, names, bad, empty: as they grow */
    const char *path;                 /* of the file that is read, for messages */
    char *folder;                     /* that paths of pictures start from, with a slash, or "" */
    clc_names wanted;                 /* fields that the options name */
    clc_name_set pictures;            /* samples by picture */
    clc_name_set classes;
    int32_t *labels; /* (label_capacity): class, -1, or CLC_TEXTS_REJECTED */
    clc_text_entry *entries;
    size_t entry_count, entry_capacity, blob_capacity, label_capacity;
} clc_texts_builder;

static inline bool clc_is_blank(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* The sample of that name; with pictures, one that is there already. `merge`: look for it. */
clc_status clc_texts_sample(clc_texts_builder *builder, const char *name, bool merge,
                            size_t *sample);

/* The sample of a picture's path, joined to the folder. */
clc_status clc_texts_picture(clc_texts_builder *builder, const char *path, size_t *sample);

/* A sample of the row at this line. */
clc_status clc_texts_row(clc_texts_builder *builder, size_t line, size_t *sample);

/* Adds a text without the white space around it; an empty one is counted. */
clc_status clc_texts_add(clc_texts_builder *builder, size_t sample, size_t field, const char *text,
                         size_t n);

/* Adds each line of a text. */
clc_status clc_texts_add_lines(clc_texts_builder *builder, size_t sample, size_t field,
                               const char *text, size_t n);

/* The number of a class in `classes`, or -1; blanks around it, an empty one and -1 are none. */
clc_status clc_texts_class(clc_texts_builder *builder, const char *text, int32_t *label);

/* Leaves the sample out, for this reason. */
clc_status clc_texts_reject(clc_texts_builder *builder, size_t sample, const char *reason);

clc_status clc_texts_bad(clc_texts_builder *builder, const char *name, const char *reason);

/* The same of the row at this line. */
clc_status clc_texts_bad_row(clc_texts_builder *builder, size_t line, const char *reason);

/* Whether a row with this in its column of splits is wanted. */
bool clc_texts_wants(const clc_texts_builder *builder, const char *split);

/* Where in a header, or among the keys of an object, is what. */
typedef struct clc_texts_columns {
    int fields[CLC_TEXT_FIELDS_MAX];
    int path, label, split;
} clc_texts_columns;

/* Sets texts->fields and *columns; *found: whether all that is needed is there. */
clc_status clc_texts_find_columns(clc_texts_builder *builder, const clc_names *header,
                                  clc_texts_columns *columns, bool *found);

/* Fails with CLC_FORMAT: what is missing, and what there is. */
clc_status clc_texts_no_column(const clc_texts_builder *builder, const clc_names *header);

/* The formats. Of JSON, *taken: whether it is any. */
clc_status clc_texts_read_table(clc_texts_builder *builder, const char *text, size_t n);
clc_status clc_texts_read_json(clc_texts_builder *builder, const char *text, size_t n, bool *taken);
clc_status clc_texts_read_folder(clc_texts_builder *builder);
clc_status clc_texts_read_tar(clc_texts_builder *builder);

/* Files beside pictures: what a folder and an archive have in common. */
typedef struct clc_beside {
    clc_names pictures; /* names of samples */
    clc_name_set keys;  /* what there is a .txt or .json of, without that */
    char **texts[2];    /* (keys) contents of .txt and .json, or NULL; owned */
    size_t *lengths[2];
    size_t capacity;
} clc_beside;

typedef enum clc_beside_kind { CLC_BESIDE_TXT, CLC_BESIDE_JSON, CLC_BESIDE_NONE } clc_beside_kind;
enum { CLC_BESIDE_BYTES = 1 << 20 }; /* a file of texts has at most */

/* What the name says; pictures are told by clc_name_kind_of. */
clc_beside_kind clc_beside_kind_of(const char *name);

/* Takes the contents. */
clc_status clc_beside_add(clc_beside *beside, const char *name, clc_beside_kind kind, char *text,
                          size_t n);

/* Makes the samples. */
clc_status clc_beside_finish(clc_beside *beside, clc_texts_builder *builder);
void clc_beside_free(clc_beside *beside);

/* The texts of a JSON value: a text, an array of texts; false: it is none. */
clc_status clc_texts_add_json(clc_texts_builder *builder, size_t sample, size_t field,
                              const json_t *value, bool *good);

/* A JSON value as text: its own, or a whole number's; NULL for none. `number` holds the latter. */
const char *clc_json_text(const json_t *value, char number[32]);

#endif
