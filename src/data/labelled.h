/* Few labels: which samples of a data set keep theirs. */
#ifndef CLC_DATA_LABELLED_H
#define CLC_DATA_LABELLED_H

#include "data/dataset.h"

/* Takes the labels of all samples but those that finetune.labels leaves: of each class a share (all
 * together the nearest whole number of that share, of each class at least one) or a number, drawn
 * by training.seed; of one seed fewer labels are some of the more. Logs the counts. Nothing happens
 * where all keep theirs, or there are none. */
clc_status clc_labels_limit(const clc_config *config, clc_dataset *data);

/* How many samples have a label. */
size_t clc_labelled_count(const clc_dataset *data);

/* The samples that have a label, in their order, which the caller frees; NULL and the number of all
 * where each has one. */
clc_status clc_labelled_samples(const clc_dataset *data, int32_t **samples, size_t *count);

/* Writes them to `path`, with tabs between number, class and, where samples have one, name. */
clc_status clc_labelled_write(const clc_dataset *data, const char *path);

#endif
