/* Data sets by what their samples are: the parts of clc_dataset_open. */
#ifndef CLC_DATA_DATASET_KINDS_H
#define CLC_DATA_DATASET_KINDS_H

#include "data/dataset.h"

/* What data.as says, or where it is auto what the first file's contents do; of pairs, tokens where
 * they are of texts alone; appends to *paths the files and folders for `split`, at least one unless
 * they are pictures; *share: whether the test share of data.train is meant. */
clc_status clc_dataset_find(const clc_config_data *config, clc_split split, int *as,
                            clc_names *paths, bool *share);

/* What data of such paths are called in the log. */
void clc_dataset_name(const clc_names *paths, char name[64]);

/* Fills `dataset`, which holds zeros. With `train`, its tokenizer and classes are taken; else
 * `tokenizer` (borrowed), or if it is NULL one is learned. `share`: the samples of one side of
 * data.test_fraction only. */
clc_status clc_dataset_open_texts(const clc_config *config, const clc_names *paths, clc_split split,
                                  bool share, const clc_dataset *train, clc_tokenizer *tokenizer,
                                  clc_dataset *dataset);

clc_status clc_dataset_open_pairs(const clc_config *config, const clc_names *paths, clc_split split,
                                  bool share, const clc_dataset *train, clc_tokenizer *tokenizer,
                                  clc_dataset *dataset);

clc_status clc_dataset_open_series(const clc_config *config, const clc_names *paths,
                                   clc_split split, bool share, const clc_dataset *train,
                                   clc_dataset *dataset);

/* Of pictures: dataset->source is set. */
clc_status clc_dataset_open_source(const clc_config *config, clc_dataset *dataset);

/* Adds the texts' bad samples to the data set's; fails if they are too many. */
clc_status clc_dataset_note_bad_texts(const clc_config_data *config, clc_dataset *dataset);

/* Makes a field of tokens of each field of dataset->texts, from dataset->text_samples. */
clc_status clc_dataset_tokenize(const clc_config *config, clc_tokenizer *given,
                                clc_dataset *dataset);

void clc_dataset_log_texts(const clc_dataset *dataset);

#endif
