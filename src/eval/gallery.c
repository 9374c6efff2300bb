#include "eval/gallery.h"

#include "core/file.h"
#include "core/log.h"
#include "eval/centres.h"
#include "eval/gallery_parts.h"
#include "eval/neighbours.h"
#include "eval/tsne.h"
#include "model/run_folder.h"

#include <math.h>
#include <string.h>

enum { LEAST = 3, NEIGHBOURS = 10 };

clc_status clc_gallery_request(clc_device *device, const clc_config *config) {
    if (!config->output.report || !config->evaluation.map)
        return CLC_OK;
    const clc_status status = clc_centres_request(device);
    return status == CLC_OK ? clc_tsne_request(device) : status;
}

/* Every count / wanted-th sample. */
static clc_status take_samples(clc_evaluated *row, clc_gallery *g) {
    clc_status status = CLC_OK;
    bool *bad = NULL;
    const size_t wanted = (size_t)g->config->evaluation.map;
    const size_t n = g->data->count < wanted ? g->data->count : wanted;
    CLC_NEW(bad, n);
    CLC_NEW(g->samples, n);
    CLC_NEW(g->labels, n);
    for (size_t i = 0; i < n; i++)
        g->samples[i] = (int32_t)(i * g->data->count / n);
    CLC_TRY(clc_buffer_create(g->device, n * (size_t)g->dim * sizeof(float), "features",
                              &g->features.data));
    CLC_TRY(clc_embedder_run(&row->embedders[0], g->data, g->samples, n, g->features.data, bad,
                             &g->features.rows));
    for (size_t i = 0; i < n; i++)
        if (!bad[i])
            g->samples[g->count++] = g->samples[i];
    for (size_t i = 0; i < g->count; i++) {
        g->labels[i] = g->data->labels ? g->data->labels[g->samples[i]] : -1;
        g->labelled = g->labelled || g->labels[i] >= 0;
        g->classes = g->labels[i] >= g->classes ? g->labels[i] + 1 : g->classes;
    }
fail:
    free(bad);
    return status;
}

static clc_status read_unit(clc_gallery *g) {
    clc_status status = CLC_OK;
    const size_t dim = (size_t)g->dim, n = g->count * dim;
    CLC_NEW(g->unit, n);
    CLC_TRY(clc_buffer_read(g->device, g->features.data, 0, n * sizeof *g->unit, g->unit));
    for (size_t i = 0; i < g->count; i++) {
        double sum = 0;
        float *row = g->unit + i * dim;
        for (size_t d = 0; d < dim; d++)
            sum += (double)row[d] * (double)row[d];
        const float by = sum > 0 && isfinite(sum) ? (float)(1 / sqrt(sum)) : 0;
        for (size_t d = 0; d < dim; d++)
            row[d] = by > 0 ? row[d] * by : 0;
    }
fail:
    return status;
}

static clc_status find_neighbours(clc_gallery *g) {
    clc_status status = CLC_OK;
    g->k = g->count > NEIGHBOURS ? NEIGHBOURS : (int)g->count - 1;
    CLC_NEW(g->near, g->count * (size_t)g->k);
    CLC_NEW(g->cosine, g->count * (size_t)g->k);
    CLC_TRY(clc_neighbours(g->device, &g->features, g->k, g->near, g->cosine));
fail:
    return status;
}

static void release(clc_gallery *g) {
    clc_buffer_release(g->device, &g->features.data);
    free(g->unit);
    free(g->samples);
    free(g->labels);
    free(g->near);
    free(g->cosine);
    free(g->shown);
    json_decref(g->page);
}

static clc_status write_page(const clc_gallery *g, const char *folder) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    char *text = json_dumps(g->page, JSON_COMPACT | JSON_REAL_PRECISION(5));
    if (!text)
        return clc_fail_alloc(4096);
    CLC_TRY(clc_run_path(folder, CLC_RUN_SAMPLES, path));
    status = clc_file_write_all(path, text, strlen(text));
fail:
    free(text);
    return status;
}

clc_status clc_gallery_write(clc_evaluated *row, const char *folder) {
    clc_status status = CLC_OK;
    const clc_evaluation *e = row->of;
    clc_gallery g = {.data = e->sets.test ? e->sets.test : e->sets.train,
                     .device = e->device,
                     .config = e->config,
                     .features = {.dim = row->dim},
                     .dim = row->dim,
                     .page = json_object()};
    if (!e->config->evaluation.map)
        goto fail;
    clc_live("samples for the report");
    CLC_TRY(take_samples(row, &g));
    if (g.count < LEAST)
        goto fail;
    json_object_set_new(g.page, "split", json_string(e->sets.test ? "test set" : "training set"));
    json_object_set_new(g.page, "unit", json_string(clc_dataset_unit(g.data)));
    CLC_TRY(read_unit(&g));
    CLC_TRY(find_neighbours(&g));
    CLC_TRY(clc_gallery_choose(&g));
    CLC_TRY(clc_gallery_describe(&g, folder));
    CLC_TRY(clc_gallery_map(&g, folder));
    CLC_TRY(write_page(&g, folder));
fail:
    clc_live("%s", "");
    release(&g);
    return status;
}

clc_status clc_gallery_write_for(clc_device *device, const clc_config *config,
                                 const clc_evaluation_sets *sets,
                                 clc_params *const params[CLC_TOWERS], const char *folder) {
    clc_status status = CLC_OK;
    clc_evaluation e;
    clc_evaluated row = {0};
    clc_evaluation_make(device, config, sets, folder, &e);
    CLC_TRY(clc_evaluated_open(&e, CLC_EVALUATED_ENCODER, params, &row));
    CLC_TRY(clc_gallery_write(&row, folder));
fail:
    clc_evaluated_release(&row);
    clc_evaluation_free(&e);
    return status;
}
