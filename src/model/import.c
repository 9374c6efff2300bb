#include "model/import.h"

#include "core/file.h"
#include "core/log.h"
#include "device/open.h"
#include "graph/graph.h"
#include "model/import_state.h"
#include "model/run_folder.h"
#include "model/run_tokenizer.h"
#include "model/weights.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void list_name(clc_import_list *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void list_name(clc_import_list *l, const char *format, ...) {
    enum { ROOM = 100 }; /* for a name and what ends the list */
    const size_t used = strlen(l->text), size = sizeof l->text;
    va_list arguments;
    l->count++;
    if (used + ROOM >= size) {
        if (l->text[used - 1] != '.')
            snprintf(l->text + used, size - used, ", ...");
        return;
    }
    snprintf(l->text + used, size - used, "%s", used ? ", " : "");
    const size_t start = strlen(l->text);
    va_start(arguments, format);
    vsnprintf(l->text + start, size - start - ROOM / 2, format, arguments);
    va_end(arguments);
}

/* ---- parameters ---- */

static clc_status check_vocabulary(const clc_import_state *m, const clc_import_part *part) {
    const size_t rows = clc_import_size(part, "token_embedding.weight", 0);
    const int tokens = clc_tokenizer_vocabulary(m->tokenizer);
    return rows == (size_t)tokens
               ? CLC_OK
               : clc_fail(CLC_INVALID,
                          "%s has %d tokens, but the network knows %zu: it is not the tokenizer "
                          "that the network was trained with",
                          m->options->tokenizer, tokens, rows);
}

/* Adds the parameters of a network of the configuration, without building it. */
static clc_status add_params(clc_import_state *m, int tower) {
    clc_status status = CLC_OK;
    const int size = m->config.augmentation.size,
              context = clc_tower_at(&m->config, tower).encoder->context;
    const bool text = m->parts[tower].dialect->network == CLC_IMPORT_TEXT;
    clc_net_input in = {.kind = text ? CLC_KIND_TOKENS : CLC_KIND_IMAGES};
    clc_graph *graph = NULL;
    clc_tensor *features;
    if (text) {
        CLC_TRY(check_vocabulary(m, &m->parts[tower]));
        in.vocabulary = clc_tokenizer_vocabulary(m->tokenizer);
    }
    CLC_TRY(clc_graph_create(m->device, &m->params, false, &graph));
    CLC_TRY(clc_graph_input(graph, "input",
                            text ? clc_shape_tokens(1, context)
                                 : clc_shape_images(1, size, size, m->config.data.channels),
                            false, &in.values));
    if (text)
        CLC_TRY(clc_graph_input(graph, "lengths", clc_shape_lengths(1), false, &in.lengths));
    CLC_TRY(clc_kept_build(graph, &m->config, tower, &in, &features));
fail:
    clc_graph_free(&graph);
    return status;
}

static void describe_shape(const size_t *shape, int rank, char text[96]) {
    size_t used = 0;
    for (int d = 0; d < rank && used < 80; d++)
        used += (size_t)snprintf(text + used, 96 - used, "%s%zu", d ? "," : "", shape[d]);
    text[used] = '\0';
}

/* A tensor of another shape: both are told. */
static void list_shapes(clc_import_state *m, const clc_import_part *part, const char *ours,
                        const char *theirs, const size_t shape[4], int rank) {
    char here[96], there[96] = "?";
    const clc_st_tensor *t = clc_import_find(part, ours);
    describe_shape(shape, rank, here);
    if (t)
        describe_shape(t->shape, t->rank, there);
    list_name(&m->other, "%s (%s) in place of (%s)", theirs, there, here);
}

static clc_status fill_param(clc_import_state *m, int tower, const clc_param *param) {
    clc_status status = CLC_OK;
    const clc_import_part *part = &m->parts[tower];
    const char *section = clc_tower_at(&m->config, tower).section;
    const size_t skip = strlen(section) + 1;
    const bool inside = !strncmp(param->name, section, skip - 1) && param->name[skip - 1] == '.';
    const char *ours = inside ? param->name + skip : param->name;
    clc_import_name theirs;
    size_t shape[4];
    float *data = NULL;
    CLC_NEW(data, param->count);
    clc_param_outer_shape(param, shape);
    switch (clc_import_value(part, ours, param->rank, shape, data, &theirs)) {
    case CLC_IMPORT_MISSING:
        list_name(&m->missing, "%s", *theirs.text ? theirs.text : ours);
        break;
    case CLC_IMPORT_DIFFERS:
        list_shapes(m, part, ours, theirs.text, shape, param->rank);
        break;
    case CLC_IMPORTED_CHANNELS:
        list_name(&m->changed, "%s: %zu channels become %zu%s", theirs.text,
                  clc_import_size(part, ours, 1), shape[1],
                  shape[1] == 1 ? ", their sum" : ", in turn, scaled by the quotient");
        /* fall through */
    case CLC_IMPORTED:
        status = clc_param_import(param, m->device, data);
    }
fail:
    free(data);
    return status;
}

static clc_status fill_params(clc_import_state *m) {
    clc_status status = CLC_OK;
    size_t first[CLC_TOWERS + 1] = {0};
    CLC_TRY(clc_device_open(m->options->device, (clc_profile)m->config.device.profile, &m->device));
    for (int t = 0; t < m->part_count; t++) {
        CLC_TRY(add_params(m, t));
        first[t + 1] = m->params.count;
    }
    clc_params_layout(&m->params);
    CLC_TRY(clc_params_allocate(&m->params, m->device, false, 0));
    for (int t = 0; t < m->part_count; t++)
        for (size_t i = first[t]; i < first[t + 1]; i++)
            CLC_TRY(fill_param(m, t, &m->params.items[i]));
fail:
    return status;
}

