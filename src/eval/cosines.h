/* Cosines of queries with the rows of a bank, a tile of the matrix at a time: queries a block after
 * the other, and for each all blocks of the bank. */
#ifndef CLC_EVAL_COSINES_H
#define CLC_EVAL_COSINES_H

#include "device/sequence.h"
#include "eval/features.h"

typedef struct clc_cosines {
    clc_device *device;
    const clc_features *bank, *queries;
    size_t query_block, bank_block; /* rows of a tile, and its columns: its stride */
    cl_mem tile;                    /* (query_block,bank_block) */
    /* private */
    cl_mem query_unit, bank_unit; /* (block,dim): rows of length 1 */
    cl_mem workspace;
    clc_sequence load, multiply;
} clc_cosines;

/* Takes about 100 MB of device memory, whatever the sizes; there must be queries. A tile has at
 * most `most_queries` rows, or as few as give a product work. Release it also after a failure. */
clc_status clc_cosines_make(clc_device *device, const clc_features *bank,
                            const clc_features *queries, size_t most_queries, clc_cosines *cosines);

/* The same by wide tiles, for work that has much to remember of a query: at most 768 queries, or
 * `most_queries`, with up to 16384 rows; about 150 MB. Rows are in another order: row i is row
 * order[i] of the features; NULL: as they are. The orders, int (rows), must outlive it. */
clc_status clc_cosines_make_wide(clc_device *device, const clc_features *bank, cl_mem bank_order,
                                 const clc_features *queries, cl_mem query_order,
                                 size_t most_queries, clc_cosines *cosines);

/* Turns to the queries from `first` on; *rows is how many they are. */
clc_status clc_cosines_queries(clc_cosines *cosines, size_t first, size_t *rows);

/* Enqueues the tile of these queries with the bank from `first` on; it has *columns. Rows and
 * columns beyond are 0. A zero vector's cosines are 0; those of one that isn't finite are NaN. */
clc_status clc_cosines_tile(clc_cosines *cosines, size_t first, size_t *columns);

void clc_cosines_release(clc_cosines *cosines);

/* For sequences that run on tiles: options and shape of such programs, and setting the two
 * arguments from `argument` on, the first row of a block and how many there are. */
clc_launch_spec clc_tile_spec(const clc_device *device, const char *source, const char *kernel,
                              size_t groups);
clc_status clc_tile_place(const clc_launch *launch, cl_uint argument, size_t first, size_t rows);

/* Asks for its program, and one that runs on tiles, ahead of time. */
clc_status clc_cosines_request(clc_device *device, const char *source);

#endif
