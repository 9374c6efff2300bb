/* Folders of fine-tuned networks within the run that they began with: "finetune-1-percent", or
 * "scratch-10-per-class" of what was trained by the same recipe from random weights. */
#ifndef CLC_MODEL_FINETUNED_H
#define CLC_MODEL_FINETUNED_H

#include "core/path.h"

#include <stdbool.h>

typedef struct clc_finetuned {
    bool scratch;
    bool per_class; /* labels are a number of each class; else percent of all */
    double labels;
} clc_finetuned;

/* The name of the folder: CLC_FINETUNED_NAME bytes are enough. */
enum { CLC_FINETUNED_NAME = 64 };
void clc_finetuned_name(const clc_finetuned *f, char name[CLC_FINETUNED_NAME]);

/* Those in `folder` that have been evaluated, the fewest labels first: *list (*count), which the
 * caller frees. None is no failure. */
clc_status clc_finetuned_list(const char *folder, clc_finetuned **list, size_t *count);

#endif
