/* What is kept of an archive, behind a hash that is right: without one nothing of it is read. */
#include "data/tar_cache.h"
#include "fuzz.h"

#include <string.h>
#include <xxhash.h>

enum { HEAD = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    clc_tar_index index;
    uint8_t *file = malloc(HEAD + n);
    if (!file)
        return 0;
    const uint64_t hash = XXH3_64bits(bytes, n);
    memcpy(file, "clclist1", 8);
    memcpy(file + 8, &hash, sizeof hash);
    if (n > 0)
        memcpy(file + HEAD, bytes, n);
    if (clc_tar_cache_parse(file, HEAD + n, "key", &index)) {
        for (size_t i = 0; i < index.names.count; i++) {
            fuzz_touch(clc_names_at(&index.names, i), clc_names_length(&index.names, i));
            fuzz_require(index.members[i].label < (int64_t)index.labels.count, "a label");
        }
        fuzz_require(index.bad.entries.count == 2 * index.bad.count, "bad files");
        clc_tar_index_free(&index);
    }
    free(file);
    return 0;
}
