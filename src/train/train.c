#include "clcontrast/train.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/signals.h"
#include "device/program.h"
#include "eval/evaluate.h"
#include "model/run_folder.h"
#include "model/weights.h"
#include "optim/schedule.h"
#include "report/metrics.h"
#include "train/callbacks.h"
#include "train/cost.h"
#include "train/diagnose.h"
#include "train/record.h"
#include "train/results.h"
#include "train/resume.h"
#include "train/session.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

typedef struct trainer {
    const clc_train_options *options;
    clc_session session;
    clc_position position;
    clc_metrics_files metrics;
    clc_progress progress;
    clc_schedule schedule;
    clc_loader *loader;
    double waited; /* for the loader, until the last row of metrics */
    int64_t steps_per_epoch, first_step, last_step; /* first_step: where this start goes on */
    double last_loss, last_rate;
    clc_watch watch;
    clc_cost cost;
} trainer;

static const char *folder_of(const trainer *t) {
    return t->session.config.output.folder;
}

/* The number of a step outside of this start: see clc_position. */
static int64_t named(const trainer *t, int64_t step) {
    return step + t->position.renumbered;
}

/* Refuses to lose a run that is there; removes its checkpoints when that was asked for. */
static clc_status claim_folder(const trainer *t, const clc_train_options *options) {
    char path[CLC_PATH_BYTES];
    clc_status status = clc_make_folders(folder_of(t));
    if (status != CLC_OK || options->resume)
        return status;
    bool there = clc_checkpoint_find(folder_of(t), -1, path) == CLC_OK;
    if (there && !options->overwrite)
        return clc_fail(
            CLC_INVALID,
            "'%s' holds a run already (%s); use --resume to continue it, --overwrite to lose "
            "it, or --set output.folder=... for another place",
            folder_of(t), path);
    while (clc_checkpoint_find(folder_of(t), -1, path) == CLC_OK)
        if (unlink(path) != 0)
            return clc_fail_file("remove", path);
    return clc_results_forget(folder_of(t));
}

static void make_schedule(trainer *t) {
    const clc_config *c = &t->session.config;
    t->steps_per_epoch = t->session.step.steps_per_epoch;
    t->last_step = t->steps_per_epoch * c->training.epochs;
    t->schedule = clc_schedule_make(c, t->steps_per_epoch);
}

/* Bad files of both sets, and those that turned out bad since, in the run's folder. */
static clc_status write_bad(const trainer *t) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    clc_bad_files since = {0};
    const clc_bad_files *lists[] = {&t->session.data->bad,
                                    t->session.test ? &t->session.test->bad : NULL, &since};
    if (t->loader)
        CLC_TRY(clc_loader_bad(t->loader, &since));
    CLC_TRY(clc_run_path(folder_of(t), CLC_RUN_SKIPPED, path));
    CLC_TRY(clc_bad_files_write(lists, 3, path));
fail:
    clc_names_free(&since.entries);
    return status;
}

static clc_status open_trainer(trainer *t, const clc_train_options *options) {
    clc_status status = CLC_OK;
    t->position = (clc_position){.step = 0, .best = -INFINITY};
    CLC_TRY(clc_session_open(&t->session, options, NULL));
    make_schedule(t);
    t->position.images = (int64_t)t->session.step.drawn;
    if (options->dry_run)
        return CLC_OK;
    CLC_TRY(claim_folder(t, options));
    if (options->resume)
        CLC_TRY(clc_resume(options, t->session.checkpoint, t->position.images, &t->session.step,
                           &t->position));
    clc_checkpoint_close(&t->session.checkpoint);
    CLC_TRY(clc_record_config(&t->session));
    CLC_TRY(write_bad(t));
    CLC_TRY(clc_metrics_open(&t->metrics, folder_of(t),
                             options->resume ? named(t, t->position.step) : -1));
    if (t->session.config.output.tensorboard)
        CLC_TRY(clc_metrics_open_events(&t->metrics, folder_of(t),
                                        options->resume ? named(t, t->position.step) : -1));
fail:
    return status;
}

static clc_status write_row(trainer *t, const clc_step_slot *slot) {
    const clc_metrics_entry entry = {
        .step = named(t, slot->step + 1),
        .epoch = (int)(slot->step / t->steps_per_epoch) + 1,
        .loss = (double)slot->result.loss,
        .rate = (double)slot->rate,
        .gradient_norm = (double)slot->result.gradient_norm,
        .images_per_second = clc_progress_rate(&t->progress, slot->step + 1),
        .watched = slot->watching,
        .deviation = slot->spread.deviation,
        .rank = slot->spread.rank,
        .alignment = slot->spread.alignment,
        .uniformity = slot->spread.uniformity,
    };
    clc_energy_read(&t->cost.energy);
    return clc_metrics_row(&t->metrics, &entry);
}

static void start_progress(trainer *t, int64_t done) {
    clc_progress_start(&t->progress, done, t->last_step, t->steps_per_epoch,
                       t->session.config.training.batch, clc_dataset_unit(t->session.data));
}

