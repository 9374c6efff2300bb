#include "loss/loss.h"

#include <string.h>

const clc_loss *clc_loss_find(const char *name) {
#define ENTRY(unused, word) &clc_loss_##word,
    static const clc_loss *const all[] = {CLC_LOSSES(ENTRY, )};
#undef ENTRY
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i]->name, name))
            return all[i];
    return NULL;
}

clc_status clc_loss_build(const clc_loss *loss, clc_sequence *sequence, clc_device *device,
                          const clc_loss_shape *shape, const clc_loss_options *options,
                          const clc_loss_buffers *buffers) {
    clc_status status = loss->check(shape, options);
    return status == CLC_OK ? loss->build(sequence, device, shape, options, buffers) : status;
}
