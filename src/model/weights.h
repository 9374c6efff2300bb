/* Weights in safetensors files: the encoder file, and the lists of tensors of which checkpoints are
 * made, too. */
#ifndef CLC_MODEL_WEIGHTS_H
#define CLC_MODEL_WEIGHTS_H

#include "core/config.h"
#include "data/field.h"
#include "data/source.h"
#include "data/safetensors.h"
#include "core/path.h"
#include "graph/param.h"
#include "text/tokenizer.h"

/* Keys in the metadata of a file. */
#define CLC_WEIGHTS_TOKENIZER "tokenizer"
#define CLC_WEIGHTS_SERIES    "series"
#define CLC_WEIGHTS_VERSION   "version" /* of the program that wrote it */

/* Puts in front of the message of a failure which version wrote the file and which reads it, if
 * they are not the same; returns `status`. */
clc_status clc_fail_version(const clc_safetensors *st, clc_status status);

/* Host copies of tensors, to be written to a file. */
typedef struct clc_tensor_list {
    clc_st_tensor *items;
    char (*names)[128];
    size_t count, capacity;
} clc_tensor_list;

/* Room for `capacity` tensors. Zero the list before; free it also after a failure. */
clc_status clc_tensor_list_make(clc_tensor_list *list, size_t capacity);
void clc_tensor_list_free(clc_tensor_list *list);

/* Appends the tensor of `param` that lies in `buffer`, as `prefix` + name. */
clc_status clc_tensor_list_add(clc_tensor_list *list, clc_device *device, const clc_param *param,
                               cl_mem buffer, size_t offset, const char *prefix, const char *name);

/* Fills what add took from `buffer` with the file's tensor `name`; `path` is for the message of
 * CLC_FORMAT, when there is none or it has another shape. */
clc_status clc_tensor_load(const clc_safetensors *st, const char *path, const clc_param *param,
                           clc_device *device, cl_mem buffer, size_t offset, const char *name);

/* What an encoder file says of its training. */
typedef struct clc_encoder_notes {
    const clc_names *classes;       /* of the training images */
    const clc_tokenizer *tokenizer; /* of texts; NULL: there is none */
    const clc_field *series;        /* whose mean and deviation these are; NULL: none */
    int64_t steps;                  /* batches that batch normalization has seen */
} clc_encoder_notes;

/* Writes the weights of what is kept: the encoder under torchvision's names, with
 * num_batches_tracked, and such layers of the projector as the configuration keeps
 * ("projector.0.weight"); as metadata the effective configuration ("config"), the classes, a line
 * each ("classes"; other bytes than UTF-8 and line ends as \xNN), the tokenizer.json, unless
 * it is so large that readers of the format might refuse the file, and mean and deviation of series
 * ("series"). */
clc_status clc_encoder_save(const char *path, const clc_params *params, clc_device *device,
                            const clc_config *config, const clc_encoder_notes *notes);

/* The configuration that the encoder file or checkpoint `path` carries, with overrides, and the
 * names of its classes if it has them: all that is needed to use it. */
clc_status clc_encoder_config(const char *path, const char *const *overrides, size_t override_count,
                              clc_config *config, clc_names *classes);

/* Fills all of `params` from a checkpoint or from an encoder file, whose encoder has torchvision's
 * names. */
clc_status clc_encoder_load(const char *path, clc_params *params, clc_device *device);

/* Fills the encoder of a tower from the file or run that its configuration names, if it does: one
 * that this program wrote, or of PyTorch's tensors under the names of torchvision's or OpenAI
 * CLIP's networks. With `layers` also those of the projector that are among `params`, as far as the
 * file has them. */
clc_status clc_tower_load(const clc_config *config, int tower, bool layers, clc_params *params,
                          clc_device *device);

/* The file that holds the weights of `path`: itself, or of a run's folder the encoder file or, if
 * training hasn't ended, the newest checkpoint. */
clc_status clc_weights_path(const char *path, char weights[CLC_PATH_BYTES]);

#endif