static void report_programs(const trainer *t, const char *what) {
    const clc_program_counts counts = clc_program_counts_get(t->session.device);
    clc_log("%s after %.2f s: %u programs compiled, %u from the cache", what,
            clc_seconds() - t->session.started, counts.built, counts.loaded);
}

/* Takes in a finished step: metrics, progress, and the check that all was finite. */
static clc_status take_in(trainer *t, const clc_step_slot *slot) {
    clc_status status = CLC_OK;
    const int64_t done = slot->step + 1;
    const double loss = (double)slot->result.loss;
    if (!(slot->result.finite > 0.5f))
        return clc_diagnose(&t->session.step, slot);
    if (slot->step % t->steps_per_epoch == 0)
        t->position.epoch_loss = 0;
    if (slot->step == t->first_step)
        report_programs(t, "first step done");
    t->position.epoch_loss += loss;
    t->position.step = done;
    t->last_loss = loss;
    t->last_rate = (double)slot->rate;
    if (done % t->session.config.training.log_every == 0 || slot->watching)
        CLC_TRY(write_row(t, slot));
    if (slot->watching)
        CLC_TRY(clc_watch_take(&t->watch, &t->session.config, &slot->spread,
                               t->session.step.watch_rows, t->session.step.watch_dim,
                               named(t, done)));
    if (slot->step == t->first_step)
        start_progress(t, done); /* kernels were compiled in it: no measure of the others */
    clc_callbacks_progress(t->options, &t->progress, done, loss, (double)slot->rate);
    clc_progress_show(&t->progress, done, loss, (double)slot->rate, 0);
fail:
    return status;
}

static clc_status drain(trainer *t) {
    clc_status status = CLC_OK;
    clc_step_slot slot;
    for (;;) {
        CLC_TRY(clc_step_drain(&t->session.step, &slot));
        if (slot.step < 0)
            return CLC_OK;
        CLC_TRY(take_in(t, &slot));
    }
fail:
    return status;
}

/* Steps of epoch `epoch` from where the run stands. */
static clc_status run_epoch(trainer *t, int epoch) {
    clc_status status = CLC_OK;
    const int64_t first = (int64_t)epoch * t->steps_per_epoch;
    clc_step_slot slot;
    clc_batch batch;
    for (int64_t s = t->position.step - first; s < t->steps_per_epoch; s++) {
        if (clc_signals_stop())
            break;
        float rate = (float)clc_schedule_rate(&t->schedule, first + s);
        CLC_TRY(clc_loader_next(t->loader, &batch));
        CLC_TRY(clc_step_enqueue(&t->session.step, rate, &batch, &slot));
        if (slot.step >= 0)
            CLC_TRY(take_in(t, &slot));
    }
    CLC_TRY(drain(t));
fail:
    return status;
}

static void log_figures(const clc_evaluation_figures *f) {
    char line[512] = "";
    for (size_t i = 0, used = 0; i < f->count && used < sizeof line; i++)
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%s %.2f %%", i ? ", " : "",
                                 f->keys[i], 100 * f->values[i]);
    clc_log("  evaluation: %s", line);
}

/* The weights of all towers are the step's. */
static clc_status evaluate_now(trainer *t, double *score) {
    clc_status status = CLC_OK;
    clc_evaluation_figures figures;
    const clc_evaluation_sets sets = clc_session_sets(&t->session);
    clc_params *const params[CLC_TOWERS] = {clc_step_params(&t->session.step),
                                            clc_step_params(&t->session.step)};
    CLC_TRY(clc_evaluate_training(t->session.device, &t->session.config, &sets, params, &figures));
    log_figures(&figures);
    *score = figures.values[0];
    CLC_TRY(clc_metrics_event(&t->metrics, "evaluation", named(t, t->position.step), figures.keys,
                              figures.values, figures.count));
fail:
    return status;
}

static bool due(int every, int epoch, int epochs) {
    return every > 0 && ((epoch + 1) % every == 0 || epoch + 1 == epochs);
}

/* What loading took out of an epoch: nothing where all images are on the device. */
static clc_status report_loader(trainer *t) {
    clc_status status = CLC_OK;
    const double waited = clc_loader_waited(t->loader) - t->waited;
    const size_t bad = clc_loader_bad_count(t->loader);
    const char *const keys[] = {"loader_wait"};
    t->waited += waited;
    if (!t->session.step.residence.resident)
        clc_log("  waited %.2f s for images%s", waited, bad ? "; some can't be read any more" : "");
    CLC_TRY(clc_metrics_event(&t->metrics, "loader", named(t, t->position.step), keys, &waited, 1));
    if (bad)
        CLC_TRY(write_bad(t));
fail:
    return status;
}

