/* Many strings in few blocks: a list of names, and a set of them. */
#ifndef CLC_CORE_NAMES_H
#define CLC_CORE_NAMES_H

#include "core/file.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Many strings in one block. Names are bytes; with zeros in them only their lengths tell where they
 * end. */
typedef struct clc_names {
    char *text;
    size_t *starts; /* (count) offsets in text */
    size_t count, bytes, text_capacity, start_capacity;
} clc_names;

/* `name` may lie in `names` itself. */
clc_status clc_names_add(clc_names *names, const char *name, size_t length);

static inline const char *clc_names_at(const clc_names *names, size_t i) {
    return names->text + names->starts[i];
}

static inline size_t clc_names_length(const clc_names *names, size_t i) {
    size_t end = i + 1 < names->count ? names->starts[i + 1] : names->bytes;
    return end - names->starts[i] - 1;
}

/* Drops all names from `count` on; the memory is kept. */
void clc_names_truncate(clc_names *names, size_t count);
void clc_names_free(clc_names *names);

/* Names without doubles, numbered in the order in which they came. The bytes may be any. */
typedef struct clc_name_set {
    clc_names names;
    uint32_t *slots; /* (capacity) number + 1, or 0 */
    size_t capacity;
} clc_name_set;

/* *number: the name's; *added: whether it is new (may be NULL). */
clc_status clc_name_set_add(clc_name_set *set, const char *name, size_t length, size_t *number,
                            bool *added);

/* The name's number, or SIZE_MAX. */
size_t clc_name_set_find(const clc_name_set *set, const char *name, size_t length);
void clc_name_set_free(clc_name_set *set);

/* Order by bytes, a beginning first: as strcmp of names with any bytes. */
int clc_names_compare(const clc_names *names, size_t a, size_t b);

/* Writes a name so that it stays within a line: newline, tab, carriage return and backslash as two
 * characters. */
clc_status clc_write_name(clc_file_writer *writer, const char *name);

/* Writes names so to `path`, a line each; removes the file if there are none. */
clc_status clc_names_write(const clc_names *names, const char *path);

#endif
