/* Pieces of text, each held once and numbered in the order in which they came. */
#ifndef CLC_TEXT_STRINGS_H
#define CLC_TEXT_STRINGS_H

#include "text/utf8.h"

typedef struct clc_string {
    size_t start; /* in text */
    uint32_t length, hash;
} clc_string;

typedef struct clc_strings {
    clc_bytes text;
    clc_string *items;
    size_t count, capacity;
    uint32_t *slots; /* (slot_count): number + 1, or 0 */
    size_t slot_count;
} clc_strings;

static inline const char *clc_strings_at(const clc_strings *strings, size_t i) {
    return strings->text.data + strings->items[i].start;
}

/* *number: the piece's; one that is there is not added again. It must not lie in `strings`. */
clc_status clc_strings_add(clc_strings *strings, const char *piece, size_t n, size_t *number);

/* Its number, or SIZE_MAX. */
size_t clc_strings_find(const clc_strings *strings, const char *piece, size_t n);

/* Order by bytes, a beginning first: as strcmp of texts with any bytes. */
int clc_strings_compare(const clc_strings *strings, size_t a, size_t b);
void clc_strings_free(clc_strings *strings);

#endif
