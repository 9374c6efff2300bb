#include "train/record.h"

#include "data/labelled.h"
#include "model/run_folder.h"
#include "model/run_tokenizer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Which samples kept their labels; none of a former run's where all did. */
static clc_status write_labelled(const clc_session *s) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    double share;
    int each;
    CLC_TRY(clc_run_path(s->config.output.folder, CLC_RUN_LABELLED, path));
    clc_config_labels(&s->config.finetune, &share, &each);
    if (s->data->labels && (each || share < 1))
        return clc_labelled_write(s->data, path);
    if (unlink(path) != 0 && errno != ENOENT)
        return clc_fail_file("remove", path);
fail:
    return status;
}

clc_status clc_record_config(const clc_session *s) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    char *text = NULL;
    size_t size = 0;
    CLC_TRY(clc_run_path(s->config.output.folder, CLC_RUN_CONFIG, path));
    CLC_TRY(clc_config_text(&s->config, &text, &size));
    CLC_TRY(clc_file_write_all(path, text, size));
    CLC_TRY(clc_run_path(s->config.output.folder, CLC_RUN_CLASSES, path));
    CLC_TRY(clc_names_write(&s->data->class_names, path));
    CLC_TRY(clc_run_tokenizer_save(s->config.output.folder, s->data->tokenizer));
    CLC_TRY(write_labelled(s));
fail:
    free(text);
    return status;
}
