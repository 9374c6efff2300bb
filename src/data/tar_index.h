/* What is in an archive: pictures, where they lie, and their classes. Nothing is unpacked for it
 * but the members that hold classes. */
#ifndef CLC_DATA_TAR_INDEX_H
#define CLC_DATA_TAR_INDEX_H

#include "data/bad_files.h"

struct archive;
struct archive_entry;

typedef struct clc_tar_member {
    uint64_t place; /* of its bytes in the file, or its number in the archive, as `direct` says */
    uint64_t size;
    int64_t
        label; /* in `labels`, or -1; of eight bytes, since a structure that is kept has no gaps */
} clc_tar_member;

typedef struct clc_tar_index {
    clc_names names; /* of pictures, without "./" */
    clc_tar_member *members;
    size_t capacity;
    clc_names labels; /* texts of classes that members beside pictures give */
    clc_bad_files bad;
    size_t passed_over;
    bool direct;      /* not compressed: a picture's bytes can be read where they lie */
    char others[256]; /* the first members that are no pictures */
} clc_tar_index;

/* A reader of the file at `path`, or of its `n` bytes if `path` is NULL: tar and zip, compressed by
 * gzip, bzip2, xz or zstd. CLC_FORMAT with its name: it is neither. */
clc_status clc_tar_open(const char *path, const void *bytes, size_t n, struct archive **archive);

/* The next member; *more: whether there is one. Names don't depend on the locale. CLC_FORMAT: the
 * archive is damaged from here on; the message has no name. */
clc_status clc_tar_next(struct archive *archive, struct archive_entry **entry, bool *more);

/* The bytes of the present member, which the caller frees: at most `max`. CLC_FORMAT without the
 * name. */
clc_status clc_tar_data(struct archive *archive, uint64_t max, uint8_t **bytes, size_t *n);

/* Reads all members. A picture "x.jpg" has the class that "x.cls" says, or "x.json" by its "label",
 * "cls" or "class"; the key "x" is the path up to the first dot of the last name, as webdataset has
 * it. What is damaged or cut off is a bad file under the archive's name `path`. `file_size`: of the
 * file, which no member can exceed. */
clc_status clc_tar_index_read(struct archive *archive, const char *path, uint64_t file_size,
                              clc_tar_index *index);
void clc_tar_index_free(clc_tar_index *index);

#endif
