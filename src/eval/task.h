/* Evaluation tasks: a row each of a registry, which is the words of CLC_TASKS (core/words.h). A
 * task asks one question about features, and answers with figures as JSON; tables are printed from
 * that by its columns. */
#ifndef CLC_EVAL_TASK_H
#define CLC_EVAL_TASK_H

#include "device/device.h"
#include "eval/evaluated.h"
#include "report/json.h"

#include <jansson.h>
#include <stdio.h>

/* What stands in a cell of a table. */
typedef enum clc_cell {
    CLC_CELL_PERCENT, /* a figure in [0, 1], with two decimals */
    CLC_CELL_COUNT,   /* a figure that is an integer */
    CLC_CELL_TENTH,   /* a figure with one decimal */
    CLC_CELL_NUMBER,  /* a figure with four decimals */
    CLC_CELL_WORD,    /* a figure that is a text */
    CLC_CELL_DIM,     /* the dimension of the features */
    CLC_CELL_SECONDS, /* that the features and all tasks took, once */
    CLC_CELL_TASK,    /* the task's label */
    CLC_CELL_LINE,    /* the name of the line, of results that are several lines */
} clc_cell;

typedef struct clc_task_column {
    const char *key; /* in the result; "" where the cell is of something else */
    const char *heading;
    clc_cell cell;
} clc_task_column;

/* A key figure under the name that metrics have; an upper bound of a task's. */
typedef struct clc_task_figure {
    const char *key;
    double value;
} clc_task_figure;
enum { CLC_TASK_FIGURES = 4, CLC_TASK_WHY = 512 };

typedef struct clc_task {
    const char *name;  /* as evaluation.tasks and evaluation.json say it */
    const char *label; /* as tables do */
    const char *about; /* the question that it answers, in a line */
    bool costly;       /* done only if it is asked for */
    /* Whether data and network allow it; else `why` (size) says what is missing. */
    bool (*can)(const clc_evaluation *e, char *why, size_t size);
    /* Whether the configuration leaves it in; else `why` (size) says which key does not, also where
     * nobody asked for the task by name. NULL: it does. */
    bool (*wanted)(const clc_config *config, char *why, size_t size);
    /* Whether these features are of a kind that it is about; NULL: all are. Without a word: that
     * raw pixels can't be matched with texts is no failure. */
    bool (*fits)(const clc_evaluated *row);
    /* Its programs, ahead of time; NULL: none. */
    clc_status (*request)(clc_device *device);
    /* Fills `result`, an object of figures, or of named objects of figures, which are lines. Looks
     * at clc_signals_stop where it takes long, and then fails with CLC_INTERRUPTED. */
    clc_status (*run)(clc_evaluated *row, json_t *result);
    /* Its table, ended by a NULL key. Neighbours in the registry with the same columns share one.
     */
    const clc_task_column *columns;
    /* What a comparison of runs shows of it, "key" or "line.key", ended by a NULL key. NULL: the
     * first column that is no count, of up to four lines. */
    const clc_task_column *compared;
    /* What is printed of the last row of features below all tables; NULL: nothing. `row` is its
     * object in evaluation.json. */
    clc_status (*more)(const json_t *row, FILE *file);
    /* Key figures of a result, for what is done between epochs, too; returns how many. The first of
     * the first task's chooses the best checkpoint. NULL: not done between epochs. */
    size_t (*figures)(const json_t *result, clc_task_figure figures[CLC_TASK_FIGURES]);
} clc_task;

#define CLC_TASK_ENUM(word)    CLC_TASK_##word,
#define CLC_TASK_EACH(X, word) X(word)
enum { CLC_TASKS(CLC_TASK_EACH, CLC_TASK_ENUM) CLC_TASK_COUNT };

/* The registry: (CLC_TASK_COUNT). */
extern const clc_task *const clc_tasks[];

/* Which tasks a list of names with commas between means: `chosen` (CLC_TASK_COUNT). An empty list
 * means all that aren't costly, "all" all. CLC_INVALID: there is no such task. */
clc_status clc_tasks_choose(const char *names, bool *chosen);

/* A line of help for each task. */
void clc_tasks_print(FILE *file);

/* A figure of a result, NaN where it is missing or not defined. */
double clc_json_figure(const json_t *result, const char *key);

#endif
