#include "core/clock.h"
#include "core/log.h"
#include "core/rng.h"
#include "core/signals.h"
#include "data/order.h"
#include "dense/dense.h"

#include <math.h>
#include <string.h>

/* ---- the encoder's maps ---- */

clc_status clc_dense_encode(clc_dense *d, const clc_scene_batch *batch) {
    clc_status status = CLC_OK;
    clc_batch_pixels(batch, &d->config->augmentation, d->pixels);
    CLC_TRY(
        clc_buffer_write(d->device, d->images->value, 0, clc_tensor_bytes(d->images), d->pixels));
    CLC_TRY(clc_sequence_run(&d->encode->forward, d->device));
fail:
    return status;
}

/* Copies scene `i` of the batch between the maps and the cache. */
static clc_status move(clc_dense *d, int i, int32_t scene, bool keep) {
    clc_status status = CLC_OK;
    float *at = d->cache + (size_t)scene * d->map_floats;
    for (int m = 0; m < d->maps.count; m++) {
        const clc_tensor *map = d->maps.maps[m];
        const size_t floats = map->count / (size_t)d->batch, bytes = floats * sizeof *at;
        CLC_TRY(keep ? clc_buffer_read(d->device, map->value, (size_t)i * bytes, bytes, at)
                     : clc_buffer_write(d->device, map->value, (size_t)i * bytes, bytes, at));
        at += floats;
    }
    d->cached[scene] = true;
fail:
    return status;
}

/* Maps of a batch of training scenes, which the cache may have. */
static clc_status bring_maps(clc_dense *d, const clc_scene_batch *batch) {
    clc_status status = CLC_OK;
    bool there = d->cache != NULL;
    for (int i = 0; there && i < batch->count; i++)
        there = d->cached[batch->chosen[i]];
    if (!there)
        CLC_TRY(clc_dense_encode(d, batch));
    for (int i = 0; d->cache && i < batch->count; i++)
        CLC_TRY(move(d, i, batch->chosen[i], !there));
fail:
    return status;
}

static clc_status make_cache(clc_dense *d, size_t scenes) {
    clc_status status = CLC_OK;
    const double bytes = (double)scenes * (double)d->map_floats * sizeof(float);
    if (bytes > d->config->dense.cache * 1e9)
        return CLC_OK;
    CLC_NEW(d->cache, scenes * d->map_floats);
    CLC_NEW(d->cached, scenes);
fail:
    return status;
}

/* ---- steps ---- */

/* What the head is to say, and how its loss is scaled: a mean over pixels, or over objects. */
static clc_status write_targets(clc_dense *d, const clc_scene_batch *batch) {
    clc_status status = CLC_OK;
    const size_t rows = (size_t)d->batch * (size_t)d->places.height * (size_t)d->places.width;
    size_t counted;
    if (d->kind == CLC_SCENES_MASKS) {
        counted = clc_batch_labels(batch, d->labels);
        CLC_TRY(clc_buffer_write(d->device, d->target_labels, 0, rows, d->labels));
    } else {
        counted = clc_batch_places(batch, &d->places, d->heat, d->sides);
        CLC_TRY(clc_buffer_write(d->device, d->target_heat, 0,
                                 rows * (size_t)d->classes * sizeof *d->heat, d->heat));
        CLC_TRY(clc_buffer_write(d->device, d->target_sides, 0,
                                 rows * (1 + CLC_BOX_SIDES) * sizeof *d->sides, d->sides));
    }
    const float scale = 1.0f / (float)(counted ? counted : 1);
    CLC_TRY(clc_buffer_write(d->device, d->scale, 0, sizeof scale, &scale));
fail:
    return status;
}

/* Where a stage's training stands. */
typedef struct course {
    int number; /* of the stage */
    int epochs;
    size_t steps; /* of an epoch */
    double rate;  /* the greatest */
    int64_t done;
    double started, loss; /* of the last step */
    const char *what;
} course;

static clc_status write_hyper(clc_dense *d, const course *c) {
    const double total = (double)c->epochs * (double)c->steps, t = (double)c->done;
    const double rate = c->rate * 0.5 * (1 + cos(3.14159265358979323846 * t / total));
    float hyper[CLC_HYPER_COUNT] = {0};
    hyper[CLC_HYPER_RATE] = hyper[CLC_HYPER_GROUPS + CLC_GROUP_MAIN] = (float)rate;
    hyper[CLC_HYPER_BIAS1] = (float)(1 - pow(d->optimizer.beta1, t + 1));
    hyper[CLC_HYPER_BIAS2] = (float)(1 - pow(d->optimizer.beta2, t + 1));
    return clc_buffer_write(d->device, d->hyper, 0, sizeof hyper, hyper);
}

