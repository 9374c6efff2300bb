/* `clcontrast watch`: a run's curves in the terminal, as they come. */
#ifndef CLC_REPORT_LIVE_H
#define CLC_REPORT_LIVE_H

#include "report/history.h"

#include <stdbool.h>

/* Draws the curves of a history into `lines` lines of `columns` characters, as many of them as fit
 * (one at least), in Braille patterns of 2 x 4 dots a character; what several points fall into one
 * column of dots for is a line from their least to their greatest. */
clc_status clc_live_draw(const clc_history *history, int columns, int lines, FILE *file);

/* Shows the curves of the run in `folder` on stdout, again each second until it has ended or
 * Ctrl-C comes; with `once`, or where stdout is no terminal, a single time. CLC_IO: no run. */
clc_status clc_live_run(const char *folder, bool once);

#endif
