#include "report/devices.h"

#include "core/status.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

static void print_table(FILE *file, const clc_device_info *devices, size_t count) {
    fprintf(file, "%2s  %-4s %-40s %5s %5s %10s %10s %9s %7s  %s\n", "#", "type", "device", "units",
            "width", "memory", "buffer", "local", "group", "trains");
    for (size_t i = 0; i < count; i++) {
        const clc_device_info *d = &devices[i];
        fprintf(file,
                "%2d  %-4.4s %-40.40s %5u %5u %7" PRIu64 " MB %7" PRIu64 " MB %6" PRIu64
                " KB %7zu  %s%s%s\n",
                d->number, d->type, d->name, d->compute_units, d->float_width, d->memory / 1000000,
                d->largest_buffer / 1000000, d->local_memory / 1024, d->max_group,
                d->can_train ? "yes" : "no", d->can_train ? "" : ": ", d->reason);
        fprintf(file, "    vendor %s; platform %s; driver %s; %s\n", d->vendor, d->platform,
                d->driver, d->opencl);
        fprintf(file, "    group at most %zu x %zu x %zu; extensions: %s\n", d->max_group_sizes[0],
                d->max_group_sizes[1], d->max_group_sizes[2],
                *d->extensions ? d->extensions : "none that matter");
    }
}

static json_t *device_json(const clc_device_info *d) {
    return json_pack(
        "{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:I,s:I,s:I,s:I,s:[I,I,I],s:s,s:b,s:s}", "number",
        d->number, "type", d->type, "name", d->name, "vendor", d->vendor, "platform", d->platform,
        "driver", d->driver, "opencl", d->opencl, "compute_units", (int)d->compute_units,
        "float_width", (int)d->float_width, "memory", (json_int_t)d->memory, "largest_buffer",
        (json_int_t)d->largest_buffer, "local_memory", (json_int_t)d->local_memory, "max_group",
        (json_int_t)d->max_group, "max_group_sizes", (json_int_t)d->max_group_sizes[0],
        (json_int_t)d->max_group_sizes[1], (json_int_t)d->max_group_sizes[2], "extensions",
        d->extensions, "can_train", d->can_train, "reason", d->reason);
}

static clc_status print_json(FILE *file, const clc_device_info *devices, size_t count,
                             const char *notes) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, device_json(&devices[i]));
    json_t *root = json_pack("{s:o,s:s}", "devices", list, "notes", notes);
    if (!root)
        return clc_fail(CLC_INVALID, "a device's names are not valid UTF-8");
    json_dumpf(root, file, JSON_INDENT(2));
    fputc('\n', file);
    json_decref(root);
    return CLC_OK;
}

clc_status clc_devices_report(FILE *file, bool json) {
    clc_device_info *devices = NULL;
    size_t count = 0;
    char *notes = NULL;
    clc_status status = clc_devices_probe(&devices, &count, &notes);
    if (status != CLC_OK)
        return status;
    if (json) {
        status = print_json(file, devices, count, notes);
    } else {
        if (count)
            print_table(file, devices, count);
        fputs(notes, file);
    }
    if (status == CLC_OK && count == 0)
        status =
            clc_fail(CLC_NO_DEVICE, "no OpenCL platform has a device; install a driver, such as "
                                    "pocl-opencl-icd for CPUs");
    clc_devices_free(&devices, &count, &notes);
    return status;
}
