/* What is done with a finished run or its encoder: `clcontrast eval` and `clcontrast embed`. */
#ifndef CLC_EVAL_RUN_H
#define CLC_EVAL_RUN_H

#include "core/status.h"

/* Evaluates the encoder of a run's folder or of a file on the run's data, or what the overrides
 * name instead, prints the table and writes it to the folder `output` (NULL: the run's, or the
 * current one). */
clc_status clc_run_evaluate(const char *path, const char *device, const char *output,
                            const char *const *overrides, size_t override_count);

/* Writes features and labels of both sets of a run as .npy into `output` (NULL: the run folder). */
clc_status clc_run_embed(const char *folder, const char *device, const char *output,
                         const char *const *overrides, size_t override_count);

/* Embeds images by an encoder file or run: `n` files, folders, lists or archives, or "-" for a list
 * on standard input. Writes features.npy, names.txt and, where there are classes, labels.npy and
 * classes.txt, a row an image in the order given, and skipped.txt with what was no usable image, to
 * the folder `output` (NULL: the current one). */
clc_status clc_embed_paths(const char *encoder, const char *device, const char *output,
                           const char *const *paths, size_t n, const char *const *overrides,
                           size_t override_count);

#endif
