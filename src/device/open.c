#include "device/open.h"

#include "device/probe.h"
#include "device/program.h"

#include <string.h>

/* Chooses how kernels are shaped: see kernels with one work-item a tile in cl/common.h. A CPU
 * driver whose native vector is one float makes vectors of work-items, as GPUs do, and takes their
 * kernels. */
static void choose_profile(clc_device *device, clc_profile profile) {
    bool cpu = !strcmp(device->info.type, "cpu") && device->info.float_width > 1;
    device->profile = profile != CLC_PROFILE_AUTO ? profile
                      : cpu                       ? CLC_PROFILE_CPU
                                                  : CLC_PROFILE_GPU;
    unsigned width = 1;
    while (width * 2 <= device->info.float_width && width < 16)
        width *= 2;
    if (device->profile == CLC_PROFILE_CPU) {
        device->vector_width = width < 4 ? 4 : width;
        device->group_size = 1;
        device->groups = device->info.compute_units * 4 < 8 ? 8 : device->info.compute_units * 4;
    } else {
        device->vector_width = 4;
        for (device->group_size = 1;
             device->group_size * 2 <= device->info.max_group && device->group_size < 64;)
            device->group_size *= 2;
        device->groups = device->info.compute_units * 8 < 16 ? 16 : device->info.compute_units * 8;
    }
    device->groups = device->groups > 1024 ? 1024 : device->groups;
}

clc_status clc_device_open(const char *selector, clc_profile profile, clc_device **opened) {
    clc_status status = CLC_OK;
    clc_device_info *infos = NULL;
    clc_probed *handles = NULL;
    clc_device *device = NULL;
    size_t count = 0, chosen = 0;
    cl_int code = CL_SUCCESS;
    CLC_TRY(clc_probe(&infos, &handles, &count, NULL));
    CLC_TRY(clc_probe_select(infos, count, selector, &chosen));
    CLC_NEW(device, 1);
    device->info = infos[chosen];
    device->platform = handles[chosen].platform;
    device->id = handles[chosen].id;
    choose_profile(device, profile);
    /* PoCL keeps its own; making a binary for ours compiles each kernel once more, which only
     * tuning does. */
    device->keep_binaries = !strstr(device->info.platform, "Portable Computing Language");
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                                (cl_context_properties)device->platform, 0};
    device->context = clCreateContext(properties, 1, &device->id, NULL, NULL, &code);
    CLC_CL(code);
    device->queue =
        clCreateCommandQueue(device->context, device->id, CL_QUEUE_PROFILING_ENABLE, &code);
    CLC_CL(code);
    CLC_TRY(clc_program_cache_create(&device->programs));
    CLC_NEW(device->tuning, 1);
    *opened = device;
    device = NULL;
fail:
    clc_device_close(&device);
    free(infos);
    free(handles);
    return status;
}

clc_status clc_device_open_as(const char *selector, const clc_config_device *config,
                              clc_device **device) {
    const clc_status status = clc_device_open(selector, (clc_profile)config->profile, device);
    if (status != CLC_OK)
        return status;
    (*device)->clblast_everywhere = config->gemm == CLC_CONFIG_GEMM_CLBLAST;
    (*device)->sync_every = config->sync == CLC_CONFIG_SYNC_EVERY;
    return CLC_OK;
}

void clc_device_close(clc_device **device) {
    if (!device || !*device)
        return;
    clc_program_cache_free(&(*device)->programs);
    if ((*device)->tuning)
        clc_tuning_free((*device)->tuning);
    free((*device)->tuning);
    if ((*device)->queue)
        clReleaseCommandQueue((*device)->queue);
    if ((*device)->context)
        clReleaseContext((*device)->context);
    free(*device);
    *device = NULL;
}
