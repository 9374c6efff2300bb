/* Samples given by hand: pictures, texts or series by their paths, for an encoder that reads such.
 */
#ifndef CLC_EVAL_BY_HAND_H
#define CLC_EVAL_BY_HAND_H

#include "eval/encoder.h"

/* Opens the `n` paths, in the order given, and finds the *tower that reads them: files, folders,
 * lists or archives of pictures, or "-" for a list on standard input; files of texts, or such on
 * standard input; one file of series. Which they are, an encoder of both may be told (`said`:
 * "image" or "text"); NULL: it looks at the first. Free *data with clc_dataset_free, also after a
 * failure. */
clc_status clc_by_hand_open(clc_encoder *encoder, const char *said, const char *const *paths,
                            size_t n, clc_tower_encoder **tower, clc_dataset **data);

#endif
