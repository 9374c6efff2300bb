#include "core/file.h"
#include "data/safetensors.h"
#include "data/safetensors_format.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

static size_t tensor_bytes(const clc_st_tensor *tensor) {
    size_t bytes = clc_dtype_bytes(tensor->dtype);
    for (int i = 0; i < tensor->rank; i++)
        bytes *= tensor->shape[i];
    return bytes;
}

/* The tensors with larger elements first: since nothing may lie between them, that is what aligns
 * each for its type. */
static void order_by_size(const clc_st_tensor *tensors, size_t n, const clc_st_tensor **ordered) {
    size_t at = 0;
    for (size_t bytes = 8; bytes > 0; bytes /= 2)
        for (size_t i = 0; i < n; i++)
            if (clc_dtype_bytes(tensors[i].dtype) == bytes)
                ordered[at++] = &tensors[i];
    assert(at == n);
}

/* Adds to the object, which takes over `value`. */
static clc_status add(json_t *object, const char *what, const char *name, json_t *value) {
    if (json_object_get(object, name)) {
        json_decref(value);
        return clc_fail(CLC_INVALID, "%s '%s' occurs twice", what, name);
    }
    if (!value || json_object_set_new(object, name, value) != 0)
        return clc_fail(CLC_INVALID, "%s '%s': its name or value is not UTF-8, or memory is short",
                        what, name);
    return CLC_OK;
}

static clc_status add_metadata(json_t *root, const char *const (*metadata)[2], size_t n,
                               bool checksum) {
    clc_status status = CLC_OK;
    json_t *object = json_object();
    CLC_TRY(add(root, "entry", "__metadata__", object));
    if (checksum)
        CLC_TRY(
            add(object, "metadata key", CLC_ST_CHECKSUM_KEY, json_string(CLC_ST_CHECKSUM_ZEROS)));
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(metadata[i][0], CLC_ST_CHECKSUM_KEY))
            return clc_fail(CLC_INVALID, "metadata key '%s' is reserved", CLC_ST_CHECKSUM_KEY);
        CLC_TRY(add(object, "metadata key", metadata[i][0], json_string(metadata[i][1])));
    }
fail:
    return status;
}

static clc_status add_tensors(json_t *root, const clc_st_tensor *const *tensors, size_t n) {
    clc_status status = CLC_OK;
    size_t begin = 0;
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(tensors[i]->name, "__metadata__"))
            return clc_fail(CLC_INVALID, "tensor name '__metadata__' is reserved");
        size_t end = begin + tensor_bytes(tensors[i]);
        json_t *shape = json_array();
        for (int k = 0; k < tensors[i]->rank; k++)
            json_array_append_new(shape, json_integer((json_int_t)tensors[i]->shape[k]));
        json_t *entry =
            json_pack("{s:s, s:o, s:[I,I]}", "dtype", clc_dtype_name(tensors[i]->dtype), "shape",
                      shape, "data_offsets", (json_int_t)begin, (json_int_t)end);
        CLC_TRY(add(root, "tensor", tensors[i]->name, entry));
        begin = end;
    }
fail:
    return status;
}

/* The header's text, padded with spaces to a multiple of 8; freed by the caller. */
static clc_status make_header(const json_t *root, char **text, size_t *length) {
    clc_status status = CLC_OK;
    char *json = json_dumps(root, JSON_COMPACT);
    if (!json)
        return clc_fail(CLC_MEMORY, "no memory for the header");
    size_t used = strlen(json);
    *length = (used + 7) / 8 * 8;
    if (*length > CLC_ST_HEADER_MAX)
        CLC_TRY(clc_fail(CLC_INVALID, "a header of %zu bytes; at most %d are allowed", *length,
                         CLC_ST_HEADER_MAX));
    CLC_NEW(*text, *length + 1);
    memset(*text, ' ', *length);
    memcpy(*text, json, used);
fail:
    free(json);
    return status;
}

/* Replaces the zeros in the header by the hash of the whole file that has the zeros. */
static clc_status set_checksum(char *header, size_t length, const clc_st_tensor *const *tensors,
                               size_t n) {
    uint64_t n_header = length;
    char digits[CLC_ST_CHECKSUM_DIGITS + 1];
    assert(!memcmp(header, CLC_ST_CHECKSUM_START CLC_ST_CHECKSUM_ZEROS,
                   CLC_ST_CHECKSUM_AT + CLC_ST_CHECKSUM_DIGITS));
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return clc_fail(CLC_MEMORY, "no memory for the checksum");
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, &n_header, sizeof n_header);
    XXH3_64bits_update(state, header, length);
    for (size_t i = 0; i < n; i++)
        XXH3_64bits_update(state, tensors[i]->data, tensor_bytes(tensors[i]));
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    memcpy(header + CLC_ST_CHECKSUM_AT, digits, CLC_ST_CHECKSUM_DIGITS);
    return CLC_OK;
}

static clc_status write_file(const char *path, const char *header, size_t length,
                             const clc_st_tensor *const *tensors, size_t n) {
    clc_status status = CLC_OK;
    clc_file_writer *writer = NULL;
    uint64_t n_header = length;
    CLC_TRY(clc_file_writer_open(path, &writer));
    CLC_TRY(clc_file_writer_write(writer, &n_header, sizeof n_header));
    CLC_TRY(clc_file_writer_write(writer, header, length));
    for (size_t i = 0; i < n; i++)
        CLC_TRY(clc_file_writer_write(writer, tensors[i]->data, tensor_bytes(tensors[i])));
    return clc_file_writer_commit(&writer);
fail:
    clc_file_writer_abort(&writer);
    return status;
}

clc_status clc_safetensors_write(const char *path, const clc_st_tensor *tensors, size_t n,
                                 const char *const (*metadata)[2], size_t n_metadata,
                                 bool checksum) {
    clc_status status = CLC_OK;
    const clc_st_tensor **ordered = NULL;
    char *header = NULL;
    size_t length = 0;
    json_t *root = json_object();
    CLC_NEW(ordered, n);
    order_by_size(tensors, n, ordered);
    if (n_metadata > 0 || checksum)
        CLC_TRY(add_metadata(root, metadata, n_metadata, checksum));
    CLC_TRY(add_tensors(root, ordered, n));
    CLC_TRY(make_header(root, &header, &length));
    if (checksum)
        CLC_TRY(set_checksum(header, length, ordered, n));
    CLC_TRY(write_file(path, header, length, ordered, n));
fail:
    if (status == CLC_INVALID)
        clc_fail_context(status, "%s", path);
    json_decref(root);
    free(header);
    free(ordered);
    return status;
}
