/* What the reader and the writer of safetensors files agree on. */
#ifndef CLC_DATA_SAFETENSORS_FORMAT_H
#define CLC_DATA_SAFETENSORS_FORMAT_H

#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are read and written as they lie in memory, which must be little-endian"
#endif

enum { CLC_ST_HEADER_MAX = 100000000, CLC_ST_LENGTH_BYTES = sizeof(uint64_t) };

/* A header with a checksum begins with this text, the digits follow it at once: the place of the
 * digits must be known without parsing what the checksum protects. */
#define CLC_ST_CHECKSUM_KEY   "xxh3"
#define CLC_ST_CHECKSUM_START "{\"__metadata__\":{\"" CLC_ST_CHECKSUM_KEY "\":\""
#define CLC_ST_CHECKSUM_ZEROS "0000000000000000"
enum {
    CLC_ST_CHECKSUM_AT = sizeof CLC_ST_CHECKSUM_START - 1,
    CLC_ST_CHECKSUM_DIGITS = sizeof CLC_ST_CHECKSUM_ZEROS - 1,
};

#endif
