/* The preview of texts: the first ones and their views, as text. */
#include "train/preview.h"

#include "augment/tokens.h"
#include "core/file.h"
#include "core/log.h"
#include "core/math.h"
#include "data/source_paths.h"
#include "data/texts.h"
#include "device/open.h"
#include "text/synonyms.h"
#include "text/tokenizer.h"

#include <string.h>

enum { TEXTS = 12, VIEWS = 6 };

typedef struct preview {
    clc_config config;
    clc_texts *texts;
    size_t next; /* text to learn from */
    clc_tokenizer *tokenizer;
    clc_synonyms synonyms;
    clc_device *device;
    int count, context;
    clc_ids ids;
    field_place places[TEXTS];
    int32_t samples[TEXTS], firsts[TEXTS + 1];
    int32_t *views, lengths[TEXTS * VIEWS]; /* (VIEWS,count,context) */
} preview;

static clc_status next_text(void *texts, const char **text, size_t *n, bool *more) {
    preview *p = texts;
    const clc_texts *t = p->texts;
    *more = p->next < t->firsts[t->count * t->fields.count];
    if (*more) {
        *text = t->blob + t->spans[p->next].offset;
        *n = t->spans[p->next++].length;
    }
    return CLC_OK;
}

/* Learns the tokens of all texts, and takes the first of each of the first samples. */
static clc_status read_texts(preview *p) {
    clc_status status = CLC_OK;
    const clc_config_data *data = &p->config.data;
    const clc_texts_options options = {.columns = data->text_columns,
                                       .label_column = data->label_column,
                                       .split_column = data->split_column,
                                       .split = CLC_SPLIT_TRAIN};
    clc_names paths = {0};
    size_t n;
    CLC_TRY(clc_source_paths(data->train, &paths));
    CLC_TRY(clc_texts_open_all(&paths, &options, &p->texts));
    const clc_tokenizer_options o = clc_tokenizer_options_from_config(&p->config.tokens, 0);
    CLC_TRY(clc_tokenizer_train(&o, next_text, p, &p->tokenizer));
    if (p->config.tokens.synonyms[0])
        CLC_TRY(clc_synonyms_load(p->config.tokens.synonyms, p->tokenizer, &p->synonyms));
    for (; (size_t)p->count < p->texts->count && p->count < TEXTS; p->count++) {
        const clc_text_span *span = clc_texts_of(p->texts, (size_t)p->count, 0, &n);
        const size_t before = p->ids.n;
        CLC_TRY(clc_tokenizer_encode(p->tokenizer, p->texts->blob + span->offset, span->length, 0,
                                     true, &p->ids));
        p->places[p->count] = (field_place){before, (int)(p->ids.n - before), 0};
        p->samples[p->count] = p->firsts[p->count] = p->count;
        p->firsts[p->count + 1] = p->count + 1;
        p->context = clc_larger_int(p->context, (int)(p->ids.n - before));
    }
fail:
    clc_names_free(&paths);
    return status;
}

static clc_status upload(preview *p, const void *data, size_t bytes, const char *what,
                         cl_mem *buffer) {
    clc_status status = CLC_OK;
    CLC_TRY(clc_buffer_create(p->device, bytes, what, buffer));
    status = clc_buffer_write(p->device, *buffer, 0, bytes, data);
fail:
    return status;
}

static clc_status upload_texts(preview *p, clc_token_texts *t) {
    clc_status status = CLC_OK;
    const size_t tokens = (size_t)clc_tokenizer_vocabulary(p->tokenizer);
    CLC_TRY(upload(p, p->ids.data, p->ids.n * sizeof *p->ids.data, "tokens", &t->ids));
    CLC_TRY(upload(p, p->places, sizeof p->places, "places of texts", &t->places));
    CLC_TRY(upload(p, p->firsts, sizeof p->firsts, "texts of samples", &t->firsts));
    CLC_TRY(upload(p, p->samples, sizeof p->samples, "identities of texts", &t->indices));
    if (p->synonyms.starts) {
        const int32_t *starts = p->synonyms.starts;
        CLC_TRY(upload(p, starts, (tokens + 1) * sizeof *starts, "synonyms", &t->synonym_starts));
        CLC_TRY(upload(p, p->synonyms.ids, (size_t)starts[tokens] * sizeof *starts, "synonyms",
                       &t->synonyms));
    }
fail:
    return status;
}