static clc_status step(clc_dense *d, const clc_scene_batch *batch, course *c) {
    clc_status status = CLC_OK;
    clc_dense_stage *s = &d->stages[c->number];
    float result[4];
    if (c->number == CLC_DENSE_HEAD) {
        CLC_TRY(bring_maps(d, batch));
    } else {
        clc_batch_pixels(batch, &d->config->augmentation, d->pixels);
        CLC_TRY(clc_buffer_write(d->device, s->images->value, 0, clc_tensor_bytes(s->images),
                                 d->pixels));
    }
    CLC_TRY(write_targets(d, batch));
    CLC_TRY(write_hyper(d, c));
    CLC_TRY(clc_sequence_run(&s->graph->forward, d->device));
    CLC_TRY(clc_sequence_run(&s->loss, d->device));
    CLC_TRY(clc_sequence_run(&s->graph->backward, d->device));
    CLC_TRY(clc_sequence_run(&s->update, d->device));
    CLC_TRY(clc_buffer_read(d->device, d->result, 0, sizeof result, result));
    if (!(result[2] > 0.5f))
        status = clc_fail(CLC_NONFINITE,
                          "%s: the loss or a gradient isn't finite in step %lld; "
                          "lower dense.%s",
                          c->what, (long long)c->done + 1,
                          c->number == CLC_DENSE_HEAD ? "learning_rate" : "finetune_rate");
    c->loss = (double)result[0];
    c->done++;
fail:
    return status;
}

static void show(const course *c, int epoch) {
    const int64_t total = (int64_t)c->steps * c->epochs;
    const double spent = clc_seconds() - c->started;
    clc_live("%s, %s: epoch %d of %d, loss %.4f, %.0f s left", c->what,
             c->number == CLC_DENSE_HEAD ? "head" : "head and encoder", epoch + 1, c->epochs,
             c->loss, spent / (double)c->done * (double)(total - c->done));
}

/* A picture is mirrored every second time where the encoder sees it anew. */
static void toss(uint64_t seed, const course *c, bool *mirrored, int n) {
    clc_rng rng = clc_rng_make(seed, (uint32_t)(c->done + 1));
    for (int i = 0; i < n; i++)
        mirrored[i] = c->number == CLC_DENSE_ALL && clc_uniform(clc_rng_next(&rng)) < 0.5f;
}

static clc_status run(clc_dense *d, const clc_scenes *scenes, course *c) {
    clc_status status = CLC_OK;
    const uint64_t seed = d->config->training.seed;
    int32_t *order = NULL;
    bool *mirrored = NULL;
    CLC_NEW(order, scenes->count);
    CLC_NEW(mirrored, d->batch);
    c->started = clc_seconds();
    CLC_TRY(clc_buffer_zero(d->device, d->params.state, 0,
                            d->params.trainable * (size_t)d->params.states * sizeof(float)));
    for (int epoch = 0; epoch < c->epochs; epoch++) {
        clc_epoch_order(seed, epoch, order, scenes->count);
        for (size_t i = 0; i < c->steps; i++) {
            if (clc_signals_stop())
                CLC_TRY(
                    clc_fail(CLC_INTERRUPTED, "interrupted in epoch %d of the head", epoch + 1));
            toss(seed, c, mirrored, d->batch);
            const clc_scene_batch batch = {scenes, order + i * (size_t)d->batch, mirrored,
                                           d->batch};
            CLC_TRY(step(d, &batch, c));
            show(c, epoch);
        }
    }
fail:
    clc_live("%s", "");
    free(order);
    free(mirrored);
    return status;
}

clc_status clc_dense_train(clc_dense *d, const clc_scenes *train, const char *what) {
    clc_status status = CLC_OK;
    const clc_config_dense *o = &d->config->dense;
    const size_t steps = train->count / (size_t)d->batch;
    course head = {CLC_DENSE_HEAD, o->epochs, steps, o->learning_rate, .what = what};
    course all = {CLC_DENSE_ALL, o->finetune_epochs, steps, o->finetune_rate, .what = what};
    CLC_TRY(make_cache(d, train->count));
    CLC_TRY(run(d, train, &head));
    if (o->finetune_epochs)
        CLC_TRY(run(d, train, &all));
fail:
    return status;
}

