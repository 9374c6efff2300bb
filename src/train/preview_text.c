/* The preview of texts: the first ones and their views, as text. */
#include "train/preview.h"

#include "augment/tokens.h"
#include "core/file.h"
#include "core/log.h"
#include "core/math.h"
#include "data/source_paths.h"
#include "data/texts.h"
#include "device/open.h"
#include "method/setup.h"
#include "text/synonyms.h"
#include "text/tokenizer.h"

#include <string.h>

enum { TEXTS = 12, VIEWS = 6 };

/* What a preview is made from where no data set is open. */
typedef struct material {
    clc_config config;
    clc_texts *texts;
    size_t next; /* text to learn from */
    clc_tokenizer *tokenizer;
    clc_synonyms synonyms;
} material;

typedef struct preview {
    clc_device *device;
    clc_tokenizer *tokenizer;
    const clc_synonyms *synonyms;
    clc_token_augment augment;
    int count, longest; /* texts; tokens of one */
    clc_ids ids;
    field_place places[TEXTS];
    int32_t samples[TEXTS], firsts[TEXTS + 1];
    int32_t *views, lengths[TEXTS * VIEWS]; /* (VIEWS,count,context) */
} preview;

static clc_status next_text(void *from, const char **text, size_t *n, bool *more) {
    material *m = from;
    const clc_texts *t = m->texts;
    *more = m->next < t->firsts[t->count * t->fields.count];
    if (*more) {
        *text = t->blob + t->spans[m->next].offset;
        *n = t->spans[m->next++].length;
    }
    return CLC_OK;
}

/* Reads all texts and learns their tokens. */
static clc_status read_texts(material *m) {
    clc_status status = CLC_OK;
    const clc_config_data *data = &m->config.data;
    const clc_texts_options options = {.columns = data->text_columns,
                                       .label_column = data->label_column,
                                       .split_column = data->split_column,
                                       .split = CLC_SPLIT_TRAIN};
    clc_names paths = {0};
    CLC_TRY(clc_source_paths(data->train, &paths));
    CLC_TRY(clc_texts_open_all(&paths, &options, &m->texts));
    const clc_tokenizer_options o = clc_tokenizer_options_from_config(&m->config.tokens, 0);
    CLC_TRY(clc_tokenizer_train(&o, next_text, m, &m->tokenizer));
    if (m->config.tokens.synonyms[0])
        CLC_TRY(clc_synonyms_load(m->config.tokens.synonyms, m->tokenizer, &m->synonyms));
fail:
    clc_names_free(&paths);
    return status;
}

/* Adds the first text of a sample. */
static clc_status take_text(preview *p, const clc_texts *texts, size_t sample) {
    clc_status status = CLC_OK;
    size_t n;
    const clc_text_span *span = clc_texts_of(texts, sample, 0, &n);
    const size_t before = p->ids.n;
    CLC_TRY(clc_tokenizer_encode(p->tokenizer, texts->blob + span->offset, span->length, 0, true,
                                 &p->ids));
    p->places[p->count] = (field_place){before, (int)(p->ids.n - before), 0};
    p->samples[p->count] = p->firsts[p->count] = p->count;
    p->firsts[p->count + 1] = p->count + 1;
    p->longest = clc_larger_int(p->longest, (int)(p->ids.n - before));
    p->count++;
fail:
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
    if (p->synonyms->starts) {
        const int32_t *starts = p->synonyms->starts;
        CLC_TRY(upload(p, starts, (tokens + 1) * sizeof *starts, "synonyms", &t->synonym_starts));
        CLC_TRY(upload(p, p->synonyms->ids, (size_t)starts[tokens] * sizeof *starts, "synonyms",
                       &t->synonyms));
    }
fail:
    return status;
}

