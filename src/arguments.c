#include "arguments.h"

#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef enum option_kind {
    OPTION_TEXT,  /* const char * */
    OPTION_FLAG,  /* bool */
    OPTION_COUNT, /* int */
    OPTION_SHARE, /* double in [0, 1] */
    OPTION_SET,
    OPTION_RESUME
} option_kind;

typedef struct option_row {
    const char *name, *value; /* what its value is called; NULL: it has none */
    option_kind kind;
    size_t field; /* in clc_arguments, of the first four kinds */
    const char *help;
} option_row;

#define FIELD(name) offsetof(clc_arguments, name)
static const option_row options[] = {
    {"device", "D", OPTION_TEXT, FIELD(device),
     "a number of 'clcontrast devices', cpu, gpu or a part of a name"},
    {"set", "S.KEY=VALUE", OPTION_SET, 0, "override a key of the configuration; may be repeated"},
    {"resume", "[=FILE]", OPTION_RESUME, 0,
     "continue from the newest (or that) checkpoint of the output folder"},
    {"allow-changes", NULL, OPTION_FLAG, FIELD(allow_changes),
     "with --resume: also where settings make it another training; import: where tensors are left"},
    {"overwrite", NULL, OPTION_FLAG, FIELD(overwrite),
     "replace the run that is in the output folder; import: the file"},
    {"dry-run", NULL, OPTION_FLAG, FIELD(dry_run), "do everything up to the first step"},
    {"tasks", "A,B,C", OPTION_TEXT, FIELD(tasks), "eval: which tasks, of those below, or all"},
    {"data", "INI", OPTION_TEXT, FIELD(data),
     "eval, finetune, distill: other data than the run's, of section [data] of that file"},
    {"output", "FOLDER", OPTION_TEXT, FIELD(output),
     "embed, eval, compare, index: where the files go (default: the run, or this folder); export, "
     "import: the file"},
    {"tokenizer", "FILE", OPTION_TEXT, FIELD(tokenizer),
     "import: the tokenizer.json that numbers tokens as the text network knows them"},
    {"tower", "T", OPTION_TEXT, FIELD(tower),
     "embed, export --as onnx, import, of an encoder of both: image or text"},
    {"classes", "FILE", OPTION_TEXT, FIELD(classes),
     "zeroshot: a class a line; after a tab its words, if they are others"},
    {"templates", "FILE", OPTION_TEXT, FIELD(templates),
     "zeroshot: a text a line with {} where the class goes"},
    {"as", "TOOL", OPTION_TEXT, FIELD(as),
     "export: onnx, or weights under the names of torchvision (as in the file) or detectron2"},
    {"pixels", NULL, OPTION_FLAG, FIELD(pixels),
     "export --as onnx: the network takes values of 0 to 255 (of series as measured) and "
     "normalises "
     "them"},
    {"preprocess", NULL, OPTION_FLAG, FIELD(preprocess),
     "export --as onnx: the network takes pictures of any size, and scales, cuts and normalises "
     "them"},
    {"fp16", NULL, OPTION_FLAG, FIELD(fp16), "export --as onnx: weights and arithmetic of 16 bits"},
    {"opset", "N", OPTION_COUNT, FIELD(opset),
     "export --as onnx: the operator set, 17 to 20 (default 17)"},
    {"most", "N", OPTION_COUNT, FIELD(most), "bench losses: the most views (default 65536)"},
    {"encoder", "PATH", OPTION_TEXT, FIELD(encoder),
     "search, select: the run or encoder that made the index, if it isn't where it was"},
    {"k", "N", OPTION_COUNT, FIELD(k),
     "search: how many to show of each query; outliers, select --by typical: how "
     "many neighbours count (10); also -k"},
    {"n", "N", OPTION_COUNT, FIELD(n),
     "select, outliers: how many samples to name (default 100); also -n"},
    {"threshold", "C", OPTION_SHARE, FIELD(threshold),
     "dedup: the least cosine of near-duplicates (default 0.95)"},
    {"against", "INDEX", OPTION_TEXT, FIELD(against),
     "dedup: which samples have a near-duplicate in that index, such as the training set's"},
    {"by", "WAY", OPTION_TEXT, FIELD(by),
     "select: diverse (k-centre greedy), typical (of clusters), entropy or margin (of a "
     "classifier)"},
    {"html", "FILE", OPTION_TEXT, FIELD(html),
     "search, dedup, select, outliers: a page of the same with pictures, too"},
    {"layers", NULL, OPTION_FLAG, FIELD(layers), "bench: one line for each op of each layer"},
    {"once", NULL, OPTION_FLAG, FIELD(once), "watch: show the curves once, as they are now"},
    {"quick", NULL, OPTION_FLAG, FIELD(quick), "check: small cases only, and once"},
    {"json", NULL, OPTION_FLAG, FIELD(json), "devices, bench, search: print JSON"},
    {"quiet", NULL, OPTION_FLAG, FIELD(quiet), "no progress, only results and errors"},
    {"help", NULL, OPTION_FLAG, FIELD(help), "this text"},
    {"version", NULL, OPTION_FLAG, FIELD(version), "the version"},
};
enum { OPTIONS = sizeof options / sizeof *options, FIRST_OPTION = 256 };

