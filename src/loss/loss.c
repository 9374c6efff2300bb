#include "loss/loss.h"

#include <string.h>

const clc_loss *clc_loss_find(const char *name) {
#define ENTRY(loss) &clc_loss_##loss,
    static const clc_loss *const all[] = {CLC_LOSSES(ENTRY)};
#undef ENTRY
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i]->name, name))
            return all[i];
    return NULL;
}
