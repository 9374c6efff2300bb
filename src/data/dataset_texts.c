/* Data sets of texts: every field becomes tokens, of which training and evaluation see no more. */
#include "data/dataset_kinds.h"

#include "core/log.h"
#include "data/format.h"

#include <stdio.h>
#include <string.h>

/* The texts that a data set has taken of those that were read. */
typedef struct reading {
    const clc_dataset *data;
    const clc_texts *texts;
    size_t sample, field, text; /* the next to learn from */
} reading;

static clc_status next_text(void *context, const char **text, size_t *n, bool *more) {
    reading *r = context;
    for (*more = false; r->sample < r->data->count; r->sample++, r->field = 0) {
        for (; r->field < r->texts->fields.count; r->field++, r->text = 0) {
            size_t count;
            const clc_text_span *spans =
                clc_texts_of(r->texts, r->data->text_samples[r->sample], r->field, &count);
            if (r->text == count)
                continue;
            *text = r->texts->blob + spans[r->text].offset;
            *n = spans[r->text++].length;
            *more = true;
            return CLC_OK;
        }
    }
    return CLC_OK;
}

static clc_status learn_tokens(const clc_config *config, clc_dataset *d) {
    reading r = {.data = d, .texts = d->texts};
    const clc_tokenizer_options options = clc_tokenizer_options_from_config(&config->tokens, 0);
    d->own_tokenizer = true;
    return clc_tokenizer_train(&options, next_text, &r, &d->tokenizer);
}

/* ---- a field ---- */

static clc_status count_texts(const clc_dataset *d, size_t field, clc_field *f) {
    clc_status status = CLC_OK;
    size_t n, count = 0;
    CLC_NEW(f->firsts, d->count + 1);
    for (size_t i = 0; i < d->count; i++) {
        clc_texts_of(d->texts, d->text_samples[i], field, &n);
        count += n;
        if (count > INT32_MAX)
            return clc_fail(CLC_FORMAT, "%s: more than %d texts", d->name, INT32_MAX);
        f->firsts[i + 1] = (int32_t)count;
    }
    f->count = count;
    CLC_NEW(f->extents, count);
fail:
    return status;
}

static clc_status tokenize(clc_dataset *d, size_t field, clc_field *f) {
    clc_status status = CLC_OK;
    clc_ids ids = {0};
    size_t n, text = 0;
    CLC_TRY(count_texts(d, field, f));
    for (size_t i = 0; i < d->count; i++) {
        const clc_text_span *spans = clc_texts_of(d->texts, d->text_samples[i], field, &n);
        for (size_t k = 0; k < n; k++) {
            const size_t before = ids.n;
            CLC_TRY(clc_tokenizer_encode(d->tokenizer, d->texts->blob + spans[k].offset,
                                         spans[k].length, 0, true, &ids));
            if (ids.n - before > INT32_MAX)
                CLC_TRY(clc_fail(CLC_FORMAT, "%s: a text of %zu tokens", d->name, ids.n - before));
            f->extents[text++] = (clc_extent){before, (int32_t)(ids.n - before), 0};
        }
    }
    f->vocabulary = clc_tokenizer_vocabulary(d->tokenizer);
    f->total = ids.n;
    f->ids = ids.data;
    ids.data = NULL;
    status = clc_field_measure(f);
fail:
    clc_ids_free(&ids);
    return status;
}

clc_status clc_dataset_tokenize(const clc_config *config, clc_tokenizer *given, clc_dataset *d) {
    clc_status status = CLC_OK;
    const size_t fields = d->texts->fields.count;
    if (fields + (size_t)d->field_count > CLC_FIELDS_MAX)
        return clc_fail(CLC_INVALID,
                        "%s: samples with %zu fields of texts; %d are possible: choose some with "
                        "data.text_columns",
                        d->name, fields, CLC_FIELDS_MAX - d->field_count);
    d->tokenizer = given;
    if (!given)
        CLC_TRY(learn_tokens(config, d));
    for (size_t i = 0; i < fields; i++) {
        clc_field *f = &d->fields[d->field_count];
        f->kind = CLC_KIND_TOKENS;
        snprintf(f->name, sizeof f->name, "%s", clc_names_at(&d->texts->fields, i));
        d->field_count++;
        CLC_TRY(tokenize(d, i, f));
    }
    if (config->tokens.synonyms[0] && config->tokens.synonym > 0)
        CLC_TRY(clc_synonyms_load(config->tokens.synonyms, d->tokenizer, &d->synonyms));
fail:
    return status;
}

