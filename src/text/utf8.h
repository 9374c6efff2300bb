/* UTF-8 and classes of characters. */
#ifndef CLC_TEXT_UTF8_H
#define CLC_TEXT_UTF8_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLC_REPLACEMENT = 0xFFFD };

/* The character at *at < n; *at moves behind it. What is no UTF-8 gives CLC_REPLACEMENT for each
 * maximal part of a character (Unicode 3.9, U+FFFD substitution), as in Python and in browsers. */
uint32_t clc_utf8_next(const char *text, size_t n, size_t *at);

/* Writes 1 to 4 bytes; returns how many. */
size_t clc_utf8_put(uint32_t character, char *bytes);

typedef enum clc_letter_class {
    CLC_LETTER, /* \p{L} */
    CLC_MARK,   /* \p{M} */
    CLC_NUMBER, /* \p{N} */
    CLC_SPACE,  /* \s: White_Space */
    CLC_SYMBOL, /* all others, also unassigned ones */
} clc_letter_class;

clc_letter_class clc_class_of(uint32_t character);

/* Bytes that grow; not ended by a zero. */
typedef struct clc_bytes {
    char *data;
    size_t n, capacity;
} clc_bytes;

/* Makes room for so many more. */
clc_status clc_bytes_reserve(clc_bytes *bytes, size_t more);
void clc_bytes_free(clc_bytes *bytes);

#endif
