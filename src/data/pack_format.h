/* How a pack lies in its file, and in which folder: what pack.c and pack_write.c share. */
#ifndef CLC_DATA_PACK_FORMAT_H
#define CLC_DATA_PACK_FORMAT_H

#include "data/pack.h"

#include <stddef.h>
#include <stdint.h>

#define CLC_PACK_MAGIC         "clcpack3" /* 8 bytes */
#define CLC_PACK_FOLDER        "packs"    /* of the cache */
#define CLC_PACK_END           ".pack"
#define CLC_PACK_TEMPORARY_END ".tmp"

/* At the beginning of the file. The tables follow the pixels, in this order: places, hashes (both
 * (count)), bad items (bad_count), items (count), and the reasons why items are bad, each ended by
 * a zero. */
typedef struct clc_pack_header {
    char magic[8];
    uint64_t count, channels, pixel_bytes, bad_count, bad_bytes;
    uint64_t tables_hash;
    uint64_t header_hash; /* of all before it */
} clc_pack_header;

static inline size_t clc_pack_header_hashed(void) {
    return offsetof(clc_pack_header, header_hash);
}

/* Tables begin at a multiple of 8. */
static inline uint64_t clc_pack_tables_at(const clc_pack_header *h) {
    return CLC_PACK_PIXELS_AT + (h->pixel_bytes + 7) / 8 * 8;
}

static inline uint64_t clc_pack_tables_bytes(const clc_pack_header *h) {
    return h->count * (sizeof(clc_place) + sizeof(uint64_t) + sizeof(uint32_t)) +
           h->bad_count * sizeof(clc_bad_item) + h->bad_bytes;
}

#endif
