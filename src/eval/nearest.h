/* The k nearest neighbours of queries on CPU devices, a block of queries at a time: the bank is
 * read once a block and no cosine is stored. */
#ifndef CLC_EVAL_NEAREST_H
#define CLC_EVAL_NEAREST_H

#include "device/sequence.h"
#include "eval/features.h"

typedef struct clc_nearest {
    clc_device *device;
    const clc_features *bank, *queries;
    int k;
    size_t query_block;
    cl_mem values, indices; /* (query_block,k): cosines and rows of the bank, in any order;
                               -infinity and INT_MAX: none */
    /* private */
    int room; /* of a list of neighbours in the making */
    size_t parts, bank_block;
    cl_mem found, rows, counts, limits; /* (parts,query_block,room) and (parts,query_block) */
    cl_mem unit, panels;
    clc_sequence load, find, collect;
} clc_nearest;

/* Whether the device and features of so many dimensions are served. */
bool clc_nearest_serves(const clc_device *device, int dim);

/* Plans the work, without any memory: block sizes and parts. At most `most_queries` are a block. */
void clc_nearest_plan(clc_device *device, const clc_features *bank, const clc_features *queries,
                      int k, size_t most_queries, clc_nearest *nearest);

/* Bytes of device memory that a plan takes, features not counted. */
size_t clc_nearest_bytes(clc_nearest *nearest);

/* Makes what was planned; release it also after a failure. */
clc_status clc_nearest_make(clc_nearest *nearest);

/* The neighbours of the queries from `first` on; *rows is how many they are. Ctrl-C:
 * CLC_INTERRUPTED. */
clc_status clc_nearest_find(clc_nearest *nearest, size_t first, size_t *rows);

void clc_nearest_release(clc_nearest *nearest);

/* Asks for its programs ahead of time, where they serve. */
clc_status clc_nearest_request(clc_device *device);

#endif
