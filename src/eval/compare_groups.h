/* Runs of one comparison, by what they are runs of. */
#ifndef CLC_EVAL_COMPARE_GROUPS_H
#define CLC_EVAL_COMPARE_GROUPS_H

#include "core/status.h"

#include <jansson.h>

/* A list of groups in the order in which they come up:
 *
 *     {"name": "simclr", "features": "encoder", "runs": ["runs/a", "runs/b"], "figures":
 *      {"knn.accuracy": {"values": [0.80, 0.81], "mean": 0.805, "deviation": 0.007} ...}}
 *
 * A figure of a task with several lines is "<task>.<line>.<figure>". Of one value there is no
 * deviation. Freed by the caller. */
clc_status clc_compare_groups(const char *const *folders, size_t n, json_t **groups);

#endif