/* After a whole epoch: report, evaluate, save. */
static clc_status end_epoch(trainer *t, int epoch) {
    clc_status status = CLC_OK;
    const clc_config *config = &t->session.config;
    const double mean = t->position.epoch_loss / (double)t->steps_per_epoch;
    const bool last = epoch + 1 == config->training.epochs;
    bool evaluated =
        config->evaluation.every > 0 && (epoch + 1) % config->evaluation.every == 0 && !last;
    double score = -mean;
    clc_progress_show(&t->progress, t->position.step, mean, t->last_rate, 1);
    CLC_TRY(report_loader(t));
    CLC_TRY(clc_cost_tell(&t->cost, t->session.device, &t->metrics, named(t, t->position.step)));
    if (evaluated)
        CLC_TRY(evaluate_now(t, &score));
    /* With evaluations only they decide; without, the lowest mean loss does. */
    bool comparable = config->evaluation.every == 0 || evaluated;
    if (comparable && score > t->position.best) {
        t->position.best = score;
        CLC_TRY(clc_checkpoint_save_best(folder_of(t), &t->session.step, &t->position));
    }
    if (due(config->training.checkpoint_every, epoch, config->training.epochs))
        CLC_TRY(clc_checkpoint_save(folder_of(t), &t->session.step, &t->position,
                                    config->training.keep));
fail:
    return status;
}

static clc_status interrupted(trainer *t) {
    clc_status status = clc_checkpoint_save(folder_of(t), &t->session.step, &t->position,
                                            t->session.config.training.keep);
    if (status != CLC_OK)
        return status;
    clc_results_so_far(&t->session);
    return clc_fail(CLC_INTERRUPTED,
                    "interrupted after step %" PRId64 " of %" PRId64
                    "; saved in '%s': go on with --resume",
                    named(t, t->position.step), named(t, t->last_step), folder_of(t));
}

static clc_status run_epochs(trainer *t) {
    clc_status status = CLC_OK;
    const clc_config *config = &t->session.config;
    t->first_step = t->position.step;
    CLC_TRY(clc_step_loader(&t->session.step, t->first_step, &t->loader));
    start_progress(t, t->first_step);
    clc_cost_start(&t->cost, t->session.started);
    for (int epoch = (int)(t->position.step / t->steps_per_epoch); epoch < config->training.epochs;
         epoch++) {
        CLC_TRY(run_epoch(t, epoch));
        if (t->position.step < (int64_t)(epoch + 1) * t->steps_per_epoch)
            return interrupted(t);
        CLC_TRY(end_epoch(t, epoch));
        if (clc_signals_stop() && epoch + 1 < config->training.epochs)
            return interrupted(t);
    }
fail:
    return status;
}

static clc_status finish(trainer *t) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    CLC_TRY(clc_run_path(folder_of(t), CLC_RUN_ENCODER, path));
    const clc_field *field = &t->session.data->fields[0];
    const clc_encoder_notes notes = {.classes = &t->session.data->class_names,
                                     .tokenizer = t->session.data->tokenizer,
                                     .series = field->kind == CLC_KIND_SERIES ? field : NULL,
                                     .steps = named(t, t->position.step)};
    CLC_TRY(clc_encoder_save(path, clc_step_params(&t->session.step), t->session.device,
                             &t->session.config, &notes));
    const double seconds = clc_seconds() - t->session.started;
    clc_log("trained in %.1f s; weights in %s", seconds, path);
    CLC_TRY(clc_metrics_trained(&t->metrics, named(t, t->position.step), seconds,
                                &t->session.device->info));
    CLC_TRY(clc_results_make(&t->session));
    CLC_TRY(clc_metrics_picture(&t->metrics, named(t, t->position.step), folder_of(t),
                                CLC_RUN_VIEWS, "views"));
    CLC_TRY(clc_metrics_picture(&t->metrics, named(t, t->position.step), folder_of(t), CLC_RUN_MAP,
                                "map"));
fail:
    return status;
}

static clc_status train(const clc_train_options *options) {
    clc_status status = CLC_OK;
    trainer *t = NULL;
    if (options->allow_changes && !options->resume)
        return clc_fail(CLC_INVALID, "--allow-changes is for resumed runs: give --resume, too");
    clc_signals_install();
    CLC_NEW(t, 1);
    t->options = options;
    CLC_TRY(open_trainer(t, options));
    if (options->dry_run) {
        CLC_TRY(clc_step_prepare(&t->session.step));
        report_programs(t, "all kernels there");
        clc_log("dry run: %" PRId64 " steps of %d %s would follow", t->last_step,
                t->session.config.training.batch, clc_dataset_unit(t->session.data));
        goto fail;
    }
    CLC_TRY(run_epochs(t));
    CLC_TRY(finish(t));
fail:
    if (t) {
        clc_metrics_close(&t->metrics);
        /* The device may be reading what the loader holds. */
        if (t->session.device)
            clc_device_finish(t->session.device);
        clc_loader_close(&t->loader);
        clc_session_close(&t->session);
        free(t);
    }
    clc_signals_restore();
    return status;
}

clc_status clc_train(const clc_train_options *options) {
    const clc_callbacks callbacks = clc_callbacks_of_training(options);
    clc_status status = clc_callbacks_enter(&callbacks);
    if (status != CLC_OK)
        return status;
    status = train(options);
    clc_callbacks_leave(&callbacks);
    return status;
}
