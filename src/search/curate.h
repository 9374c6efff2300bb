/* What an index says of its samples among themselves: `clcontrast dedup`, `select` and `outliers`.
 * Lists, on `file`, fields with tabs between; nothing is deleted or moved. */
#ifndef CLC_SEARCH_CURATE_H
#define CLC_SEARCH_CURATE_H

#include "search/index.h"
#include "eval/features.h"

#include <stdio.h>

typedef struct clc_curate_options {
    const char *index;
    const char *against; /* another index; NULL: none */
    const char *device;
    double threshold; /* of cosines that make samples near-duplicates */
    int n;            /* samples to select or to name */
    int k;            /* neighbours that tell how far out a sample is */
} clc_curate_options;

/* Groups of near-duplicates, which are chained by cosines of at least the threshold: a line a
 * sample, the best copy of a group first (most pixels, then most bytes, then its name), with its
 * group, keep or copy, cosine with the best, size, bytes and name. With `against`: which samples
 * have a near-duplicate in that index, which is how test pictures leak into training: cosine, name
 * there, name here, the most alike first. */
clc_status clc_dedup(const clc_curate_options *options, FILE *file);

/* n samples that are as different as can be: k-centre greedy (Gonzalez 1985; Sener & Savarese,
 * arXiv 1708.00489), from the most typical one on. A line each: cosine with the nearest of those
 * before, and name. */
clc_status clc_select(const clc_curate_options *options, FILE *file);

/* The n samples that are least like any other: mean cosine with their k nearest neighbours, the
 * least first, and name. */
clc_status clc_outliers(const clc_curate_options *options, FILE *file);

/* An open index whose features are on a device. */
typedef struct clc_curation {
    clc_index *index;
    clc_device *device;
    clc_features features;
} clc_curation;

/* Opens options->index on options->device, or an index on the device of `other`. Close it also
 * after a failure, those that share a device before its owner. */
clc_status clc_curation_open(const char *path, const char *device, const clc_curation *other,
                             clc_curation *curation);
void clc_curation_close(clc_curation *curation, const clc_curation *other);

#endif
