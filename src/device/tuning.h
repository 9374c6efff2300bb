/* Which way of computing is used for which problem on a device. `clcontrast tune` measures and
 * stores choices; building a network looks them up and notes what it uses, so that a checkpoint can
 * hold it. */
#ifndef CLC_DEVICE_TUNING_H
#define CLC_DEVICE_TUNING_H

#include "clcontrast/device.h"
#include "core/status.h"

/* A problem, such as "conv2d_forward 128x32x32x64 3x3x64 s1 p1", and words that only its op
 * understands. */
typedef struct clc_tuning_entry {
    char key[96];
    char choice[40]; /* what was measured or recorded; "" if nothing */
    char used[40];   /* what a network was built with; "" if none was */
} clc_tuning_entry;

typedef struct clc_tuning {
    clc_tuning_entry *entries;
    size_t count, capacity;
} clc_tuning;

/* The choice for `key`; NULL if there is none. */
const char *clc_tuning_choice(const clc_tuning *tuning, const char *key);

/* Sets the choice for `key`; notes what it is built with. */
clc_status clc_tuning_choose(clc_tuning *tuning, const char *key, const char *choice);
clc_status clc_tuning_note(clc_tuning *tuning, const char *key, const char *used);

/* Takes choices from lines "key = choice"; lines that aren't of that form are passed over. */
clc_status clc_tuning_parse(clc_tuning *tuning, const char *text);

/* Such lines, of all choices or of all that is used; the caller frees *text. */
clc_status clc_tuning_text(const clc_tuning *tuning, bool used, char **text);

/* $XDG_DATA_HOME/clcontrast/tuning-<device>.txt, or below ~/.local/share. Loading accepts a missing
 * file; saving is atomic. `path` receives the file's name. */
clc_status clc_tuning_load(clc_tuning *tuning, const clc_device_info *info);
clc_status clc_tuning_save(const clc_tuning *tuning, const clc_device_info *info, char *path,
                           size_t size);

void clc_tuning_free(clc_tuning *tuning);

#endif
