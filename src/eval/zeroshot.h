/* Zero-shot classification (Radford et al., arXiv 2103.00020): the class whose texts are nearest to
 * an image. */
#ifndef CLC_EVAL_ZEROSHOT_H
#define CLC_EVAL_ZEROSHOT_H

#include "eval/features.h"

/* Of each class the mean of its embeddings, each of length 1 before, brought to length 1 again:
 * embeddings (classes,templates,dim), vectors (classes,dim). One whose embeddings cancel out is 0.
 */
void clc_zeroshot_vectors(const float *embeddings, size_t classes, size_t templates, size_t dim,
                          float *vectors);

/* Takes the cosines (rows,classes) of the images from `first` on. */
typedef clc_status (*clc_zeroshot_take)(void *context, size_t first, size_t rows,
                                        const float *cosines);

/* Hands over the cosines of all images with all classes, a block of images at a time; labels aren't
 * read. Takes about 100 MB of device memory. Stops with the first failure of `take`. */
clc_status clc_zeroshot_each(clc_device *device, const clc_features *classes,
                             const clc_features *images, clc_zeroshot_take take, void *context);

/* exp(scale cosine) of each class, divided by their sum. */
void clc_zeroshot_probabilities(const float *cosines, size_t classes, double scale,
                                double *probabilities);

#endif
