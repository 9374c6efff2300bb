#include "text/byte_letters.h"

static bool is_itself(uint32_t byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) ||
           (byte >= 0xAE && byte <= 0xFF);
}

/* 33 control characters, blank; 127 to 160; the soft hyphen. */
static uint32_t letter_of(unsigned char byte) {
    if (is_itself(byte))
        return byte;
    return 0x100u + (byte <= ' ' ? byte : byte == 0xADu ? 67u : byte - 127u + 33u);
}

void clc_bytes_to_letters(const char *bytes, size_t n, char *to) {
    for (size_t i = 0; i < n; i++)
        to += clc_utf8_put(letter_of((unsigned char)bytes[i]), to);
    *to = '\0';
}

bool clc_letters_to_bytes(const char *letters, size_t n, char *to, size_t *count) {
    *count = 0;
    for (size_t at = 0; at < n;) {
        uint32_t c = clc_utf8_next(letters, n, &at), k = c - 0x100;
        bool shifted = c >= 0x100 && k < 68;
        if (!shifted && !(c <= 0xFF && is_itself(c)))
            return false;
        to[(*count)++] = (char)(!shifted ? c : k <= ' ' ? k : k == 67 ? 0xAD : k - 33 + 127);
    }
    return true;
}
