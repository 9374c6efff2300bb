/* What differs between two configurations, and whether a resumed run may change it. */
#include "core/config_schema.h"

#include <stdarg.h>
#include <string.h>

static const char *note_of(clc_config_change change) {
    static const char *const notes[] = {[CLC_CHANGE_AS_SECTION] = "",
#define NOTE(name, note) [CLC_CHANGE_##name] = note,
                                        CLC_CONFIG_CHANGE_LIST(NOTE)
#undef NOTE
    };
    return notes[change];
}

static clc_config_change change_of(const clc_config_key *key) {
    const clc_config_section *section = clc_config_sections;
    if (key->change != CLC_CHANGE_AS_SECTION)
        return key->change;
    while (strcmp(section->name, key->section) != 0)
        section++;
    return section->change;
}

static int number(const clc_config_key *key, const clc_config *config) {
    return *(const int *)(const void *)((const char *)config + key->offset);
}

/* The list that the difference belongs to. */
static char **list_of(const clc_config_key *key, const clc_config *was, const clc_config *now,
                      clc_config_changes *changes) {
    switch (change_of(key)) {
    case CLC_CHANGE_FREE:
    case CLC_CHANGE_LAST_BITS:
        return &changes->free;
    case CLC_CHANGE_GROW:
        return number(key, now) > number(key, was) ? &changes->free : &changes->fixed;
    case CLC_CHANGE_NETWORK:
        return &changes->network;
    default:
        return &changes->fixed;
    }
}

static clc_status append(char **list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static clc_status append(char **list, const char *format, ...) {
    va_list arguments;
    const size_t used = *list ? strlen(*list) : 0;
    const size_t room = used + 4 * CLC_CONFIG_TEXT_BYTES;
    char *longer = realloc(*list, room);
    if (!longer)
        return clc_fail_alloc(room);
    *list = longer;
    va_start(arguments, format);
    vsnprintf(longer + used, room - used, format, arguments);
    va_end(arguments);
    return CLC_OK;
}

clc_status clc_config_compare(const clc_config *was, const clc_config *now,
                              clc_config_changes *changes) {
    clc_status status = CLC_OK;
    *changes = (clc_config_changes){0};
    for (const clc_config_key *key = clc_config_keys; key->name; key++) {
        char before[CLC_CONFIG_TEXT_BYTES], after[CLC_CONFIG_TEXT_BYTES];
        clc_config_format(key, was, before, sizeof before);
        clc_config_format(key, now, after, sizeof after);
        if (!strcmp(before, after))
            continue;
        char **list = list_of(key, was, now, changes);
        CLC_TRY(append(list, "%s%s.%s = %s (was %s%s)", *list ? ", " : "", key->section, key->name,
                       *after ? after : "(empty)", *before ? before : "(empty)",
                       list == &changes->free ? note_of(change_of(key)) : ""));
    }
fail:
    return status;
}

void clc_config_changes_free(clc_config_changes *changes) {
    free(changes->free);
    free(changes->fixed);
    free(changes->network);
    *changes = (clc_config_changes){0};
}
