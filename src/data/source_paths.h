/* The paths that a key of the configuration names. */
#ifndef CLC_DATA_SOURCE_PATHS_H
#define CLC_DATA_SOURCE_PATHS_H

#include "core/names.h"

/* Splits a value at commas. Blanks around a path don't count; a backslash makes the next character
 * an ordinary one. A value that is an existing path is that path. A path that does not exist and
 * has *, ? or [ is replaced by what it matches, in the order of bytes; CLC_IO if that is nothing.
 */
clc_status clc_source_paths(const char *value, clc_names *paths);

#endif
