/* Bare pixels: pictures of one size behind each other in NumPy's and IDX files. */
#ifndef CLC_DATA_BARE_H
#define CLC_DATA_BARE_H

#include "data/array_file.h"
#include "data/format.h"

/* Lists the pictures in the array file at `path` with the classes in the file `labels` (NULL: none)
 * and sets part->state. */
clc_status clc_bare_open(const clc_config_data *config, const char *path, clc_array_parse parse,
                         const char *labels, clc_listing *listing, clc_source_part *part);
clc_status clc_bare_read(const clc_source *source, size_t item, const clc_image_options *options,
                         clc_image *image);
clc_status clc_bare_probe(const clc_source *source, size_t item, const clc_image_options *options,
                          clc_image_info *info);
void clc_bare_close(clc_source_part *part);

/* Brings pixels of a source of one size to what options ask for; takes them over. Exchanges rows
 * and columns first if `transpose`. */
clc_status clc_bare_finish(clc_image *image, bool transpose, const clc_image_options *options);

#endif
