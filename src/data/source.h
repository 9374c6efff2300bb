/* Sources: where pictures come from. A source is a list of items, each with a name, perhaps a
 * class, and a picture that any thread can read. What it is made of is a format's affair: folder,
 * list, tar, cifar, npy, idx; a file each (data/format.h). Nothing here keeps pixels: data/store.h
 * does. */
#ifndef CLC_DATA_SOURCE_H
#define CLC_DATA_SOURCE_H

#include "data/image.h"
#include "data/bad_files.h"

/* CLC_SPLIT_ALL: everything, whatever divisions a source has. */
typedef enum clc_split { CLC_SPLIT_TRAIN, CLC_SPLIT_TEST, CLC_SPLIT_ALL } clc_split;

typedef struct clc_source_part clc_source_part; /* one folder, list, archive or file */

typedef struct clc_source {
    char name[64];     /* for logs and messages */
    size_t count;      /* items */
    clc_names names;   /* (count): path as given or found; member of an archive; "file#17" */
    uint64_t *stamps;  /* (count): another number when the item's bytes have changed (its size,
                          time and place hashed) */
    int32_t *labels;   /* (count): class or -1 for none; NULL if no item has one */
    clc_names classes; /* names by class number, in the order of their bytes, or of their numbers
                          if all are numbers; a class may have no item */
    bool bare;         /* all items are bare pixels of one size (cifar, npy, idx): there is nothing
                          to decode */
    int height, width, channels; /* that size; 0 unless bare */
    clc_bad_files bad;           /* met while the list was read: dangling links, unreadable files */
    size_t passed_over; /* hidden files, AppleDouble, Thumbs.db, FIFOs, sockets, run folders, files
                           that are no pictures by their names */
    clc_source_part *parts;
    size_t part_count;
    /* (count): which part, and the item's number in it */
    uint32_t *item_parts;
    uint64_t *item_places;
} clc_source;

/* Opens what the configuration names for `split`: data.train or data.test (or their former names),
 * or the test share of data.train. Several paths are separated by commas; a backslash makes the
 * next character an ordinary one; an existing path with commas needs none, and *, ? and [ stand
 * for what they match. `known`: the training set's classes, which keep their numbers; names that
 * are not among them follow; NULL: none. data.limit shortens the training set. Fails with CLC_IO or
 * CLC_FORMAT and the file where no item can come of it; single bad files go to source->bad. */
clc_status clc_source_open(const clc_config_data *config, clc_split split, const clc_names *known,
                           clc_source **source);

/* Whether the configuration names pictures for `split`: for test pictures also data.test_fraction,
 * data.split_column, or a data.train that holds both parts itself (a list with a column of splits,
 * CIFAR's folder, a folder of the folders train and test). */
bool clc_source_configured(const clc_config_data *config, clc_split split);

/* The same for files, folders, lists and archives given by hand, in the order given; what each is
 * is found out from its contents, and one that can't be used is a bad file. "-": a list on stdin.
 */
clc_status clc_source_open_paths(const clc_config_data *config, const char *const *paths, size_t n,
                                 clc_source **source);

/* Reads the picture of one item. Any thread. Fails with a message that does not name the item:
 * CLC_FORMAT if it is no whole picture, CLC_IO if it can't be read (any more) or has changed since
 * the list was read. */
clc_status clc_source_read(const clc_source *source, size_t item, const clc_image_options *options,
                           clc_image *image);

/* What its header says, for formats with headers; else the source's own size. */
clc_status clc_source_probe(const clc_source *source, size_t item, const clc_image_options *options,
                            clc_image_info *info);

/* Drops the items that keep (count) doesn't name. */
clc_status clc_source_keep(clc_source *source, const bool *keep);

void clc_source_close(clc_source **source);

#endif
