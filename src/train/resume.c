#include "train/resume.h"

#include "core/log.h"
#include "method/setup.h"
#include "model/run_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char own_folder[] = "or --set output.folder=... for a run of its own";

/* The message of a file that can't be read, with the one before it. */
static clc_status fail_damaged(const char *folder, const char *path) {
    char reason[2048], before[CLC_PATH_BYTES];
    snprintf(reason, sizeof reason, "%s", clc_error());
    if (clc_checkpoint_before(folder, path, before) == CLC_OK)
        return clc_fail(CLC_FORMAT, "%s; the one before is there: --resume=%s", reason, before);
    return clc_fail(CLC_FORMAT, "%s; there is no older one: start again with --overwrite", reason);
}

static clc_status open_file(const clc_train_options *options, const char *folder,
                            clc_checkpoint **checkpoint) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    if (options->checkpoint)
        return clc_checkpoint_open(options->checkpoint, checkpoint);
    CLC_TRY(clc_checkpoint_find(folder, -1, path));
    status = clc_checkpoint_open(path, checkpoint);
    if (status == CLC_FORMAT)
        status = fail_damaged(folder, path);
fail:
    return status;
}

static clc_status check_changes(const clc_train_options *options, const clc_config_changes *changes,
                                const char *path) {
    if (changes->network)
        return clc_fail(CLC_INVALID,
                        "%s is of another network: %s; its weights can't go into this one: resume "
                        "with the run's own settings, %s",
                        path, changes->network, own_folder);
    if (changes->fixed && !options->allow_changes)
        return clc_fail(CLC_INVALID,
                        "%s is of a run with other settings: %s; resume with the run's own, with "
                        "--resume --allow-changes to go on with these, %s",
                        path, changes->fixed, own_folder);
    if (changes->fixed)
        clc_log("changed from here on: %s", changes->fixed);
    if (changes->free)
        clc_log("other than before: %s", changes->free);
    return CLC_OK;
}

clc_status clc_resume_open(const clc_train_options *options, clc_config *config,
                           clc_checkpoint **checkpoint) {
    clc_status status = CLC_OK;
    clc_config_changes changes = {0};
    CLC_TRY(open_file(options, config->output.folder, checkpoint));
    clc_config_adopt(config, &(*checkpoint)->config);
    CLC_TRY(clc_config_compare(&(*checkpoint)->config, config, &changes));
    CLC_TRY(check_changes(options, &changes, (*checkpoint)->path));
fail:
    clc_config_changes_free(&changes);
    return status;
}

/* Names what differs behind the message of a tensor that doesn't fit. */
static clc_status fail_other_network(const clc_checkpoint *checkpoint, const clc_config *config) {
    clc_status status = CLC_INVALID;
    char reason[2048];
    clc_config_changes changes = {0};
    snprintf(reason, sizeof reason, "%s", clc_error());
    CLC_TRY(clc_config_compare(&checkpoint->config, config, &changes));
    status = clc_fail(CLC_INVALID, "%s (%s); resume with the run's own settings, %s", reason,
                      changes.fixed ? changes.fixed : "by the same settings", own_folder);
fail:
    clc_config_changes_free(&changes);
    return status;
}

/* The same place in epochs of another length. */
static void renumber(clc_position *position, int64_t before, int64_t now) {
    const int64_t epoch = position->step / before, within = position->step % before;
    const int64_t step = epoch * now + within * now / before;
    position->epoch_loss *= (double)now / (double)before;
    position->renumbered += position->step - step;
    position->step = step;
}

clc_status clc_resume(const clc_train_options *options, const clc_checkpoint *checkpoint,
                      int64_t images, clc_step *step, clc_position *position) {
    const char *device = step->device->info.name;
    *position = checkpoint->position;
    /* Older files don't say how many images there were. */
    const int64_t there = position->images ? position->images : images;
    if (there != images && !options->allow_changes)
        return clc_fail(CLC_INVALID,
                        "%s is of a run on %" PRId64 " images, but now there are %" PRId64
                        "; give it the same ones, --resume --allow-changes to go on with these, %s",
                        checkpoint->path, there, images, own_folder);
    const clc_status status = clc_checkpoint_restore(checkpoint, step);
    if (status == CLC_INVALID)
        return fail_other_network(checkpoint, step->config);
    if (status != CLC_OK)
        return status;
    const int64_t steps_before = there / checkpoint->config.training.batch;
    if (steps_before > 0 && steps_before != step->steps_per_epoch)
        renumber(position, steps_before, step->steps_per_epoch);
    position->images = images;
    clc_log("resumed from %s: %" PRId64 " steps done", checkpoint->path,
            position->step + position->renumbered);
    if (checkpoint->device && strcmp(checkpoint->device, device) != 0)
        clc_log("the run was on %s; results may differ in their last bits", checkpoint->device);
    return CLC_OK;
}
