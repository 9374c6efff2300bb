/* Errors of OpenCL calls as failures. */
#ifndef CLC_DEVICE_ERROR_H
#define CLC_DEVICE_ERROR_H

#include "core/status.h"

#include <CL/cl.h>

/* Turns an OpenCL error code into a failure that names the call and its error. */
clc_status clc_fail_opencl(cl_int code, const char *call);

/* The name of an error code, such as "CL_OUT_OF_RESOURCES". */
const char *clc_opencl_error_name(cl_int code);

#define CLC_CL(call)                                                                               \
    do {                                                                                           \
        cl_int clc_cl_code = (call);                                                               \
        if (clc_cl_code != CL_SUCCESS) {                                                           \
            status = clc_fail_opencl(clc_cl_code, #call);                                          \
            goto fail;                                                                             \
        }                                                                                          \
    } while (0)

#endif
