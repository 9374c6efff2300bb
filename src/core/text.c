#include "core/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { WORD_BYTES = 64 };

clc_status clc_text_format(char *text, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, size, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= size)
        return clc_fail(CLC_INVALID, "the name %.40s... has %d bytes, more than %zu", text, length,
                        size - 1);
    return CLC_OK;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static int folded(char letter) {
    return letter == '-' ? '_' : tolower((unsigned char)letter);
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. Both
 * words are shorter than WORD_BYTES. */
static size_t edit_distance(const char *a, const char *b) {
    size_t rows[3][WORD_BYTES], n = strlen(b);
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= n; j++) {
        before[j] = 0;
        last[j] = j;
    }
    for (size_t i = 1; a[i - 1]; i++) {
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t differs = folded(a[i - 1]) != folded(b[j - 1]);
            row[j] = smaller(last[j - 1] + differs, smaller(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                folded(a[i - 2]) == folded(b[j - 1]))
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[n];
}

size_t clc_closest(const char *word, const char *const *candidates, size_t n) {
    size_t length = strlen(word), best = n;
    if (length == 0 || length >= WORD_BYTES)
        return n;
    /* At most a third of the letters may be wrong, one of a short word, never all of them. */
    size_t limit = smaller(length < 6 ? 1 : length / 3, length - 1), nearest = limit + 1;
    for (size_t i = 0; i < n; i++) {
        if (!candidates[i] || strlen(candidates[i]) >= WORD_BYTES)
            continue;
        size_t distance = edit_distance(word, candidates[i]);
        if (distance < nearest) {
            nearest = distance;
            best = i;
        }
    }
    for (size_t i = 0; best == n && length >= 3 && i < n; i++)
        if (candidates[i] && strncasecmp(word, candidates[i], length) == 0)
            best = i;
    return best;
}
