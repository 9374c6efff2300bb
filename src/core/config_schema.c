#include "core/config_schema.h"

#include "core/text.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#define WORD(value, word) word,
#define WORDS(list)                                                                                \
    static const char *const words_of_##list[] = {CLC_CONFIG_##list##_LIST(WORD) NULL};
CLC_CONFIG_LISTS(WORDS)

const clc_config_key clc_config_keys[] = {
#define ANY              .low = 0
#define NONEMPTY         .nonempty = true
#define RANGE(l, h)      .low = (l), .high = (h)
#define ODD(h)           .high = (h), .odd = true
#define ONE_OF(list)     .choices = words_of_##list
#define SPAN(l, h)       .span = true, .least = 2, .most = 2, .low = (l), .high = (h)
#define LIST(n, m, l, h) .least = (n), .most = (m), .low = (l), .high = (h)
#define MAY(what)        , .change = CLC_CHANGE_##what
#define TEXT_OF(word)    #word
#define NAME_OF(part)    TEXT_OF(part) /* of what a macro stands for */
#define CLC_SECTION(section, what, text)
#define CLC_TWIN(section, model, what, text)
#define CLC_KEY(kind, part, key, value, allowed, text)                                             \
    {.section = NAME_OF(part),                                                                     \
     .name = #key,                                                                                 \
     .type = CLC_CONFIG_##kind,                                                                    \
     .offset = offsetof(clc_config, part.key),                                                     \
     .fallback = value,                                                                            \
     .meaning = text,                                                                              \
     allowed},
#define CLC_SECTION_END(section)
#include "core/config_keys.inc"
#undef CLC_TWIN
#undef CLC_SECTION
#undef CLC_KEY
#undef CLC_SECTION_END
    {.name = NULL},
};

const clc_config_section clc_config_sections[] = {
#define CLC_SECTION(section, what, text)                                                           \
    {.name = #section, .meaning = text, .change = CLC_CHANGE_##what},
#define CLC_TWIN(section, model, what, text) CLC_SECTION(section, what, text)
#define CLC_KEY(kind, part, key, value, allowed, text)
#define CLC_SECTION_END(section)
#include "core/config_keys.inc"
    {.name = NULL},
};

static const char *closest(const char *word, const char *const *candidates, size_t n) {
    size_t i = clc_closest(word, candidates, n);
    return i < n ? candidates[i] : NULL;
}

clc_status clc_config_find_section(const char *section) {
    const char *names[CLC_CONFIG_SECTIONS_MAX];
    size_t n = 0;
    for (const clc_config_section *s = clc_config_sections; s->name; s++) {
        if (strcmp(s->name, section) == 0)
            return CLC_OK;
        names[n++] = s->name;
    }
    const char *meant = closest(section, names, n);
    if (meant)
        return clc_fail(
            CLC_INVALID,
            "[%s]: unknown section; did you mean '%s'? ('clcontrast options' lists all)", section,
            meant);
    return clc_fail(CLC_INVALID, "[%s]: unknown section ('clcontrast options' lists all)", section);
}

/* Where else the unknown key might belong. */
static clc_status unknown_key(const char *section, const char *name) {
    const char *names[CLC_CONFIG_KEYS_MAX], *other = NULL;
    size_t n = 0;
    for (const clc_config_key *k = clc_config_keys; k->name; k++) {
        if (strcmp(k->section, section) == 0)
            names[n++] = k->name;
        else if (!other && strcmp(k->name, name) == 0)
            other = k->section;
    }
    const char *meant = closest(name, names, n);
    if (meant)
        return clc_fail(CLC_INVALID,
                        "%s.%s: unknown key; did you mean '%s'? ('clcontrast options' lists all)",
                        section, name, meant);
    if (other)
        return clc_fail(CLC_INVALID,
                        "%s.%s: unknown key; section [%s] has one of that name "
                        "('clcontrast options' lists all)",
                        section, name, other);
    return clc_fail(CLC_INVALID, "%s.%s: unknown key ('clcontrast options' lists all)", section,
                    name);
}

clc_status clc_config_find_key(const char *section, const char *name, const clc_config_key **key) {
    clc_status status = clc_config_find_section(section);
    if (status != CLC_OK)
        return status;
    for (const clc_config_key *k = clc_config_keys; k->name; k++) {
        if (strcmp(k->section, section) == 0 && strcmp(k->name, name) == 0) {
            *key = k;
            return CLC_OK;
        }
    }
    return unknown_key(section, name);
}

static void describe_list(const clc_config_key *key, char *text, size_t size) {
    const char *kind = key->type == CLC_CONFIG_INTS ? "integers" : "numbers";
    if (key->span)
        snprintf(text, size, "two %s from %.10g to %.10g, the lesser first, with a comma between",
                 kind, key->low, key->high);
    else
        snprintf(text, size, "%zu to %zu %s from %.10g to %.10g, with commas between", key->least,
                 key->most, kind, key->low, key->high);
}

static void describe_number(const clc_config_key *key, char *text, size_t size) {
    const char *kind = key->type == CLC_CONFIG_INT ? "an integer" : "a number";
    if (key->odd)
        snprintf(text, size, "0, or an odd integer from 1 to %.10g", key->high);
    else if (key->type == CLC_CONFIG_INT && key->high >= INT_MAX)
        snprintf(text, size, "an integer from %.10g", key->low);
    else
        snprintf(text, size, "%s from %.10g to %.10g", kind, key->low, key->high);
}

static void describe_choices(const clc_config_key *key, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, key->choices[1] ? "one of" : "only");
    for (size_t i = 0; key->choices[i] && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s %s", i ? "," : "", key->choices[i]);
}

void clc_config_describe(const clc_config_key *key, char *text, size_t size) {
    switch (key->type) {
    case CLC_CONFIG_TEXT:
        snprintf(text, size, "text of at most %d bytes%s", CLC_CONFIG_TEXT_BYTES - 1,
                 key->nonempty ? ", not empty" : "");
        break;
    case CLC_CONFIG_SEED:
        snprintf(text, size, "an integer from 0 to %llu", (unsigned long long)UINT64_MAX);
        break;
    case CLC_CONFIG_BOOL:
        snprintf(text, size, "true or false");
        break;
    case CLC_CONFIG_CHOICE:
        describe_choices(key, text, size);
        break;
    case CLC_CONFIG_INT:
    case CLC_CONFIG_FLOAT:
        describe_number(key, text, size);
        break;
    case CLC_CONFIG_INTS:
    case CLC_CONFIG_FLOATS:
        describe_list(key, text, size);
        break;
    }
}

void clc_config_print_options(FILE *stream) {
    fputs("; Every key with its default, its meaning and what is allowed. On the command line:\n"
          "; --set section.key=value. What follows a ';' is a comment.\n",
          stream);
    for (const clc_config_section *s = clc_config_sections; s->name; s++) {
        fprintf(stream, "\n[%s]\n; %s\n", s->name, s->meaning);
        for (const clc_config_key *k = clc_config_keys; k->name; k++) {
            char allowed[256];
            if (strcmp(k->section, s->name) != 0)
                continue;
            clc_config_describe(k, allowed, sizeof allowed);
            fprintf(stream, "\n%s =%s%s\n    ; %s\n    ; %s\n", k->name, *k->fallback ? " " : "",
                    k->fallback, k->meaning, allowed);
        }
    }
}
