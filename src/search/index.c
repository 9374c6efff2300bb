#include "search/index.h"

#include "model/weights.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Metadata, and the version of what is in the file. */
static const char version_key[] = "clcontrast_index", version[] = "1";

static clc_status torn(const char *path, const char *what) {
    return clc_fail(CLC_FORMAT, "%s: %s; make it with clcontrast index", path, what);
}

/* The tensor, of that type and rank, or NULL. */
static const clc_st_tensor *find(const clc_safetensors *file, const char *name, clc_dtype dtype,
                                 int rank) {
    const clc_st_tensor *t = clc_safetensors_find(file, name);
    return t && t->dtype == dtype && t->rank == rank ? t : NULL;
}

static clc_status split_names(const clc_st_tensor *tensor, const char *path, clc_index *index) {
    clc_status status = CLC_OK;
    const char *at = tensor->data, *end = at + tensor->count;
    while (at < end && index->names.count < index->count) {
        const char *zero = memchr(at, 0, (size_t)(end - at));
        if (!zero)
            break;
        CLC_TRY(clc_names_add(&index->names, at, (size_t)(zero - at)));
        at = zero + 1;
    }
    if (at != end || index->names.count != index->count)
        status = torn(path, "its names are not as many as its features");
fail:
    return status;
}

static clc_status read_index(clc_index *index, const char *path) {
    const clc_st_tensor *features = find(index->file, "features", CLC_F32, 2);
    const clc_st_tensor *stamps = find(index->file, "stamps", CLC_U64, 1);
    const clc_st_tensor *names = find(index->file, "names", CLC_U8, 1);
    const clc_st_tensor *lengths = find(index->file, "lengths", CLC_F32, 1);
    const char *said = clc_safetensors_metadata(index->file, version_key);
    const char *by = clc_safetensors_metadata(index->file, CLC_WEIGHTS_VERSION);
    index->encoder = clc_safetensors_metadata(index->file, "encoder");
    index->weights = clc_safetensors_metadata(index->file, "weights");
    if (said && strcmp(said, version))
        return clc_fail(CLC_FORMAT,
                        "%s: an index of form %s, written by version %s; this program "
                        "(%s) reads form %s: make it anew with clcontrast index",
                        path, said, by ? by : "0.2", clc_version(), version);
    if (!said || !features || !stamps || !names || !index->encoder || !index->weights ||
        features->shape[0] != stamps->shape[0] || features->shape[0] > INT32_MAX ||
        features->shape[1] < 1 || features->shape[1] > INT_MAX)
        return torn(path, "this is no index");
    index->count = features->shape[0];
    index->dim = (int)features->shape[1];
    index->features = features->data;
    index->stamps = stamps->data;
    index->lengths = lengths && lengths->count == index->count ? lengths->data : NULL;
    return split_names(names, path, index);
}

clc_status clc_index_open(const char *path, clc_index **out) {
    clc_status status = CLC_OK;
    clc_index *index = NULL;
    *out = NULL;
    CLC_NEW(index, 1);
    CLC_TRY(clc_safetensors_map(path, &index->file));
    if (!index->file->verified)
        CLC_TRY(torn(path, "this is no index"));
    CLC_TRY(read_index(index, path));
    *out = index;
    return CLC_OK;
fail:
    clc_index_close(&index);
    return status;
}

void clc_index_close(clc_index **index) {
    if (!*index)
        return;
    clc_names_free(&(*index)->names);
    clc_safetensors_close(&(*index)->file);
    free(*index);
    *index = NULL;
}

bool clc_index_begins(const char *path) {
    char begin[256] = "";
    FILE *file = fopen(path, "rb");
    const size_t n = file ? fread(begin, 1, sizeof begin - 1, file) : 0;
    if (file)
        fclose(file);
    /* The first 8 bytes are a length. */
    return n < 8 || strstr(begin + 8, version_key) || !begin[8];
}

clc_status clc_index_write(const char *path, const clc_index_contents *c) {
    const clc_st_tensor tensors[] = {
        {.name = "features",
         .dtype = CLC_F32,
         .rank = 2,
         .shape = {c->count, (size_t)c->dim},
         .data = c->features},
        {.name = "lengths", .dtype = CLC_F32, .rank = 1, .shape = {c->count}, .data = c->lengths},
        {.name = "stamps", .dtype = CLC_U64, .rank = 1, .shape = {c->count}, .data = c->stamps},
        {.name = "names",
         .dtype = CLC_U8,
         .rank = 1,
         .shape = {c->names->bytes},
         .data = c->names->text}};
    const char *const metadata[][2] = {{version_key, version},
                                       {"encoder", c->encoder},
                                       {"weights", c->weights},
                                       {CLC_WEIGHTS_VERSION, clc_version()}};
    return clc_safetensors_write(path, tensors, sizeof tensors / sizeof *tensors, metadata,
                                 sizeof metadata / sizeof *metadata, true);
}
