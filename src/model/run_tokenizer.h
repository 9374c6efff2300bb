/* The tokenizer that a text encoder was trained with: it is kept in the run's folder, where other
 * programs find it, and in the encoder file, which so can be used alone. */
#ifndef CLC_MODEL_RUN_TOKENIZER_H
#define CLC_MODEL_RUN_TOKENIZER_H

#include "text/tokenizer.h"

/* Writes it to the run's folder; with NULL, removes that of a former run. */
clc_status clc_run_tokenizer_save(const char *folder, const clc_tokenizer *tokenizer);

/* The tokenizer of a run's folder, an encoder file or a checkpoint: what the file of the weights
 * carries, or else that of the folder in which it lies. *tokenizer is NULL where there is none,
 * which is no failure. CLC_FORMAT: it is damaged. */
clc_status clc_run_tokenizer_load(const char *path, clc_tokenizer **tokenizer);

#endif
