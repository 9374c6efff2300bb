#include "manual.h"

#include "core/config_schema.h"
#include "eval/task.h"

#include <string.h>

/* Prints text with a backslash before each of `special`. */
static void print_escaped(const char *text, const char *special, FILE *file) {
    for (; *text; text++) {
        if (strchr(special, *text))
            fputc('\\', file);
        fputc(*text, file);
    }
}

/* ---- the manual page ---- */

/* What man takes for its own: backslashes, hyphens that are to stay minus signs, and dots and
 * quotes at the beginning of a line. */
static void print_roff(const char *text, FILE *file) {
    if (*text == '.' || *text == '\'')
        fputs("\\&", file);
    for (; *text; text++)
        if (*text == '\\')
            fputs("\\e", file);
        else if (*text == '-')
            fputs("\\-", file);
        else
            fputc(*text, file);
}

/* A tagged paragraph: the word in bold, its argument in italics, then what it means. */
static void print_paragraph(const char *prefix, const char *word, const char *argument,
                            const char *meaning, FILE *file) {
    fputs(".TP\n\\fB", file);
    print_roff(prefix, file);
    print_roff(word, file);
    fputs("\\fR", file);
    if (argument && *argument) {
        fputs(strncmp(argument, "[=", 2) ? " \\fI" : "\\fI", file);
        print_roff(argument, file);
        fputs("\\fR", file);
    }
    fputc('\n', file);
    print_roff(meaning, file);
    fputc('\n', file);
}

static void print_keys(FILE *file) {
    char allowed[256], name[128];
    for (const clc_config_section *s = clc_config_sections; s->name; s++) {
        fprintf(file, ".SS [%s]\n", s->name);
        print_roff(s->meaning, file);
        fputc('\n', file);
        for (const clc_config_key *k = clc_config_keys; k->name; k++) {
            if (strcmp(k->section, s->name) != 0)
                continue;
            snprintf(name, sizeof name, "= %s", *k->fallback ? k->fallback : "(empty)");
            print_paragraph("", k->name, name, k->meaning, file);
            clc_config_describe(k, allowed, sizeof allowed);
            fputs("(", file);
            print_roff(allowed, file);
            fputs(")\n", file);
        }
    }
}

static void print_commands(const clc_command *commands, size_t count, FILE *file) {
    clc_option option;
    fputs(".SH COMMANDS\n", file);
    for (size_t i = 0; i < count; i++)
        print_paragraph("", commands[i].name, commands[i].usage, commands[i].meaning, file);
    fputs(".SH OPTIONS\n", file);
    for (size_t i = 0; clc_arguments_option(i, &option); i++)
        print_paragraph("--", option.name, option.value, option.help, file);
    fputs(".SH TASKS OF EVAL\n", file);
    for (size_t i = 0; i < CLC_TASK_COUNT; i++)
        print_paragraph("", clc_tasks[i]->name, clc_tasks[i]->costly ? "(only if asked for)" : NULL,
                        clc_tasks[i]->about, file);
}

