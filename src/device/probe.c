#include "device/probe.h"

#include "device/error.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Extensions worth showing: optional variants and tuning may use them. */
static const char *const notable[] = {"cl_khr_fp64",
                                      "cl_khr_fp16",
                                      "cl_khr_subgroups",
                                      "cl_intel_subgroups",
                                      "cl_khr_il_program",
                                      "cl_khr_int64_base_atomics",
                                      "cl_nv_device_attribute_query"};

static void get_text(cl_device_id id, cl_device_info what, char *text, size_t size) {
    char value[4096] = "";
    if (clGetDeviceInfo(id, what, sizeof value - 1, value, NULL) != CL_SUCCESS)
        snprintf(value, sizeof value, "?");
    const char *start = value;
    while (isspace((unsigned char)*start))
        start++;
    snprintf(text, size, "%.*s", (int)(size - 1), start);
}

static uint64_t get_number(cl_device_id id, cl_device_info what, size_t bytes) {
    union {
        cl_uint small;
        cl_ulong large;
    } value = {.large = 0};
    if (clGetDeviceInfo(id, what, bytes, &value, NULL) != CL_SUCCESS)
        return 0;
    return bytes == sizeof(cl_uint) ? value.small : value.large;
}

static void fill_extensions(cl_device_id id, clc_device_info *info) {
    size_t size = 0;
    char *all = NULL;
    if (clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, 0, NULL, &size) != CL_SUCCESS || !size ||
        !(all = calloc(size + 1, 1)))
        return;
    if (clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, size, all, NULL) == CL_SUCCESS)
        for (size_t i = 0; i < sizeof notable / sizeof *notable; i++)
            if (strstr(all, notable[i])) {
                size_t used = strlen(info->extensions);
                snprintf(info->extensions + used, sizeof info->extensions - used, "%s%s",
                         used ? " " : "", notable[i]);
            }
    free(all);
}

/* Sets can_train and reason. */
static void judge(cl_device_id id, clc_device_info *info) {
    int major = 0, minor = 0;
    const char *reason = "";
    if (!get_number(id, CL_DEVICE_AVAILABLE, sizeof(cl_uint)))
        reason = "the device is not available";
    else if (!get_number(id, CL_DEVICE_COMPILER_AVAILABLE, sizeof(cl_uint)))
        reason = "its driver has no compiler";
    else if (sscanf(info->opencl, "OpenCL %d.%d", &major, &minor) != 2 || major * 10 + minor < 12)
        reason = "OpenCL 1.2 is needed";
    else if (!get_number(id, CL_DEVICE_ENDIAN_LITTLE, sizeof(cl_uint)))
        reason = "a little-endian device is needed";
    else if (info->local_memory < 16384)
        reason = "16 KB of local memory are needed";
    snprintf(info->reason, sizeof info->reason, "%s", reason);
    info->can_train = !*reason;
}

static const char *type_name(cl_device_id id) {
    cl_device_type type = get_number(id, CL_DEVICE_TYPE, sizeof(cl_ulong));
    return type & CL_DEVICE_TYPE_GPU           ? "gpu"
           : type & CL_DEVICE_TYPE_CPU         ? "cpu"
           : type & CL_DEVICE_TYPE_ACCELERATOR ? "accelerator"
                                               : "other";
}

static void fill_info(cl_platform_id platform, cl_device_id id, clc_device_info *info) {
    snprintf(info->type, sizeof info->type, "%s", type_name(id));
    get_text(id, CL_DEVICE_NAME, info->name, sizeof info->name);
    get_text(id, CL_DEVICE_VENDOR, info->vendor, sizeof info->vendor);
    get_text(id, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    get_text(id, CL_DEVICE_VERSION, info->opencl, sizeof info->opencl);
    if (clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof info->platform - 1, info->platform,
                          NULL) != CL_SUCCESS)
        snprintf(info->platform, sizeof info->platform, "?");
    info->compute_units = (unsigned)get_number(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(cl_uint));
    unsigned width = (unsigned)get_number(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof(cl_uint));
    info->float_width = width ? width : 1;
    info->memory = get_number(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof(cl_ulong));
    info->largest_buffer = get_number(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof(cl_ulong));
    info->local_memory = get_number(id, CL_DEVICE_LOCAL_MEM_SIZE, sizeof(cl_ulong));
    info->max_group = (size_t)get_number(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(size_t));
    size_t sizes[16] = {0};
    if (clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof sizes, sizes, NULL) == CL_SUCCESS)
        memcpy(info->max_group_sizes, sizes, sizeof info->max_group_sizes);
    unsigned bits = (unsigned)get_number(id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof(cl_uint));
    info->alignment = bits / 8 > 4 ? bits / 8 : 4;
    fill_extensions(id, info);
    judge(id, info);
}

typedef struct probe_lists {
    clc_device_info *devices;
    clc_probed *handles;
    size_t count;
    char *notes;
} probe_lists;