/* ---- which samples ---- */

/* Samples by name: all, or those of one side of the test share. */
static clc_status choose_samples(const clc_config_data *config, clc_split split, bool share,
                                 clc_dataset *d) {
    clc_status status = CLC_OK;
    const clc_texts *t = d->texts;
    CLC_NEW(d->text_samples, t->count);
    for (size_t i = 0; i < t->count; i++) {
        const char *name = clc_base_name(clc_names_at(&t->names, i));
        const bool test = share && clc_in_test_share(name, config->test_fraction);
        if (share && test != (split == CLC_SPLIT_TEST))
            continue;
        d->text_samples[d->count++] = (uint32_t)i;
    }
    if (split == CLC_SPLIT_TRAIN && config->limit > 0 && d->count > (size_t)config->limit)
        d->count = (size_t)config->limit;
    if (d->count == 0)
        status = clc_fail(CLC_FORMAT, "%s: there is no text for %s", d->name,
                          split == CLC_SPLIT_TEST ? "tests" : "training");
fail:
    return status;
}

static clc_status set_labels(clc_dataset *d) {
    clc_status status = CLC_OK;
    const clc_texts *t = d->texts;
    d->classes = (int)t->classes.count;
    for (size_t i = 0; i < t->classes.count; i++)
        CLC_TRY(clc_names_add(&d->class_names, clc_names_at(&t->classes, i),
                              clc_names_length(&t->classes, i)));
    if (!t->labels)
        return CLC_OK;
    CLC_NEW(d->labels, d->count);
    for (size_t i = 0; i < d->count; i++)
        d->labels[i] = t->labels[d->text_samples[i]];
fail:
    return status;
}

clc_status clc_dataset_note_bad_texts(const clc_config_data *config, clc_dataset *d) {
    clc_status status = CLC_OK;
    const clc_bad_files *bad = &d->texts->bad;
    for (size_t i = 0; i < bad->count; i++)
        CLC_TRY(clc_bad_files_add(&d->bad, clc_names_at(&bad->entries, 2 * i),
                                  clc_names_at(&bad->entries, 2 * i + 1)));
    CLC_TRY(clc_bad_files_check(&d->bad, d->texts->count + bad->count,
                                config->on_bad == CLC_CONFIG_BAD_STOP, config->bad_limit));
fail:
    return status;
}

void clc_dataset_log_texts(const clc_dataset *d) {
    for (int i = 0; i < d->field_count; i++) {
        const clc_field *f = &d->fields[i];
        if (f->kind == CLC_KIND_TOKENS)
            clc_log("data: %s: %zu texts of %.1f tokens in the mean, the longest of %d", f->name,
                    f->count, (double)f->total / (double)f->count, f->longest);
    }
    if (d->texts->empty > 0)
        clc_log("data: %zu empty texts are left out", d->texts->empty);
}

static void log_counts(const clc_dataset *d) {
    char classes[64] = "";
    if (d->labels)
        snprintf(classes, sizeof classes, ", %d classes", d->classes);
    clc_log("data: %zu samples of text%s from %s; %d tokens are known", d->count, classes, d->name,
            clc_tokenizer_vocabulary(d->tokenizer));
    clc_dataset_log_texts(d);
    if (d->bad.count)
        clc_log("data: %zu rows are left out; the first: %s: %s", d->bad.count,
                clc_names_at(&d->bad.entries, 0), clc_names_at(&d->bad.entries, 1));
}

clc_status clc_dataset_open_texts(const clc_config *config, const clc_names *paths, clc_split split,
                                  bool share, const clc_dataset *train, clc_tokenizer *tokenizer,
                                  clc_dataset *d) {
    clc_status status = CLC_OK;
    const clc_config_data *c = &config->data;
    const clc_texts_options options = {.columns = c->text_columns,
                                       .label_column = c->label_column,
                                       .split_column = c->split_column,
                                       .split = split,
                                       .known = train ? &train->class_names : NULL};
    clc_dataset_name(paths, d->name);
    CLC_TRY(clc_texts_open_all(paths, &options, &d->texts));
    CLC_TRY(choose_samples(c, split, share && !d->texts->divided, d));
    CLC_TRY(clc_dataset_note_bad_texts(c, d));
    CLC_TRY(set_labels(d));
    CLC_TRY(clc_dataset_tokenize(config, train ? train->tokenizer : tokenizer, d));
    log_counts(d);
fail:
    return status;
}