/* Makes the views of epoch 0. */
static clc_status make_views(preview *p) {
    clc_status status = CLC_OK;
    const cl_uint epoch = 0;
    const size_t bytes = (size_t)(VIEWS * p->count) * (size_t)p->augment.context * sizeof *p->views;
    const clc_augment_batch batch = {.images = p->count, .views = VIEWS};
    clc_token_texts texts = {0};
    cl_mem state = NULL, out = NULL, lengths = NULL;
    clc_sequence sequence = {0};
    CLC_TRY(upload_texts(p, &texts));
    CLC_TRY(upload(p, &epoch, sizeof epoch, "epoch", &state));
    CLC_TRY(clc_buffer_create(p->device, bytes, "views", &out));
    CLC_TRY(clc_buffer_create(p->device, sizeof p->lengths, "lengths", &lengths));
    CLC_TRY(clc_token_augment_build(&sequence, p->device, &p->augment, &batch, &texts, state, out,
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
            CLC_TRY(write_tokens(p, writer, p->views + (size_t)row * (size_t)p->augment.context,
                                 p->lengths[row]));
        }
    }
    CLC_TRY(clc_file_writer_commit(&writer));
fail:
    clc_file_writer_abort(&writer);
    return status;
}

static void release(preview *p) {
    clc_ids_free(&p->ids);
    free(p->views);
}

static void log_left_out(const material *m) {
    const clc_bad_files *bad = &m->texts->bad;
    if (m->texts->empty > 0 || bad->count > 0)
        clc_log("%s: %zu empty texts, %zu rows or samples left out%s%s%s%s", m->config.data.train,
                m->texts->empty, bad->count, bad->count ? ": " : "",
                bad->count ? clc_names_at(&bad->entries, 0) : "", bad->count ? ": " : "",
                bad->count ? clc_names_at(&bad->entries, 1) : "");
}

/* The whole of each text, in a context that holds the longest. */
static clc_status preview_material(const material *m, const char *device, const char *path) {
    clc_status status = CLC_OK;
    preview p = {
        .tokenizer = m->tokenizer,
        .synonyms = &m->synonyms,
        .augment = {.ends = true, .settings = m->config.tokens, .seed = m->config.training.seed}};
    for (size_t i = 0; i < m->texts->count && p.count < TEXTS; i++)
        CLC_TRY(take_text(&p, m->texts, i));
    /* Texts may have no token at all. */
    p.augment.context = clc_larger_int(p.longest, CLC_CONTEXT_MIN);
    CLC_TRY(clc_device_open_as(device, &m->config.device, &p.device));
    CLC_TRY(make_views(&p));
    CLC_TRY(write_views(&p, path));
    clc_log("%s: %d texts, %d views of each; %d tokens are known, from %zu texts", path, p.count,
            VIEWS, clc_tokenizer_vocabulary(p.tokenizer), m->next);
fail:
    clc_device_close(&p.device);
    release(&p);
    return status;
}

clc_status clc_preview_text(const clc_train_options *options, const char *path) {
    clc_status status = CLC_OK;
    material *m = NULL;
    CLC_NEW(m, 1);
    CLC_TRY(
        clc_config_load(options->config, options->overrides, options->override_count, &m->config));
    CLC_TRY(clc_config_require_data(&m->config));
    CLC_TRY(read_texts(m));
    CLC_TRY(preview_material(m, options->device, path));
    log_left_out(m);
fail:
    if (m) {
        clc_texts_close(&m->texts);
        clc_tokenizer_free(&m->tokenizer);
        clc_synonyms_free(&m->synonyms);
        free(m);
    }
    return status;
}

clc_status clc_preview_text_of(const clc_config *config, const clc_config_encoder *encoder,
                               clc_device *device, const clc_dataset *data, const char *path) {
    clc_status status = CLC_OK;
    const clc_field *field = &data->fields[clc_dataset_has_pictures(data)];
    preview p = {.device = device, .tokenizer = data->tokenizer, .synonyms = &data->synonyms};
    CLC_TRY(clc_tokens_from_config(config, encoder, field, &p.augment));
    for (size_t i = 0; i < data->count && p.count < TEXTS; i++)
        CLC_TRY(take_text(&p, data->texts, data->text_samples[i]));
    CLC_TRY(make_views(&p));
    CLC_TRY(write_views(&p, path));
    clc_log("%s: %d texts, %d views of each", path, p.count, VIEWS);
fail:
    release(&p);
    return status;
}