bool clc_arguments_option(size_t i, clc_option *option) {
    if (i >= OPTIONS)
        return false;
    *option = (clc_option){options[i].name, options[i].value, options[i].help};
    return true;
}

void clc_arguments_print(FILE *file) {
    for (size_t i = 0; i < OPTIONS; i++) {
        const option_row *o = &options[i];
        char text[64];
        snprintf(text, sizeof text, "--%s%s%s", o->name, o->value && o->value[0] != '[' ? " " : "",
                 o->value ? o->value : "");
        fprintf(file, "  %-18s %s\n", text, o->help);
    }
}

static clc_status parse_count(const char *name, const char *text, void *field) {
    char *end = NULL;
    const long value = strtol(text, &end, 10);
    const int count = (int)value;
    if (end == text || *end || value < 1 || value > 1 << 20)
        return clc_fail(CLC_INVALID, "--%s %s: a number from 1 to 1048576 is needed", name, text);
    memcpy(field, &count, sizeof count);
    return CLC_OK;
}

static clc_status parse_share(const char *name, const char *text, void *field) {
    char *end = NULL;
    const double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0 && value <= 1))
        return clc_fail(CLC_INVALID, "--%s %s: a number from 0 to 1 is needed", name, text);
    memcpy(field, &value, sizeof value);
    return CLC_OK;
}

static clc_status add_override(clc_arguments *a, const char *text) {
    if (a->override_count == CLC_MAX_OVERRIDES)
        return clc_fail(CLC_INVALID, "more than %d --set options; put them into the .ini file",
                        CLC_MAX_OVERRIDES);
    a->overrides[a->override_count++] = text;
    return CLC_OK;
}

static clc_status take_option(clc_arguments *a, const option_row *o, const char *value) {
    char *field = (char *)a + o->field;
    switch (o->kind) {
    case OPTION_TEXT:
        memcpy(field, &value, sizeof value);
        return CLC_OK;
    case OPTION_FLAG:
        *(bool *)field = true;
        return CLC_OK;
    case OPTION_COUNT:
        return parse_count(o->name, value, field);
    case OPTION_SHARE:
        return parse_share(o->name, value, field);
    case OPTION_SET:
        return add_override(a, value);
    case OPTION_RESUME:
        a->resume = true;
        a->checkpoint = value;
        return CLC_OK;
    }
    return CLC_OK;
}

static const option_row *find_option(const char *name) {
    for (int i = 0; i < OPTIONS; i++)
        if (!strcmp(options[i].name, name))
            return &options[i];
    return NULL;
}

/* The table as getopt wants it, ended by zeros. */
static void list_options(struct option list[OPTIONS + 1]) {
    memset(list, 0, (OPTIONS + 1) * sizeof *list);
    for (int i = 0; i < OPTIONS; i++) {
        const char *value = options[i].value;
        list[i].name = options[i].name;
        list[i].has_arg = !value          ? no_argument
                          : *value == '[' ? optional_argument
                                          : required_argument;
        list[i].val = FIRST_OPTION + i;
    }
}

clc_status clc_arguments_parse(clc_arguments *a, int argc, char **argv, int *first) {
    clc_status status = CLC_OK;
    struct option list[OPTIONS + 1];
    *a = (clc_arguments){.most = 65536, .k = 10, .n = 100, .threshold = 0.95};
    list_options(list);
    for (int option; (option = getopt_long(argc, argv, "k:n:", list, NULL)) != -1;) {
        const char letter[2] = {(char)option, '\0'};
        const option_row *o =
            option < FIRST_OPTION ? find_option(letter) : &options[option - FIRST_OPTION];
        if (!o)
            return clc_fail(CLC_INVALID, "see clcontrast --help");
        status = take_option(a, o, optarg);
        if (status != CLC_OK || a->help || a->version)
            return status;
    }
    *first = optind;
    return status;
}
