#include "eval/features.h"

#include <limits.h>

clc_status clc_features_upload(clc_device *device, const float *values, clc_features *features) {
    clc_status status = CLC_OK;
    const size_t bytes = features->rows * (size_t)features->dim * sizeof *values;
    CLC_TRY(clc_buffer_create(device, bytes, "features", &features->data));
    CLC_TRY(clc_buffer_write(device, features->data, 0, bytes, values));
fail:
    return status;
}

clc_status clc_features_comparable(const clc_features *known, const clc_features *asked,
                                   const char *what) {
    if (known->dim < 1 || known->dim != asked->dim)
        return clc_fail(CLC_INVALID, "%s: features of %d and of %d dimensions can't be compared",
                        what, known->dim, asked->dim);
    if (known->rows < 1 || known->rows > INT_MAX || asked->rows > INT_MAX)
        return clc_fail(CLC_INVALID, "%s: needs 1 to %d rows of features, not %zu (and %zu asked)",
                        what, INT_MAX, known->rows, asked->rows);
    return CLC_OK;
}

clc_status clc_features_check(const clc_features *known, const clc_features *asked,
                              const char *what) {
    const clc_status status = clc_features_comparable(known, asked, what);
    if (status != CLC_OK)
        return status;
    if (!known->labels || known->classes < 1)
        return clc_fail(CLC_INVALID, "%s: needs labels to learn from", what);
    for (size_t i = 0; i < known->rows; i++)
        if (known->labels[i] < 0 || known->labels[i] >= known->classes)
            return clc_fail(CLC_INVALID, "%s: label %d of row %zu is outside the %d classes", what,
                            (int)known->labels[i], i, known->classes);
    return CLC_OK;
}
