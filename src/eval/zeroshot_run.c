/* `clcontrast zeroshot`. */
#include "core/log.h"
#include "core/signals.h"
#include "eval/encoder.h"
#include "eval/metrics.h"
#include "eval/prompts.h"
#include "eval/run.h"
#include "eval/zeroshot.h"

#include <stdio.h>
#include <stdlib.h>

enum { PRINTED = 3, TOP = 5 };

typedef struct classification {
    clc_encoder *encoder;
    clc_prompts prompts;
    clc_dataset *data;
    clc_features classes, images; /* a row a class; a row an image that could be read */
    int32_t *samples;             /* (images.rows) */
    int32_t *truth;               /* (data->classes): number among the prompts' classes, or -1 */
    double *probabilities;        /* (classes) */
    size_t known;                 /* images of a class that is among them */
    double hits[2];               /* of these, first and among the first TOP */
} classification;

static clc_status embed_classes(classification *c) {
    clc_status status = CLC_OK;
    const size_t classes = c->prompts.classes.count;
    const size_t dim = (size_t)clc_encoder_features(c->encoder);
    float *embeddings = NULL, *vectors = NULL;
    CLC_NEW(embeddings, c->prompts.texts.count * dim);
    CLC_NEW(vectors, classes * dim);
    CLC_TRY(clc_encoder_embed_names(c->encoder, &c->prompts.texts, embeddings));
    clc_zeroshot_vectors(embeddings, classes, c->prompts.templates, dim, vectors);
    c->classes = (clc_features){.rows = classes, .dim = (int)dim};
    CLC_TRY(clc_buffer_create(c->encoder->device, classes * dim * sizeof *vectors, "classes",
                              &c->classes.data));
    CLC_TRY(clc_buffer_write(c->encoder->device, c->classes.data, 0,
                             classes * dim * sizeof *vectors, vectors));
fail:
    free(embeddings);
    free(vectors);
    return status;
}

static clc_status embed_images(clc_tower_encoder *tower, classification *c) {
    clc_status status = CLC_OK;
    const size_t count = c->data->count;
    bool *bad = NULL;
    c->images = (clc_features){.dim = clc_embedder_features(&tower->embedder)};
    CLC_NEW(bad, count);
    CLC_NEW(c->samples, count);
    CLC_TRY(clc_buffer_create(c->encoder->device, count * (size_t)c->images.dim * sizeof(float),
                              "features", &c->images.data));
    CLC_TRY(clc_embedder_run(&tower->embedder, c->data, NULL, count, c->images.data, bad,
                             &c->images.rows));
    for (size_t i = 0, row = 0; i < count; i++) {
        if (bad[i])
            clc_warn("%s is no usable image", clc_dataset_sample_name(c->data, i));
        else
            c->samples[row++] = (int32_t)i;
    }
    if (!c->images.rows)
        status = clc_fail(CLC_FORMAT, "none of %zu images can be used", count);
fail:
    free(bad);
    return status;
}

/* The images' own classes, by name, among those that are asked for. */
static clc_status match_classes(classification *c) {
    clc_status status = CLC_OK;
    const clc_names *own = &c->data->class_names;
    clc_name_set asked = {0};
    size_t number;
    for (size_t i = 0; i < c->prompts.classes.count; i++)
        CLC_TRY(clc_name_set_add(&asked, clc_names_at(&c->prompts.classes, i),
                                 clc_names_length(&c->prompts.classes, i), &number, NULL));
    CLC_NEW(c->truth, own->count);
    for (size_t i = 0; i < own->count; i++) {
        number = clc_name_set_find(&asked, clc_names_at(own, i), clc_names_length(own, i));
        c->truth[i] = number == SIZE_MAX ? -1 : (int32_t)number;
    }
fail:
    clc_name_set_free(&asked);
    return status;
}

/* A name within a line of columns. */
static void print_name(const char *name) {
    for (; *name; name++)
        putchar((unsigned char)*name < ' ' ? '?' : *name);
}

