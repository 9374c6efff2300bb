/* The buffers of a wiring besides those of its graphs, and how much memory all of it takes. */
#ifndef CLC_METHOD_MEMORY_H
#define CLC_METHOD_MEMORY_H

#include "method/wiring.h"

/* Bytes by kind of what clc_wiring_allocate takes (and the largest buffer). */
typedef struct clc_wiring_bytes {
    size_t params, gradients, teacher, activations, workspace, embeddings, largest;
} clc_wiring_bytes;
clc_wiring_bytes clc_wiring_memory(const clc_wiring *wiring);

/* `data` is that of clc_wiring_plan. */
clc_status clc_wiring_allocate(clc_wiring *wiring, int optimizer_states, const clc_dataset *data);

/* Gives back what clc_wiring_allocate took, but for the graphs' memory. */
void clc_wiring_release_memory(clc_wiring *wiring);

#endif
