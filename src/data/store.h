/* Pictures of a source, decoded, scaled and laid one behind the other: in a file of the cache (the
 * pack), which later starts map instead of reading pictures, or in memory. */
#ifndef CLC_DATA_STORE_H
#define CLC_DATA_STORE_H

#include "data/source.h"

enum { CLC_CHANNELS_MAX = 16 };

/* Where a picture's pixels (height,width,channels) begin, in bytes. */
typedef struct clc_place {
    uint64_t offset;
    int32_t height, width;
} clc_place;

/* An item without a picture, and what reading it ended with. */
typedef struct clc_bad_item {
    uint32_t item;
    int32_t status;
} clc_bad_item;

typedef struct clc_store {
    size_t count; /* pictures: the source's items without the bad ones, in their order */
    int channels;
    uint32_t *items;   /* (count): the item of the source */
    clc_place *places; /* (count) */
    uint64_t *hashes;  /* (count): of the pixels */
    const uint8_t *pixels;
    uint64_t bytes;    /* of pixels */
    clc_bad_files bad; /* those of the source, then those met in decoding */
    clc_bad_item *met; /* (met_count): the latter, ascending */
    clc_names reasons; /* (met_count) */
    size_t met_count;
    /* private */
    void *map;
    size_t map_bytes;
} clc_store;

typedef struct clc_store_options {
    clc_image_options image;
    int threads;
    bool stop;        /* at the first bad file */
    double bad_limit; /* or if more than this share is bad */
    bool pack;        /* keep it as a file of the cache */
} clc_store_options;

/* Maps the pack of this source and these options if there is a whole one, else decodes all items in
 * parallel, with progress, and (with options->pack) writes the pack aside and renames it. A pack
 * without a file that can be read by now is made anew. Fails with CLC_FORMAT for too many bad
 * files, CLC_IO where the pack can't be written, CLC_INTERRUPTED after a signal; nothing is left
 * behind then. */
clc_status clc_store_open(const clc_source *source, const clc_store_options *options,
                          clc_store **store);

/* Pictures whose pixels another one has, too. */
clc_status clc_store_duplicates(const clc_store *store, size_t *duplicates);

void clc_store_close(clc_store **store);

#endif
