/* Values of the configuration from text, and back. */
#include "core/config_schema.h"

#include "core/text.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

static void *field(const clc_config_key *key, clc_config *config) {
    return (char *)config + key->offset;
}

static const void *const_field(const clc_config_key *key, const clc_config *config) {
    return (const char *)config + key->offset;
}

/* `what` is wrong with the value; says what is allowed. */
static clc_status refuse(const clc_config_key *key, const char *value, const char *what) {
    char allowed[256];
    clc_config_describe(key, allowed, sizeof allowed);
    return clc_fail(CLC_INVALID, "%s.%s = %.100s%s: %s; allowed: %s%s", key->section, key->name,
                    value, strlen(value) > 100 ? "..." : "", what, allowed,
                    strchr(value, '#') ? " (a comment after a value begins with ' ;')" : "");
}

/* An integer of ordinary decimal digits that is all of `text`. */
static bool read_integer(const char *text, long long *number) {
    char *end;
    size_t sign = *text == '-' || *text == '+';
    size_t digits = strspn(text + sign, "0123456789");
    if (digits == 0 || text[sign + digits] != '\0')
        return false;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return true; /* out of range saturates, and so fails the check of the range */
}

/* A finite decimal number that is all of `text`: neither hexadecimal nor a word. */
static bool read_number(const char *text, double *number) {
    char *end;
    if (*text == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0')
        return false;
    *number = strtod(text, &end);
    return *end == '\0' && isfinite(*number);
}

static clc_status parse_text(const clc_config_key *key, const char *value, char *out) {
    size_t n = strlen(value);
    if (key->nonempty && n == 0)
        return refuse(key, value, "empty");
    if (n >= CLC_CONFIG_TEXT_BYTES)
        return refuse(key, value, "too long");
    if (n > 0 && (isspace((unsigned char)value[0]) || isspace((unsigned char)value[n - 1])))
        return refuse(key, value, "begins or ends with a space, which a file can't keep");
    for (size_t i = 0; i < n; i++) {
        if (iscntrl((unsigned char)value[i]))
            return refuse(key, value, "has a control character");
        if (value[i] == ';' && (i == 0 || isspace((unsigned char)value[i - 1])))
            return refuse(key, value, "a ';' at the beginning or after a space begins a comment");
    }
    memset(out, 0, CLC_CONFIG_TEXT_BYTES);
    memcpy(out, value, n);
    return CLC_OK;
}

static clc_status parse_int(const clc_config_key *key, const char *value, int *out) {
    long long number = 0;
    if (!read_integer(value, &number))
        return refuse(key, value, "not an integer");
    if ((double)number < key->low || (double)number > key->high)
        return refuse(key, value, "out of range");
    if (key->odd && number != 0 && number % 2 == 0)
        return refuse(key, value, "not odd");
    *out = (int)number;
    return CLC_OK;
}

static clc_status parse_seed(const clc_config_key *key, const char *value, uint64_t *out) {
    unsigned long long number;
    if (*value == '\0' || value[strspn(value, "0123456789")] != '\0')
        return refuse(key, value, "not an integer of digits only");
    errno = 0;
    number = strtoull(value, NULL, 10);
    if (errno == ERANGE || number > UINT64_MAX)
        return refuse(key, value, "out of range");
    *out = number;
    return CLC_OK;
}

static clc_status parse_float(const clc_config_key *key, const char *value, double *out) {
    double number;
    if (!read_number(value, &number))
        return refuse(key, value, "not a finite number");
    if (number < key->low || number > key->high)
        return refuse(key, value, "out of range");
    *out = number;
    return CLC_OK;
}

static clc_status parse_bool(const clc_config_key *key, const char *value, bool *out) {
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(value, words[i]) == 0) {
            *out = i % 2 == 1;
            return CLC_OK;
        }
    }
    return refuse(key, value, "not a truth value");
}

static clc_status parse_choice(const clc_config_key *key, const char *value, int *out) {
    char what[128];
    size_t n = 0;
    for (; key->choices[n]; n++) {
        if (strcmp(value, key->choices[n]) == 0) {
            *out = (int)n;
            return CLC_OK;
        }
    }
    size_t meant = clc_closest(value, key->choices, n);
    if (meant == n)
        return refuse(key, value, "unknown");
    snprintf(what, sizeof what, "unknown; did you mean '%s'?", key->choices[meant]);
    return refuse(key, value, what);
}

/* Copies the element up to the next comma, without the spaces around it, and returns what follows
 * the comma; NULL after the last. An element that doesn't fit is cut to one that is no number. */
