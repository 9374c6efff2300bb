#include "augment/residence.h"

#include <string.h>

static size_t image_bytes(const clc_dataset *data, size_t i) {
    return (size_t)data->places[i].height * (size_t)data->places[i].width * (size_t)data->channels;
}

/* Offsets of pictures in the order of the offsets, for cutting between two of them. */
typedef struct extent {
    uint64_t offset, end;
} extent;

static int by_offset(const void *a, const void *b) {
    const uint64_t x = ((const extent *)a)->offset, y = ((const extent *)b)->offset;
    return (x > y) - (x < y);
}

/* Fills buffers one after the other; false if they don't suffice. */
static bool cut(clc_residence *r, const extent *extents, size_t count, uint64_t largest) {
    r->buffers = 1;
    r->cuts[0] = 0;
    for (size_t i = 0; i < count; i++) {
        if (extents[i].end - r->cuts[r->buffers - 1] <= largest)
            continue;
        if (r->buffers == AUGMENT_BUFFERS || extents[i].end - extents[i].offset > largest)
            return false;
        r->cuts[r->buffers++] = extents[i].offset;
    }
    r->cuts[r->buffers] = r->data->bytes;
    return true;
}

static bool plan_buffers(clc_residence *r) {
    const uint64_t largest = r->device->info.largest_buffer;
    const clc_dataset *data = r->data;
    if (!data->pixels)
        return false;
    if (data->bytes <= largest)
        return cut(r, NULL, 0, largest);
    extent *extents = malloc(data->count * sizeof *extents);
    if (!extents)
        return false;
    for (size_t i = 0; i < data->count; i++)
        extents[i] =
            (extent){data->places[i].offset, data->places[i].offset + image_bytes(data, i)};
    qsort(extents, data->count, sizeof *extents, by_offset);
    const bool fits = cut(r, extents, data->count, largest);
    free(extents);
    return fits;
}

bool clc_residence_plan(clc_residence *r, clc_device *device, const clc_dataset *data, int batch,
                        int slots, bool resident) {
    *r = (clc_residence){
        .device = device, .data = data, .batch = batch, .slots = slots, .resident = resident};
    if (!clc_dataset_has_pictures(data)) {
        r->resident = true;
        return true;
    }
    if (resident)
        return plan_buffers(r);
    clc_residence_stage(r, device, batch, slots, clc_dataset_most_bytes(data, (size_t)batch));
    r->data = data;
    return true;
}

void clc_residence_stage(clc_residence *r, clc_device *device, int batch, int slots, size_t bytes) {
    *r = (clc_residence){
        .device = device, .batch = batch, .slots = slots, .staging = clc_buffer_bytes(bytes)};
}

static size_t buffer_bytes(const clc_residence *r, int i) {
    return r->resident ? (size_t)(r->cuts[i + 1] - r->cuts[i]) : r->staging;
}

static int buffer_count(const clc_residence *r) {
    return r->resident ? r->buffers : 1;
}

size_t clc_residence_bytes(const clc_residence *r, size_t *largest) {
    size_t sum = (size_t)r->batch * (sizeof(augment_place) + sizeof(int32_t));
    *largest = 0;
    for (int i = 0; i < buffer_count(r); i++) {
        const size_t bytes = clc_buffer_bytes(buffer_bytes(r, i));
        sum += bytes;
        *largest = bytes > *largest ? bytes : *largest;
    }
    return sum;
}

/* ---- texts and series ---- */

enum { FIELD_BUFFERS = 4, SYNONYM_BUFFERS = 2 };

/* A buffer, and what it is filled with. */
typedef struct content {
    cl_mem *mem;
    size_t bytes;
    const void *data;
    const char *what;
} content;

