/* The map of samples, and their clusters. */
#include "eval/gallery_parts.h"

#include "eval/kmeans.h"
#include "eval/neighbours.h"
#include "eval/project.h"
#include "eval/tsne.h"
#include "model/run_folder.h"
#include "report/contact_sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GRID = 4095, CLUSTERS = 10, STARTS = 3, LEAST_TSNE = 10 };

/* Points (count,2) as whole numbers of 0 to GRID in both directions. */
static json_t *on_grid(const double *points, size_t count) {
    double least[2] = {INFINITY, INFINITY}, most[2] = {-INFINITY, -INFINITY};
    json_t *list = json_array();
    for (size_t i = 0; i < 2 * count; i++) {
        least[i % 2] = fmin(least[i % 2], points[i]);
        most[i % 2] = fmax(most[i % 2], points[i]);
    }
    for (size_t i = 0; i < 2 * count; i++) {
        const double span = most[i % 2] - least[i % 2];
        const double at = span > 0 ? (points[i] - least[i % 2]) / span : 0.5;
        json_array_append_new(list, json_integer(lrint(at * GRID)));
    }
    return list;
}

static void add_map(clc_gallery *g, json_t *maps, const char *name, const char *about,
                    const double *points) {
    json_array_append_new(maps, json_pack("{s:s,s:s,s:o}", "name", name, "about", about, "xy",
                                          on_grid(points, g->count)));
}

static clc_status add_clusters(clc_gallery *g) {
    clc_status status = CLC_OK;
    clc_kmeans_result result = {0};
    json_t *list = json_array();
    const int k = g->count < CLUSTERS ? (int)g->count : CLUSTERS;
    CLC_TRY(clc_kmeans(g->device, &g->features, k, STARTS, g->config->training.seed, &result));
    for (size_t i = 0; i < g->count; i++)
        json_array_append_new(list, json_integer(result.assigned[i]));
    json_object_set(g->page, "clusters", list);
fail:
    json_decref(list);
    free(result.assigned);
    return status;
}

/* t-SNE from the principal components in `points`, which it replaces. */
static clc_status add_tsne(clc_gallery *g, json_t *maps, double *points) {
    clc_status status = CLC_OK;
    const int n = (int)g->count;
    const double most = (n - 1) / 3.0;
    const double perplexity = fmin(g->config->evaluation.map_perplexity, most);
    const int k = (int)fmin(3 * perplexity, n - 1);
    int32_t *near = NULL;
    float *cosine = NULL;
    char about[200];
    clc_tsne_graph graph = {0};
    CLC_NEW(near, g->count * (size_t)k);
    CLC_NEW(cosine, g->count * (size_t)k);
    CLC_TRY(clc_neighbours(g->device, &g->features, k, near, cosine));
    CLC_TRY(clc_tsne_graph_make(near, cosine, n, k, perplexity, &graph));
    CLC_TRY(clc_tsne_map(g->device, &graph, points));
    snprintf(about, sizeof about,
             "t-SNE with perplexity %.0f: neighbours are neighbours, but sizes of groups and "
             "distances between them mean little.",
             perplexity);
    add_map(g, maps, "t-SNE", about, points);
fail:
    clc_tsne_graph_free(&graph);
    free(near);
    free(cosine);
    return status;
}

enum { SIDE = 600, DOT = 2, EDGE = 12, LIGHT = 244, COLOURS = 10 };

/* A square dot at a place of the grid. */
static void draw_dot(clc_contact_sheet *sheet, json_int_t at_x, json_int_t at_y,
                     const uint8_t *colour) {
    const int side = SIDE + 2 * sheet->gap, room = side - 2 * EDGE, wide = 2 * DOT + 1;
    const int x = EDGE - DOT + (int)at_x * room / GRID;
    const int y = EDGE - DOT + room - (int)at_y * room / GRID;
    for (int k = 0; k < wide * wide; k++)
        memcpy(sheet->pixels + ((y + k / wide) * side + x + k % wide) * 3, colour, 3);
}

/* The last map as a picture, coloured by class or else by cluster: for who can't draw it anew. */
static clc_status draw_map(const clc_gallery *g, const char *folder) {
    clc_status status = CLC_OK;
    static const uint8_t colours[COLOURS][3] = {
        {68, 119, 170}, {238, 102, 119}, {47, 158, 91},   {201, 162, 39},  {85, 182, 217},
        {170, 51, 119}, {224, 123, 57},  {133, 119, 217}, {138, 143, 152}, {122, 154, 1}};
    const json_t *maps = json_object_get(g->page, "maps");
    const json_t *xy = json_object_get(json_array_get(maps, json_array_size(maps) - 1), "xy");
    const json_t *clusters = json_object_get(g->page, "clusters");
    clc_contact_sheet *sheet = NULL;
    char path[CLC_PATH_BYTES];
    if (!xy)
        return CLC_OK;
    CLC_TRY(clc_contact_sheet_create(1, 1, SIDE, SIDE, &sheet));
    const size_t side = (size_t)(SIDE + 2 * sheet->gap);
    memset(sheet->pixels, LIGHT, side * side * 3);
    for (size_t i = 0; i < g->count; i++) {
        const json_int_t cluster = json_integer_value(json_array_get(clusters, i));
        const json_int_t group = g->labelled ? g->labels[i] + COLOURS : cluster;
        draw_dot(sheet, json_integer_value(json_array_get(xy, 2 * i)),
                 json_integer_value(json_array_get(xy, 2 * i + 1)), colours[group % COLOURS]);
    }
    CLC_TRY(clc_run_path(folder, CLC_RUN_MAP, path));
    CLC_TRY(clc_contact_sheet_write(sheet, path));
fail:
    clc_contact_sheet_free(&sheet);
    return status;
}

clc_status clc_gallery_map(clc_gallery *g, const char *folder) {
    clc_status status = CLC_OK;
    double *points = NULL, share = 0;
    char about[160];
    json_t *maps = json_array();
    json_object_set_new(g->page, "maps", maps);
    CLC_NEW(points, 2 * g->count);
    if (g->dim >= 2) {
        CLC_TRY(clc_project(g->unit, g->count, (size_t)g->dim, 2, points, &share));
        snprintf(about, sizeof about,
                 "The two directions of greatest variance, which hold %.0f %% of it.", 100 * share);
        add_map(g, maps, "PCA", about, points);
        if (g->config->evaluation.map_perplexity > 0 && g->count >= LEAST_TSNE)
            CLC_TRY(add_tsne(g, maps, points));
    }
    CLC_TRY(add_clusters(g));
    CLC_TRY(draw_map(g, folder));
fail:
    free(points);
    return status;
}