/* The most probable classes; of equal ones the first. */
static void print_best(const classification *c, const char *name) {
    const size_t classes = c->prompts.classes.count;
    print_name(name);
    for (int k = 0; k < PRINTED && (size_t)k < classes; k++) {
        size_t best = 0;
        for (size_t i = 1; i < classes; i++)
            best = c->probabilities[i] > c->probabilities[best] ? i : best;
        putchar('\t');
        print_name(clc_names_at(&c->prompts.classes, best));
        printf("\t%.4f", c->probabilities[best]);
        c->probabilities[best] = -1;
    }
    putchar('\n');
}

static clc_status take_rows(void *context, size_t first, size_t rows, const float *cosines) {
    classification *c = context;
    const size_t classes = c->prompts.classes.count;
    if (clc_signals_stop())
        return clc_fail(CLC_INTERRUPTED, "interrupted after %zu of %zu images", first,
                        c->images.rows);
    for (size_t r = 0; r < rows; r++) {
        const float *row = cosines + r * classes;
        const size_t sample = (size_t)c->samples[first + r];
        const int32_t own = c->data->labels ? c->data->labels[sample] : -1;
        const int32_t truth =
            own >= 0 && (size_t)own < c->data->class_names.count ? c->truth[own] : -1;
        clc_zeroshot_probabilities(row, classes, c->encoder->scale, c->probabilities);
        print_best(c, clc_dataset_sample_name(c->data, sample));
        if (truth < 0)
            continue;
        c->known++;
        c->hits[0] += clc_metrics_top(row, &truth, 1, (int)classes, 1);
        c->hits[1] += clc_metrics_top(row, &truth, 1, (int)classes, TOP);
    }
    return CLC_OK;
}

/* Only where images have classes of these names. */
static void print_accuracy(const classification *c) {
    if (c->known)
        printf("top-1 %.2f %%, top-%d %.2f %% of %zu images\n", 100 * c->hits[0] / (double)c->known,
               TOP, 100 * c->hits[1] / (double)c->known, c->known);
    if (c->known && c->known < c->images.rows)
        clc_warn("%zu images are of no class that was asked for: they don't count in the accuracy",
                 c->images.rows - c->known);
}

static void free_classification(classification *c) {
    clc_prompts_free(&c->prompts);
    clc_dataset_free(&c->data);
    if (c->encoder) {
        clc_buffer_release(c->encoder->device, &c->classes.data);
        clc_buffer_release(c->encoder->device, &c->images.data);
    }
    free(c->samples);
    free(c->truth);
    free(c->probabilities);
    clc_encoder_close(&c->encoder);
}

/* The tower of images of an encoder of both. */
static clc_status find_towers(classification *c, const char *path, clc_tower_encoder **images) {
    *images = clc_encoder_tower(c->encoder, CLC_KIND_IMAGES);
    if (*images && clc_encoder_tower(c->encoder, CLC_KIND_TOKENS))
        return CLC_OK;
    return clc_fail_context(CLC_INVALID,
                            "%s: zero-shot classification compares images with texts; "
                            "train with method.name = clip",
                            path);
}

clc_status clc_run_zeroshot(const char *encoder, const char *device, const char *classes,
                            const char *templates, const char *const *paths, size_t n,
                            const char *const *overrides, size_t override_count) {
    clc_status status = CLC_OK;
    classification c = {.encoder = NULL};
    clc_tower_encoder *tower = NULL;
    clc_signals_install();
    CLC_TRY(clc_prompts_load(classes, templates, &c.prompts));
    CLC_TRY(clc_encoder_open_with(encoder, device, overrides, override_count, &c.encoder));
    CLC_TRY(find_towers(&c, encoder, &tower));
    CLC_TRY(clc_encoder_open_paths(c.encoder, paths, n, &c.data));
    CLC_NEW(c.probabilities, c.prompts.classes.count);
    CLC_TRY(embed_classes(&c));
    CLC_TRY(match_classes(&c));
    CLC_TRY(embed_images(tower, &c));
    CLC_TRY(clc_zeroshot_each(c.encoder->device, &c.classes, &c.images, take_rows, &c));
    print_accuracy(&c);
fail:
    free_classification(&c);
    clc_signals_restore();
    return status;
}
