/* `clcontrast import`: an encoder file from weights of another program, or from another encoder. */
#ifndef CLC_MODEL_IMPORT_H
#define CLC_MODEL_IMPORT_H

#include "core/path.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct clc_import_options {
    const char *weights;          /* a safetensors file, or a run */
    const char *output;           /* a .safetensors file, or a folder; NULL: imported.safetensors */
    const char *device;           /* NULL: the best */
    const char *tower;            /* of CLIP's file: "image" or "text"; NULL: what can be had */
    const char *tokenizer;        /* tokenizer.json of the text network; NULL: none */
    const char *const *overrides; /* "section.key=value": of network and preprocessing */
    size_t override_count;
    bool overwrite;     /* the output may be there */
    bool allow_changes; /* tensors may be left over that belong to a network */
} clc_import_options;

/* Writes an encoder file of a ResNet under torchvision's names (timm's are the same), a vision
 * transformer under torchvision's or timm's, CLIP's image transformer under OpenAI's or Hugging
 * Face's, its text transformer (with a tokenizer that numbers tokens as it does), or both; or of
 * another encoder of images of this program, with other overrides. What the network is, its shapes
 * say; mean and deviation are those usual with the names. Says which tensors are left out and what
 * was changed. *written, of CLC_PATH_BYTES, is the file.
 *
 * CLC_FORMAT: tensors are missing, have other shapes, or are left over. CLC_INVALID: there is no
 * network of ours for it. */
clc_status clc_import(const clc_import_options *options, char *written);

#endif
