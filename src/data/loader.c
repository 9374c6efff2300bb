#include "data/loader.h"

#include "core/clock.h"
#include "data/order.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

typedef struct slot {
    int64_t step; /* -1: none yet */
    int epoch;
    int32_t *indices;                /* (batch) */
    clc_place *places;               /* (batch) */
    bool *bad;                       /* (batch) */
    size_t count, used, taken, done; /* samples, bytes, samples begun, samples finished */
    bool complete;                   /* and bad samples are replaced */
} slot;

struct clc_loader {
    const clc_dataset *data;
    clc_loader_options options;
    size_t count;  /* samples of an epoch */
    int64_t steps; /* of an epoch */
    slot slots[CLC_LOADER_SLOTS_MAX];
    int32_t *order; /* (count): of epoch order_epoch */
    int order_epoch;
    int64_t opened;  /* the first step that has no slot yet */
    int64_t filling; /* the first step of which samples are to be taken */
    int64_t next;    /* the step that clc_loader_next gives next */
    pthread_t threads[256];
    int thread_count;
    pthread_mutex_t lock;
    pthread_cond_t work, ready;
    bool stop;
    clc_status status;
    char message[2048];
    double waited;
    clc_bad_files bad;
    clc_name_set known; /* their names */
};

static slot *slot_of(clc_loader *l, int64_t step) {
    return &l->slots[step % l->options.slots];
}

/* ---- what a step consists of; all under the lock ---- */

static int32_t sample_at(const clc_loader *l, size_t i) {
    return l->options.samples ? l->options.samples[i] : (int32_t)i;
}

static void order_samples(clc_loader *l, int64_t step, slot *s) {
    const size_t batch = (size_t)l->options.batch, all = l->count;
    const size_t first = (size_t)(step % l->steps) * batch;
    s->count = batch;
    if (!l->options.shuffle)
        s->count = all - first < batch ? all - first : batch;
    if (l->options.shuffle && s->epoch != l->order_epoch) {
        clc_epoch_order(l->options.seed, s->epoch, l->order, all);
        l->order_epoch = s->epoch;
    }
    for (size_t i = 0; i < batch; i++) {
        const size_t at = first + (i < s->count ? i : s->count - 1);
        s->indices[i] = sample_at(l, l->options.shuffle ? (size_t)l->order[at] : at);
    }
}

/* Gives slots to further steps, as many as there is room for. */
static void open_steps(clc_loader *l) {
    /* Without shuffle there is one epoch. */
    const int64_t last = l->options.shuffle ? INT64_MAX : l->steps;
    while (l->opened < last && l->opened < l->next + l->options.slots - l->options.held) {
        slot *s = slot_of(l, l->opened);
        s->step = l->opened;
        s->epoch = (int)(l->opened / l->steps);
        s->used = s->taken = s->done = 0;
        s->complete = l->options.resident;
        memset(s->bad, 0, (size_t)l->options.batch * sizeof *s->bad);
        order_samples(l, l->opened++, s);
        if (l->options.resident) {
            for (int i = 0; i < l->options.batch && l->data->places; i++)
                s->places[i] = l->data->places[s->indices[i]];
            s->taken = s->count;
        }
    }
}

static void set_failure(clc_loader *l, clc_status status) {
    if (l->status == CLC_OK) {
        l->status = status;
        snprintf(l->message, sizeof l->message, "%s", clc_error());
    }
}

/* Takes the next sample to be made; false if there is none. */
static bool take_sample(clc_loader *l, slot **s, size_t *i) {
    for (; l->filling < l->opened; l->filling++) {
        *s = slot_of(l, l->filling);
        if ((*s)->taken < (*s)->count) {
            *i = (*s)->taken++;
            return true;
        }
    }
    return false;
}

/* ---- making samples ---- */

/* Notes that sample `index` can't be read; fails if that is to stop everything. */
static clc_status note_bad(clc_loader *l, size_t index, const char *reason) {
    clc_status status = CLC_OK;
    const clc_dataset *d = l->data;
    const char *name = clc_dataset_sample_name(d, index);
    size_t number;
    bool added;
    pthread_mutex_lock(&l->lock);
    CLC_TRY(clc_name_set_add(&l->known, name, strlen(name), &number, &added));
    if (added)
        CLC_TRY(clc_bad_files_add(&l->bad, name, reason));
    CLC_TRY(clc_bad_files_check(&l->bad, d->count, d->stop_at_bad, d->bad_limit));
fail:
    pthread_mutex_unlock(&l->lock);
    return status;
}

