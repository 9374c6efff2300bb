#include "train/programs.h"

#include "core/log.h"
#include "device/program.h"
#include "train/session.h"

clc_status clc_programs(const clc_train_options *options, const char *folder) {
    clc_status status = CLC_OK;
    clc_session session;
    size_t count = 0;
    CLC_TRY(clc_session_plan(&session, options, NULL));
    CLC_TRY(clc_programs_write(session.device, folder, &count));
    clc_log("%s: %zu programs", folder, count);
fail:
    clc_session_close(&session);
    return status;
}