static void note(probe_lists *lists, const char *platform, const char *text) {
    size_t used = strlen(lists->notes);
    char *longer = realloc(lists->notes, used + strlen(platform) + strlen(text) + 16);
    if (!longer)
        return;
    lists->notes = longer;
    sprintf(lists->notes + used, "platform '%s': %s\n", platform, text);
}

static clc_status add_platform(probe_lists *lists, cl_platform_id platform) {
    char name[128] = "?";
    cl_uint n = 0;
    cl_device_id ids[64];
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name - 1, name, NULL);
    cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 64, ids, &n);
    if (code == CL_DEVICE_NOT_FOUND || (code == CL_SUCCESS && n == 0)) {
        note(lists, name, "no devices");
        return CLC_OK;
    }
    if (code != CL_SUCCESS) {
        note(lists, name, clc_opencl_error_name(code));
        return CLC_OK;
    }
    n = n > 64 ? 64 : n;
    clc_device_info *devices = realloc(lists->devices, (lists->count + n) * sizeof *devices);
    if (!devices)
        return clc_fail_alloc((lists->count + n) * sizeof *devices);
    lists->devices = devices;
    clc_probed *handles = realloc(lists->handles, (lists->count + n) * sizeof *handles);
    if (!handles)
        return clc_fail_alloc((lists->count + n) * sizeof *handles);
    lists->handles = handles;
    for (cl_uint i = 0; i < n; i++, lists->count++) {
        memset(&devices[lists->count], 0, sizeof *devices);
        devices[lists->count].number = (int)lists->count;
        handles[lists->count] = (clc_probed){platform, ids[i]};
        fill_info(platform, ids[i], &devices[lists->count]);
    }
    return CLC_OK;
}

clc_status clc_probe(clc_device_info **devices, clc_probed **handles, size_t *count, char **notes) {
    clc_status status = CLC_OK;
    probe_lists lists = {0};
    cl_platform_id platforms[64];
    cl_uint n = 0;
    CLC_NEW(lists.notes, 1);
    if (clGetPlatformIDs(64, platforms, &n) != CL_SUCCESS || n == 0) {
        status = clc_fail(CLC_NO_DEVICE, "no OpenCL platform was found; install a driver, such as "
                                         "pocl-opencl-icd for CPUs, and look at it with 'clinfo'");
        goto fail;
    }
    for (cl_uint i = 0; i < n && i < 64; i++)
        CLC_TRY(add_platform(&lists, platforms[i]));
    *devices = lists.devices;
    *count = lists.count;
    if (handles)
        *handles = lists.handles;
    else
        free(lists.handles);
    if (notes)
        *notes = lists.notes;
    else
        free(lists.notes);
    return CLC_OK;
fail:
    free(lists.devices);
    free(lists.handles);
    free(lists.notes);
    return status;
}

clc_status clc_devices_probe(clc_device_info **devices, size_t *count, char **notes) {
    return clc_probe(devices, NULL, count, notes);
}

void clc_devices_free(clc_device_info **devices, size_t *count, char **notes) {
    if (devices) {
        free(*devices);
        *devices = NULL;
    }
    if (count)
        *count = 0;
    if (notes) {
        free(*notes);
        *notes = NULL;
    }
}

static bool contains(const char *text, const char *part) {
    size_t length = strlen(part);
    for (; strlen(text) >= length; text++) {
        size_t i = 0;
        while (i < length && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == length)
            return true;
    }
    return false;
}

/* A GPU before others, then compute units times width, then the lower number. */
static double rank(const clc_device_info *info) {
    if (!info->can_train)
        return -1;
    return (!strcmp(info->type, "gpu") ? 1e6 : 0) + info->compute_units * info->float_width;
}

static bool matches(const clc_device_info *info, const char *selector) {
    if (!selector || !*selector)
        return true;
    if (!strcmp(selector, "cpu") || !strcmp(selector, "gpu"))
        return !strcmp(info->type, selector);
    return contains(info->name, selector) || contains(info->platform, selector);
}

clc_status clc_probe_select(const clc_device_info *devices, size_t count, const char *selector,
                            size_t *chosen) {
    const char *wanted = selector ? selector : "";
    char *end = NULL;
    long number = strtol(wanted, &end, 10);
    if (count == 0)
        return clc_fail(CLC_NO_DEVICE,
                        "no platform has an OpenCL device; install a driver, such as "
                        "pocl-opencl-icd for CPUs");
    bool numeric = *wanted && !*end;
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        bool match = numeric ? number == devices[i].number : matches(&devices[i], wanted);
        if (match && (best == count || rank(&devices[i]) > rank(&devices[best])))
            best = i;
    }
    if (best == count)
        return clc_fail(CLC_NO_DEVICE,
                        "no device matches '%s'; 'clcontrast devices' lists the %zu there are "
                        "(--device takes a number, cpu, gpu or a part of a name)",
                        wanted, count);
    if (!devices[best].can_train)
        return clc_fail(CLC_NO_DEVICE, "device %d (%s) can't train: %s", devices[best].number,
                        devices[best].name, devices[best].reason);
    *chosen = best;
    return CLC_OK;
}
