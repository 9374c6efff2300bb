/* What losses on scores share: a view predicts another view's distribution; see cl/loss/codes.cl.
 */
#ifndef CLC_LOSS_CODES_H
#define CLC_LOSS_CODES_H

#include "loss/loss.h"

/* Two to 16 views, of which the first `large` have codes. */
clc_status clc_codes_check(const char *name, const clc_loss_shape *shape);

/* Bytes. */
size_t clc_codes_workspace(const clc_loss_shape *shape);

/* A launch over `x` by `y` groups. */
clc_launch_spec clc_codes_spec(const clc_device *device, const clc_loss_shape *shape,
                               const char *kernel, size_t x, size_t y, char options[48]);

#define CLC_CODES_SHAPE(shape)                                                                     \
    CLC_INT((shape)->images), CLC_INT((shape)->large), CLC_INT((shape)->queue)

/* Appends loss and gradient from the codes in the workspace. */
clc_status clc_codes_finish(clc_sequence *sequence, clc_device *device, const clc_loss_shape *shape,
                            const clc_config_loss *options, const clc_loss_buffers *buffers);

#endif
