/* An import that is being made: for its own files. */
#ifndef CLC_MODEL_IMPORT_STATE_H
#define CLC_MODEL_IMPORT_STATE_H

#include "core/names.h"
#include "device/device.h"
#include "graph/param.h"
#include "model/heads.h"
#include "model/import.h"
#include "model/import_network.h"
#include "text/tokenizer.h"

enum { CLC_IMPORT_LIST_BYTES = 1200 };

/* Names, as long as there is room. */
typedef struct clc_import_list {
    char text[CLC_IMPORT_LIST_BYTES];
    size_t count;
} clc_import_list;

typedef struct clc_import_state {
    const clc_import_options *options;
    char weights[CLC_PATH_BYTES];
    clc_safetensors *file;
    bool *used; /* (file->count) */
    bool own;   /* a file of this program */
    int part_count;
    clc_import_part parts[CLC_TOWERS];
    clc_config config;
    clc_names classes;
    clc_tokenizer *tokenizer;
    clc_device *device;
    clc_params params;
    clc_import_list missing, other, changed, left, foreign;
} clc_import_state;

/* Opens the file and finds which networks are in it. */
clc_status clc_import_open(clc_import_state *import);

/* The configuration of the encoder. */
clc_status clc_import_configure(clc_import_state *import);

#endif
