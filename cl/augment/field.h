/* Where texts and series lie, and which of a sample's is taken. OpenCL C and C read this header
 * alike. */
#ifndef AUGMENT_FIELD_H
#define AUGMENT_FIELD_H

#ifndef __OPENCL_C_VERSION__
#include <stdint.h>
#endif

/* x which of the sample's texts: counter = (sample, epoch, 0, purpose), the same for all its
 * views */
#define PURPOSE_FIELD_CHOICE 63

/* The tokens of a text, or the steps of a series: `length` of them from number `offset` on. */
#ifdef __OPENCL_C_VERSION__
typedef ulong field_offset;
#else
typedef uint64_t field_offset;
#endif
typedef struct field_place {
    field_offset offset;
    int length;
    int unused; /* to a multiple of 8 bytes */
} field_place;

#ifdef __OPENCL_C_VERSION__
/* The number of the sample's text: one from firsts[sample] to before firsts[sample + 1]. */
INLINE int choose_text(const global int *firsts, uint2 key, int sample, uint epoch) {
    const int first = firsts[sample], n = firsts[sample + 1] - first;
    if (n < 2)
        return first;
    const uint4 bits = philox(key, (uint4)((uint)sample, epoch, 0, PURPOSE_FIELD_CHOICE));
    return first + BELOW(bits.x, n);
}
#endif

#endif
