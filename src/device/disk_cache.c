#include "device/disk_cache.h"

#include "core/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

/* Before the binary in each file. */
typedef struct entry_header {
    char magic[8];
    clc_cache_key key;
    uint64_t size;
    uint64_t hash; /* of the binary */
} entry_header;

static const char entry_magic[8] = "clcbin1";

clc_cache_key clc_cache_key_make(const clc_device_info *info, const char *text,
                                 const char *options) {
    const char *const parts[] = {info->platform, info->name,  info->vendor, info->driver,
                                 info->opencl,   CLC_VERSION, options,      text};
    XXH3_state_t *state = XXH3_createState();
    clc_cache_key key = {0, 0};
    if (!state)
        return key;
    XXH3_128bits_reset(state);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        XXH3_128bits_update(state, parts[i], strlen(parts[i]) + 1);
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    key.low = hash.low64;
    key.high = hash.high64;
    return key;
}

static bool entry_path(const clc_cache_key *key, char *path, size_t size, bool create) {
    char name[64];
    snprintf(name, sizeof name, "%016llx%016llx.bin", (unsigned long long)key->high,
             (unsigned long long)key->low);
    return clc_cache_path("", name, create, path, size);
}

bool clc_disk_cache_load(const clc_cache_key *key, unsigned char **binary, size_t *size) {
    char path[600];
    entry_header header;
    struct stat info;
    unsigned char *data = NULL;
    if (!entry_path(key, path, sizeof path, false))
        return false;
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    bool good = fread(&header, sizeof header, 1, file) == 1 &&
                !memcmp(header.magic, entry_magic, sizeof entry_magic) &&
                !memcmp(&header.key, key, sizeof *key) && fstat(fileno(file), &info) == 0 &&
                (uint64_t)info.st_size == header.size + sizeof header && header.size > 0 &&
                (data = malloc(header.size)) && fread(data, header.size, 1, file) == 1 &&
                XXH3_64bits(data, header.size) == header.hash;
    fclose(file);
    if (!good) {
        free(data);
        return false;
    }
    *binary = data;
    *size = header.size;
    return true;
}

bool clc_disk_cache_save(const clc_cache_key *key, const unsigned char *binary, size_t size) {
    char path[600], temporary[640];
    entry_header header = {.key = *key, .size = size, .hash = XXH3_64bits(binary, size)};
    memcpy(header.magic, entry_magic, sizeof entry_magic);
    if (!entry_path(key, path, sizeof path, true))
        return false;
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    int descriptor = mkstemp(temporary);
    if (descriptor < 0)
        return false;
    FILE *file = fdopen(descriptor, "wb");
    if (!file) {
        close(descriptor);
        unlink(temporary);
        return false;
    }
    bool good = fwrite(&header, sizeof header, 1, file) == 1 && fwrite(binary, size, 1, file) == 1;
    good = fclose(file) == 0 && good;
    good = good && rename(temporary, path) == 0;
    if (!good)
        unlink(temporary);
    return good;
}
