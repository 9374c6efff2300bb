/* What pictures are like, by their headers: sizes, channels, classes, which are none, and which are
 * there twice. */
#ifndef CLC_NEW_LOOK_H
#define CLC_NEW_LOOK_H

#include "data/source.h"

typedef struct clc_look {
    size_t count;                /* pictures whose header is right */
    size_t bad;                  /* that are none */
    char first_bad[160];         /* and the first of these, with the reason */
    size_t classes;              /* that folders or labels tell; 0: none */
    bool files;                  /* each is a file of its own: copies were looked for */
    size_t copies;               /* files that are another's copy, byte by byte */
    int least, middle, greatest; /* of the shorter sides: the median between */
    bool uniform;                /* all have one size and are squares */
    int channels;                /* the most channels of one */
    size_t grey;                 /* pictures of one channel */
} clc_look;

/* Reads the headers of all, in several threads, and the whole of files of equal sizes. Only where
 * it can't go on does it fail: no picture is right (CLC_FORMAT), Ctrl-C (CLC_INTERRUPTED). */
clc_status clc_look_at(const clc_source *source, const clc_image_options *options, clc_look *look);

#endif
