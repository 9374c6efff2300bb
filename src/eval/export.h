/* Features in files that NumPy reads. */
#ifndef CLC_EVAL_EXPORT_H
#define CLC_EVAL_EXPORT_H

#include "eval/encoder.h"

/* Embeds what the first tower reads of `data` into <prefix>features.npy and, where there are
 * classes, <prefix>labels.npy of the folder `output`. Of two towers, also all texts into
 * <prefix>text_features.npy, and for each the row of its image, -1 if that can't be read, into
 * <prefix>text_rows.npy. */
clc_status clc_export_samples(clc_encoder *encoder, const clc_dataset *data, const char *output,
                              const char *prefix);

/* The same of samples given by hand, which one tower reads, with their names, classes and bad files
 * beside. */
clc_status clc_export_named(clc_tower_encoder *tower, const clc_dataset *data, const char *output);

#endif
