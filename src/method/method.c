#include "method/method.h"

#include "net/net.h"

#include <string.h>

static const clc_method *const methods[] = {&clc_method_simclr};

const clc_method *clc_method_find(const char *name) {
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (!strcmp(methods[i]->name, name))
            return methods[i];
    return NULL;
}

void clc_wiring_release(clc_wiring *wiring) {
    clc_sequence_free(&wiring->loss_sequence);
    if (wiring->device) {
        clc_buffer_release(wiring->device, &wiring->loss_workspace);
        clc_buffer_release(wiring->device, &wiring->loss);
    }
    clc_graph_free(&wiring->graph);
}