static int list_field(clc_residence *r, int i, content contents[FIELD_BUFFERS]) {
    const clc_field *f = &r->data->fields[i];
    clc_field_buffers *b = &r->samples.fields[i];
    const bool series = f->kind == CLC_KIND_SERIES;
    contents[0] = (content){&b->data, clc_field_data_bytes(f), series ? f->values : (void *)f->ids,
                            series ? "series" : "texts"};
    contents[1] = (content){&b->places, f->count * sizeof *f->extents, f->extents, "texts"};
    contents[2] =
        (content){&b->firsts, (r->data->count + 1) * sizeof *f->firsts, f->firsts, "texts"};
    if (!series)
        return 3;
    contents[3] =
        (content){&b->norm, 2 * (size_t)f->channels * sizeof(float), r->norms[i], "series"};
    return 4;
}

/* Of all fields; returns how many. */
static int list_contents(clc_residence *r,
                         content contents[CLC_FIELDS_MAX * FIELD_BUFFERS + SYNONYM_BUFFERS]) {
    int n = 0;
    const clc_dataset *d = r->data;
    for (int i = 0; d && i < d->field_count; i++)
        if (clc_field_resident(&d->fields[i]))
            n += list_field(r, i, contents + n);
    if (d && d->synonyms.starts) {
        const size_t tokens = (size_t)clc_tokenizer_vocabulary(d->tokenizer);
        const int32_t *starts = d->synonyms.starts;
        contents[n++] = (content){&r->samples.synonym_starts, (tokens + 1) * sizeof *starts, starts,
                                  "synonyms"};
        contents[n++] = (content){&r->samples.synonyms, (size_t)starts[tokens] * sizeof *starts,
                                  d->synonyms.ids, "synonyms"};
    }
    return n;
}

size_t clc_residence_field_bytes(const clc_residence *residence, size_t *largest) {
    clc_residence copy = *residence;
    content contents[CLC_FIELDS_MAX * FIELD_BUFFERS + SYNONYM_BUFFERS];
    const int n = list_contents(&copy, contents);
    size_t sum = 0;
    for (int i = 0; i < n; i++) {
        sum += clc_buffer_bytes(contents[i].bytes);
        *largest = contents[i].bytes > *largest ? contents[i].bytes : *largest;
    }
    return sum;
}

/* What the kernels subtract and multiply by. */
static clc_status make_norm(clc_residence *r, int i) {
    clc_status status = CLC_OK;
    const clc_field *f = &r->data->fields[i];
    CLC_NEW(r->norms[i], 2 * (size_t)f->channels);
    for (int c = 0; c < f->channels; c++) {
        r->norms[i][c] = f->mean[c];
        r->norms[i][f->channels + c] = 1 / f->deviation[c];
    }
fail:
    return status;
}

static clc_status allocate_fields(clc_residence *r) {
    clc_status status = CLC_OK;
    for (int i = 0; r->data && i < r->data->field_count; i++)
        if (r->data->fields[i].kind == CLC_KIND_SERIES)
            CLC_TRY(make_norm(r, i));
    content contents[CLC_FIELDS_MAX * FIELD_BUFFERS + SYNONYM_BUFFERS];
    const int n = list_contents(r, contents);
    for (int i = 0; i < n; i++) {
        const content *c = &contents[i];
        CLC_TRY(clc_buffer_create(r->device, c->bytes, c->what, c->mem));
        CLC_TRY(clc_buffer_write(r->device, *c->mem, 0, c->bytes, c->data));
    }
fail:
    return status;
}

static void release_fields(clc_residence *r) {
    for (int i = 0; i < CLC_FIELDS_MAX; i++) {
        clc_buffer_release(r->device, &r->samples.fields[i].data);
        clc_buffer_release(r->device, &r->samples.fields[i].places);
        clc_buffer_release(r->device, &r->samples.fields[i].firsts);
        clc_buffer_release(r->device, &r->samples.fields[i].norm);
        free(r->norms[i]);
    }
    clc_buffer_release(r->device, &r->samples.synonym_starts);
    clc_buffer_release(r->device, &r->samples.synonyms);
}

/* ---- memory ---- */

/* Memory of the host that the device's driver can copy from directly. */
static clc_status make_pinned(clc_residence *r, int slot) {
    clc_status status = CLC_OK;
    cl_int code;
    r->pinned[slot] = clCreateBuffer(r->device->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR,
                                     r->staging, NULL, &code);
    CLC_CL(code);
    r->memory[slot] =
        clEnqueueMapBuffer(r->device->queue, r->pinned[slot], CL_TRUE, CL_MAP_READ | CL_MAP_WRITE,
                           0, r->staging, 0, NULL, NULL, &code);
    CLC_CL(code);
fail:
    return status;
}