/* ---- prediction ---- */

/* What the head says of scenes from `first` on; returns how many of the batch are scenes. */
static clc_status say(clc_dense *d, const clc_scenes *scenes, size_t first, int32_t *chosen,
                      int *count) {
    clc_status status = CLC_OK;
    const size_t left = scenes->count - first;
    const clc_scene_batch batch = {scenes, chosen, NULL, d->batch};
    *count = left < (size_t)d->batch ? (int)left : d->batch;
    for (int i = 0; i < d->batch; i++)
        chosen[i] = (int32_t)first + (i < *count ? i : *count - 1);
    if (clc_signals_stop())
        return clc_fail(CLC_INTERRUPTED, "interrupted after %zu of %zu scenes", first,
                        scenes->count);
    CLC_TRY(clc_dense_encode(d, &batch));
    CLC_TRY(clc_sequence_run(&d->predict->forward, d->device));
fail:
    return status;
}

/* The square's labels at the pixels of the picture: those of where their middles lie. */
static void spread_labels(const clc_scene *scene, int side, const uint8_t *square, uint8_t *to) {
    for (int y = 0; y < scene->height; y++) {
        const size_t row =
            (size_t)((2 * y + 1) * (int64_t)scene->fitted_height / (2 * scene->height));
        for (int x = 0; x < scene->width; x++) {
            const size_t column =
                (size_t)((2 * x + 1) * (int64_t)scene->fitted_width / (2 * scene->width));
            *to++ = square[row * (size_t)side + column];
        }
    }
}

clc_status clc_dense_segment(clc_dense *d, const clc_scenes *scenes, clc_dense_take take,
                             void *context, const char *what) {
    clc_status status = CLC_OK;
    const size_t square = (size_t)d->side * (size_t)d->side;
    int32_t *chosen = NULL;
    uint8_t *picture = NULL;
    int count;
    CLC_NEW(chosen, d->batch);
    for (size_t first = 0; first < scenes->count; first += (size_t)count) {
        CLC_TRY(say(d, scenes, first, chosen, &count));
        CLC_TRY(clc_sequence_run(&d->argmax, d->device));
        CLC_TRY(
            clc_buffer_read(d->device, d->target_labels, 0, (size_t)d->batch * square, d->labels));
        for (int i = 0; i < count; i++) {
            const clc_scene *scene = &scenes->items[first + (size_t)i];
            CLC_NEW(picture, (size_t)scene->height * (size_t)scene->width);
            spread_labels(scene, d->side, d->labels + (size_t)i * square, picture);
            CLC_TRY(take(context, scenes, first + (size_t)i, picture));
            free(picture);
            picture = NULL;
        }
        clc_live("%s: %zu of %zu scenes", what, first + (size_t)count, scenes->count);
    }
fail:
    clc_live("%s", "");
    free(chosen);
    free(picture);
    return status;
}

clc_status clc_dense_detect(clc_dense *d, const clc_scenes *scenes, size_t most,
                            clc_detection **found, size_t *found_count, const char *what) {
    clc_status status = CLC_OK;
    const size_t floats = d->said->count / (size_t)d->batch;
    int32_t *chosen = NULL;
    float *said = NULL;
    int count;
    *found_count = 0;
    *found = NULL;
    CLC_NEW(chosen, d->batch);
    CLC_NEW(said, d->said->count);
    CLC_NEW(*found, scenes->count * most);
    for (size_t first = 0; first < scenes->count; first += (size_t)count) {
        CLC_TRY(say(d, scenes, first, chosen, &count));
        CLC_TRY(clc_buffer_read(d->device, d->said->value, 0, clc_tensor_bytes(d->said), said));
        for (int i = 0; i < count; i++)
            *found_count +=
                clc_places_boxes(scenes, first + (size_t)i, &d->places, said + (size_t)i * floats,
                                 *found + *found_count, most);
        clc_live("%s: %zu of %zu scenes", what, first + (size_t)count, scenes->count);
    }
fail:
    clc_live("%s", "");
    free(chosen);
    free(said);
    return status;
}
