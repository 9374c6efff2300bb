/* Pictures with masks or boxes, opened once for all rows of features that are evaluated on them. */
#ifndef CLC_EVAL_LABELLED_SCENES_H
#define CLC_EVAL_LABELLED_SCENES_H

#include "data/scenes.h"
#include "eval/evaluation.h"

/* Opens them when they are first asked for. They are the evaluation's, to be closed by
 * clc_evaluation_free. CLC_INVALID: test scenes have classes that training scenes have not. */
clc_status clc_labelled_scenes(const clc_evaluation *e, clc_scenes_kind kind,
                               const clc_scenes **train, const clc_scenes **test);

#endif
