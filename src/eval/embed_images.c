#include "eval/embed_parts.h"

#include "device/program.h"
#include "method/setup.h"

/* Batches that threads make ahead; what they take at most, in bytes a batch. */
enum { SLOTS = 4 };
static const double most_staging = 256e6;

/* Bins of a histogram: three channels are colours, of which all combinations count. */
enum { JOINT_CHANNELS = 3, JOINT_BINS = 8, CHANNEL_BINS = 64 };
static const char histogram_source[] = "eval/histogram.cl";

int clc_embedder_side(const clc_config *config) {
    /* A view can be made of 31 times its side, and the long side may be twice the short one. */
    enum { MOST_VIEWS = 15, MOST = 2048 };
    const int side = config->data.store_side, views = MOST_VIEWS * config->augmentation.size;
    const int most = views < MOST ? views : MOST;
    return side && side < most ? side : most;
}

clc_status clc_embedder_plan_images(clc_embedder *e, bool raw) {
    clc_status status = CLC_OK;
    const int side = clc_embedder_side(e->config), long_side = 2 * side;
    clc_augment training;
    const clc_dataset bounds = {.height = clc_larger_int(e->in.height, long_side),
                                .width = clc_larger_int(e->in.width, long_side),
                                .channels = e->config->data.channels};
    CLC_TRY(clc_augment_from_config(e->config, &bounds, &training));
    if (raw) {
        /* No less than a view of the largest image can have. */
        training.settings.size = clc_larger_int(
            e->in.pixels_side, (clc_larger_int(bounds.height, bounds.width) + 29) / 30);
        for (int c = 0; c < CLC_AUGMENT_CHANNELS; c++) {
            training.settings.mean.values[c] = 0;
            training.settings.std.values[c] = 1;
        }
    }
    e->training = training;
    e->augment =
        clc_augment_evaluation(&training, e->config->evaluation.resize == CLC_CONFIG_RESIZE_WHOLE);
    const double stored = clc_larger_int(side, e->config->data.store_side);
    const double image = 2 * stored * stored * bounds.channels;
    while (e->batch > 1 && e->batch * image > most_staging)
        e->batch /= 2;
    clc_residence_stage(&e->residence, e->device, e->batch, SLOTS, (size_t)(e->batch * image));
fail:
    return status;
}

int clc_embedder_histogram_size(const clc_embedder *e) {
    const int channels = e->augment.channels;
    return channels == JOINT_CHANNELS ? JOINT_BINS * JOINT_BINS * JOINT_BINS
                                      : channels * CHANNEL_BINS;
}

clc_status clc_embedder_request_histogram(clc_device *device) {
    size_t number;
    return clc_program_request(device, histogram_source, "", &number);
}

static clc_status build_histogram(clc_embedder *e) {
    const int channels = e->augment.channels, joint = channels == JOINT_CHANNELS;
    const clc_launch_spec spec = {.source = histogram_source,
                                  .kernel = "histogram_count",
                                  .groups = {e->device->groups},
                                  .local = {e->device->group_size},
                                  .op = "histogram"};
    return CLC_LAUNCH(&e->count, e->device, &spec, CLC_MEM(e->raw), CLC_MEM(e->histogram),
                      CLC_INT(e->batch),
                      CLC_INT(e->augment.settings.size * e->augment.settings.size),
                      CLC_INT(channels), CLC_INT(joint ? JOINT_BINS : CHANNEL_BINS), CLC_INT(joint),
                      CLC_INT(clc_embedder_histogram_size(e)));
}

static cl_mem images_of(const clc_embedder *e) {
    return e->graph ? e->input.values->value : e->raw;
}

clc_status clc_embedder_build_images(clc_embedder *e) {
    clc_status status = CLC_OK;
    clc_device *device = e->device;
    const size_t bytes = clc_augment_workspace(device, &e->augment, e->batch);
    const clc_augment_batch views = {.images = e->batch, .views = 1};
    CLC_TRY(clc_residence_allocate(&e->residence));
    CLC_TRY(clc_buffer_create(device, 4 * sizeof(cl_uint), "images", &e->state));
    CLC_TRY(clc_buffer_create(device, bytes, "images", &e->workspace));
    CLC_TRY(clc_buffer_zero(device, e->state, 0, 4 * sizeof(cl_uint)));
    CLC_TRY(clc_augment_build(&e->prepare, device, &e->augment, &views,
                              &e->residence.samples.images, e->state, images_of(e), e->workspace));
    if (e->histogram)
        CLC_TRY(build_histogram(e));
fail:
    return status;
}

clc_status clc_embedder_prepare_images(clc_embedder *e) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_sequence_run(e->shows_view ? &e->view : &e->prepare, e->device));
    if (e->corrupts >= 0)
        CLC_TRY(clc_corruption_run(&e->corruption, e->corrupts, e->amount));
    if (e->histogram)
        CLC_TRY(clc_sequence_run(&e->count, e->device));
fail:
    return status;
}

static clc_status need_images(const clc_embedder *e, const char *what) {
    return e->in.like->kind == CLC_KIND_IMAGES
               ? CLC_OK
               : clc_fail(CLC_INVALID, "there are no %s of texts and series", what);
}

clc_status clc_embedder_show_plain(clc_embedder *e) {
    e->shows_view = false;
    e->corrupts = -1;
    return need_images(e, "images");
}

static clc_status build_view(clc_embedder *e) {
    clc_status status = CLC_OK;
    const size_t bytes = clc_augment_workspace(e->device, &e->training, e->batch);
    const clc_augment_batch views = {.images = e->batch, .views = 1};
    CLC_TRY(clc_buffer_create(e->device, bytes, "views", &e->view_workspace));
    CLC_TRY(clc_augment_build(&e->view, e->device, &e->training, &views,
                              &e->residence.samples.images, e->state, images_of(e),
                              e->view_workspace));
fail:
    return status;
}

clc_status clc_embedder_show_view(clc_embedder *e, uint32_t number) {
    clc_status status = CLC_OK;
    CLC_TRY(need_images(e, "views"));
    if (!e->view.count)
        CLC_TRY(build_view(e));
    /* Another epoch of training has other views. */
    CLC_TRY(clc_buffer_write(e->device, e->state, 0, sizeof number, &number));
    e->shows_view = true;
    e->corrupts = -1;
fail:
    return status;
}

clc_status clc_embedder_show_corrupted(clc_embedder *e, int kind, double amount) {
    clc_status status = CLC_OK;
    const clc_config_augmentation *s = &e->augment.settings;
    CLC_TRY(need_images(e, "corruptions"));
    if (!e->corruption.device) {
        e->corruption = (clc_corruption){.device = e->device,
                                         .images = e->batch,
                                         .side = s->size,
                                         .channels = e->augment.channels,
                                         .seed = e->config->training.seed,
                                         .values = images_of(e),
                                         .identities = e->residence.samples.images.indices};
        CLC_TRY(clc_corruption_make(&e->corruption, s->mean.values, s->std.values));
    }
    e->shows_view = false;
    e->corrupts = kind;
    e->amount = amount;
fail:
    return status;
}
