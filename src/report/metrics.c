#include "report/metrics.h"

#include "core/file.h"
#include "data/image.h"
#include "model/run_folder.h"
#include "report/events.h"
#include "report/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <time.h>

static const char header[] = "step,epoch,loss,learning_rate,gradient_norm,"
                             "embedding_deviation,effective_rank,alignment,uniformity\n";

/* Rewrites the CSV with the rows up to `last`. */
static clc_status truncate_csv(const char *path, int64_t last) {
    clc_status status = CLC_OK;
    void *data = NULL;
    size_t size = 0;
    clc_file_writer *writer = NULL;
    CLC_TRY(clc_file_read_all(path, (size_t)1 << 31, &data, &size));
    CLC_TRY(clc_file_writer_open(path, &writer));
    CLC_TRY(clc_file_writer_print(writer, "%s", header));
    for (const char *row = data; *row; row += strcspn(row, "\n"), row += *row == '\n') {
        int64_t step = 0;
        size_t length = strcspn(row, "\n");
        if (sscanf(row, "%" SCNd64 ",", &step) == 1 && step <= last && row[length] == '\n')
            CLC_TRY(clc_file_writer_write(writer, row, length + 1));
    }
    CLC_TRY(clc_file_writer_commit(&writer));
fail:
    clc_file_writer_abort(&writer);
    free(data);
    return status;
}

static clc_status flush(FILE *file, const char *path) {
    if (fflush(file) != 0 || ferror(file))
        return clc_fail_file("write", path);
    return CLC_OK;
}

clc_status clc_metrics_open(clc_metrics_files *files, const char *folder, int64_t resumed_step) {
    clc_status status = CLC_OK;
    const bool resumed = resumed_step >= 0;
    CLC_TRY(clc_run_path(folder, CLC_RUN_METRICS_CSV, files->csv_path));
    CLC_TRY(clc_run_path(folder, CLC_RUN_METRICS_JSONL, files->jsonl_path));
    if (resumed)
        CLC_TRY(truncate_csv(files->csv_path, resumed_step));
    files->csv = fopen(files->csv_path, resumed ? "a" : "w");
    if (!files->csv)
        return clc_fail_file("write", files->csv_path);
    files->jsonl = fopen(files->jsonl_path, resumed ? "a" : "w");
    if (!files->jsonl)
        return clc_fail_file("write", files->jsonl_path);
    if (!resumed)
        fputs(header, files->csv);
    CLC_TRY(flush(files->csv, files->csv_path));
    if (resumed)
        CLC_TRY(clc_metrics_event(files, "resume", resumed_step, NULL, NULL, 0));
fail:
    return status;
}

static double wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Numbers of a line but those that events have otherwise. */
static void write_events(clc_metrics_files *files, json_t *line) {
    const int64_t step = json_integer_value(json_object_get(line, "step"));
    const char *key;
    json_t *value;
    json_object_foreach(line, key, value) {
        if (json_is_number(value) && strcmp(key, "step") && strcmp(key, "time"))
            clc_events_scalar(files->events, step, key, json_number_value(value));
    }
}

static clc_status write_json(clc_metrics_files *files, json_t *line) {
    if (!line)
        return clc_fail_alloc(256);
    if (files->events)
        write_events(files, line);
    json_object_set_new(line, "time", json_real(wall_clock()));
    json_dumpf(line, files->jsonl, JSON_COMPACT);
    fputc('\n', files->jsonl);
    json_decref(line);
    return flush(files->jsonl, files->jsonl_path);
}

/* The columns of the spread; empty where they were not measured. */
static void print_spread(FILE *csv, const clc_metrics_entry *e) {
    const double values[] = {e->deviation, e->rank, e->alignment, e->uniformity};
    for (int i = 0; i < 4; i++)
        if (e->watched && !isnan(values[i]))
            fprintf(csv, ",%.9g", values[i]);
        else
            fputc(',', csv);
    fputc('\n', csv);
}

clc_status clc_metrics_open_events(clc_metrics_files *files, const char *folder,
                                   int64_t resumed_step) {
    return clc_events_open(folder, resumed_step, &files->events);
}

clc_status clc_metrics_picture(clc_metrics_files *files, int64_t step, const char *folder,
                               const char *name, const char *tag) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    void *bytes = NULL;
    size_t n = 0;
    clc_image_info info;
    const clc_image_options any = {.max_pixels = INFINITY};
    if (!files->events || !clc_run_has(folder, name))
        return CLC_OK;
    CLC_TRY(clc_run_path(folder, name, path));
    CLC_TRY(clc_file_read_all(path, (size_t)1 << 27, &bytes, &n));
    CLC_TRY(clc_image_probe(bytes, n, &any, &info));
    const clc_events_picture picture = {bytes, n, info.height, info.width};
    CLC_TRY(clc_events_image(files->events, step, tag, &picture));
fail:
    free(bytes);
    return status;
}

clc_status clc_metrics_row(clc_metrics_files *files, const clc_metrics_entry *e) {
    fprintf(files->csv, "%" PRId64 ",%d,%.9g,%.9g,%.9g", e->step, e->epoch, e->loss, e->rate,
            e->gradient_norm);
    print_spread(files->csv, e);
    clc_status status = flush(files->csv, files->csv_path);
    if (status != CLC_OK)
        return status;
    json_t *line = json_pack("{s:I,s:i,s:f,s:f,s:f,s:f}", "step", (json_int_t)e->step, "epoch",
                             e->epoch, "loss", e->loss, "learning_rate", e->rate, "gradient_norm",
                             e->gradient_norm, "images_per_second", e->images_per_second);
    if (line && e->watched) {
        json_object_set_new(line, "embedding_deviation", json_real(e->deviation));
        json_object_set_new(line, "effective_rank", json_real(e->rank));
        json_object_set_new(line, "uniformity", json_real(e->uniformity));
        if (!isnan(e->alignment))
            json_object_set_new(line, "alignment", json_real(e->alignment));
    }
    return write_json(files, line);
}

clc_status clc_metrics_event(clc_metrics_files *files, const char *event, int64_t step,
                             const char *const *keys, const double *values, size_t n) {
    json_t *line = json_pack("{s:s,s:I}", "event", event, "step", (json_int_t)step);
    for (size_t i = 0; line && i < n; i++)
        json_object_set_new(line, keys[i], json_real(values[i]));
    return write_json(files, line);
}

clc_status clc_metrics_trained(clc_metrics_files *files, int64_t step, double seconds,
                               const clc_device_info *device) {
    json_t *line = json_pack("{s:s,s:I,s:f,s:s}", "event", "trained", "step", (json_int_t)step,
                             "seconds", seconds, "version", CLC_VERSION);
    const struct {
        const char *key, *text;
    } texts[] = {{"device", device->name}, {"driver", device->driver}, {"opencl", device->opencl}};
    for (size_t i = 0; line && i < sizeof texts / sizeof *texts; i++)
        json_object_set_new(line, texts[i].key,
                            clc_json_bytes(texts[i].text, strlen(texts[i].text)));
    return write_json(files, line);
}

void clc_metrics_close(clc_metrics_files *files) {
    if (files->csv)
        fclose(files->csv);
    if (files->jsonl)
        fclose(files->jsonl);
    if (files->events)
        fclose(files->events);
    *files = (clc_metrics_files){0};
}
