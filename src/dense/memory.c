#include "dense/memory.h"

static const double usable = CLC_USABLE_PERCENT / 100.0;

clc_status clc_dense_memory_check(const clc_device *device, const clc_graph *const *graphs, int n,
                                  size_t more) {
    size_t total = more, largest = more;
    for (int i = 0; i < n; i++) {
        const size_t buffer = graphs[i] ? clc_graph_largest_buffer(graphs[i]) : 0;
        if (graphs[i])
            total += clc_graph_activation_bytes(graphs[i]) + clc_graph_workspace_bytes(graphs[i]);
        largest = buffer > largest ? buffer : largest;
    }
    if ((double)(device->allocated + total) <= usable * (double)device->info.memory &&
        largest <= device->info.largest_buffer)
        return CLC_OK;
    return clc_fail(CLC_MEMORY,
                    "heads on feature maps need %.0f MB and %.0f MB in one buffer beside %.0f MB "
                    "that are taken, but device %d (%s) has %.0f MB of which %.0f %% can be used, "
                    "and %.0f MB a buffer; lower dense.batch, dense.size or dense.width",
                    (double)total / 1e6, (double)largest / 1e6, (double)device->allocated / 1e6,
                    device->info.number, device->info.name, (double)device->info.memory / 1e6,
                    100 * usable, (double)device->info.largest_buffer / 1e6);
}
