/* Data sets of pictures with captions: the pictures are field 0, the captions follow as tokens. */
#include "data/dataset_kinds.h"

#include "core/log.h"
#include "data/format.h"

#include <stdio.h>
#include <string.h>

/* The texts' samples by the names of their pictures. */
static clc_status index_names(const clc_texts *t, clc_name_set *names) {
    clc_status status = CLC_OK;
    size_t number;
    bool added;
    for (size_t i = 0; i < t->count; i++) {
        CLC_TRY(clc_name_set_add(names, clc_names_at(&t->names, i), clc_names_length(&t->names, i),
                                 &number, &added));
        if (!added)
            CLC_TRY(clc_fail(CLC_FORMAT, "two samples have the picture %s",
                             clc_names_at(&t->names, i)));
    }
fail:
    return status;
}

static size_t sample_of(const clc_name_set *names, const clc_source *source, size_t item) {
    return clc_name_set_find(names, clc_names_at(&source->names, item),
                             clc_names_length(&source->names, item));
}

/* The name without the folder that paths of its table start from: the longest there is. */
static const char *relative_name(const clc_config_data *config, const clc_names *paths,
                                 const char *name) {
    size_t most = strlen(config->pictures);
    for (size_t i = 0; i < paths->count && !*config->pictures; i++) {
        const char *path = clc_names_at(paths, i);
        const size_t n = (size_t)(clc_base_name(path) - path);
        if (n > most && !strncmp(name, path, n))
            most = n;
    }
    return strlen(name) > most ? name + most : name;
}

/* Pictures that tables or JSON name, those for `split` and the wanted side of the share. */
static clc_status open_listed(const clc_config_data *config, clc_split split, bool share,
                              const clc_texts *t, const clc_names *tables, clc_source **source) {
    clc_status status = CLC_OK;
    const char **paths = NULL;
    size_t n = 0;
    const bool some = split == CLC_SPLIT_TRAIN && config->limit > 0;
    CLC_NEW(paths, t->count);
    for (size_t i = 0; i < t->count; i++) {
        const char *name = clc_names_at(&t->names, i);
        const char *relative = relative_name(config, tables, name);
        const bool test = share && clc_in_test_share(relative, config->test_fraction);
        if ((share && test != (split == CLC_SPLIT_TEST)) || (some && n == (size_t)config->limit))
            continue;
        paths[n++] = name;
    }
    if (n == 0)
        CLC_TRY(clc_fail(CLC_FORMAT, "there is no sample for %s",
                         split == CLC_SPLIT_TEST ? "tests" : "training"));
    status = clc_source_open_paths(config, paths, n, source);
fail:
    free(paths);
    return status;
}

/* Leaves out the pictures without a text, which the texts' own list names. */
static clc_status keep_partners(clc_source *source, const clc_name_set *names) {
    clc_status status = CLC_OK;
    bool *keep = NULL;
    size_t kept = 0;
    CLC_NEW(keep, source->count);
    for (size_t i = 0; i < source->count; i++) {
        keep[i] = sample_of(names, source, i) != SIZE_MAX;
        kept += keep[i];
    }
    if (!kept)
        CLC_TRY(clc_fail(CLC_FORMAT, "none of %zu pictures has a text", source->count));
    status = clc_source_keep(source, keep);
fail:
    free(keep);
    return status;
}

/* The texts' sample of every picture, and its class where folders give none. */
static clc_status match(clc_dataset *d, const clc_name_set *names) {
    clc_status status = CLC_OK;
    const clc_texts *t = d->texts;
    const bool classes = t->labels && !d->labels;
    CLC_NEW(d->text_samples, d->count);
    if (classes)
        CLC_NEW(d->labels, d->count);
    for (size_t i = 0; i < d->count; i++) {
        const size_t sample = sample_of(names, d->source, d->items[i]);
        d->text_samples[i] = (uint32_t)sample;
        if (classes)
            d->labels[i] = t->labels[sample];
    }
    if (!classes)
        return CLC_OK;
    clc_names_free(&d->class_names);
    d->classes = (int)t->classes.count;
    for (size_t i = 0; i < t->classes.count; i++)
        CLC_TRY(clc_names_add(&d->class_names, clc_names_at(&t->classes, i),
                              clc_names_length(&t->classes, i)));
fail:
    return status;
}

/* Whether these are folders or archives, which hold the pictures, and not tables of their names. */
static clc_status hold_pictures(const clc_names *paths, bool *all) {
    size_t n = 0;
    struct stat info;
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = clc_names_at(paths, i);
        n += (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) || clc_format_tar.recognise(path);
    }
    *all = n == paths->count;
    return n == 0 || *all ? CLC_OK
                          : clc_fail(CLC_INVALID,
                                     "of %zu files or folders of pairs %zu hold the pictures and "
                                     "the others name them; give either",
                                     paths->count, n);
}

/* Texts and the source of their pictures. */
static clc_status open_both(const clc_config_data *c, const clc_names *paths, clc_split split,
                            bool share, const clc_dataset *train, clc_dataset *d) {
    clc_status status = CLC_OK;
    bool held;
    const clc_names *known = train ? &train->class_names : NULL;
    const clc_texts_options options = {.columns = c->text_columns,
                                       .pictures = true,
                                       .path_column = c->path_column,
                                       .label_column = c->label_column,
                                       .split_column = c->split_column,
                                       .split = split,
                                       .folder = c->pictures,
                                       .known = known};
    CLC_TRY(hold_pictures(paths, &held));
    CLC_TRY(clc_texts_open_all(paths, &options, &d->texts));
    if (held)
        return clc_source_open(c, split, known, &d->source);
    CLC_TRY(open_listed(c, split, share && !d->texts->divided, d->texts, paths, &d->source));
    clc_dataset_name(paths, d->source->name);
fail:
    return status;
}

clc_status clc_dataset_open_pairs(const clc_config *config, const clc_names *paths, clc_split split,
                                  bool share, const clc_dataset *train, clc_tokenizer *tokenizer,
                                  clc_dataset *d) {
    clc_status status = CLC_OK;
    clc_name_set names = {0};
    CLC_TRY(open_both(&config->data, paths, split, share, train, d));
    CLC_TRY(index_names(d->texts, &names));
    CLC_TRY(keep_partners(d->source, &names));
    CLC_TRY(clc_dataset_open_source(config, d));
    CLC_TRY(match(d, &names));
    CLC_TRY(clc_dataset_note_bad_texts(&config->data, d));
    CLC_TRY(clc_dataset_tokenize(config, train ? train->tokenizer : tokenizer, d));
    clc_dataset_log_texts(d);
fail:
    clc_name_set_free(&names);
    const char *path = clc_names_at(paths, 0);
    if (status == CLC_FORMAT && paths->count == 1 && strncmp(clc_error(), path, strlen(path)))
        clc_fail_context(status, "%s", path);
    return status;
}
