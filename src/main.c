/* The command line: reads the arguments and calls the library. The only place that exits. */
#include "clcontrast/train.h"
#include "bench/bench.h"
#include "core/config.h"
#include "core/log.h"
#include "core/status.h"
#include "core/text.h"
#include "eval/run.h"
#include "report/cache.h"
#include "report/devices.h"
#include "train/preview.h"
#include "train/programs.h"
#include "train/sweep.h"
#include "tune/tune.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OVERRIDES = 64 };

typedef struct arguments {
    char **positionals; /* without the command */
    int positional_count;
    const char *overrides[MAX_OVERRIDES];
    size_t override_count;
    const char *device, *checkpoint, *output, *tower, *classes, *templates;
    bool json, layers, dry_run, overwrite, resume, allow_changes;
    int most;
} arguments;

typedef struct command {
    const char *name, *usage, *meaning;
    int least, most; /* positional arguments */
    clc_status (*run)(const arguments *);
} command;

static clc_train_options train_options(const arguments *a) {
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

static clc_status run_train(const arguments *a) {
    const clc_train_options options = train_options(a);
    return clc_train(&options);
}

static clc_status run_devices(const arguments *a) {
    return clc_devices_report(stdout, a->json);
}

static clc_status run_cache(const arguments *a) {
    if (a->positional_count && strcmp(a->positionals[0], "clear"))
        return clc_fail(CLC_INVALID, "cache %s: only 'clear' can follow", a->positionals[0]);
    return a->positional_count ? clc_cache_clear(stdout) : clc_cache_report(stdout);
}

static clc_status run_options(const arguments *a) {
    (void)a;
    clc_config_print_options(stdout);
    return CLC_OK;
}

static clc_status run_preview(const arguments *a) {
    const clc_train_options options = train_options(a);
    const char *path = a->positionals[1], *end = strrchr(path, '.');
    return end && !strcmp(end, ".txt") ? clc_preview_text(&options, path)
                                       : clc_preview(&options, path);
}

static clc_status run_programs(const arguments *a) {
    const clc_train_options options = train_options(a);
    return clc_programs(&options, a->positionals[1]);
}

static clc_status run_eval(const arguments *a) {
    return clc_run_evaluate(a->positionals[0], a->device, a->output, a->overrides,
                            a->override_count);
}

static clc_status run_embed(const arguments *a) {
    const char *const *paths = (const char *const *)a->positionals + 1;
    if (a->positional_count == 1)
        return clc_run_embed(a->positionals[0], a->device, a->output, a->overrides,
                             a->override_count);
    return clc_embed_paths(a->positionals[0], a->device, a->output, a->tower, paths,
                           (size_t)a->positional_count - 1, a->overrides, a->override_count);
}

static clc_status run_zeroshot(const arguments *a) {
    const char *const *paths = (const char *const *)a->positionals + 1;
    if (!a->classes)
        return clc_fail(CLC_INVALID, "zeroshot: --classes FILE is needed, a class a line");
    return clc_run_zeroshot(a->positionals[0], a->device, a->classes, a->templates, paths,
                            (size_t)a->positional_count - 1, a->overrides, a->override_count);
}

static clc_status run_bench(const arguments *a) {
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
    if (all || (a->positional_count && !strcmp(a->positionals[0], "loss")))
        return clc_bench_loss(a->device, a->most, all, a->json, stdout);
    return clc_bench_step(&options, a->layers, a->json, stdout);
}

static clc_status run_sweep(const arguments *a) {
    const clc_train_options options = train_options(a);
    return clc_sweep(&options);
}

static clc_status run_tune(const arguments *a) {
    const clc_train_options options = train_options(a);
    return clc_tune(&options, stdout);
}

static const command commands[] = {
    {"train", "train.ini", "train an encoder and evaluate it; the word train may be left out", 1, 1,
     run_train},
    {"eval", "RUN|ENCODER",
     "evaluate an encoder: kNN, linear probe, retrieval, similarity of sentences, baselines", 1, 1,
     run_eval},
    {"embed", "RUN|ENCODER [IMAGE...|TEXTS]",
     "write features as .npy: of images, folders, lists, archives (or - for a list on stdin), of a "
     "file of texts (or - for stdin), or of a run's own data",
     1, INT_MAX, run_embed},
    {"zeroshot", "RUN|ENCODER IMAGE...",
     "classify images by an encoder of images and texts: --classes FILE [--templates FILE]", 2,
     INT_MAX, run_zeroshot},
    {"preview", "train.ini out.png",
     "draw images or series and their augmented views; of texts: out.txt", 2, 2, run_preview},
    {"sweep", "train.ini", "train once for each combination of --set S.KEY=A,B,C ..., and compare",
     1, 1, run_sweep},
    {"bench", "[INI|data INI|methods|losses|gemm]",
     "time the training step by op, how images come in, every method, losses, matrix products", 0,
     2, run_bench},
    {"tune", "[train.ini]",
     "measure what is fastest for a network on this device, and use it from then on", 0, 1,
     run_tune},
    {"programs", "train.ini FOLDER", "write the OpenCL programs of the training step, uncompiled",
     2, 2, run_programs},
    {"devices", "", "list all OpenCL devices and what they can do", 0, 0, run_devices},
    {"cache", "[clear]",
     "list what is kept to be faster next time: decoded pictures, programs; or remove it", 0, 1,
     run_cache},
    {"options", "", "print every key of train.ini", 0, 0, run_options},
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_help(void) {
    puts("clcontrast " CLC_VERSION ": contrastive training of encoders on any OpenCL device\n"
         "\nusage: clcontrast [options] train.ini\n       clcontrast COMMAND [options] "
         "...\n\ncommands:");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-8s %-25s %s\n", commands[i].name, commands[i].usage, commands[i].meaning);
    puts(
        "\noptions:\n"
        "  --device D         a number of 'clcontrast devices', cpu, gpu or a part of a name\n"
        "  --set S.KEY=VALUE  override a key of the configuration; may be repeated\n"
        "  --resume[=FILE]    continue from the newest (or that) checkpoint of the output folder\n"
        "  --allow-changes    with --resume: also where settings make it another training\n"
        "  --overwrite        replace the run that is in the output folder\n"
        "  --dry-run          do everything up to the first step\n"
        "  --output FOLDER    embed, eval: where the files go (default: the run, or this folder)\n"
        "  --tower T          embed, of an encoder of both: what is given, image or text\n"
        "  --classes FILE     zeroshot: a class a line; after a tab its words, if they are others\n"
        "  --templates FILE   zeroshot: a text a line with {} where the class goes\n"
        "  --most N           bench losses: the most views (default 65536)\n"
        "  --layers           bench: one line for each op of each layer\n"
        "  --json             devices, bench: print JSON\n"
        "  --quiet            no progress, only results and errors\n"
        "  --help, --version\n"
        "\nexit status: 0 success, else");
#define PRINT_STATUS(name, meaning)                                                                \
    if (CLC_##name != CLC_OK)                                                                      \
        printf("  %2d %s\n", (int)CLC_##name, meaning);
    CLC_STATUS_LIST(PRINT_STATUS)
#undef PRINT_STATUS
}

enum {
    OPTION_DEVICE = 256,
    OPTION_SET,
    OPTION_RESUME,
    OPTION_ALLOW_CHANGES,
    OPTION_OVERWRITE,
    OPTION_DRY_RUN,
    OPTION_OUTPUT,
    OPTION_TOWER,
    OPTION_CLASSES,
    OPTION_TEMPLATES,
    OPTION_MOST,
    OPTION_JSON,
    OPTION_LAYERS,
    OPTION_QUIET,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {"device", required_argument, NULL, OPTION_DEVICE},
    {"set", required_argument, NULL, OPTION_SET},
    {"resume", optional_argument, NULL, OPTION_RESUME},
    {"allow-changes", no_argument, NULL, OPTION_ALLOW_CHANGES},
    {"overwrite", no_argument, NULL, OPTION_OVERWRITE},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"output", required_argument, NULL, OPTION_OUTPUT},
    {"tower", required_argument, NULL, OPTION_TOWER},
    {"classes", required_argument, NULL, OPTION_CLASSES},
    {"templates", required_argument, NULL, OPTION_TEMPLATES},
    {"most", required_argument, NULL, OPTION_MOST},
    {"layers", no_argument, NULL, OPTION_LAYERS},
    {"json", no_argument, NULL, OPTION_JSON},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static clc_status parse_most(const char *text, int *most) {
    char *end = NULL;
    long value = strtol(text, &end, 10);
    if (end == text || *end || value < 2 || value > 1 << 20)
        return clc_fail(CLC_INVALID, "--most %s: a number from 2 to 1048576 is needed", text);
    *most = (int)value;
    return CLC_OK;
}

static clc_status add_override(arguments *a, const char *text) {
    if (a->override_count == MAX_OVERRIDES)
        return clc_fail(CLC_INVALID, "more than %d --set options; put them into the .ini file",
                        MAX_OVERRIDES);
    a->overrides[a->override_count++] = text;
    return CLC_OK;
}

/* Where the text of an option goes that is no more than a text; NULL: it is another option. */
static const char **text_of(arguments *a, int option) {
    const struct {
        int option;
        const char **text;
    } texts[] = {{OPTION_DEVICE, &a->device},
                 {OPTION_OUTPUT, &a->output},
                 {OPTION_TOWER, &a->tower},
                 {OPTION_CLASSES, &a->classes},
                 {OPTION_TEMPLATES, &a->templates}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].option == option)
            return texts[i].text;
    return NULL;
}

/* The same of options without a value. */
static bool *flag_of(arguments *a, int option) {
    const struct {
        int option;
        bool *flag;
    } flags[] = {{OPTION_ALLOW_CHANGES, &a->allow_changes},
                 {OPTION_OVERWRITE, &a->overwrite},
                 {OPTION_DRY_RUN, &a->dry_run},
                 {OPTION_LAYERS, &a->layers},
                 {OPTION_JSON, &a->json}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].option == option)
            return flags[i].flag;
    return NULL;
}

/* Handles one option; *done is set by those that end the program. */
static clc_status take_option(arguments *a, int option, const char *value, bool *done) {
    const char **text = text_of(a, option);
    bool *flag = flag_of(a, option);
    if (text)
        *text = value;
    if (flag)
        *flag = true;
    if (text || flag)
        return CLC_OK;
    switch (option) {
    case OPTION_SET:
        return add_override(a, value);
    case OPTION_RESUME:
        a->resume = true;
        a->checkpoint = value;
        return CLC_OK;
    case OPTION_MOST:
        return parse_most(value, &a->most);
    case OPTION_QUIET:
        clc_log_quiet(true);
        return CLC_OK;
    case OPTION_HELP:
        print_help();
        *done = true;
        return CLC_OK;
    case OPTION_VERSION:
        puts("clcontrast " CLC_VERSION);
        *done = true;
        return CLC_OK;
    default:
        return clc_fail(CLC_INVALID, "see clcontrast --help");
    }
}

static const command *find_command(const char *name) {
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

/* A first word that is no command is a configuration file: the main job. */
static clc_status choose_command(arguments *a, int count, char **words, const command **chosen) {
    const command *c = count ? find_command(words[0]) : NULL;
    int first = c ? 1 : 0;
    if (!count)
        return clc_fail(CLC_INVALID,
                        "nothing to do: name a train.ini or a command; see clcontrast --help");
    if (!c)
        c = &commands[0];
    if (count - first < c->least || count - first > c->most)
        return clc_fail(CLC_INVALID, "usage: clcontrast %s %s [options]; see clcontrast --help",
                        c->name, c->usage);
    a->positionals = words + first;
    a->positional_count = count - first;
    *chosen = c;
    return CLC_OK;
}

static clc_status run(int argc, char **argv) {
    arguments a = {.most = 65536};
    bool done = false;
    const command *chosen = NULL;
    clc_status status = CLC_OK;
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        status = take_option(&a, option, optarg, &done);
        if (status != CLC_OK || done)
            return status;
    }
    status = choose_command(&a, argc - optind, argv + optind, &chosen);
    return status == CLC_OK ? chosen->run(&a) : status;
}

int main(int argc, char **argv) {
    clc_status status = run(argc, argv);
    if (status != CLC_OK) {
        clc_live("%s", "");
        fprintf(stderr, "clcontrast: %s\n", clc_error());
    }
    /* A full disk shows only when the results are flushed. */
    if (fflush(stdout) != 0 && status == CLC_OK) {
        fprintf(stderr, "clcontrast: standard output can't be written\n");
        status = CLC_IO;
    }
    return (int)status;
}
