#include "eval/by_hand.h"

#include "core/file.h"
#include "core/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Text that comes on standard input, as a file, since its form is found out by looking at it. */
static clc_status keep_input(char path[CLC_PATH_BYTES]) {
    clc_status status = CLC_OK;
    const char *folder = getenv("TMPDIR");
    FILE *file = NULL;
    char bytes[1 << 14];
    *path = '\0';
    CLC_TRY(clc_path_format(path, "%s/clcontrast-XXXXXX", folder && *folder ? folder : "/tmp"));
    const int descriptor = mkstemp(path);
    file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (!file)
        CLC_TRY(clc_fail_file("write", path));
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, stdin)) > 0;)
        if (fwrite(bytes, 1, n, file) != n)
            CLC_TRY(clc_fail_file("write", path));
fail:
    if (file && fclose(file) != 0 && status == CLC_OK)
        status = clc_fail_file("write", path);
    return status;
}

/* Lines of standard input are not known by the name of the file that they were kept in. */
static clc_status rename_lines(clc_names *names) {
    clc_status status = CLC_OK;
    clc_names renamed = {0};
    char name[64];
    for (size_t i = 0; i < names->count; i++) {
        const char *line = strrchr(clc_names_at(names, i), ':');
        const int n = snprintf(name, sizeof name, "stdin%.40s", line ? line : "");
        CLC_TRY(clc_names_add(&renamed, name, (size_t)n));
    }
    clc_names_free(names);
    *names = renamed;
    return CLC_OK;
fail:
    clc_names_free(&renamed);
    return status;
}

static clc_status open_texts(clc_encoder *e, const char *const *paths, size_t n,
                             clc_dataset **data) {
    clc_status status = CLC_OK;
    char kept[CLC_PATH_BYTES] = "";
    const bool input = n == 1 && !strcmp(paths[0], "-");
    clc_names files = {0};
    if (input)
        CLC_TRY(keep_input(kept));
    for (size_t i = 0; i < n; i++) {
        const char *path = input ? kept : paths[i];
        CLC_TRY(clc_names_add(&files, path, strlen(path)));
    }
    CLC_TRY(clc_dataset_open_text_files(&e->by_hand, &files, e->tokenizer, data));
    if (input)
        CLC_TRY(rename_lines(&(*data)->texts->names));
fail:
    clc_names_free(&files);
    if (*kept)
        unlink(kept);
    return status;
}

static clc_status open_series(const clc_encoder *e, const char *path, clc_dataset **data) {
    clc_status status = CLC_OK;
    char train[CLC_PATH_BYTES + 16];
    const char *const overrides[] = {train, "data.train_images=", "data.train_labels="};
    clc_config config = e->by_hand;
    snprintf(train, sizeof train, "data.train=%s", path);
    CLC_TRY(clc_config_override(overrides, sizeof overrides / sizeof *overrides, &config));
    CLC_TRY(clc_dataset_open(&config, CLC_SPLIT_TRAIN, NULL, data));
    const int given = (*data)->fields[0].channels, trained = e->towers[0].like.channels;
    if (given != trained)
        status = clc_fail(CLC_INVALID, "%s: its series have %d channels, but the encoder's had %d",
                          path, given, trained);
fail:
    return status;
}

static clc_status open_by_hand(clc_encoder *e, clc_kind kind, const char *const *paths, size_t n,
                               clc_dataset **data) {
    if (kind == CLC_KIND_IMAGES)
        return clc_encoder_open_paths(e, paths, n, data);
    if (kind == CLC_KIND_TOKENS)
        return open_texts(e, paths, n, data);
    if (n > 1)
        return clc_fail(CLC_INVALID, "series come from one file, not from %zu: %s, %s ...", n,
                        paths[0], paths[1]);
    return open_series(e, paths[0], data);
}

/* What samples given by hand are: of an encoder with two towers as said, or what the first one
 * looks like. */
static clc_status choose_kind(const clc_encoder *e, const char *said, const char *path,
                              clc_kind *kind) {
    *kind = e->towers[0].like.kind;
    if (said && strcmp(said, "image") && strcmp(said, "text"))
        return clc_fail(CLC_INVALID, "--tower %s: it is image or text", said);
    if (said)
        *kind = !strcmp(said, "text") ? CLC_KIND_TOKENS : CLC_KIND_IMAGES;
    else if (e->tower_count > 1 && strcmp(path, "-") && clc_dataset_looks_like_text(path))
        *kind = CLC_KIND_TOKENS;
    return CLC_OK;
}

clc_status clc_by_hand_open(clc_encoder *encoder, const char *said, const char *const *paths,
                            size_t n, clc_tower_encoder **tower, clc_dataset **data) {
    clc_status status = CLC_OK;
    clc_kind kind;
    CLC_TRY(choose_kind(encoder, said, paths[0], &kind));
    *tower = clc_encoder_tower(encoder, kind);
    status = *tower ? open_by_hand(encoder, kind, paths, n, data) : CLC_INVALID;
fail:
    return status;
}
