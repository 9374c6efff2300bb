/* What is done with a finished run or its encoder: `clcontrast eval` (clcontrast/evaluate.h) and
 * `clcontrast embed`. */
#ifndef CLC_EVAL_RUN_H
#define CLC_EVAL_RUN_H

#include "clcontrast/evaluate.h"
#include "core/status.h"

/* Writes features and labels of both sets of a run as .npy into `output` (NULL: the run folder), of
 * pairs those of the images and of all texts. */
clc_status clc_run_embed(const char *folder, const char *device, const char *output,
                         const char *const *overrides, size_t override_count);

/* Embeds images by an encoder file or run: `n` files, folders, lists or archives, or "-" for a list
 * on standard input; or the texts of one file or folder, or on standard input. Which they are, an
 * encoder of both must be told by `tower`, "image" or "text", or it looks at the first. Writes
 * features.npy, names.txt and, where there are classes, labels.npy and classes.txt, a row a sample
 * in the order given, and skipped.txt with what could not be used, to the folder `output` (NULL:
 * the current one). */
clc_status clc_embed_paths(const char *encoder, const char *device, const char *output,
                           const char *tower, const char *const *paths, size_t n,
                           const char *const *overrides, size_t override_count);

/* Classifies images by an encoder of images and texts: into the classes of the file `classes`, with
 * the templates of a file, or NULL (eval/prompts.h). Prints a line an image on stdout: its name and
 * the three most probable classes with their probabilities, tabs between; then, if images are of
 * classes with such names, top-1 and top-5. */
clc_status clc_run_zeroshot(const char *encoder, const char *device, const char *classes,
                            const char *templates, const char *const *paths, size_t n,
                            const char *const *overrides, size_t override_count);

#endif
