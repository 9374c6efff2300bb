/* From the configuration to the options of augmentation. */
#ifndef CLC_METHOD_SETUP_H
#define CLC_METHOD_SETUP_H

#include "augment/augment.h"
#include "augment/series.h"
#include "augment/tokens.h"
#include "core/config.h"
#include "data/dataset.h"

/* Mean and deviation are those of `data` unless the configuration gives them. */
clc_status clc_augment_from_config(const clc_config *config, const clc_dataset *data,
                                   clc_augment *augment);

/* Views of a field of tokens, with the encoder's context, or where that is 0 one that holds 99 of
 * 100 texts, up to CLC_CONTEXT_MOST. */
enum { CLC_CONTEXT_MOST = 256 };
clc_status clc_tokens_from_config(const clc_config *config, const clc_config_encoder *encoder,
                                  const clc_field *field, clc_token_augment *augment);

/* Views of a field of series, with the encoder's context, or where that is 0 one that holds the
 * longest, up to CLC_STEPS_MOST. */
enum { CLC_STEPS_MOST = 1024 };
clc_status clc_series_from_config(const clc_config *config, const clc_config_encoder *encoder,
                                  const clc_field *field, clc_series_augment *augment);

/* Puts what `data` decides into the configuration where it left that open: what a sample is;
 * of pictures size, channels, store_side, mean and deviation; of texts and series the context; and,
 * with finetune.lower_batch, a batch that the labelled samples fill, which it says. With it an
 * encoder stands alone: nothing depends on other images any more. */
clc_status clc_config_settle(clc_config *config, const clc_dataset *data);

/* Puts section [data] of the .ini file at `path` in the place of a settled configuration's own, of
 * other data for a network that is there: what a sample is, channels and scaling stay, as do size,
 * mean and deviation of views; classes are other ones, so no classifier is left, and
 * all labels count. Says so. */
clc_status clc_config_transfer(clc_config *config, const char *path);

/* Takes from a run's settled configuration what this one leaves open, and a batch that was lowered.
 */
void clc_config_adopt(clc_config *config, const clc_config *settled);

#endif