static clc_status put_pixels(clc_loader *l, slot *s, size_t i, const uint8_t *from, int height,
                             int width) {
    const size_t bytes = (size_t)height * (size_t)width * (size_t)l->data->channels;
    uint8_t *memory = l->options.memory[s->step % l->options.slots];
    pthread_mutex_lock(&l->lock);
    const size_t at = s->used;
    const bool fits = bytes <= l->options.room - at;
    s->used += fits ? bytes : 0;
    s->places[i] = (clc_place){at, height, width};
    pthread_mutex_unlock(&l->lock);
    if (!fits)
        return clc_fail(CLC_MEMORY, "a batch of %d pictures needs more than the %zu bytes planned",
                        l->options.batch, l->options.room);
    memcpy(memory + at, from, bytes);
    return CLC_OK;
}

/* Decodes sample s->indices[i] to its place; *bad if it is no picture, which is noted. */
static clc_status decode_sample(clc_loader *l, slot *s, size_t i, bool *bad) {
    const clc_dataset *d = l->data;
    const size_t index = (size_t)s->indices[i];
    char reason[1024];
    clc_image image = {0};
    clc_status status = clc_source_read(d->source, d->items[index], &d->image, &image);
    *bad = status == CLC_FORMAT || status == CLC_IO;
    if (*bad) {
        snprintf(reason, sizeof reason, "%s", clc_error());
        return note_bad(l, index, reason);
    }
    if (status == CLC_OK)
        status = put_pixels(l, s, i, image.pixels, image.height, image.width);
    clc_image_free(&image);
    return status;
}

static clc_status make_sample(clc_loader *l, slot *s, size_t i) {
    static const uint8_t black[CLC_CHANNELS_MAX] = {0};
    const clc_dataset *d = l->data;
    if (d->pixels) {
        const clc_place *p = &d->places[s->indices[i]];
        return put_pixels(l, s, i, d->pixels + p->offset, p->height, p->width);
    }
    const clc_status status = decode_sample(l, s, i, &s->bad[i]);
    /* The drawn ones are replaced when all others are there. */
    return status == CLC_OK && s->bad[i] && !l->options.shuffle ? put_pixels(l, s, i, black, 1, 1)
                                                                : status;
}

/* ---- replacing bad samples of a batch; by one thread ---- */

/* Whether the batch has got it already: twice the same picture would be its own negative. */
static bool in_batch(const slot *s, size_t index) {
    for (size_t i = 0; i < s->count; i++)
        if ((size_t)s->indices[i] == index)
            return true;
    return false;
}

static size_t common_divisor(size_t a, size_t b) {
    return b ? common_divisor(b, a % b) : a;
}

/* Steps of about 0.618 of the set, which lead far away, and back after all others. */
static size_t stride_of(size_t count) {
    size_t stride = (size_t)(0.6180339887 * (double)count) | 1;
    while (common_divisor(count, stride) != 1)
        stride++;
    return stride;
}

/* Puts another picture in the place of sample `i`. The batch may be all there is: then one of its
 * own has to do. */
static clc_status replace_sample(clc_loader *l, slot *s, size_t i) {
    clc_status status = CLC_OK;
    const size_t count = l->count, stride = stride_of(count), drawn = (size_t)s->indices[i];
    for (int twice = 0; twice < 2; twice++) {
        size_t at = drawn % count;
        for (size_t tries = 1; tries < count; tries++) {
            at = (at + stride) % count;
            const int32_t index = sample_at(l, at);
            s->indices[i] = (int32_t)drawn;
            if (!twice && in_batch(s, (size_t)index))
                continue;
            s->indices[i] = index;
            CLC_TRY(decode_sample(l, s, i, &s->bad[i]));
            if (!s->bad[i])
                return CLC_OK;
        }
    }
    status = clc_fail(CLC_FORMAT, "%s: no picture can be read any more", l->data->name);
fail:
    return status;
}

/* In the order of the samples, so that the same ones stand in whatever thread came first. */
static clc_status replace_bad(clc_loader *l, slot *s) {
    clc_status status = CLC_OK;
    for (size_t i = 0; l->options.shuffle && i < s->count; i++)
        if (s->bad[i])
            CLC_TRY(replace_sample(l, s, i));
fail:
    return status;
}