static const char *next_element(const char *text, char *element, size_t size) {
    const char *comma = strchr(text, ',');
    const char *end = comma ? comma : text + strlen(text);
    while (text < end && isspace((unsigned char)*text))
        text++;
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    size_t n = (size_t)(end - text);
    snprintf(element, size, "%.*s", (int)(n < size ? n : 0), text);
    return comma ? comma + 1 : NULL;
}

/* Of an INTS or a FLOATS: into both, whichever is not NULL. */
static clc_status parse_list(const clc_config_key *key, const char *value, clc_ints *ints,
                             clc_floats *floats) {
    size_t n = 0;
    const char *rest = *value ? value : NULL;
    double last = 0;
    while (rest) {
        char element[64];
        double number = 0;
        long long integer = 0;
        rest = next_element(rest, element, sizeof element);
        if (ints && !read_integer(element, &integer))
            return refuse(key, value, "has an element that is not an integer");
        if (floats && !read_number(element, &number))
            return refuse(key, value, "has an element that is not a finite number");
        number = ints ? (double)integer : number;
        if (number < key->low || number > key->high)
            return refuse(key, value, "has an element out of range");
        if (n == key->most)
            return refuse(key, value, "too many elements");
        if (key->span && n > 0 && number < last)
            return refuse(key, value, "the greater comes first");
        if (ints)
            ints->values[n] = (int)integer;
        else
            floats->values[n] = number;
        last = number;
        n++;
    }
    if (n < key->least)
        return refuse(key, value, "too few elements");
    *(ints ? &ints->count : &floats->count) = n;
    return CLC_OK;
}

clc_status clc_config_parse(const clc_config_key *key, const char *value, clc_config *config) {
    void *out = field(key, config);
    switch (key->type) {
    case CLC_CONFIG_TEXT:
        return parse_text(key, value, out);
    case CLC_CONFIG_INT:
        return parse_int(key, value, out);
    case CLC_CONFIG_SEED:
        return parse_seed(key, value, out);
    case CLC_CONFIG_FLOAT:
        return parse_float(key, value, out);
    case CLC_CONFIG_BOOL:
        return parse_bool(key, value, out);
    case CLC_CONFIG_CHOICE:
        return parse_choice(key, value, out);
    case CLC_CONFIG_INTS:
        memset(out, 0, sizeof(clc_ints));
        return parse_list(key, value, out, NULL);
    case CLC_CONFIG_FLOATS:
        memset(out, 0, sizeof(clc_floats));
        return parse_list(key, value, NULL, out);
    }
    return clc_fail(CLC_INVALID, "%s.%s: the table gives it no type", key->section, key->name);
}

/* The fewest digits that read back as the same number. */
static void format_number(double number, char *text, size_t size) {
    for (int digits = 15; digits <= 17; digits++) { /* %g leaves out zeros at the end */
        snprintf(text, size, "%.*g", digits, number);
        if (!(strtod(text, NULL) != number))
            return;
    }
}

static void format_list(const clc_ints *ints, const clc_floats *floats, char *text, size_t size) {
    size_t used = 0, count = ints ? ints->count : floats->count;
    text[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++) {
        char number[32];
        if (ints)
            snprintf(number, sizeof number, "%d", ints->values[i]);
        else
            format_number(floats->values[i], number, sizeof number);
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", number);
    }
}

static const char *choice_word(const clc_config_key *key, const clc_config *config) {
    return key->choices[*(const int *)const_field(key, config)];
}

void clc_config_format(const clc_config_key *key, const clc_config *config, char *text,
                       size_t size) {
    const void *value = const_field(key, config);
    switch (key->type) {
    case CLC_CONFIG_TEXT:
        snprintf(text, size, "%s", (const char *)value);
        break;
    case CLC_CONFIG_INT:
        snprintf(text, size, "%d", *(const int *)value);
        break;
    case CLC_CONFIG_SEED:
        snprintf(text, size, "%llu", (unsigned long long)*(const uint64_t *)value);
        break;
    case CLC_CONFIG_FLOAT:
        format_number(*(const double *)value, text, size);
        break;
    case CLC_CONFIG_BOOL:
        snprintf(text, size, "%s", *(const bool *)value ? "true" : "false");
        break;
    case CLC_CONFIG_CHOICE:
        snprintf(text, size, "%s", choice_word(key, config));
        break;
    case CLC_CONFIG_INTS:
        format_list(value, NULL, text, size);
        break;
    case CLC_CONFIG_FLOATS:
        format_list(NULL, value, text, size);
        break;
    }
}

const char *clc_config_choice(const clc_config *config, const char *section, const char *key) {
    const clc_config_key *found = clc_config_keys;
    while (found->name && (strcmp(found->section, section) != 0 || strcmp(found->name, key) != 0))
        found++;
    assert(found->name && found->type == CLC_CONFIG_CHOICE);
    return choice_word(found, config);
}
