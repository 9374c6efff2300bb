/* A small training session on noise, run stage by stage. */
#ifndef TESTS_METHOD_FIXTURE_H
#define TESTS_METHOD_FIXTURE_H

#include "harness.h"
#include "train/session.h"

enum { FIXTURE_SIDE = 8, FIXTURE_IMAGES = 48, FIXTURE_BATCH = 8 };

typedef struct fixture {
    clc_session session;
    int32_t indices[FIXTURE_BATCH];
    clc_place places[FIXTURE_BATCH];
    clc_batch batch; /* of both */
} fixture;

/* FIXTURE_IMAGES images of three classes; owned by who opens a session on them. */
clc_dataset *fixture_noise(void);

/* The same with a caption each, and texts alone: fields of tokens, of 3 to 9 tokens. */
clc_dataset *fixture_pairs(void);
clc_dataset *fixture_texts(int fields);

/* Opens `method` with small networks and further overrides ("section.key=value"). */
void fixture_open(fixture *f, const char *method, const char *const *overrides, size_t n);

/* A method of two towers has pairs, any other noise. The same on `data`, which may be refused; to
 * be closed in any case. */
clc_status fixture_try(fixture *f, clc_dataset *data, const char *method,
                       const char *const *overrides, size_t n);
void fixture_close(fixture *f);

/* Sets step `number`'s inputs; the batch is a different one in each step. */
void fixture_set(fixture *f, int64_t number);

/* Runs step `number` up to and with the loss, or up to the update, or all of it with `rate`. */
void fixture_run_to_loss(fixture *f, int64_t number);
void fixture_run_to_update(fixture *f, int64_t number);
void fixture_step(fixture *f, int64_t number, float rate);

/* `count` floats of a buffer; freed by the caller. */
float *fixture_read(const fixture *f, cl_mem buffer, size_t count);

/* A parameter's values, or its teacher's; freed by the caller. */
float *fixture_param(const fixture *f, const clc_params *params, const char *name, size_t *count);

#endif
