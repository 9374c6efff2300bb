/* Where files are kept that can be made again: $XDG_CACHE_HOME/clcontrast, or
 * ~/.cache/clcontrast. */
#ifndef CLC_CORE_CACHE_H
#define CLC_CORE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the path of `name` in the folder `part` ("": directly in the cache's) to `path`. With
 * `create`, missing folders are made. False if there is no place for a cache, or no room in `path`.
 */
bool clc_cache_path(const char *part, const char *name, bool create, char *path, size_t size);

#endif
