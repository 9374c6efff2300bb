/* What each command calls, and the table of them. */
#include "commands.h"

#include "clcontrast/train.h"
#include "bench/bench.h"
#include "check/check.h"
#include "core/config.h"
#include "core/path.h"
#include "eval/compare.h"
#include "eval/run.h"
#include "manual.h"
#include "model/import.h"
#include "model/rename.h"
#include "new/new.h"
#include "onnx/export.h"
#include "report/cache.h"
#include "report/devices.h"
#include "report/live.h"
#include "report/page.h"
#include "search/curate.h"
#include "search/search.h"
#include "train/preview.h"
#include "train/programs.h"
#include "train/sweep.h"
#include "tune/tune.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static clc_train_options train_options(const clc_arguments *a) {
    return (clc_train_options){.config = a->positional_count ? a->positionals[0] : NULL,
                               .overrides = a->overrides,
                               .override_count = a->override_count,
                               .device = a->device,
                               .dry_run = a->dry_run,
                               .overwrite = a->overwrite,
                               .resume = a->resume,
                               .checkpoint = a->checkpoint,
                               .allow_changes = a->allow_changes};
}

static clc_status run_train(const clc_arguments *a) {
    const clc_train_options options = train_options(a);
    return clc_train(&options);
}

static clc_status run_new(const clc_arguments *a) {
    const clc_new_options options = {.data = a->positionals[0],
                                     .device = a->device,
                                     .overrides = a->overrides,
                                     .override_count = a->override_count};
    return clc_new(&options, stdout);
}

static clc_status run_devices(const clc_arguments *a) {
    return clc_devices_report(stdout, a->json);
}

static clc_status run_check(const clc_arguments *a) {
    const clc_check_options options = {.device = a->device,
                                       .overrides = a->overrides,
                                       .override_count = a->override_count,
                                       .families = (const char *const *)a->positionals,
                                       .family_count = (size_t)a->positional_count,
                                       .quick = a->quick};
    return clc_check(&options, stdout);
}

static clc_status run_cache(const clc_arguments *a) {
    if (a->positional_count && strcmp(a->positionals[0], "clear"))
        return clc_fail(CLC_INVALID, "cache %s: only 'clear' can follow", a->positionals[0]);
    return a->positional_count ? clc_cache_clear(stdout) : clc_cache_report(stdout);
}

static clc_status run_options(const clc_arguments *a) {
    (void)a;
    clc_config_print_options(stdout);
    return CLC_OK;
}

static clc_status run_preview(const clc_arguments *a) {
    const clc_train_options options = train_options(a);
    const char *path = a->positionals[1], *end = strrchr(path, '.');
    return end && !strcmp(end, ".txt") ? clc_preview_text(&options, path)
                                       : clc_preview(&options, path);
}

static clc_status run_programs(const clc_arguments *a) {
    const clc_train_options options = train_options(a);
    return clc_programs(&options, a->positionals[1]);
}

static clc_status run_finetune(const clc_arguments *a) {
    clc_train_options options = train_options(a);
    options.config = a->positional_count > 1 ? a->positionals[1] : NULL;
    return clc_finetune(a->positionals[0], a->data, &options);
}

static clc_status run_distill(const clc_arguments *a) {
    clc_train_options options = train_options(a);
    options.config = a->positional_count > 1 ? a->positionals[1] : NULL;
    return clc_distill(a->positionals[0], a->data, &options);
}

static clc_status run_eval(const clc_arguments *a) {
    const clc_evaluate_options options = {.run = a->positionals[0],
                                          .device = a->device,
                                          .tasks = a->tasks,
                                          .data = a->data,
                                          .output = a->output,
                                          .overrides = a->overrides,
                                          .override_count = a->override_count};
    return clc_evaluate(&options, NULL);
}

static clc_status run_compare(const clc_arguments *a) {
    return clc_compare((const char *const *)a->positionals, (size_t)a->positional_count, a->output);
}

static clc_status run_embed(const clc_arguments *a) {
    const char *const *paths = (const char *const *)a->positionals + 1;
    if (a->positional_count == 1)
        return clc_run_embed(a->positionals[0], a->device, a->output, a->overrides,
                             a->override_count);
    return clc_embed_paths(a->positionals[0], a->device, a->output, a->tower, paths,
                           (size_t)a->positional_count - 1, a->overrides, a->override_count);
}

