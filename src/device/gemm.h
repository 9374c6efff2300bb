/* Matrix products on the device: the only caller of CLBlast. */
#ifndef CLC_DEVICE_GEMM_H
#define CLC_DEVICE_GEMM_H

#include "core/words.h"
#include "device/sequence.h"

typedef enum clc_gemm_kind { CLC_GEMMS(CLC_WORD_VALUE, CLC_GEMM_) } clc_gemm_kind;

/* C (m,n) = op(A) (m,k) x op(B) (k,n) [+ C if accumulate], all row-major and dense: A is stored
 * (m,k), or (k,m) if transpose_a; B is stored (k,n), or (n,k) if transpose_b. */
typedef struct clc_gemm {
    bool transpose_a, transpose_b, accumulate;
    size_t m, n, k;
    cl_mem a, b, c;
    size_t a_offset, b_offset, c_offset; /* floats */
    cl_mem bias, residual; /* (n) and (m,n), added if not NULL; only where clc_gemm_adds_tail */
    bool relu;             /* then cut off below 0; likewise */
} clc_gemm;

/* The problem's name for device->tuning: "gemm MxNxK", with t or n for each operand; `size` of at
 * least 96. */
void clc_gemm_key(const clc_gemm *gemm, char *key, size_t size);

/* Columns of a panel of B as the CPU kernels' tiles in registers take them (cl/op/registers.h), and
 * the options by which programs make such tiles; `size` of at least 64. */
int clc_gemm_panel_columns(const clc_device *device);
void clc_gemm_register_options(const clc_device *device, char *options, size_t size);

/* Whether clc_gemm_build does what comes behind the product, too: bias, residual and ReLU. */
bool clc_gemm_adds_tail(const clc_device *device, clc_gemm_kind kind, const clc_gemm *gemm);

/* Bytes of workspace that clc_gemm_build needs (may be 0). */
size_t clc_gemm_workspace(const clc_device *device, clc_gemm_kind kind, const clc_gemm *gemm);

/* Appends the launches of one product. `workspace` may be NULL when none is needed. `layer` names
 * it in bench. AUTO is what device->tuning says, else our own kernel on CPU profiles (unless
 * device->clblast_everywhere) and CLBlast on GPUs. */
clc_status clc_gemm_build(clc_sequence *sequence, clc_device *device, clc_gemm_kind kind,
                          const clc_gemm *gemm, cl_mem workspace, const char *op,
                          const char *layer);

#endif
