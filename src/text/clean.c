#include "text/clean.h"

#include <string.h>
#include <utf8proc.h>

bool clc_is_composed(uint32_t c) {
    static const uint32_t ranges[][2] = {
        {0, 0x2FF},       {0x388, 0x482},   {0x48A, 0x52F},     {0x5D0, 0x5EA},
        {0x620, 0x64A},   {0x2010, 0x2027}, {0x2030, 0x205E},   {0x20A0, 0x20BF},
        {0x3041, 0x3096}, {0x30A1, 0x30FA}, {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},
        {0xAC00, 0xD7A3}, {0xFFFD, 0xFFFD}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6D7}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c <= ranges[i][1])
            return c >= ranges[i][0];
    return false;
}

/* The length of the beginning that is ASCII. */
static size_t ascii_run(const char *text, size_t n) {
    size_t i = 0;
    for (uint64_t word; i + 8 <= n; i += 8) {
        memcpy(&word, text + i, 8);
        if (word & 0x8080808080808080u)
            break;
    }
    while (i < n && (unsigned char)text[i] < 0x80)
        i++;
    return i;
}

static void copy_ascii(const char *from, size_t n, bool lowercase, char *to) {
    if (!lowercase) {
        memcpy(to, from, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        to[i] = (char)(from[i] + ((unsigned char)(from[i] - 'A') < 26 ? 32 : 0));
}

/* cleaner->valid: the text with U+FFFD for what is no UTF-8. */
static clc_status validate(clc_cleaner *cleaner, const char *text, size_t n, bool *composed) {
    clc_status status = CLC_OK;
    clc_bytes *valid = &cleaner->valid;
    valid->n = 0;
    *composed = true;
    CLC_TRY(clc_bytes_reserve(valid, 3 * n + 4)); /* three bytes for one that is wrong */
    for (size_t at = 0; at < n;) {
        size_t run = ascii_run(text + at, n - at);
        copy_ascii(text + at, run, false, valid->data + valid->n);
        valid->n += run;
        at += run;
        if (at == n)
            break;
        uint32_t character = clc_utf8_next(text, n, &at);
        *composed = *composed && clc_is_composed(character);
        valid->n += clc_utf8_put(character, valid->data + valid->n);
    }
fail:
    return status;
}

static clc_status compose(clc_bytes *valid) {
    utf8proc_uint8_t *composed = NULL;
    utf8proc_ssize_t n =
        utf8proc_map((const utf8proc_uint8_t *)valid->data, (utf8proc_ssize_t)valid->n, &composed,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (n < 0)
        return clc_fail(n == UTF8PROC_ERROR_NOMEM ? CLC_MEMORY : CLC_INVALID,
                        "a text of %zu bytes can't be composed (NFC): %s", valid->n,
                        utf8proc_errmsg(n));
    free(valid->data);
    *valid = (clc_bytes){(char *)composed, (size_t)n, (size_t)n};
    return CLC_OK;
}

/* The only character whose lower case is two. */
enum { I_WITH_DOT = 0x130, DOT_ABOVE = 0x307 };

/* cleaner->out: cleaner->valid in lower case. */
static clc_status lower(clc_cleaner *cleaner) {
    clc_status status = CLC_OK;
    const clc_bytes *valid = &cleaner->valid;
    clc_bytes *out = &cleaner->out;
    CLC_TRY(clc_bytes_reserve(out, 2 * valid->n + 4)); /* U+023A of two bytes becomes three */
    for (size_t at = 0; at < valid->n;) {
        size_t run = ascii_run(valid->data + at, valid->n - at);
        copy_ascii(valid->data + at, run, true, out->data + out->n);
        out->n += run;
        at += run;
        if (at == valid->n)
            break;
        uint32_t c = clc_utf8_next(valid->data, valid->n, &at);
        if (c == I_WITH_DOT) {
            out->n += clc_utf8_put('i', out->data + out->n);
            c = DOT_ABOVE;
        }
        c = (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
        out->n += clc_utf8_put(c, out->data + out->n);
    }
fail:
    return status;
}

clc_status clc_clean(clc_cleaner *cleaner, const char *text, size_t n) {
    clc_status status = CLC_OK;
    clc_bytes *out = &cleaner->out;
    bool composed;
    out->n = 0;
    if (n == 0)
        return CLC_OK;
    if (n > SIZE_MAX / 16)
        return clc_fail(CLC_INVALID, "a text of %zu bytes", n);
    if (ascii_run(text, n) == n) {
        CLC_TRY(clc_bytes_reserve(out, n));
        copy_ascii(text, n, cleaner->lowercase, out->data);
        out->n = n;
        return CLC_OK;
    }
    CLC_TRY(validate(cleaner, text, n, &composed));
    if (cleaner->compose && !composed)
        CLC_TRY(compose(&cleaner->valid));
    if (cleaner->lowercase)
        return lower(cleaner);
    clc_bytes swapped = *out;
    *out = cleaner->valid;
    cleaner->valid = swapped;
fail:
    return status;
}

void clc_cleaner_free(clc_cleaner *cleaner) {
    clc_bytes_free(&cleaner->valid);
    clc_bytes_free(&cleaner->out);
}