clc_status clc_residence_allocate(clc_residence *r) {
    clc_status status = CLC_OK;
    clc_device *device = r->device;
    const size_t batch = (size_t)r->batch;
    for (int i = 0; i < buffer_count(r); i++)
        CLC_TRY(clc_buffer_create(device, buffer_bytes(r, i), "the data set",
                                  &r->samples.images.pixels[i]));
    for (int i = 0; r->resident && i < r->buffers; i++)
        CLC_TRY(clc_buffer_write(device, r->samples.images.pixels[i], 0, buffer_bytes(r, i),
                                 r->data->pixels + r->cuts[i]));
    CLC_TRY(clc_buffer_create(device, batch * sizeof(augment_place), "places",
                              &r->samples.images.places));
    CLC_TRY(
        clc_buffer_create(device, batch * sizeof(int32_t), "indices", &r->samples.images.indices));
    for (int i = 0; i < r->slots; i++) {
        CLC_NEW(r->places[i], batch);
        if (!r->resident)
            CLC_TRY(make_pinned(r, i));
    }
    CLC_TRY(allocate_fields(r));
fail:
    return status;
}

void clc_residence_serve(const clc_residence *r, clc_loader_options *options) {
    options->batch = r->batch;
    options->resident = r->resident;
    options->slots = r->slots;
    options->room = r->staging;
    memcpy(options->memory, r->memory, sizeof options->memory);
}

static augment_place device_place(const clc_residence *r, const clc_place *p) {
    int buffer = 0;
    while (r->resident && buffer + 1 < r->buffers && p->offset >= r->cuts[buffer + 1])
        buffer++;
    return (augment_place){.offset = p->offset - (r->resident ? r->cuts[buffer] : 0),
                           .buffer = buffer,
                           .height = p->height,
                           .width = p->width};
}

static clc_status write_later(clc_residence *r, cl_mem buffer, size_t bytes, const void *data) {
    clc_status status = CLC_OK;
    if (bytes)
        CLC_CL(clEnqueueWriteBuffer(r->device->queue, buffer, CL_FALSE, 0, bytes, data, 0, NULL,
                                    NULL));
fail:
    return status;
}

clc_status clc_residence_write(clc_residence *r, const clc_batch *batch) {
    clc_status status = CLC_OK;
    const size_t n = (size_t)r->batch;
    augment_place *places = r->places[batch->step % r->slots];
    const bool pictures = !r->resident || r->buffers > 0;
    for (size_t i = 0; i < n && pictures; i++)
        places[i] = device_place(r, &batch->places[i]);
    if (pictures)
        CLC_TRY(write_later(r, r->samples.images.places, n * sizeof *places, places));
    CLC_TRY(write_later(r, r->samples.images.indices, n * sizeof *batch->indices, batch->indices));
    if (!r->resident)
        CLC_TRY(write_later(r, r->samples.images.pixels[0], batch->bytes, batch->pixels));
fail:
    return status;
}

void clc_residence_release(clc_residence *r) {
    if (!r->device)
        return;
    for (int i = 0; i < CLC_LOADER_SLOTS_MAX; i++) {
        if (r->memory[i])
            clEnqueueUnmapMemObject(r->device->queue, r->pinned[i], r->memory[i], 0, NULL, NULL);
        free(r->places[i]);
    }
    clFinish(r->device->queue);
    for (int i = 0; i < CLC_LOADER_SLOTS_MAX; i++)
        if (r->pinned[i])
            clReleaseMemObject(r->pinned[i]);
    for (int i = 0; i < AUGMENT_BUFFERS; i++)
        clc_buffer_release(r->device, &r->samples.images.pixels[i]);
    release_fields(r);
    clc_buffer_release(r->device, &r->samples.images.places);
    clc_buffer_release(r->device, &r->samples.images.indices);
    *r = (clc_residence){0};
}
