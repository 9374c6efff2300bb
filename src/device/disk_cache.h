/* Program binaries on disk: $XDG_CACHE_HOME/clcontrast (or ~/.cache/clcontrast), one file a
 * program, named by its key. A file that is torn, stale or of another device is never used. */
#ifndef CLC_DEVICE_DISK_CACHE_H
#define CLC_DEVICE_DISK_CACHE_H

#include "clcontrast/device.h"

/* 128-bit hash of kernel text, options, device, driver and platform. */
typedef struct clc_cache_key {
    uint64_t low, high;
} clc_cache_key;

clc_cache_key clc_cache_key_make(const clc_device_info *info, const char *text,
                                 const char *options);

/* Reads the entry; *binary is to be freed by the caller. False if there is none or it is damaged.
 */
bool clc_disk_cache_load(const clc_cache_key *key, unsigned char **binary, size_t *size);

/* Writes the entry under a temporary name and renames it; whether that went well. A failure only
 * costs the next start time, so it is no error. */
bool clc_disk_cache_save(const clc_cache_key *key, const unsigned char *binary, size_t size);

#endif
