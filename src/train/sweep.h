/* Runs over all combinations of some settings. */
#ifndef CLC_TRAIN_SWEEP_H
#define CLC_TRAIN_SWEEP_H

#include "clcontrast/train.h"

/* Trains once for each combination of the overrides that give several values, "section.key=a,b,c"
 * (of keys that are lists themselves, "section.key=1,2;3,4"), each in a folder of its own below
 * output.folder. Runs that are there are read, not repeated; one that was interrupted goes on.
 * Prints the table to stdout and writes it to sweep.csv and sweep.txt there after each run. */
clc_status clc_sweep(const clc_train_options *options);

#endif
