#include "search/curate.h"

#include "core/file.h"
#include "core/log.h"
#include "core/path.h"
#include "core/signals.h"
#include "data/image.h"
#include "search/pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A sample of a group; where its file isn't to be had, all but the first two are 0. */
typedef struct member {
    size_t group, sample; /* a group goes by its first sample */
    int height, width;
    size_t bytes;
} member;

typedef struct dedup {
    const clc_index *index;
    uint32_t *parent; /* (count): a forest, a tree a group */
} dedup;

static uint32_t root_of(uint32_t *parent, uint32_t i) {
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* The lower root stays, so that a group goes by its first sample. */
static clc_status join(void *context, size_t i, size_t j, float cosine) {
    dedup *d = context;
    const uint32_t a = root_of(d->parent, (uint32_t)i), b = root_of(d->parent, (uint32_t)j);
    (void)cosine;
    if (a < b)
        d->parent[b] = a;
    else
        d->parent[a] = b;
    return CLC_OK;
}

static void look_at_file(const char *path, member *m) {
    struct stat info;
    void *bytes = NULL;
    size_t n = 0;
    clc_image_info image;
    const clc_image_options options = {.max_pixels = INFINITY};
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) ||
        clc_file_read_all(path, SIZE_MAX, &bytes, &n) != CLC_OK)
        return;
    m->bytes = n;
    if (n && clc_image_probe(bytes, n, &options, &image) == CLC_OK) {
        m->height = image.height;
        m->width = image.width;
    }
    free(bytes);
}

static int by_group_and_worth(const void *a, const void *b) {
    const member *x = a, *y = b;
    const double px = (double)x->height * x->width, py = (double)y->height * y->width;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (px != py)
        return px > py ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return (x->sample > y->sample) - (x->sample < y->sample);
}

/* Members of groups of more than one, the best of each first. */
static clc_status list_members(dedup *d, member **members, size_t *count) {
    clc_status status = CLC_OK;
    const size_t n = d->index->count;
    uint32_t *sizes = NULL;
    CLC_NEW(sizes, n);
    CLC_NEW(*members, n);
    for (size_t i = 0; i < n; i++)
        sizes[root_of(d->parent, (uint32_t)i)]++;
    for (size_t i = 0; i < n; i++) {
        const uint32_t group = root_of(d->parent, (uint32_t)i);
        if (sizes[group] < 2)
            continue;
        member *m = &(*members)[(*count)++];
        *m = (member){.group = group, .sample = i};
        look_at_file(clc_names_at(&d->index->names, i), m);
    }
    qsort(*members, *count, sizeof **members, by_group_and_worth);
fail:
    free(sizes);
    return status;
}

static double cosine_of(const clc_index *index, size_t i, size_t j) {
    double sum = 0;
    for (int d = 0; d < index->dim; d++)
        sum += (double)index->features[i * (size_t)index->dim + (size_t)d] *
               (double)index->features[j * (size_t)index->dim + (size_t)d];
    return sum;
}

static void print_groups(const clc_index *index, const member *members, size_t count, FILE *file) {
    size_t groups = 0, best = 0;
    for (size_t i = 0; i < count; i++) {
        const member *m = &members[i];
        const bool first = !i || m->group != members[i - 1].group;
        groups += first;
        best = first ? m->sample : best;
        fprintf(file, "%zu\t%s\t%.4f\t%dx%d\t%zu\t%s\n", groups, first ? "keep" : "copy",
                cosine_of(index, best, m->sample), m->width, m->height, m->bytes,
                clc_names_at(&index->names, m->sample));
    }
    clc_log("%zu of %zu samples are in %zu groups of near-duplicates: %zu are copies of others",
            count, index->count, groups, count - groups);
}

static clc_status page_groups(const clc_index *index, const member *members, size_t count,
                              clc_found_page *page) {
    clc_status status = CLC_OK;
    size_t groups = 0, best = 0;
    char text[96];
    for (size_t i = 0; i < count; i++) {
        const member *m = &members[i];
        const bool first = !i || m->group != members[i - 1].group;
        best = first ? m->sample : best;
        snprintf(text, sizeof text, "Group %zu", groups += first);
        if (first)
            CLC_TRY(clc_found_page_group(page, text));
        snprintf(text, sizeof text, "%s, %dx%d, %zu bytes", first ? "keep" : "copy", m->width,
                 m->height, m->bytes);
        const clc_found_sample sample = {.name = clc_names_at(&index->names, m->sample),
                                         .value = cosine_of(index, best, m->sample),
                                         .note = text,
                                         .mark = first};
        CLC_TRY(clc_found_page_add(page, &sample));
    }
fail:
    return status;
}

