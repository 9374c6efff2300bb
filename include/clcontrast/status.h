/* Result codes of every fallible clcontrast function. */
#ifndef CLCONTRAST_STATUS_H
#define CLCONTRAST_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#define CLC_API __attribute__((visibility("default")))

/* Name and meaning of each status, in one list so that they can't drift apart. */
#define CLC_STATUS_LIST(X)                                                                         \
    X(OK, "success")                                                                               \
    X(INVALID, "invalid argument or configuration")                                                \
    X(IO, "a file could not be read or written")                                                   \
    X(FORMAT, "a file's contents are not what its format says")                                    \
    X(NO_DEVICE, "no OpenCL device that can train")                                                \
    X(OPENCL, "an OpenCL call failed")                                                             \
    X(BUILD, "an OpenCL program did not build")                                                    \
    X(MEMORY, "not enough memory")                                                                 \
    X(NONFINITE, "a loss or gradient is not finite")                                               \
    X(INTERRUPTED, "interrupted by a signal; the state was saved")                                 \
    X(COLLAPSED, "the embeddings have collapsed, and training.on_collapse = stop")

typedef enum clc_status {
#define CLC_STATUS_ENUM(name, meaning) CLC_##name,
    CLC_STATUS_LIST(CLC_STATUS_ENUM)
#undef CLC_STATUS_ENUM
} clc_status;

/* The version of the library that runs, such as "0.2.0"; a static string. */
CLC_API const char *clc_version(void);

/* The name of a status, such as "NO_DEVICE"; a static string. */
CLC_API const char *clc_status_name(clc_status status);

/* The message of the last failure in this thread: what was wrong, the value seen, where, and what
 * to try. Valid until the next failing call of the thread; "" before the first. */
CLC_API const char *clc_error(void);

#ifdef __cplusplus
}
#endif
#endif
