#include "method/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

clc_dataset *fixture_noise(void) {
    clc_dataset *data = NULL;
    const size_t bytes = (size_t)FIXTURE_IMAGES * FIXTURE_SIDE * FIXTURE_SIDE;
    uint8_t *pixels = malloc(bytes);
    int32_t *labels = malloc(FIXTURE_IMAGES * sizeof *labels);
    assert_true(pixels && labels);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 13);
    for (int i = 0; i < FIXTURE_IMAGES; i++)
        labels[i] = i % 3;
    CHECK(clc_dataset_make("noise", FIXTURE_IMAGES, FIXTURE_SIDE, FIXTURE_SIDE, 1, pixels, labels,
                           3, &data));
    return data;
}

/* One text a sample, between start and end. */
static clc_field make_texts(const char *name, uint32_t seed) {
    enum { MOST = 9, VOCABULARY = 12, START = VOCABULARY - 2, END };
    clc_field f = {.kind = CLC_KIND_TOKENS, .count = FIXTURE_IMAGES, .vocabulary = VOCABULARY};
    clc_rng rng = clc_rng_make(seed, 1);
    snprintf(f.name, sizeof f.name, "%s", name);
    f.firsts = malloc((FIXTURE_IMAGES + 1) * sizeof *f.firsts);
    f.extents = calloc(FIXTURE_IMAGES, sizeof *f.extents);
    f.ids = malloc(FIXTURE_IMAGES * MOST * sizeof *f.ids);
    assert_true(f.firsts && f.extents && f.ids);
    for (int i = 0; i < FIXTURE_IMAGES; i++) {
        const int length = 3 + (int)(clc_rng_next(&rng) % (MOST - 2));
        f.firsts[i] = i;
        f.extents[i] = (clc_extent){.offset = f.total, .length = length};
        for (int t = 0; t < length; t++)
            f.ids[f.total++] =
                t == 0 ? START
                : t == length - 1
                    ? END
                    : CLC_TOKENS_BEFORE + (int)(clc_rng_next(&rng) % (START - CLC_TOKENS_BEFORE));
    }
    f.firsts[FIXTURE_IMAGES] = FIXTURE_IMAGES;
    return f;
}

clc_dataset *fixture_pairs(void) {
    clc_dataset *data = fixture_noise();
    data->fields[1] = make_texts("caption", 1);
    CHECK(clc_field_measure(&data->fields[1]));
    data->field_count = 2;
    return data;
}

clc_dataset *fixture_texts(int fields) {
    clc_dataset *data = NULL;
    clc_field all[CLC_FIELDS_MAX];
    for (int i = 0; i < fields; i++)
        all[i] = make_texts("text", (uint32_t)i + 1);
    CHECK(clc_dataset_make_fields("texts", FIXTURE_IMAGES, all, fields, NULL, 0, &data));
    return data;
}

clc_status fixture_try(fixture *f, clc_dataset *data, const char *method,
                       const char *const *overrides, size_t n) {
    static const char *const small[] = {"encoder.name=custom",
                                        "encoder.block=basic",
                                        "encoder.blocks=1,1",
                                        "encoder.width=4",
                                        "training.batch=8",
                                        "training.epochs=4",
                                        "projector.hidden=12",
                                        "projector.output=8",
                                        "predictor.hidden=6",
                                        "method.queue=32",
                                        "method.prototypes=12",
                                        "optimizer.warmup_epochs=0",
                                        "loss.temperature=0.2",
                                        "method.freeze_prototypes=0",
                                        "optimizer.learning_rate_scale=none",
                                        "text_encoder.width=8",
                                        "text_encoder.depth=2",
                                        "text_encoder.heads=2",
                                        "text_projector.output=8"};
    enum { SMALL = sizeof small / sizeof *small, MOST = 48 };
    const char *all[MOST];
    char name[64];
    snprintf(name, sizeof name, "method.name=%s", method);
    memcpy(all, small, sizeof small);
    all[SMALL] = name;
    for (size_t i = 0; i < n; i++)
        all[SMALL + 1 + i] = overrides[i];
    const clc_train_options options = {.overrides = all, .override_count = SMALL + 1 + n};
    *f = (fixture){0};
    return clc_session_open(&f->session, &options, data);
}

void fixture_open(fixture *f, const char *method, const char *const *overrides, size_t n) {
    const bool pairs = clc_method_find(method)->towers == CLC_TOWERS;
    CHECK(fixture_try(f, pairs ? fixture_pairs() : fixture_noise(), method, overrides, n));
}

void fixture_close(fixture *f) {
    clc_session_close(&f->session);
}

void fixture_set(fixture *f, int64_t number) {
    clc_step *step = &f->session.step;
    const int64_t queue = step->wiring.queue.size ? step->wiring.queue.size : 1;
    const cl_uint state[CLC_STEP_STATE_COUNT] = {
        (cl_uint)(number / step->steps_per_epoch),
        (cl_uint)(number * clc_wiring_queued(&step->wiring) % queue), (cl_uint)number};
    for (int i = 0; i < FIXTURE_BATCH; i++) {
        f->indices[i] = (int32_t)((number * FIXTURE_BATCH + i * 5) % FIXTURE_IMAGES);
        if (f->session.data->places)
            f->places[i] = f->session.data->places[f->indices[i]];
    }
    f->batch = (clc_batch){.step = number,
                           .epoch = (int)(number / step->steps_per_epoch),
                           .count = FIXTURE_BATCH,
                           .indices = f->indices,
                           .places = f->places};
    CHECK(clc_buffer_write(step->device, step->state, 0, sizeof state, state));
    CHECK(clc_residence_write(&step->residence, &f->batch));
    CHECK(clc_device_finish(step->device));
}

/* Runs all stages but the update, or those up to and with the loss. */
static void run(fixture *f, int64_t number, bool loss_only) {
    clc_step *step = &f->session.step;
    const clc_stage *stages;
    const size_t count = clc_step_stages(step, number, &stages);
    fixture_set(f, number);
    for (size_t i = 0; i + 1 < count; i++) {
        CHECK(clc_sequence_run(stages[i].sequence, step->device));
        if (loss_only && (stages[i].sequence == &step->wiring.loss_sequence[0] ||
                          stages[i].sequence == &step->wiring.loss_sequence[1]))
            break;
    }
    CHECK(clc_device_finish(step->device));
}

void fixture_run_to_loss(fixture *f, int64_t number) {
    run(f, number, true);
}

void fixture_run_to_update(fixture *f, int64_t number) {
    run(f, number, false);
}

void fixture_step(fixture *f, int64_t number, float rate) {
    clc_step_slot finished;
    clc_step *step = &f->session.step;
    fixture_set(f, number);
    CHECK(clc_step_enqueue(step, rate, &f->batch, &finished));
    CHECK(clc_device_finish(step->device));
}

float *fixture_read(const fixture *f, cl_mem buffer, size_t count) {
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    CHECK(clc_buffer_read(f->session.device, buffer, 0, count * sizeof *values, values));
    return values;
}

float *fixture_param(const fixture *f, const clc_params *params, const char *name, size_t *count) {
    const clc_param *param = clc_params_find(params, name);
    if (!param)
        fail_msg("there is no parameter %s", name);
    *count = param->count;
    return fixture_read(f, param->value, param->count);
}
