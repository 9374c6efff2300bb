#include "data/loader.h"

#include "core/clock.h"
#include "data/order.h"

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
};

static slot *slot_of(clc_loader *l, int64_t step) {
    return &l->slots[step % l->options.slots];
}

/* ---- what a step consists of; all under the lock ---- */

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
        const int32_t *order = l->options.shuffle ? l->order : l->options.samples;
        s->indices[i] = order ? order[at] : (int32_t)at;
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
        memset(s->bad, 0, (size_t)l->options.batch * sizeof *s->bad);
        order_samples(l, l->opened++, s);
        if (l->options.resident) {
            for (int i = 0; i < l->options.batch; i++)
                s->places[i] = l->data->places[s->indices[i]];
            s->taken = s->done = s->count;
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
    pthread_mutex_lock(&l->lock);
    bool known = false;
    for (size_t i = 0; i < l->bad.count && !known; i++)
        known = !strcmp(clc_names_at(&l->bad.entries, 2 * i), name);
    if (!known)
        CLC_TRY(clc_bad_files_add(&l->bad, name, reason));
    CLC_TRY(clc_bad_files_check(&l->bad, d->count, d->stop_at_bad, d->bad_limit));
fail:
    pthread_mutex_unlock(&l->lock);
    return status;
}

/* The picture of `index`; of another one in its place if it can't be read and samples are drawn
 * anyhow. *index becomes that one's; *bad, if there is none. */
static clc_status read_sample(clc_loader *l, int32_t *index, clc_image *image, bool *bad) {
    clc_status status = CLC_OK;
    const clc_dataset *d = l->data;
    /* Steps of about 0.618 of the set lead far away, and back after all others. */
    const size_t stride = (size_t)(0.6180339887 * (double)d->count) | 1;
    for (size_t tries = 0; tries < d->count; tries++) {
        char reason[1024];
        status = clc_source_read(d->source, d->items[*index], &d->image, image);
        if (status != CLC_FORMAT && status != CLC_IO)
            return status;
        snprintf(reason, sizeof reason, "%s", clc_error());
        CLC_TRY(note_bad(l, (size_t)*index, reason));
        if (!l->options.shuffle) {
            *bad = true;
            return CLC_OK;
        }
        *index = (int32_t)(((size_t)*index + stride) % d->count);
    }
    return clc_fail(CLC_FORMAT, "%s: no picture can be read any more", d->name);
fail:
    return status;
}

static void put_pixels(clc_loader *l, slot *s, size_t i, const uint8_t *from, int height,
                       int width) {
    const size_t bytes = (size_t)height * (size_t)width * (size_t)l->data->channels;
    uint8_t *memory = l->options.memory[s->step % l->options.slots];
    pthread_mutex_lock(&l->lock);
    const size_t at = s->used;
    s->used += bytes;
    s->places[i] = (clc_place){at, height, width};
    pthread_mutex_unlock(&l->lock);
    memcpy(memory + at, from, bytes);
}

static clc_status make_sample(clc_loader *l, slot *s, size_t i) {
    clc_status status = CLC_OK;
    const clc_dataset *d = l->data;
    static const uint8_t black[CLC_CHANNELS_MAX] = {0};
    clc_image image = {0};
    bool bad = false;
    int32_t index = s->indices[i];
    if (d->pixels) {
        const clc_place *p = &d->places[index];
        put_pixels(l, s, i, d->pixels + p->offset, p->height, p->width);
        return CLC_OK;
    }
    CLC_TRY(read_sample(l, &index, &image, &bad));
    s->indices[i] = index;
    s->bad[i] = bad;
    if (bad)
        put_pixels(l, s, i, black, 1, 1);
    else
        put_pixels(l, s, i, image.pixels, image.height, image.width);
fail:
    clc_image_free(&image);
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
        const clc_status status = make_sample(l, s, i);
        pthread_mutex_lock(&l->lock);
        if (status != CLC_OK)
            set_failure(l, status);
        if (++s->done == s->count || status != CLC_OK)
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
    l->count = options->shuffle ? data->count : options->sample_count;
    l->steps = (int64_t)((l->count + (options->shuffle ? 0 : batch - 1)) / batch);
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
    for (size_t i = s->count; i < (size_t)l->options.batch; i++)
        s->places[i] = s->places[s->count - 1];
}

clc_status clc_loader_next(clc_loader *l, clc_batch *batch) {
    clc_status status = CLC_OK;
    const double start = clc_seconds();
    pthread_mutex_lock(&l->lock);
    open_steps(l);
    pthread_cond_broadcast(&l->work);
    slot *s = slot_of(l, l->next);
    while (l->status == CLC_OK && s->done < s->count)
        pthread_cond_wait(&l->ready, &l->lock);
    l->next++;
    if (l->status != CLC_OK)
        status = clc_fail(l->status, "%s", l->message);
    open_steps(l);
    pthread_cond_broadcast(&l->work);
    l->waited += clc_seconds() - start;
    pthread_mutex_unlock(&l->lock);
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
    return status;
}

int64_t clc_loader_steps(const clc_loader *l) {
    return l->steps;
}

double clc_loader_waited(const clc_loader *l) {
    return l->waited;
}

const clc_bad_files *clc_loader_bad(const clc_loader *l) {
    return &l->bad;
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
    free(l->order);
    free(l);
    *loader = NULL;
}
