/* Which of our networks a file's tensors are of, told by their shapes. */
#ifndef CLC_MODEL_IMPORT_NETWORK_H
#define CLC_MODEL_IMPORT_NETWORK_H

#include "core/config.h"
#include "model/import_tensor.h"

/* "section.key=value" each, with room for those of two networks. */
enum { CLC_IMPORT_SETTINGS = 48 };
typedef struct clc_import_settings {
    char text[CLC_IMPORT_SETTINGS][256];
    size_t count;
} clc_import_settings;

void clc_import_set(clc_import_settings *settings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds the keys of `section` (encoder or text_encoder) and, of images, their size and channels.
 * CLC_FORMAT: no network of ours has such shapes. */
clc_status clc_import_look(const clc_import_part *part, const char *section,
                           clc_import_settings *settings);

/* Adds mean and deviation of images of so many channels, as lists of other `mean` and `std` say: of
 * other numbers of channels their average. */
void clc_import_normalise(const clc_floats *mean, const clc_floats *std, int channels,
                          clc_import_settings *settings);

#endif
