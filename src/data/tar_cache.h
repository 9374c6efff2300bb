/* What is in a compressed archive, kept: finding it out means unpacking all of it. Folders are not
 * kept: whether their files have changed can't be told without asking for each of them, and that is
 * all that listing does. */
#ifndef CLC_DATA_TAR_CACHE_H
#define CLC_DATA_TAR_CACHE_H

#include "data/tar_index.h"

/* Fills the index from $XDG_CACHE_HOME/clcontrast/lists; false if there is none of this file (its
 * path and its stamp of size and time), or a torn one. */
bool clc_tar_cache_load(const char *path, uint64_t stamp, clc_tar_index *index);

/* Writes it aside and renames it. A failure costs time at the next start only. */
void clc_tar_cache_save(const char *path, uint64_t stamp, const clc_tar_index *index);

/* The same from bytes, for `key`: what the file must be of. */
bool clc_tar_cache_parse(const void *bytes, size_t n, const char *key, clc_tar_index *index);

#endif