static clc_status run_export(const clc_arguments *a) {
    char written[CLC_PATH_BYTES];
    const char *output = a->positional_count > 1 ? a->positionals[1] : a->output;
    const char *end = output ? strrchr(output, '.') : NULL;
    const char *as = a->as ? a->as : end && !strcmp(end, ".onnx") ? "onnx" : NULL;
    const clc_onnx_options onnx = {.encoder = a->positionals[0],
                                   .device = a->device,
                                   .output = output,
                                   .tower = a->tower,
                                   .preparation = a->preprocess ? CLC_ONNX_PICTURES
                                                  : a->pixels   ? CLC_ONNX_NORMALISE
                                                                : CLC_ONNX_PREPARED,
                                   .half = a->fp16,
                                   .opset = a->opset,
                                   .overrides = a->overrides,
                                   .override_count = a->override_count};
    if (!as)
        return clc_fail(CLC_INVALID, "export: --as TOOL or a file that ends in .onnx is needed; "
                                     "see --help");
    const clc_status status = strcmp(as, "onnx")
                                  ? clc_encoder_rename(a->positionals[0], as, output, written)
                                  : clc_onnx_export(&onnx, written);
    if (status == CLC_OK)
        printf("%s\n", written);
    return status;
}

static clc_status run_import(const clc_arguments *a) {
    char written[CLC_PATH_BYTES];
    const clc_import_options options = {.weights = a->positionals[0],
                                        .output = a->output,
                                        .device = a->device,
                                        .tower = a->tower,
                                        .tokenizer = a->tokenizer,
                                        .overrides = a->overrides,
                                        .override_count = a->override_count,
                                        .overwrite = a->overwrite,
                                        .allow_changes = a->allow_changes};
    const clc_status status = clc_import(&options, written);
    if (status == CLC_OK)
        printf("%s\n", written);
    return status;
}

static clc_status run_index(const clc_arguments *a) {
    const clc_index_options options = {.encoder = a->positionals[0],
                                       .device = a->device,
                                       .tower = a->tower,
                                       .output = a->output ? a->output : "clcontrast.index",
                                       .paths = (const char *const *)a->positionals + 1,
                                       .path_count = (size_t)a->positional_count - 1,
                                       .overrides = a->overrides,
                                       .override_count = a->override_count};
    return clc_index_update(&options);
}

static clc_status run_search(const clc_arguments *a) {
    const clc_search_options options = {.index = a->positionals[0],
                                        .encoder = a->encoder,
                                        .device = a->device,
                                        .queries = (const char *const *)a->positionals + 1,
                                        .query_count = (size_t)a->positional_count - 1,
                                        .k = a->k,
                                        .json = a->json,
                                        .html = a->html};
    return clc_search(&options, stdout);
}

static clc_curate_options curate_options(const clc_arguments *a) {
    return (clc_curate_options){.index = a->positionals[0],
                                .against = a->against,
                                .device = a->device,
                                .html = a->html,
                                .encoder = a->encoder,
                                .by = a->by,
                                .threshold = a->threshold,
                                .n = a->n,
                                .k = a->k};
}

static clc_status run_dedup(const clc_arguments *a) {
    const clc_curate_options options = curate_options(a);
    return clc_dedup(&options, stdout);
}

static clc_status run_select(const clc_arguments *a) {
    const clc_curate_options options = curate_options(a);
    return clc_select(&options, stdout);
}

static clc_status run_outliers(const clc_arguments *a) {
    const clc_curate_options options = curate_options(a);
    return clc_outliers(&options, stdout);
}

static clc_status run_zeroshot(const clc_arguments *a) {
    const char *const *paths = (const char *const *)a->positionals + 1;
    if (!a->classes)
        return clc_fail(CLC_INVALID, "zeroshot: --classes FILE is needed, a class a line");
    return clc_run_zeroshot(a->positionals[0], a->device, a->classes, a->templates, paths,
                            (size_t)a->positional_count - 1, a->overrides, a->override_count);
}

static clc_status run_bench(const clc_arguments *a) {
    clc_train_options options = train_options(a);
    const bool all = a->positional_count && !strcmp(a->positionals[0], "losses");
    const bool data = a->positional_count && !strcmp(a->positionals[0], "data");
    if (a->positional_count == 2 && !data)
        return clc_fail(CLC_INVALID, "bench: of two words the first is data; see --help");
    if (data) {
        options.config = a->positional_count == 2 ? a->positionals[1] : NULL;
        return clc_bench_data(&options, a->json, stdout);
    }
    if (a->positional_count && !strcmp(a->positionals[0], "methods"))
        return clc_bench_methods(&options, a->json, stdout);
    if (a->positional_count && !strcmp(a->positionals[0], "gemm"))
        return clc_bench_gemm(a->device, a->json, stdout);
    if (a->positional_count && !strcmp(a->positionals[0], "search"))
        return clc_bench_search(a->device, a->json, stdout);
    if (all || (a->positional_count && !strcmp(a->positionals[0], "loss")))
        return clc_bench_loss(a->device, a->most, all, a->json, stdout);
    return clc_bench_step(&options, a->layers, a->json, stdout);
}

static clc_status run_report(const clc_arguments *a) {
    return clc_page_write(a->positionals[0]);
}

static clc_status run_watch(const clc_arguments *a) {
    return clc_live_run(a->positionals[0], a->once);
}

static clc_status run_sweep(const clc_arguments *a) {
    const clc_train_options options = train_options(a);
    return clc_sweep(&options);
}

