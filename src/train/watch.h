/* Recognition of a collapse by how embeddings spread. */
#ifndef CLC_TRAIN_WATCH_H
#define CLC_TRAIN_WATCH_H

#include "core/config.h"
#include "eval/spread.h"

#include <stddef.h>

enum { CLC_WATCH_ROWS = 128 }; /* images that are looked at */

/* Takes in one measurement after another. */
typedef struct clc_watch {
    int low;   /* collapsed measurements in a row */
    bool said; /* the warning has been shown */
} clc_watch;

/* Warns with advice once collapse shows twice in a row; fails with CLC_COLLAPSED then if the
 * configuration asks for it. `dim` is that of the embeddings. */
clc_status clc_watch_take(clc_watch *watch, const clc_config *config, const clc_spread *spread,
                          int rows, int dim, int64_t step);

#endif