static clc_status write_groups(const clc_curate_options *o, const clc_index *index,
                               const member *members, size_t count) {
    clc_status status = CLC_OK;
    clc_found_page *page = NULL;
    char summary[240];
    CLC_TRY(clc_found_page_open("dedup", o->index, &page));
    CLC_TRY(page_groups(index, members, count, page));
    snprintf(summary, sizeof summary,
             "%zu of %zu samples are near-duplicates of another, by cosines from %g on. The best "
             "copy of each group is framed; the figures are cosines with it.",
             count, index->count, o->threshold);
    CLC_TRY(clc_found_page_write(page, o->html, summary));
fail:
    clc_found_page_free(&page);
    return status;
}

static clc_status find_groups(const clc_curate_options *o, const clc_curation *c, FILE *file) {
    clc_status status = CLC_OK;
    dedup d = {.index = c->index};
    member *members = NULL;
    size_t count = 0;
    CLC_NEW(d.parent, c->index->count);
    for (size_t i = 0; i < c->index->count; i++)
        d.parent[i] = (uint32_t)i;
    CLC_TRY(clc_pairs_find(c->device, &c->features, &c->features, (float)o->threshold, join, &d));
    CLC_TRY(list_members(&d, &members, &count));
    print_groups(c->index, members, count, file);
    if (o->html)
        CLC_TRY(write_groups(o, c->index, members, count));
fail:
    free(d.parent);
    free(members);
    return status;
}

/* ---- against another index ---- */

typedef struct leak {
    float cosine;
    size_t here, there;
} leak;

typedef struct leaks {
    leak *best; /* (count) of the index: the most alike of the other */
} leaks;

static clc_status keep_best(void *context, size_t i, size_t j, float cosine) {
    leak *l = &((leaks *)context)->best[i];
    if (cosine > l->cosine)
        *l = (leak){cosine, i, j};
    return CLC_OK;
}

static int most_alike_first(const void *a, const void *b) {
    const leak *x = a, *y = b;
    return x->cosine != y->cosine ? (x->cosine < y->cosine) - (x->cosine > y->cosine)
                                  : (x->here > y->here) - (x->here < y->here);
}

static clc_status write_leaks(const clc_curate_options *o, const clc_index *here,
                              const clc_index *there, const leak *list, size_t count) {
    clc_status status = CLC_OK;
    clc_found_page *page = NULL;
    char summary[CLC_PATH_BYTES + 200];
    CLC_TRY(clc_found_page_open("dedup", o->index, &page));
    for (size_t i = 0; i < count; i++) {
        CLC_TRY(clc_found_page_group(page, NULL));
        CLC_TRY(clc_curation_show(page, here, list[i].here, NAN, "here"));
        CLC_TRY(clc_curation_show(page, there, list[i].there, (double)list[i].cosine, "there"));
    }
    snprintf(summary, sizeof summary,
             "%zu of %zu samples have a near-duplicate in %s, by cosines from %g on.", count,
             here->count, o->against, o->threshold);
    CLC_TRY(clc_found_page_write(page, o->html, summary));
fail:
    clc_found_page_free(&page);
    return status;
}

static clc_status find_leaks(const clc_curate_options *o, const clc_curation *here,
                             const clc_curation *there, FILE *file) {
    clc_status status = CLC_OK;
    leaks l = {0};
    size_t found = 0;
    const size_t n = here->index->count;
    if (strcmp(here->index->weights, there->index->weights))
        return clc_fail(CLC_INVALID,
                        "%s and %s were made by other weights: their features can't "
                        "be compared",
                        o->index, o->against);
    CLC_NEW(l.best, n);
    for (size_t i = 0; i < n; i++)
        l.best[i].cosine = -INFINITY;
    CLC_TRY(clc_pairs_find(here->device, &here->features, &there->features, (float)o->threshold,
                           keep_best, &l));
    qsort(l.best, n, sizeof *l.best, most_alike_first);
    for (; found < n && l.best[found].cosine > -INFINITY; found++)
        fprintf(file, "%.4f\t%s\t%s\n", (double)l.best[found].cosine,
                clc_names_at(&there->index->names, l.best[found].there),
                clc_names_at(&here->index->names, l.best[found].here));
    clc_log("%zu of %zu samples of %s have a near-duplicate in %s", found, n, o->index, o->against);
    if (o->html)
        CLC_TRY(write_leaks(o, here->index, there->index, l.best, found));
fail:
    free(l.best);
    return status;
}

clc_status clc_dedup(const clc_curate_options *o, FILE *file) {
    clc_status status = CLC_OK;
    clc_curation here = {0}, there = {0};
    clc_signals_install();
    CLC_TRY(clc_curation_open(o->index, o->device, NULL, &here));
    if (o->against)
        CLC_TRY(clc_curation_open(o->against, NULL, &here, &there));
    CLC_TRY(o->against ? find_leaks(o, &here, &there, file) : find_groups(o, &here, file));
fail:
    clc_curation_close(&there, &here);
    clc_curation_close(&here, NULL);
    clc_signals_restore();
    return status;
}