/* ---- what is told ---- */

static bool begins(const char *name, const char *const *words) {
    for (; *words; words++)
        if (!strncmp(name, *words, strlen(*words)))
            return true;
    return false;
}

/* Whether a tensor that was not taken belongs to a head or to a tower that isn't wanted, or is no
 * weight: without it the features are the same. */
static bool may_be_left(const clc_import_state *m, const char *name) {
    static const char *const heads[] = {
        "fc.",        "head",       "classifier", "projector.",  "projection_head",
        "predictor.", "pre_logits", "mask_token", "logit_scale", "logit_bias",
        NULL};
    static const char *const texts[] = {"text_model.",
                                        "text_projection",
                                        "token_embedding",
                                        "transformer.",
                                        "positional_embedding",
                                        "ln_final",
                                        NULL};
    static const char *const images[] = {"visual.", "visual_projection", "vision_model.", NULL};
    const clc_import_part *part = &m->parts[0];
    const char *end = strrchr(name, '.');
    const size_t prefix = strlen(part->prefix);
    if (strncmp(name, part->prefix, prefix))
        return true;
    name += prefix;
    end = end ? end + 1 : name;
    if (begins(name, heads) || !strcmp(end, "position_ids") || !strcmp(end, "attn_mask"))
        return true;
    if (!part->dialect->clip || m->part_count > 1)
        return false;
    return begins(name, part->dialect->network == CLC_IMPORT_TEXT ? images : texts);
}

static void list_left(clc_import_state *m) {
    for (size_t i = 0; i < m->file->count; i++) {
        const char *name = m->file->tensors[i].name;
        if (m->used[i] || strstr(name, "num_batches_tracked"))
            continue;
        list_name(may_be_left(m, name) ? &m->left : &m->foreign, "%s", name);
    }
}

static clc_status tell(clc_import_state *m) {
    list_left(m);
    if (m->changed.count)
        clc_log("changed: %s", m->changed.text);
    if (m->left.count)
        clc_log("left out, %zu of heads and other towers: %s", m->left.count, m->left.text);
    if (m->missing.count || m->other.count)
        return clc_fail(CLC_FORMAT,
                        "%s is not of a network that is here%s%s%s%s: other keys of [encoder] or "
                        "augmentation.size by --set may fit",
                        m->weights, m->missing.count ? ": it lacks " : "", m->missing.text,
                        m->other.count ? "; has other shapes of " : "", m->other.text);
    if (!m->foreign.count)
        return CLC_OK;
    if (!m->options->allow_changes)
        return clc_fail(CLC_FORMAT,
                        "%s: its network has %zu tensors that none here has: %s; features without "
                        "them are others (--allow-changes leaves them out)",
                        m->weights, m->foreign.count, m->foreign.text);
    clc_warn("left out, although the features are others without: %s", m->foreign.text);
    return CLC_OK;
}

/* ---- the file ---- */

static bool is_file(const char *path) {
    const char *end = strrchr(path, '.');
    return end && !strcmp(end, ".safetensors");
}

static clc_status choose_output(const clc_import_options *o, char *written) {
    clc_status status = CLC_OK;
    const char *path = o->output ? o->output : "imported.safetensors";
    CLC_TRY(is_file(path) ? clc_path_format(written, "%s", path)
                          : clc_run_path(path, CLC_RUN_ENCODER, written));
    if (!o->overwrite && access(written, F_OK) == 0)
        status = clc_fail(CLC_INVALID, "%s is there already: say another --output, or --overwrite",
                          written);
fail:
    return status;
}

/* In a folder the configuration stands beside it, as in a run's. */
static clc_status write_folder(const clc_import_state *m, const char *folder) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    char *text = NULL;
    size_t size;
    CLC_TRY(clc_make_folders(folder));
    CLC_TRY(clc_run_path(folder, CLC_RUN_CONFIG, path));
    CLC_TRY(clc_config_text(&m->config, &text, &size));
    CLC_TRY(clc_file_write_all(path, text, size));
    CLC_TRY(clc_run_tokenizer_save(folder, m->tokenizer));
fail:
    free(text);
    return status;
}

static void release(clc_import_state *m) {
    clc_params_release(&m->params, m->device);
    clc_device_close(&m->device);
    clc_tokenizer_free(&m->tokenizer);
    clc_names_free(&m->classes);
    clc_safetensors_close(&m->file);
    free(m->used);
}

clc_status clc_import(const clc_import_options *o, char *written) {
    clc_status status = CLC_OK;
    clc_import_state m = {.options = o};
    CLC_TRY(choose_output(o, written));
    CLC_TRY(clc_import_open(&m));
    CLC_TRY(clc_import_configure(&m));
    CLC_TRY(fill_params(&m));
    CLC_TRY(tell(&m));
    if (o->output && !is_file(o->output))
        CLC_TRY(write_folder(&m, o->output));
    const clc_encoder_notes notes = {&m.classes, m.tokenizer, NULL, 0};
    CLC_TRY(clc_encoder_save(written, &m.params, m.device, &m.config, &notes));
fail:
    release(&m);
    return status;
}