/* Makes the views of epoch 0. */
static clc_status make_views(preview *p) {
    clc_status status = CLC_OK;
    const cl_uint epoch = 0;
    p->context = clc_larger_int(p->context, CLC_CONTEXT_MIN); /* texts may have no token at all */
    const size_t bytes = (size_t)(VIEWS * p->count) * (size_t)p->context * sizeof *p->views;
    const clc_token_augment augment = {.context = p->context,
                                       .ends = true,
                                       .settings = p->config.tokens,
                                       .seed = p->config.training.seed};
    const clc_augment_batch batch = {.images = p->count, .views = VIEWS};
    clc_token_texts texts = {0};
    cl_mem state = NULL, out = NULL, lengths = NULL;
    clc_sequence sequence = {0};
    CLC_TRY(upload_texts(p, &texts));
    CLC_TRY(upload(p, &epoch, sizeof epoch, "epoch", &state));
    CLC_TRY(clc_buffer_create(p->device, bytes, "views", &out));
    CLC_TRY(clc_buffer_create(p->device, sizeof p->lengths, "lengths", &lengths));
    CLC_TRY(clc_token_augment_build(&sequence, p->device, &augment, &batch, &texts, state, out,
                                    lengths));
    CLC_TRY(clc_sequence_run(&sequence, p->device));
    CLC_NEW(p->views, bytes / sizeof *p->views);
    CLC_TRY(clc_buffer_read(p->device, out, 0, bytes, p->views));
    CLC_TRY(clc_buffer_read(p->device, lengths, 0, sizeof p->lengths, p->lengths));
fail:
    clc_sequence_free(&sequence);
    clc_buffer_release(p->device, &texts.ids);
    clc_buffer_release(p->device, &texts.places);
    clc_buffer_release(p->device, &texts.firsts);
    clc_buffer_release(p->device, &texts.indices);
    clc_buffer_release(p->device, &texts.synonym_starts);
    clc_buffer_release(p->device, &texts.synonyms);
    clc_buffer_release(p->device, &state);
    clc_buffer_release(p->device, &out);
    clc_buffer_release(p->device, &lengths);
    return status;
}

static clc_status write_tokens(const preview *p, clc_file_writer *writer, const int32_t *ids,
                               int n) {
    clc_status status = CLC_OK;
    clc_bytes text = {0};
    CLC_TRY(clc_tokenizer_decode(p->tokenizer, ids, (size_t)n, &text));
    if (text.n > 0)
        CLC_TRY(clc_file_writer_write(writer, text.data, text.n));
    status = clc_file_writer_write(writer, "\n", 1);
fail:
    clc_bytes_free(&text);
    return status;
}

static clc_status write_views(const preview *p, const char *path) {
    clc_status status = CLC_OK;
    clc_file_writer *writer = NULL;
    CLC_TRY(clc_file_writer_open(path, &writer));
    for (int i = 0; i < p->count; i++) {
        CLC_TRY(
            clc_file_writer_print(writer, "%s\t%d tokens\t", i ? "\n" : "", p->places[i].length));
        CLC_TRY(write_tokens(p, writer, p->ids.data + p->places[i].offset, p->places[i].length));
        for (int v = 0; v < VIEWS; v++) {
            const int row = v * p->count + i;
            CLC_TRY(clc_file_writer_print(writer, "view %d\t%d tokens\t", v, p->lengths[row]));
            CLC_TRY(write_tokens(p, writer, p->views + (size_t)row * (size_t)p->context,
                                 p->lengths[row]));
        }
    }
    CLC_TRY(clc_file_writer_commit(&writer));
fail:
    clc_file_writer_abort(&writer);
    return status;
}

clc_status clc_preview_text(const clc_train_options *options, const char *path) {
    clc_status status = CLC_OK;
    preview *p = NULL;
    CLC_NEW(p, 1);
    CLC_TRY(
        clc_config_load(options->config, options->overrides, options->override_count, &p->config));
    CLC_TRY(clc_config_require_data(&p->config));
    CLC_TRY(read_texts(p));
    CLC_TRY(clc_device_open(options->device, (clc_profile)p->config.device.profile, &p->device));
    CLC_TRY(make_views(p));
    CLC_TRY(write_views(p, path));
    clc_log("%s: %d texts, %d views of each; %d tokens are known, from %zu texts", path, p->count,
            VIEWS, clc_tokenizer_vocabulary(p->tokenizer), p->next);
    if (p->texts->empty > 0 || p->texts->bad.count > 0)
        clc_log("%s: %zu empty texts, %zu rows or samples left out%s%s%s%s", p->config.data.train,
                p->texts->empty, p->texts->bad.count, p->texts->bad.count ? ": " : "",
                p->texts->bad.count ? clc_names_at(&p->texts->bad.entries, 0) : "",
                p->texts->bad.count ? ": " : "",
                p->texts->bad.count ? clc_names_at(&p->texts->bad.entries, 1) : "");
fail:
    if (p) {
        clc_device_close(&p->device);
        clc_texts_close(&p->texts);
        clc_tokenizer_free(&p->tokenizer);
        clc_synonyms_free(&p->synonyms);
        clc_ids_free(&p->ids);
        free(p->views);
        free(p);
    }
    return status;
}
