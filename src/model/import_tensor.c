#include "model/import_tensor.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- numbers ---- */

static float from_half(uint16_t h) {
    const int exponent = h >> 10 & 31, fraction = h & 1023;
    const float sign = h >> 15 ? -1.0f : 1.0f;
    if (exponent == 31)
        return fraction ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexpf((float)(fraction + 1024), exponent - 25)
                            : ldexpf((float)fraction, -24));
}

static float from_bfloat(uint16_t b) {
    const uint32_t bits = (uint32_t)b << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool is_float(const clc_st_tensor *t) {
    return t->dtype == CLC_F32 || t->dtype == CLC_F16 || t->dtype == CLC_BF16 ||
           t->dtype == CLC_F64;
}

static float number_at(const clc_st_tensor *t, size_t i) {
    switch (t->dtype) {
    case CLC_F16:
        return from_half(((const uint16_t *)t->data)[i]);
    case CLC_BF16:
        return from_bfloat(((const uint16_t *)t->data)[i]);
    case CLC_F64:
        return (float)((const double *)t->data)[i];
    default:
        return ((const float *)t->data)[i];
    }
}

/* ---- names ---- */

/* The tensor of a name in which "@" is to be q, k or v. */
static const clc_st_tensor *find_one(const clc_import_part *part, const char *theirs, char letter) {
    char name[CLC_IMPORT_NAME_BYTES + CLC_IMPORT_PREFIX_BYTES];
    snprintf(name, sizeof name, "%s%s", part->prefix, theirs);
    char *at = strchr(name, '@');
    if (at)
        *at = letter;
    return clc_safetensors_find(part->file, name);
}

const clc_st_tensor *clc_import_find(const clc_import_part *part, const char *ours) {
    clc_import_name theirs;
    return clc_dialect_name(part->dialect, ours, &theirs) && *theirs.text
               ? find_one(part, theirs.text, 'q')
               : NULL;
}

size_t clc_import_size(const clc_import_part *part, const char *ours, int d) {
    clc_import_name theirs;
    const clc_st_tensor *t = clc_import_find(part, ours);
    if (!t || d >= t->rank)
        return 0;
    clc_dialect_name(part->dialect, ours, &theirs);
    return t->shape[theirs.transposed ? t->rank - 1 - d : d];
}

/* ---- shapes ---- */

/* The dimensions that aren't 1; returns how many. */
static int squeeze(const size_t *shape, int rank, size_t squeezed[CLC_ST_MAX_RANK]) {
    int n = 0;
    for (int d = 0; d < rank; d++)
        if (shape[d] != 1)
            squeezed[n++] = shape[d];
    return n;
}

/* Whether a tensor is one of `parts` equal parts of ours. */
static bool same_shape(const clc_st_tensor *t, bool transposed, size_t parts, const size_t *shape,
                       int rank) {
    size_t theirs[CLC_ST_MAX_RANK] = {0}, a[CLC_ST_MAX_RANK], b[CLC_ST_MAX_RANK];
    for (int d = 0; d < t->rank; d++)
        theirs[d] = t->shape[transposed ? t->rank - 1 - d : d];
    if (t->rank)
        theirs[0] *= parts;
    const int n = squeeze(theirs, t->rank, a);
    return n == squeeze(shape, rank, b) && !memcmp(a, b, (size_t)n * sizeof *a);
}

static void copy(const clc_st_tensor *t, bool transposed, float *out) {
    const size_t rows = transposed ? t->shape[0] : 1, columns = t->count / rows;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            out[j * rows + i] = number_at(t, i * columns + j);
}

/* (k,c,h,w) of the file to (k,channels,h,w). */
static void copy_channels(const clc_st_tensor *t, size_t channels, float *out) {
    const size_t c = t->shape[1], window = t->shape[2] * t->shape[3];
    for (size_t k = 0; k < t->shape[0]; k++)
        for (size_t o = 0; o < channels; o++)
            for (size_t w = 0; w < window; w++) {
                double sum = 0;
                for (size_t i = channels == 1 ? 0 : o % c; i < (channels == 1 ? c : o % c + 1); i++)
                    sum += (double)number_at(t, (k * c + i) * window + w);
                if (channels > 1)
                    sum *= (double)c / (double)channels;
                out[(k * channels + o) * window + w] = (float)sum;
            }
}

static bool other_channels(const clc_st_tensor *t, int rank, const size_t shape[4]) {
    return rank == 4 && t->rank == 4 && t->shape[0] == shape[0] && t->shape[2] == shape[2] &&
           t->shape[3] == shape[3] && t->shape[1] != shape[1] && t->shape[1] > 0;
}

/* Multiplies the outputs of a layer, the first dimension, by such a tensor if there is one. */
static bool scale_outputs(const clc_import_part *part, const char *name, size_t outputs,
                          size_t count, float *out) {
    const clc_st_tensor *t = *name ? find_one(part, name, 'q') : NULL;
    if (!t)
        return true;
    part->used[t - part->file->tensors] = true;
    if (!is_float(t) || t->count != outputs)
        return false;
    for (size_t i = 0; i < count; i++)
        out[i] *= number_at(t, i / (count / outputs));
    return true;
}

/* The parts one behind the other. */
static clc_import_outcome take(const clc_import_part *part, const clc_import_name *theirs, int rank,
                               const size_t shape[4], float *out) {
    static const char letters[] = "qkv";
    const size_t parts = strchr(theirs->text, '@') ? 3 : 1;
    for (size_t p = 0, filled = 0; p < parts; p++) {
        const clc_st_tensor *t = find_one(part, theirs->text, letters[p]);
        if (!t)
            return CLC_IMPORT_MISSING;
        part->used[t - part->file->tensors] = true;
        if (!is_float(t))
            return CLC_IMPORT_DIFFERS;
        if (!same_shape(t, theirs->transposed, parts, shape, rank)) {
            if (!other_channels(t, rank, shape))
                return CLC_IMPORT_DIFFERS;
            copy_channels(t, shape[1], out);
            return CLC_IMPORTED_CHANNELS;
        }
        copy(t, theirs->transposed, out + filled);
        filled += t->count;
    }
    return CLC_IMPORTED;
}

clc_import_outcome clc_import_value(const clc_import_part *part, const char *ours, int rank,
                                    const size_t shape[4], float *out, clc_import_name *theirs) {
    size_t count = 1;
    for (int d = 0; d < rank; d++)
        count *= shape[d];
    if (!clc_dialect_name(part->dialect, ours, theirs))
        return CLC_IMPORT_MISSING;
    if (!*theirs->text)
        return CLC_IMPORTED; /* zeros, which are there */
    const clc_import_outcome outcome = take(part, theirs, rank, shape, out);
    if (outcome != CLC_IMPORTED || scale_outputs(part, theirs->scale, shape[0], count, out))
        return outcome;
    return CLC_IMPORT_DIFFERS;
}
