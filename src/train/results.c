#include "train/results.h"

#include "core/file.h"
#include "core/log.h"
#include "eval/gallery.h"
#include "model/finetuned.h"
#include "model/run_folder.h"
#include "report/page.h"
#include "train/preview.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void clc_results_so_far(const clc_session *s) {
    if (s->config.output.report && clc_page_write(s->config.output.folder) != CLC_OK)
        clc_warn("no report: %s", clc_error());
}

static clc_status forget(const char *folder, const char *name) {
    char path[CLC_PATH_BYTES];
    const clc_status status = clc_run_path(folder, name, path);
    return status == CLC_OK && unlink(path) != 0 && errno != ENOENT ? clc_fail_file("remove", path)
                                                                    : status;
}

/* Evaluations of what began with the run's weights; that stays. */
static clc_status forget_finetuned(const char *folder) {
    clc_status status = CLC_OK;
    clc_finetuned *list = NULL;
    size_t n;
    CLC_TRY(clc_finetuned_list(folder, &list, &n));
    for (size_t i = 0; i < n; i++) {
        char name[CLC_FINETUNED_NAME], path[CLC_PATH_BYTES];
        clc_finetuned_name(&list[i], name);
        CLC_TRY(clc_run_path(folder, name, path));
        CLC_TRY(forget(path, CLC_RUN_EVALUATION_TEXT));
        CLC_TRY(forget(path, CLC_RUN_EVALUATION_JSON));
    }
fail:
    free(list);
    return status;
}

clc_status clc_results_forget(const char *folder) {
    clc_status status = CLC_OK;
    static const char *const names[] = {CLC_RUN_EVALUATION_TEXT,
                                        CLC_RUN_EVALUATION_JSON,
                                        CLC_RUN_SAMPLES,
                                        CLC_RUN_THUMBS,
                                        CLC_RUN_MAP,
                                        CLC_RUN_VIEWS,
                                        CLC_RUN_VIEWS_TEXT,
                                        CLC_RUN_REPORT};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CLC_TRY(forget(folder, names[i]));
    CLC_TRY(forget_finetuned(folder));
fail:
    return status;
}

/* The tables need classes, pairs or scores; without them the report has a map all the same. */
static clc_status evaluate(clc_session *s) {
    const char *folder = s->config.output.folder;
    const clc_evaluation_sets sets = clc_session_sets(s);
    clc_params *const params[CLC_TOWERS] = {clc_step_params(&s->step), clc_step_params(&s->step)};
    if (clc_evaluation_possible(&s->config, &sets))
        return clc_evaluate_and_print(s->device, &s->config, &sets, params, folder);
    if (!s->config.output.report)
        return CLC_OK;
    const clc_status status = clc_gallery_write_for(s->device, &s->config, &sets, params, folder);
    if (status == CLC_INTERRUPTED)
        return status;
    if (status != CLC_OK)
        clc_warn("no samples in the report: %s", clc_error());
    return CLC_OK;
}

clc_status clc_results_make(clc_session *s) {
    clc_status status = CLC_OK;
    CLC_TRY(evaluate(s));
    if (s->config.output.report && clc_preview_run(&s->config, s->device, s->data) != CLC_OK)
        clc_warn("no views in the report: %s", clc_error());
    clc_results_so_far(s);
fail:
    return status;
}
