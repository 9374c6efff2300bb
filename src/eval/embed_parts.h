/* An embedder's parts by what it reads. */
#ifndef CLC_EVAL_EMBED_PARTS_H
#define CLC_EVAL_EMBED_PARTS_H

#include "eval/embed.h"

/* Images: what becomes of them, and memory for those of a batch; then the launches that make a
 * batch, into the graph's input or the raw features. */
clc_status clc_embedder_plan_images(clc_embedder *embedder, bool raw);
clc_status clc_embedder_build_images(clc_embedder *embedder);

/* Values of a histogram of colours. */
int clc_embedder_histogram_size(const clc_embedder *embedder);

/* Enqueues the images of a batch whose bytes are there. */
clc_status clc_embedder_prepare_images(clc_embedder *embedder);

/* Tokens and series: how much of them is seen, and memory on the host. */
clc_status clc_embedder_plan_field(clc_embedder *embedder, bool raw);

/* Brings a batch of texts or series, by their numbers, to the device: at most embedder->batch. */
clc_status clc_embedder_write_field(clc_embedder *embedder, const clc_field *field,
                                    const int32_t *numbers, size_t count);

/* Raw features of a text or series. */
int clc_embedder_raw_field(const clc_embedder *embedder);

#endif
