/* Without right checksums libpng refuses a chunk whatever it holds: they are mended after each
 * mutation. */
#include "fuzz.h"

#include <string.h>
#include <zlib.h>

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t n, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t most, unsigned seed);

static uint32_t big_endian(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t most, unsigned seed) {
    n = LLVMFuzzerMutate(bytes, n, most);
    if (seed % 8 == 0)
        return n;
    for (size_t at = 8; n >= 12 && at <= n - 12;) {
        const size_t length = big_endian(bytes + at);
        if (length > n - at - 12)
            break;
        const uint32_t sum = (uint32_t)crc32(0, bytes + at + 4, (unsigned)length + 4);
        for (int i = 0; i < 4; i++)
            bytes[at + 8 + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        at += length + 12;
    }
    return n;
}
