/* The file format of packs, and the folder that holds them. A pack is a header, the pixels, then
 * tables; it is written under a temporary name, which stays locked as long as its writer lives. */
#ifndef CLC_DATA_PACK_H
#define CLC_DATA_PACK_H

#include "data/store.h"

enum { CLC_PACK_NAME = 40, CLC_PACK_PIXELS_AT = 4096 };

/* The name of the pack of these pictures: a hash of names, stamps and options. */
clc_status clc_pack_name(const clc_source *source, const clc_image_options *options,
                         char name[CLC_PACK_NAME]);

/* Maps the pack of a source of `items`; *store is NULL if there is none, or it is torn, or of
 * another version. store->bad is left to the caller. Removes what dead writers have
 * left. */
clc_status clc_pack_load(const char *name, size_t items, clc_store **store);

/* Opens a new temporary file for the pixels, of which the first CLC_PACK_PIXELS_AT bytes are the
 * header's; without `pack`, or where no file can be made (with a warning), memory that looks like
 * one. */
typedef struct clc_pack_writer {
    int file;
    char path[1024];           /* "" if it is memory */
    _Atomic uint64_t reserved; /* bytes of the file that have room on the disk */
} clc_pack_writer;
clc_status clc_pack_begin(bool pack, clc_pack_writer *writer);

/* Writes `bytes` at `at`; fails with CLC_IO and what to do about a full disk. Any thread. */
clc_status clc_pack_write(clc_pack_writer *writer, const void *data, size_t bytes, uint64_t at);

/* Writes tables and header of the finished store, maps it into store->pixels, and gives the file
 * its name. */
clc_status clc_pack_finish(clc_pack_writer *writer, const char *name, clc_store *store);

/* The cleanup function: closes, and removes the temporary file if it is there still. */
void clc_pack_abort(clc_pack_writer *writer);

#endif
