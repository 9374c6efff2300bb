/* Packs of decoded pictures, whose hashes are mended, else nothing behind them would be met. */
#include "core/cache.h"
#include "data/pack.h"
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

/* Where data/pack.c has these in its header. */
enum { PIXEL_BYTES = 24, TABLES_HASH = 312, HEADER_HASH = 320, HEADER_END = 328 };
enum { ITEMS = 3 }; /* of the seed's source */

static void mend(uint8_t *bytes, size_t n) {
    uint64_t pixel_bytes, hash;
    if (n < CLC_PACK_PIXELS_AT)
        return;
    memcpy(&pixel_bytes, bytes + PIXEL_BYTES, sizeof pixel_bytes);
    const uint64_t tables = CLC_PACK_PIXELS_AT + (pixel_bytes + 7) / 8 * 8;
    if (pixel_bytes <= n && tables <= n) {
        hash = XXH3_64bits(bytes + tables, n - tables);
        memcpy(bytes + TABLES_HASH, &hash, sizeof hash);
    }
    hash = XXH3_64bits(bytes, HEADER_HASH);
    memcpy(bytes + HEADER_HASH, &hash, sizeof hash);
}

static char cache[] = "/tmp/clc-fuzz.XXXXXX", link_path[1024];

static void remove_cache(void) {
    static const char *const folders[] = {"/clcontrast/packs", "/clcontrast", ""};
    char path[sizeof cache + 32];
    unlink(link_path);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", cache, folders[i]);
        rmdir(path);
    }
}

/* The pack in the cache is a link to the file of the input. */
static void make_cache(const char *file) {
    if (*link_path)
        return;
    fuzz_require(mkdtemp(cache) && !setenv("XDG_CACHE_HOME", cache, 1) &&
                     clc_cache_path("packs", "fuzz.pack", true, link_path, sizeof link_path) &&
                     !symlink(file, link_path),
                 "a cache with a pack");
    atexit(remove_cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    uint8_t *mended = malloc(n + 1);
    clc_store *store = NULL;
    fuzz_require(mended, "memory for a copy");
    if (n)
        memcpy(mended, bytes, n);
    mend(mended, n);
    make_cache(fuzz_file(mended, n));
    fuzz_require_status(clc_pack_load("fuzz.pack", ITEMS, &store));
    for (size_t i = 0; store && i < store->count; i++) {
        const clc_place *place = &store->places[i];
        fuzz_touch(store->pixels + place->offset,
                   (size_t)place->height * (size_t)place->width * (size_t)store->channels);
        fuzz_touch(&store->hashes[i], sizeof store->hashes[i]);
        fuzz_touch(&store->items[i], sizeof store->items[i]);
    }
    for (size_t i = 0; store && i < store->met_count; i++) {
        fuzz_touch(&store->met[i], sizeof store->met[i]);
        fuzz_touch(clc_names_at(&store->reasons, i), clc_names_length(&store->reasons, i));
    }
    clc_store_close(&store);
    free(mended);
    return 0;
}
