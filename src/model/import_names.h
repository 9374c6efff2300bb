/* How networks of other programs name the tensors of ours. */
#ifndef CLC_MODEL_IMPORT_NAMES_H
#define CLC_MODEL_IMPORT_NAMES_H

#include "core/config.h"
#include "data/safetensors.h"

enum { CLC_IMPORT_NAME_BYTES = 160, CLC_IMPORT_PREFIX_BYTES = 32 };

typedef enum clc_import_network {
    CLC_IMPORT_RESNET,
    CLC_IMPORT_VIT,
    CLC_IMPORT_TEXT
} clc_import_network;

/* "#" stands for a number, "@" for q, k and v one after the other. What ends in "." or "_" (or is
 * empty) is the beginning of names, whose rest stays. theirs NULL: zeros, there is none. */
typedef struct clc_import_rule {
    const char *ours, *theirs;
    bool transposed;
    const char *scale; /* a tensor that multiplies the outputs, if the file has it; NULL: none */
} clc_import_rule;

typedef struct clc_dialect {
    const char *what;
    clc_import_network network;
    bool clip;                    /* its norms, activation and projection */
    const char *mark;             /* a tensor that says it is this */
    clc_floats mean, std;         /* of its images */
    const clc_import_rule *rules; /* the first that fits; ended by ours NULL */
} clc_dialect;

/* The names of our own files, which are torchvision's and CLIP's. */
extern const clc_dialect clc_dialect_own;

/* Finds the names that an image network (or, with `text`, a text network) of the file has, and what
 * stands before all of them. NULL: none that is known. */
const clc_dialect *clc_dialect_find(const clc_safetensors *st, bool text,
                                    char prefix[CLC_IMPORT_PREFIX_BYTES]);

/* What stands for a tensor of ours, without the prefix. */
typedef struct clc_import_name {
    char text[CLC_IMPORT_NAME_BYTES];  /* "": zeros */
    char scale[CLC_IMPORT_NAME_BYTES]; /* "": none */
    bool transposed;
} clc_import_name;

/* False: there is none. */
bool clc_dialect_name(const clc_dialect *dialect, const char *ours, clc_import_name *theirs);

#endif