static clc_status run_tune(const clc_arguments *a) {
    const clc_train_options options = train_options(a);
    return clc_tune(&options, stdout);
}

static clc_status run_manual(const clc_arguments *a);
static clc_status run_completion(const clc_arguments *a);

const clc_command clc_commands[] = {
    {"train", "train.ini", "train an encoder and evaluate it; the word train may be left out", 1, 1,
     run_train},
    {"new", "FOLDER|FILE",
     "look at data and device, and print a train.ini that fits both, with reasons", 1, 1, run_new},
    {"finetune", "RUN|ENCODER [INI]",
     "train encoder and classifier by labels, as many as --set finetune.labels=1% says", 1, 2,
     run_finetune},
    {"distill", "TEACHER [INI]",
     "train a network, such as a smaller one, on the scores that a fine-tuned run gives all "
     "samples",
     1, 2, run_distill},
    {"eval", "RUN|ENCODER", "evaluate an encoder beside baselines by the tasks below", 1, 1,
     run_eval},
    {"compare", "RUN...",
     "evaluations of runs in one table: compare.txt, .csv, .json, report.html; of seeds mean and "
     "spread",
     1, INT_MAX, run_compare},
    {"embed", "RUN|ENCODER [IMAGE...|TEXTS]",
     "write features as .npy: of images, folders, lists, archives (or - for a list on stdin), of a "
     "file of texts (or - for stdin), or of a run's own data",
     1, INT_MAX, run_embed},
    {"export", "RUN|ENCODER [FILE]",
     "write an encoder for another tool: --as TOOL; an ONNX network where FILE ends in .onnx", 1, 2,
     run_export},
    {"import", "WEIGHTS|RUN",
     "make an encoder of weights of torchvision, timm or CLIP, or of another encoder with other "
     "channels: --output FILE|FOLDER",
     1, 1, run_import},
    {"watch", "RUN", "show a run's curves in the terminal while it trains (--once: and leave)", 1,
     1, run_watch},
    {"report", "RUN", "write report.html into a run's folder: all that it holds on one page", 1, 1,
     run_report},
    {"zeroshot", "RUN|ENCODER IMAGE...",
     "classify images by an encoder of images and texts: --classes FILE [--templates FILE]", 2,
     INT_MAX, run_zeroshot},
    {"index", "RUN|ENCODER FOLDER...",
     "embed what embed takes into one file to be searched, --output FILE (default "
     "clcontrast.index); again to bring it up to date",
     2, INT_MAX, run_index},
    {"search", "INDEX IMAGE|TEXT...",
     "what in an index is most like a picture, or fits a text: -k N, --json, --html FILE", 2,
     INT_MAX, run_search},
    {"dedup", "INDEX",
     "groups of near-duplicates, the best copy first; --against INDEX: leaks between two sets", 1,
     1, run_dedup},
    {"select", "INDEX",
     "-n N samples worth a label: --by diverse, typical, or by a classifier's entropy or margin", 1,
     1, run_select},
    {"outliers", "INDEX", "the -n N samples that are least like their -k nearest neighbours", 1, 1,
     run_outliers},
    {"preview", "train.ini out.png",
     "draw images or series and their augmented views; of texts: out.txt", 2, 2, run_preview},
    {"sweep", "train.ini", "train once for each combination of --set S.KEY=A,B,C ..., and compare",
     1, 1, run_sweep},
    {"bench", "[INI|data INI|methods|losses|gemm|search]",
     "time the training step by op, how images come in, every method, losses, matrix products, "
     "search",
     0, 2, run_bench},
    {"tune", "[train.ini]",
     "measure what is fastest for a network on this device, and use it from then on", 0, 1,
     run_tune},
    {"programs", "train.ini FOLDER", "write the OpenCL programs of the training step, uncompiled",
     2, 2, run_programs},
    {"devices", "", "list all OpenCL devices and what they can do", 0, 0, run_devices},
    {"check", "[FAMILY...]",
     "run every kernel (or those families) on the device against a plain reference, and say what "
     "to report if one fails; --quick: small cases, once",
     0, INT_MAX, run_check},
    {"cache", "[clear]",
     "list what is kept to be faster next time: decoded pictures, programs; or remove it", 0, 1,
     run_cache},
    {"options", "", "print every key of train.ini", 0, 0, run_options},
    {"manual", "", "print the manual page: clcontrast manual | man -l -", 0, 0, run_manual},
    {"completion", "bash|zsh|fish", "print what a shell needs to complete words of this program", 1,
     1, run_completion},
};
const size_t clc_command_count = sizeof clc_commands / sizeof *clc_commands;

static clc_status run_manual(const clc_arguments *a) {
    (void)a;
    clc_manual_page(clc_commands, clc_command_count, stdout);
    return CLC_OK;
}

static clc_status run_completion(const clc_arguments *a) {
    return clc_manual_completion(clc_commands, clc_command_count, a->positionals[0], stdout);
}
