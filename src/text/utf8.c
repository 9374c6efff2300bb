#include "text/utf8.h"

#include <utf8proc.h>

/* The length of the sequence that a byte leads, and the range of its second byte (Unicode, table
 * 3-7: no overlong forms, no surrogates, nothing beyond U+10FFFF); 0: none. */
static size_t lead(unsigned char byte, unsigned char *low, unsigned char *high) {
    *low = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    *high = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    if (byte >= 0xC2 && byte <= 0xDF)
        return 2;
    if (byte >= 0xE0 && byte <= 0xEF)
        return 3;
    return byte >= 0xF0 && byte <= 0xF4 ? 4 : 0;
}

uint32_t clc_utf8_next(const char *text, size_t n, size_t *at) {
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char first = bytes[(*at)++], low, high;
    if (first < 0x80)
        return first;
    size_t length = lead(first, &low, &high);
    if (!length)
        return CLC_REPLACEMENT;
    uint32_t character = first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++, (*at)++) {
        if (*at == n || bytes[*at] < low || bytes[*at] > high)
            return CLC_REPLACEMENT;
        character = character << 6 | (bytes[*at] & 0x3F);
        low = 0x80;
        high = 0xBF;
    }
    return character;
}

size_t clc_utf8_put(uint32_t c, char *bytes) {
    if (c < 0x80) {
        bytes[0] = (char)c;
        return 1;
    }
    size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3F));
    bytes[0] = (char)((0xF00u >> length & 0xF0) | c);
    return length;
}

static bool is_space(uint32_t c) {
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

clc_letter_class clc_class_of(uint32_t c) {
    if (c < 0x80) {
        if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
            return CLC_LETTER;
        return c >= '0' && c <= '9' ? CLC_NUMBER : is_space(c) ? CLC_SPACE : CLC_SYMBOL;
    }
    if (is_space(c))
        return CLC_SPACE;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return CLC_LETTER;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return CLC_MARK;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return CLC_NUMBER;
    default:
        return CLC_SYMBOL;
    }
}

clc_status clc_bytes_reserve(clc_bytes *bytes, size_t more) {
    if (more <= bytes->capacity - bytes->n)
        return CLC_OK;
    size_t capacity = 2 * bytes->capacity > bytes->n + more ? 2 * bytes->capacity : bytes->n + more;
    char *data = realloc(bytes->data, capacity);
    if (!data)
        return clc_fail_alloc(capacity);
    bytes->data = data;
    bytes->capacity = capacity;
    return CLC_OK;
}

void clc_bytes_free(clc_bytes *bytes) {
    free(bytes->data);
    *bytes = (clc_bytes){0};
}
