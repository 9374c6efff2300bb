#include "data/exif.h"

#include <stdbool.h>
#include <string.h>

static uint32_t number(const uint8_t *at, int bytes, bool little) {
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)at[i] << 8 * (little ? i : bytes - 1 - i);
    return value;
}

int clc_exif_orientation(const uint8_t *block, size_t n) {
    enum { HEADER = 8, ENTRY = 12, ORIENTATION = 0x0112, SHORT = 3, LONG = 4 };
    if (n >= 6 && !memcmp(block, "Exif\0\0", 6)) {
        block += 6;
        n -= 6;
    }
    if (n < HEADER || (memcmp(block, "II*\0", 4) && memcmp(block, "MM\0*", 4)))
        return 1;
    const bool little = block[0] == 'I';
    const size_t at = number(block + 4, 4, little);
    if (at > n - 2)
        return 1;
    size_t count = number(block + at, 2, little);
    for (size_t i = at + 2; count > 0 && n - i >= ENTRY; count--, i += ENTRY) {
        if (number(block + i, 2, little) != ORIENTATION)
            continue;
        const uint32_t type = number(block + i + 2, 2, little);
        const uint32_t values = number(block + i + 4, 4, little);
        if (values != 1 || (type != SHORT && type != LONG))
            return 1;
        const uint32_t value = number(block + i + 8, type == SHORT ? 2 : 4, little);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

int clc_exif_of_jpeg(const uint8_t *bytes, size_t n) {
    enum { APP1 = 0xe1, SCAN = 0xda, END = 0xd9 };
    size_t at = 2;
    while (n >= 4 && at <= n - 4 && bytes[at] == 0xff) {
        const uint8_t marker = bytes[at + 1];
        if (marker == 0xff) { /* filler */
            at++;
            continue;
        }
        if (marker == SCAN || marker == END)
            break;
        const size_t length = number(bytes + at + 2, 2, false);
        if (length < 2 || length > n - at - 2)
            break;
        if (marker == APP1 && length >= 8 && !memcmp(bytes + at + 4, "Exif\0\0", 6))
            return clc_exif_orientation(bytes + at + 4, length - 2);
        at += 2 + length;
    }
    return 1;
}

int clc_exif_of_png(const uint8_t *bytes, size_t n) {
    enum { SIGNATURE = 8, AROUND = 12 }; /* length, name and checksum */
    size_t at = SIGNATURE;
    while (n >= AROUND && at <= n - AROUND) {
        const size_t length = number(bytes + at, 4, false);
        if (length > n - at - AROUND)
            break;
        if (!memcmp(bytes + at + 4, "eXIf", 4))
            return clc_exif_orientation(bytes + at + 8, length);
        at += AROUND + length;
    }
    return 1;
}