static void *run(void *argument) {
    clc_loader *l = argument;
    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        slot *s;
        size_t i;
        if (l->status != CLC_OK || !take_sample(l, &s, &i)) {
            pthread_cond_wait(&l->work, &l->lock);
            continue;
        }
        pthread_mutex_unlock(&l->lock);
        clc_status status = make_sample(l, s, i);
        pthread_mutex_lock(&l->lock);
        const bool last = ++s->done == s->count;
        if (last && status == CLC_OK) {
            pthread_mutex_unlock(&l->lock);
            status = replace_bad(l, s);
            pthread_mutex_lock(&l->lock);
            s->complete = true;
        }
        if (status != CLC_OK)
            set_failure(l, status);
        if (last || status != CLC_OK)
            pthread_cond_broadcast(&l->ready);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* ---- the public face ---- */

static clc_status start_threads(clc_loader *l) {
    const int most = (int)(sizeof l->threads / sizeof *l->threads);
    const int wanted = l->options.resident ? 0 : l->data->threads < most ? l->data->threads : most;
    for (; l->thread_count < wanted; l->thread_count++)
        if (pthread_create(&l->threads[l->thread_count], NULL, run, l) != 0)
            break;
    if (wanted && !l->thread_count)
        return clc_fail(CLC_MEMORY, "no thread could be started to load pictures");
    return CLC_OK;
}

clc_status clc_loader_open(const clc_dataset *data, const clc_loader_options *options,
                           clc_loader **loader) {
    clc_status status = CLC_OK;
    clc_loader *l = NULL;
    const size_t batch = (size_t)options->batch;
    *loader = NULL;
    CLC_NEW(l, 1);
    l->data = data;
    l->options = *options;
    l->order_epoch = -1;
    l->next = l->opened = l->filling = options->first_step;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->ready, NULL);
    l->count = options->shuffle && !options->samples ? data->count : options->sample_count;
    l->steps = (int64_t)((l->count + (options->shuffle ? 0 : batch - 1)) / batch);
    if (!l->steps)
        CLC_TRY(clc_fail(CLC_INVALID, "%s: %zu pictures make no batch of %d", data->name, l->count,
                         options->batch));
    if (options->shuffle)
        CLC_NEW(l->order, l->count);
    for (int i = 0; i < options->slots; i++) {
        l->slots[i].step = -1;
        CLC_NEW(l->slots[i].indices, batch);
        CLC_NEW(l->slots[i].places, batch);
        CLC_NEW(l->slots[i].bad, batch);
    }
    open_steps(l);
    CLC_TRY(start_threads(l));
    *loader = l;
    l = NULL;
fail:
    clc_loader_close(&l);
    return status;
}

/* Filling up repeats the last sample's place. */
static void fill_up(clc_loader *l, slot *s) {
    for (size_t i = s->count; i < (size_t)l->options.batch; i++) {
        s->places[i] = s->places[s->count - 1];
        s->bad[i] = s->bad[s->count - 1];
    }
}

clc_status clc_loader_next(clc_loader *l, clc_batch *batch) {
    clc_status status = CLC_OK;
    const double start = clc_seconds();
    pthread_mutex_lock(&l->lock);
    slot *s = slot_of(l, l->next);
    if (l->next >= l->opened)
        CLC_TRY(
            clc_fail(CLC_INVALID, "%s: there is no batch after %" PRId64, l->data->name, l->next));
    while (l->status == CLC_OK && !s->complete)
        pthread_cond_wait(&l->ready, &l->lock);
    if (l->status != CLC_OK)
        CLC_TRY(clc_fail(l->status, "%s", l->message));
    l->next++;
    open_steps(l);
    pthread_cond_broadcast(&l->work);
    l->waited += clc_seconds() - start;
    fill_up(l, s);
    *batch = (clc_batch){.step = s->step,
                         .epoch = s->epoch,
                         .count = s->count,
                         .indices = s->indices,
                         .places = s->places,
                         .bad = s->bad,
                         .bytes = s->used};
    if (!l->options.resident)
        batch->pixels = l->options.memory[s->step % l->options.slots];
fail:
    pthread_mutex_unlock(&l->lock);
    return status;
}

int64_t clc_loader_steps(const clc_loader *l) {
    return l->steps;
}

double clc_loader_waited(const clc_loader *l) {
    return l->waited;
}

size_t clc_loader_bad_count(clc_loader *l) {
    pthread_mutex_lock(&l->lock);
    const size_t count = l->bad.count;
    pthread_mutex_unlock(&l->lock);
    return count;
}

clc_status clc_loader_bad(clc_loader *l, clc_bad_files *bad) {
    clc_status status = CLC_OK;
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->bad.count; i++)
        CLC_TRY(clc_bad_files_add(bad, clc_names_at(&l->bad.entries, 2 * i),
                                  clc_names_at(&l->bad.entries, 2 * i + 1)));
fail:
    pthread_mutex_unlock(&l->lock);
    return status;
}

void clc_loader_close(clc_loader **loader) {
    clc_loader *l = *loader;
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->thread_count; i++)
        pthread_join(l->threads[i], NULL);
    for (int i = 0; i < CLC_LOADER_SLOTS_MAX; i++) {
        free(l->slots[i].indices);
        free(l->slots[i].places);
        free(l->slots[i].bad);
    }
    pthread_cond_destroy(&l->ready);
    pthread_cond_destroy(&l->work);
    pthread_mutex_destroy(&l->lock);
    clc_names_free(&l->bad.entries);
    clc_name_set_free(&l->known);
    free(l->order);
    free(l);
    *loader = NULL;
}
