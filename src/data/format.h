/* What a format of pictures provides, and what it may use: the listing that it fills. */
#ifndef CLC_DATA_FORMAT_H
#define CLC_DATA_FORMAT_H

#include "data/source.h"

#include <sys/stat.h>

/* The formats, in the order in which data.format = auto asks them: src/data/<word>.c or
 * <word>_source.c defines clc_format_<word>. `file`, a single picture, has no key. */
#define CLC_FORMATS(X) X(npy) X(idx) X(tar) X(cifar) X(folder) X(list) X(file)

/* A source while it is being listed. */
typedef struct clc_listing {
    clc_source *source;
    size_t capacity;          /* items that there is room for */
    clc_name_set classes;     /* by the numbers that they have until the listing is finished */
    uint32_t part;            /* the one that is being listed */
    clc_split split;          /* which items of it are wanted */
    double fraction;          /* and which of them by their names: the test share, or 0 */
    clc_split fraction_split; /* whether that share is wanted, or the others */
    const char *labels_path;  /* its file of classes, or NULL */
    bool divided;             /* items of other splits were left out: an empty class is no news */
    bool ragged;              /* pictures of several sizes, or files, were met */
} clc_listing;

/* An item as a format finds it. */
typedef struct clc_found {
    const char *name; /* text with a final zero, copied */
    size_t relative;  /* where the name relative to the root begins in it: what splits go by */
    uint64_t stamp, place;
    int32_t label; /* from clc_listing_class, or -1 */
} clc_found;

clc_status clc_listing_add(clc_listing *listing, const clc_found *found);

/* The class of that name; classes that get no item are kept, too. */
clc_status clc_listing_class(clc_listing *listing, const char *name, size_t length, int32_t *label);
clc_status clc_listing_bad(clc_listing *listing, const char *name, const char *reason);

/* Says that the part's items are bare pixels of this size. */
void clc_listing_bare(clc_listing *listing, int height, int width, int channels);

/* Whether the name alone puts an item into the test share: adding or moving files changes nothing
 * for others. */
bool clc_in_test_share(const char *name, double fraction);

/* Gives classes their final numbers, drops what is not needed, says which classes are empty. */
clc_status clc_listing_finish(clc_listing *listing, const clc_names *known);

/* The numbers that classes have: the known ones' (NULL: none), then those that were met, in the
 * order of their bytes, or of their numbers if all are numbers. `labels` (count), numbers in `met`
 * or -1, become these; *classes gets the names. */
clc_status clc_classes_number(const clc_name_set *met, const clc_names *known, int32_t *labels,
                              size_t count, clc_names *classes);

/* Takes back everything of the present part but bad files. */
void clc_listing_undo(clc_listing *listing, size_t count);
void clc_listing_free(clc_listing *listing);

typedef struct clc_format {
    const char *name;
    bool takes_labels; /* data.train_labels */
    /* Whether `path` is of this format, by its contents; false if it can't be read. */
    bool (*recognise)(const char *path);
    /* Whether it tells itself which of its items are for training and which for tests; may be NULL.
     */
    bool (*splits)(const clc_config_data *config, const char *path);
    /* Adds the part's items; sets part->state, which close frees, also after a failure. */
    clc_status (*open)(const clc_config_data *config, const char *path, clc_listing *listing,
                       clc_source_part *part);
    clc_status (*read)(const clc_source *source, size_t item, const clc_image_options *options,
                       clc_image *image);
    /* NULL: the source's own size is the item's. */
    clc_status (*probe)(const clc_source *source, size_t item, const clc_image_options *options,
                        clc_image_info *info);
    void (*close)(clc_source_part *part); /* may be NULL */
} clc_format;

struct clc_source_part {
    const clc_format *format;
    char *path;  /* as given */
    void *state; /* of the format */
};

#define CLC_FORMAT_DECLARE(word) extern const clc_format clc_format_##word;
CLC_FORMATS(CLC_FORMAT_DECLARE)
#undef CLC_FORMAT_DECLARE

/* The part and the place in it of an item. */
static inline const clc_source_part *clc_item_part(const clc_source *source, size_t item) {
    return &source->parts[source->item_parts[item]];
}

/* The hash of a file's size and time, and of a place in it. */
uint64_t clc_stamp(const struct stat *info, uint64_t place);

/* The start of the last component of a path. */
const char *clc_base_name(const char *path);

/* The words, in any case, by which folders and lists divide pictures. */
enum { CLC_SPLIT_WORDS = 7 };
extern const struct clc_split_word {
    const char *word;
    clc_split split;
} clc_split_words[CLC_SPLIT_WORDS];

/* CLC_SPLIT_ALL of other words. */
clc_split clc_split_of_word(const char *word);

/* What a name without its folders says of a file. */
typedef enum clc_name_kind {
    CLC_NAME_PICTURE,
    CLC_NAME_UNSUPPORTED, /* a picture that no decoder here reads, such as HEIC */
    CLC_NAME_HIDDEN,      /* ".x", AppleDouble, Thumbs.db, desktop.ini */
    CLC_NAME_OTHER,
} clc_name_kind;

clc_name_kind clc_name_kind_of(const char *base);

/* "not supported (heic)" of a name of CLC_NAME_UNSUPPORTED. */
void clc_name_unsupported(const char *base, char *text, size_t size);

/* A picture needs at most so many bytes; a film under a picture's name doesn't fill the memory. */
#define CLC_PICTURE_MAX_BYTES ((uint64_t)2 << 30)

/* Items that are files: adds `found`, whose name is the path, if it is a file that can be read, and
 * else a bad one with the reason. `entry` in the open folder `folder` is the same file (AT_FDCWD
 * and the path do). */
clc_status clc_picture_file_add(clc_listing *listing, int folder, const char *entry,
                                clc_found *found);
clc_status clc_picture_file_read(const clc_source *source, size_t item,
                                 const clc_image_options *options, clc_image *image);
clc_status clc_picture_file_probe(const clc_source *source, size_t item,
                                  const clc_image_options *options, clc_image_info *info);

#endif
