/* The folder of a run. Whoever writes or reads a file of it names it by these. */
#ifndef CLC_MODEL_RUN_FOLDER_H
#define CLC_MODEL_RUN_FOLDER_H

#include "core/path.h"

#include <stdbool.h>
#include <stdint.h>

#define CLC_RUN_CONFIG          "config.ini"      /* the effective configuration */
#define CLC_RUN_CLASSES         "class_names.txt" /* of the training images, a line each */
#define CLC_RUN_LABELLED        "labelled.tsv"    /* samples whose labels were used, if not all */
#define CLC_RUN_ENCODER         "encoder.safetensors"
#define CLC_RUN_TOKENIZER       "tokenizer.json"   /* of texts */
#define CLC_RUN_BEST            "best.safetensors" /* a checkpoint */
#define CLC_RUN_METRICS_CSV     "metrics.csv"
#define CLC_RUN_METRICS_JSONL   "metrics.jsonl"
#define CLC_RUN_SKIPPED         "skipped.txt" /* files that are no usable images, with reasons */
#define CLC_RUN_EVALUATION_TEXT "evaluation.txt"
#define CLC_RUN_EVALUATION_JSON "evaluation.json"
#define CLC_RUN_COMPARISON      "compare.json" /* of a folder that compares runs */
#define CLC_RUN_REPORT          "report.html"
#define CLC_RUN_SAMPLES         "samples.json" /* what the report shows of the evaluation's samples */
#define CLC_RUN_THUMBS          "thumbs.jpg"   /* their pictures, side by side */
#define CLC_RUN_MAP             "map.jpg"      /* of these samples */
#define CLC_RUN_VIEWS           "views.jpg"    /* training samples and views of them */
#define CLC_RUN_VIEWS_TEXT      "views.txt"

/* The path of file `name` of a run; fails where it is too long. */
clc_status clc_run_path(const char *folder, const char *name, char path[CLC_PATH_BYTES]);

/* Where results on the data of an .ini file go: a folder of its name below. */
clc_status clc_run_data_path(const char *folder, const char *data, char path[CLC_PATH_BYTES]);

/* Whether the run has it. */
bool clc_run_has(const char *folder, const char *name);

/* The path of the checkpoint after so many steps. */
clc_status clc_checkpoint_path(const char *folder, int64_t step, char path[CLC_PATH_BYTES]);

/* The step of the newest checkpoint with a step below `before` (-1: any); -1 if there is none. */
int64_t clc_checkpoint_step(const char *folder, int64_t before);

/* Finds the newest checkpoint of a folder, or the newest with a step below `before` (-1: any);
 * CLC_IO if there is none. */
clc_status clc_checkpoint_find(const char *folder, int64_t before, char path[CLC_PATH_BYTES]);

/* The checkpoint before the one that `path` names. */
clc_status clc_checkpoint_before(const char *folder, const char *path, char before[CLC_PATH_BYTES]);

#endif
