#include "new/choose.h"

#include <math.h>
#include <string.h>

enum {
    LEAST_SAMPLES = 8,
    FEW = 2000, /* pictures: a small network */
    MOST_CLASSES = 1000,
    EACH_CLASS = 4,     /* fewer samples a class than this are no classes to test by */
    STEPS_AN_EPOCH = 4, /* at least */
    LARGEST_BATCH = 256,
};

/* What the night allows, and how much is worth while. */
static const double most_seconds = 8 * 3600.0;

clc_status clc_choose_test(clc_recipe *recipe, const clc_facts *facts, bool classes) {
    if (!classes || facts->divides)
        return CLC_OK;
    return clc_recipe_put(recipe, "data.test_fraction", "0.2",
                          "there are classes: a fifth, by name, is kept to test the features");
}

static clc_status choose_classes(clc_recipe *recipe, const clc_facts *facts) {
    clc_status status = CLC_OK;
    const clc_look *look = &facts->look;
    const bool usable = look->classes >= 2 && look->classes <= MOST_CLASSES &&
                        look->classes * EACH_CLASS <= look->count;
    if (look->classes && !usable)
        CLC_TRY(clc_recipe_put(recipe, "data.labels", "none",
                               "%zu folders of %zu pictures are taken for no classes",
                               look->classes, look->count));
    CLC_TRY(clc_choose_test(recipe, facts, usable));
fail:
    return status;
}

/* The side of views: that of small squares, else what the middle picture has, up to `largest`. */
static clc_status choose_size(clc_recipe *recipe, const clc_look *look, int largest, int *side) {
    const int least = 16;
    *side = largest;
    if (look->count && look->uniform && look->middle <= largest) {
        *side = look->middle;
        return clc_recipe_put_int(recipe, "augmentation.size", *side, "the side of all pictures");
    }
    if (look->count && look->middle < largest) {
        *side = look->middle / 8 * 8 > least ? look->middle / 8 * 8 : least;
        return clc_recipe_put_int(recipe, "augmentation.size", *side,
                                  "side of views: about that of the middle picture, %d",
                                  look->middle);
    }
    return clc_recipe_put_int(recipe, "augmentation.size", *side,
                              "side of views: each step takes longer by its square");
}

clc_status clc_choose_network(clc_recipe *recipe, const clc_facts *facts, int largest) {
    clc_status status = CLC_OK;
    const bool small = !facts->gpu || facts->count < FEW;
    int side;
    CLC_TRY(choose_size(recipe, &facts->look, largest, &side));
    CLC_TRY(clc_recipe_put(recipe, "encoder.name", small ? "resnet10" : "resnet18",
                           small ? "small, as fits few pictures or %s; with more of both: resnet18"
                                 : "the usual one of its size, for %s",
                           facts->gpu ? "a GPU" : "a CPU"));
    CLC_TRY(clc_recipe_put_int(recipe, "encoder.width",
                               facts->gpu   ? 64
                               : side <= 32 ? 16
                                            : 32,
                               "channels of the first stage; features are eight times as many"));
    CLC_TRY(clc_recipe_put(recipe, "encoder.stem", side <= 64 ? "small" : "large",
                           side <= 64 ? "views of up to 64 pixels keep their resolution"
                                      : "views of more than 64 pixels are made smaller at once"));
fail:
    return status;
}

clc_status clc_choose_images(clc_recipe *recipe, const clc_facts *facts) {
    static const char *const rows[][3] = {
        {"augmentation.crop_scale", "0.2, 1",
         "parts that belong together; smaller ones (0.05, 0.5) for photographs of places"},
        {"method.name", "simclr",
         "needs no labels; of all methods the one with the fewest settings"},
        {"projector.hidden", "512", ""},
        {"projector.output", "128", ""},
        {"loss.temperature", "0.2", "smaller looks at the most similar pictures only"},
        {"optimizer.learning_rate", "0.2", "at a batch of 256; scaled by the batch"},
        {NULL, NULL, NULL}};
    clc_status status = CLC_OK;
    CLC_TRY(choose_classes(recipe, facts));
    CLC_TRY(clc_choose_network(recipe, facts, facts->gpu ? 128 : 96));
    CLC_TRY(clc_recipe_put_all(recipe, rows));
fail:
    return status;
}

clc_status clc_choose_batch(clc_recipe *recipe, const clc_facts *facts) {
    clc_status status = CLC_OK;
    int batch = LARGEST_BATCH;
    if (facts->count < LEAST_SAMPLES)
        return clc_fail(CLC_INVALID,
                        "there are %zu samples to train on; %d are the least, thousands are better",
                        facts->count, LEAST_SAMPLES);
    /* A fifth may be for tests, by names: not exactly one. */
    const size_t most = (size_t)(0.7 * (double)facts->count) / STEPS_AN_EPOCH;
    while (batch > 2 && (size_t)batch > most)
        batch /= 2;
    CLC_TRY(clc_recipe_put_int(recipe, "training.batch", batch,
                               batch == LARGEST_BATCH
                                   ? "each sample is told from the others of its batch: many help"
                                   : "so many that %d batches make an epoch of these few samples",
                               STEPS_AN_EPOCH));
fail:
    return status;
}

static void describe_time(double seconds, char *text, size_t size) {
    if (seconds < 120)
        snprintf(text, size, "%.0f seconds", ceil(seconds));
    else if (seconds < 2 * 3600)
        snprintf(text, size, "%.0f minutes", seconds / 60);
    else
        snprintf(text, size, "%.1f hours", seconds / 3600);
}

/* Passes over so many samples until more of them bring little. */
static double wanted_epochs(const clc_facts *facts, size_t count) {
    const bool words = facts->as == CLC_CONFIG_AS_TOKENS;
    const double samples = words ? 5e5 : 2e6, least = words ? 3 : 30;
    const double epochs = samples / (double)count;
    return epochs < least ? least : epochs > 200 ? 200 : epochs;
}

clc_status clc_choose_epochs(clc_recipe *recipe, const clc_facts *facts, size_t count, int batch,
                             double step_seconds) {
    clc_status status = CLC_OK;
    char all[32], one[32];
    clc_config config;
    const double epoch = step_seconds * (double)(count / (size_t)batch);
    const double wanted = wanted_epochs(facts, count), night = most_seconds / epoch;
    const double epochs = wanted <= night ? wanted : night < 1 ? 1 : night;
    CLC_TRY(clc_recipe_put_int(recipe, "training.epochs", (int)epochs,
                               wanted <= night ? "passes over the samples; more help slowly"
                                               : "what a night allows; %.0f would be better",
                               wanted));
    CLC_TRY(clc_recipe_put_int(recipe, "training.checkpoint_every",
                               epochs >= 20 ? (int)epochs / 10 : 1, "epochs"));
    CLC_TRY(clc_recipe_load(recipe, &config));
    describe_time(epoch, one, sizeof one);
    describe_time(epoch * config.training.epochs, all, sizeof all);
    CLC_TRY(clc_recipe_note(recipe,
                            "time: %.1f ms a step, %s an epoch, about %s for %d epochs; reading "
                            "the data and evaluation come on top",
                            1e3 * step_seconds, one, all, config.training.epochs));
fail:
    return status;
}
