/* What an index says of its samples among themselves: `clcontrast dedup`, `select` and `outliers`.
 * Lists, on `file`, fields with tabs between, and pages of the same with pictures where
 * options->html names a file; nothing is deleted or moved. */
#ifndef CLC_SEARCH_CURATE_H
#define CLC_SEARCH_CURATE_H

#include "search/index.h"
#include "eval/features.h"
#include "report/found.h"

#include <stdio.h>

typedef struct clc_curate_options {
    const char *index;
    const char *against; /* another index; NULL: none */
    const char *device;
    const char *html; /* a file for a page of pictures, too; NULL: none */
    const char
        *encoder;   /* of select by uncertainty; NULL: the one that made the index, where it was */
    const char *by; /* how to select, a word of clc_select, below; NULL: the first */
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

/* n samples that are worth a label, or a look: a line each, a figure and the name.
 * diverse: as different as can be, by k-centre greedy (Gonzalez 1985; Sener & Savarese, arXiv
 *   1708.00489) from the most typical one on; the cosine with the nearest of those before.
 * typical: of each of n clusters (500 at most, by k-means) the one in the densest place, as
 *   TypiClust (arXiv 2202.02794), then of each the next; 1 / the mean distance to its k nearest.
 * entropy, margin: those of which the classifier of the encoder is least sure: the entropy of its
 *   probabilities in nats, falling, or the gap between the greatest two, rising. CLC_INVALID: the
 *   encoder has no classifier, or the index doesn't say how long features are. */
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

/* Adds a sample of an index to the last group of a page. */
clc_status clc_curation_show(clc_found_page *page, const clc_index *index, size_t sample,
                             double value, const char *note);

#endif