static void print_statuses(FILE *file) {
    char number[16];
    fputs(".SH EXIT STATUS\n", file);
#define PRINT_STATUS(name, meaning)                                                                \
    snprintf(number, sizeof number, "%d", (int)CLC_##name);                                        \
    print_paragraph("", number, NULL, meaning, file);
    CLC_STATUS_LIST(PRINT_STATUS)
#undef PRINT_STATUS
}

void clc_manual_page(const clc_command *commands, size_t count, FILE *file) {
    fputs(".TH CLCONTRAST 1 \"\" \"clcontrast " CLC_VERSION "\" \"User Commands\"\n"
          ".SH NAME\nclcontrast \\- contrastive training of encoders on any OpenCL device\n"
          ".SH SYNOPSIS\n.B clcontrast\n[\\fIoptions\\fR] \\fItrain.ini\\fR\n.br\n"
          ".B clcontrast\n\\fICOMMAND\\fR [\\fIoptions\\fR] ...\n"
          ".SH DESCRIPTION\nTrains encoders of images, texts and series by contrastive and\n"
          "self\\-supervised methods on the OpenCL device at hand, as one .ini file says;\n"
          "evaluates them, and embeds what is given to them. Without a command the word train is\n"
          "understood.\n",
          file);
    print_commands(commands, count, file);
    fputs(".SH CONFIGURATION\nWhat train.ini may say, each key with its default; on the command\n"
          "line \\fB\\-\\-set\\fR \\fIsection.key=value\\fR.\n",
          file);
    print_keys(file);
    print_statuses(file);
    fputs(".SH ENVIRONMENT\n", file);
    print_paragraph("", "XDG_CACHE_HOME", NULL,
                    "holds the folder clcontrast of decoded pictures and compiled programs; "
                    "without it ~/.cache does",
                    file);
    print_paragraph("", "CLCONTRAST_CL_DIR", NULL,
                    "a folder to read kernels from instead of those in the program", file);
}

/* ---- completion ---- */

/* What the values of some options are, besides those of --set and --tasks. */
static const char *const values[][2] = {
    {"device", "cpu gpu"}, {"tower", "image text"}, {"as", "torchvision detectron2"}};

/* Prints the words, with blanks between, that an option's value may be; false: they aren't known,
 * it is a file. */
static bool print_values(const clc_option *option, FILE *file) {
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (!strcmp(option->name, values[i][0])) {
            fputs(values[i][1], file);
            return true;
        }
    if (!strcmp(option->name, "set"))
        for (const clc_config_key *k = clc_config_keys; k->name; k++)
            fprintf(file, "%s.%s= ", k->section, k->name);
    else if (!strcmp(option->name, "tasks"))
        for (size_t i = 0; i < CLC_TASK_COUNT; i++)
            fprintf(file, "%s ", clc_tasks[i]->name);
    else
        return false;
    return true;
}

/* A value that follows as a word of its own. */
static bool takes_value(const clc_option *option) {
    return option->value && *option->value != '[';
}

static void print_bash(const clc_command *commands, size_t count, FILE *file) {
    clc_option option;
    fputs("# bash completion for clcontrast\n"
          "_clcontrast() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    compopt +o nospace\n"
          "    case $before in\n",
          file);
    for (size_t i = 0; clc_arguments_option(i, &option); i++) {
        if (!takes_value(&option))
            continue;
        fprintf(file, "    --%s)%s COMPREPLY=($(compgen -W \"", option.name,
                strcmp(option.name, "set") ? "" : " compopt -o nospace;");
        const bool known = print_values(&option, file);
        fprintf(file, "\"%s -- \"$word\")); return ;;\n", known ? "" : " -f");
    }
    fputs("    esac\n    case $word in\n    -*) COMPREPLY=($(compgen -W \"", file);
    for (size_t i = 0; clc_arguments_option(i, &option); i++)
        fprintf(file, "%s--%s", i ? " " : "", option.name);
    fputs("\" -- \"$word\")); return ;;\n    esac\n"
          "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
          "    if ((COMP_CWORD == 1)); then\n        COMPREPLY+=($(compgen -W \"",
          file);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%s%s", i ? " " : "", commands[i].name);
    fputs("\" -- \"$word\"))\n    fi\n}\ncomplete -o filenames -F _clcontrast clcontrast\n", file);
}

static void print_zsh(const clc_command *commands, size_t count, FILE *file) {
    clc_option option;
    fputs("#compdef clcontrast\nlocal -a commands=(\n", file);
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "    \"%s:", commands[i].name);
        print_escaped(commands[i].meaning, "\"\\$`:", file);
        fputs("\"\n", file);
    }
    fputs(")\nlocal -a arguments=(\n", file);
    for (size_t i = 0; clc_arguments_option(i, &option); i++) {
        fprintf(file, "    \"%s--%s[", strcmp(option.name, "set") ? "" : "*", option.name);
        print_escaped(option.help, "\"\\$`[]:", file);
        fputs("]", file);
        if (takes_value(&option)) {
            fprintf(file, ":%s:{ compadd -S '' -- ", option.name);
            fputs(print_values(&option, file) ? "}" : "; _files }", file);
        }
        fputs("\"\n", file);
    }
    fputs(")\n_clcontrast_first() { _describe command commands; _files }\n"
          "_arguments $arguments '1: :_clcontrast_first' '*: :_files'\n",
          file);
}

static void print_fish(const clc_command *commands, size_t count, FILE *file) {
    clc_option option;
    fputs("# fish completion for clcontrast\n", file);
    for (size_t i = 0; i < count; i++) {
        fprintf(file, "complete -c clcontrast -n __fish_use_subcommand -a %s -d '",
                commands[i].name);
        print_escaped(commands[i].meaning, "'\\", file);
        fputs("'\n", file);
    }
    for (size_t i = 0; clc_arguments_option(i, &option); i++) {
        fprintf(file, "complete -c clcontrast -l %s", option.name);
        if (takes_value(&option)) {
            fputs(" -r -a '", file);
            print_values(&option, file);
            fputs("'", file);
        }
        fputs(" -d '", file);
        print_escaped(option.help, "'\\", file);
        fputs("'\n", file);
    }
}

clc_status clc_manual_completion(const clc_command *commands, size_t count, const char *shell,
                                 FILE *file) {
    static const struct {
        const char *name;
        void (*print)(const clc_command *commands, size_t count, FILE *file);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (!strcmp(shell, shells[i].name)) {
            shells[i].print(commands, count, file);
            return CLC_OK;
        }
    return clc_fail(CLC_INVALID, "completion %s: it is for bash, zsh or fish", shell);
}
