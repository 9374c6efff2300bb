/* Features by an encoder in inference mode: of images, texts or series. */
#ifndef CLC_EVAL_EMBED_H
#define CLC_EVAL_EMBED_H

#include "augment/corrupt.h"
#include "augment/residence.h"
#include "core/config.h"
#include "net/net.h"

/* What an embedder reads. */
typedef struct clc_embedder_input {
    int tower; /* whose network reads it (model/heads.h) */
    int field; /* of the samples, where these have several */
    int stage; /* features are the mean of that stage's map (clc_stages); 0: what the encoder gives
                */
    /* Its kind; of tokens the vocabulary, of series channels, mean and deviation. Raw features of
     * tokens count in how many of its texts a token is. */
    const clc_field *like;
    int height, width; /* images of up to that size come, besides those of clc_embedder_side */
    int pixels_side;   /* raw features of images are views of this side */
    bool histogram;    /* or how the colours of these are distributed */
} clc_embedder_input;

typedef struct clc_embedder {
    clc_device *device;
    const clc_config *config;
    clc_embedder_input in;
    int batch;
    clc_graph *graph;    /* NULL: features are raw */
    clc_net_input input; /* of the graph */
    clc_tensor *features;
    cl_mem raw;       /* (batch,F), or if there is a histogram pixels */
    cl_mem histogram; /* (batch,F); NULL: raw features are no histogram */
    /* Images. */
    clc_augment augment; /* resize and normalise only */
    clc_residence residence;
    cl_mem state, workspace;
    clc_sequence prepare; /* bytes to normalised images */
    clc_augment training; /* the views of training */
    cl_mem view_workspace;
    clc_sequence view;  /* bytes to such views; empty until asked for */
    clc_sequence count; /* histograms of them, if these are the features */
    clc_corruption corruption;
    bool shows_view;
    int corrupts; /* which kind; -1: none */
    double amount;
    /* Tokens and series, on the host. */
    int context;
    void *values;     /* as the graph's input, or the raw features */
    int32_t *lengths; /* (batch) */
    float *weights;   /* (vocabulary): of tokens in raw features */
} clc_embedder;

/* The side that images are to be scaled down to: the configuration's data.store_side, or where that
 * is more than views can be made of, what can. */
int clc_embedder_side(const clc_config *config);

/* Makes an embedder for any images that clc_embedder_side and data.channels bring in, or any texts
 * or series, of which it sees as much as the encoder's context. The configuration must be a settled
 * one: mean, deviation, size, store_side and channels given, or the context. With `params` empty,
 * the encoder's parameters are added to it and the caller has to fill them; else those of the name
 * are shared. `params` NULL: raw features, which are pixels, of white 1; or of
 * their colours (8 x 8 x 8 of three channels, else 64 of each channel) the shares; counts of tokens
 * times the logarithm of how rare they are (TF-IDF), more of them than CLC_BAG_TOKENS folded; or
 * the values of a series one behind the other. */
enum { CLC_BAG_TOKENS = 2048 };
clc_status clc_embedder_create(clc_embedder *embedder, clc_device *device, const clc_config *config,
                               clc_params *params, const clc_embedder_input *input);

/* Asks for the program of histograms ahead of time. */
clc_status clc_embedder_request_histogram(clc_device *device);

/* F. */
int clc_embedder_features(const clc_embedder *embedder);

/* Embeds the `count` samples (NULL: all, in order) of `data` into the device buffer features
 * (count,F). Where bad files are skipped, bad (count) tells the samples that can't be read; the
 * *rows of the others follow each other. Of several texts the first is a sample's. Ctrl-C:
 * CLC_INTERRUPTED, here and below. */
clc_status clc_embedder_run(clc_embedder *embedder, const clc_dataset *data, const int32_t *samples,
                            size_t count, cl_mem features, bool *bad, size_t *rows);

/* Embeds texts or series by their numbers (NULL: all, in order) in a field like the embedder's into
 * the device buffer features (count,F). */
clc_status clc_embedder_run_field(clc_embedder *embedder, const clc_field *field,
                                  const int32_t *numbers, size_t count, cl_mem features);

/* Embeds the `count` samples (NULL: all, in order) of `data` and hands over batch by batch:
 * features (batch->count,F) on the host, rows of bad samples among them; those samples are added to
 * `bad`, unless NULL. Of a batch of texts or series only count, indices and bad are set. Stops with
 * the first failure of `take`. */
typedef clc_status (*clc_embedder_take)(void *context, const clc_batch *batch,
                                        const float *features);
clc_status clc_embedder_each(clc_embedder *embedder, const clc_dataset *data,
                             const int32_t *samples, size_t count, clc_embedder_take take,
                             void *context, clc_bad_files *bad);

/* What the batches of an embedder of images show from now on: images as they are, as at first; view
 * `number` of each, as training makes them; or images with a corruption (augment/corrupt.h).
 * CLC_INVALID: of texts and series there are none. */
clc_status clc_embedder_show_plain(clc_embedder *embedder);
clc_status clc_embedder_show_view(clc_embedder *embedder, uint32_t number);
clc_status clc_embedder_show_corrupted(clc_embedder *embedder, int kind, double amount);

void clc_embedder_release(clc_embedder *embedder);

#endif
