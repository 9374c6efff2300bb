#include "text/pieces.h"

#include <string.h>

/* The class at `at`, and where the character ends. */
static clc_letter_class class_at(const char *text, size_t n, size_t at, size_t *end) {
    *end = at;
    return clc_class_of(clc_utf8_next(text, n, end));
}

/* GPT-2 knows no marks. */
static clc_letter_class gpt2_class(const char *text, size_t n, size_t at, size_t *end) {
    clc_letter_class found = class_at(text, n, at, end);
    return found == CLC_MARK ? CLC_SYMBOL : found;
}

/* The length of 's and its like. */
static size_t contraction(const char *text, size_t n) {
    if (n >= 2 && text[0] == '\'' && memchr("sdmt", text[1], 4))
        return 2;
    if (n >= 3 && (!memcmp(text, "'ll", 3) || !memcmp(text, "'ve", 3) || !memcmp(text, "'re", 3)))
        return 3;
    return 0;
}

bool clc_next_gpt2(const char *text, size_t n, size_t *at, size_t *start) {
    size_t end, last, next = *at;
    *start = *at;
    if (*at >= n)
        return false;
    *at += contraction(text + *at, n - *at);
    if (*at > *start)
        return true;
    if (text[next] == ' ' && next + 1 < n)
        next++;
    clc_letter_class kind = gpt2_class(text, n, next, &end);
    if (kind != CLC_SPACE) {
        for (*at = end; *at < n && gpt2_class(text, n, *at, &end) == kind;)
            *at = end;
        return true;
    }
    last = *start;
    for (*at = *start; *at < n && gpt2_class(text, n, *at, &end) == CLC_SPACE; *at = end)
        last = *at;
    if (*at < n && last > *start)
        *at = last;
    return true;
}

static bool is_ideograph(uint32_t c) {
    return (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x2FA1F);
}

/* Where the letters of a word from `at` on end. */
static size_t word_end(const char *text, size_t n, size_t at) {
    while (at < n) {
        size_t end = at;
        uint32_t c = clc_utf8_next(text, n, &end);
        if (clc_class_of(c) > CLC_NUMBER || is_ideograph(c))
            break;
        at = end;
    }
    return at;
}

static size_t apostrophe(const char *text, size_t n) {
    if (n >= 1 && text[0] == '\'')
        return 1;
    return n >= 3 && !memcmp(text, "\xE2\x80\x99", 3) ? 3 : 0;
}

bool clc_next_word(const char *text, size_t n, size_t *at, size_t *start) {
    size_t end;
    while (*at < n && class_at(text, n, *at, &end) == CLC_SPACE)
        *at = end;
    *start = *at;
    if (*at >= n)
        return false;
    *at = word_end(text, n, *at);
    if (*at == *start) {
        clc_utf8_next(text, n, at);
        return true;
    }
    for (;;) {
        size_t mark = apostrophe(text + *at, n - *at);
        end = word_end(text, n, *at + mark);
        if (!mark || end == *at + mark)
            return true;
        *at = end;
    }
}
