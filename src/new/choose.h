/* What fits data and device: rows of a recipe with their reasons. Epochs come when steps have been
 * timed. */
#ifndef CLC_NEW_CHOOSE_H
#define CLC_NEW_CHOOSE_H

#include "new/look.h"
#include "new/recipe.h"

/* What choices go by. */
typedef struct clc_facts {
    int as;                /* CLC_CONFIG_AS_IMAGES and so on */
    size_t count;          /* samples */
    clc_look look;         /* of pictures, of pairs, too, where they can be listed */
    bool divides;          /* the data themselves hold a test set */
    int texts_each;        /* texts of a sample */
    bool labelled;         /* texts, series: with classes */
    int channels, longest; /* series */
    bool gpu;
} clc_facts;

clc_status clc_choose_images(clc_recipe *recipe, const clc_facts *facts);
clc_status clc_choose_texts(clc_recipe *recipe, const clc_facts *facts);
clc_status clc_choose_series(clc_recipe *recipe, const clc_facts *facts);
clc_status clc_choose_pairs(clc_recipe *recipe, const clc_facts *facts);

/* A part for tests where there are classes to test by. */
clc_status clc_choose_test(clc_recipe *recipe, const clc_facts *facts, bool classes);

/* Side of views and network of pictures, for `larger` pixels at most. */
clc_status clc_choose_network(clc_recipe *recipe, const clc_facts *facts, int largest);

/* The batch. CLC_INVALID: too few samples for any. */
clc_status clc_choose_batch(clc_recipe *recipe, const clc_facts *facts);

/* Epochs by the time that a step takes; notes the time of all. */
clc_status clc_choose_epochs(clc_recipe *recipe, const clc_facts *facts, size_t count, int batch,
                             double step_seconds);

#endif
