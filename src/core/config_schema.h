/* The table of configuration keys at run time: what config*.c share. */
#ifndef CLC_CORE_CONFIG_SCHEMA_H
#define CLC_CORE_CONFIG_SCHEMA_H

#include "core/config.h"

typedef enum clc_config_type {
    CLC_CONFIG_TEXT,
    CLC_CONFIG_INT,
    CLC_CONFIG_SEED,
    CLC_CONFIG_FLOAT,
    CLC_CONFIG_BOOL,
    CLC_CONFIG_CHOICE,
    CLC_CONFIG_INTS,
    CLC_CONFIG_FLOATS,
} clc_config_type;

/* What a resumed run may change, and what is to be known of it then. */
#define CLC_CONFIG_CHANGE_LIST(X)                                                                  \
    X(FIXED, "")   /* it would be another training */                                              \
    X(NETWORK, "") /* the weights wouldn't fit */                                                  \
    X(FREE, "")                                                                                    \
    X(GROW, "; schedules stretch over all of them") /* an INT that may become greater */           \
    X(LAST_BITS, "; results may differ in their last bits")

typedef enum clc_config_change {
    CLC_CHANGE_AS_SECTION, /* of keys only */
#define CLC_CONFIG_CHANGE_ENUM(name, note) CLC_CHANGE_##name,
    CLC_CONFIG_CHANGE_LIST(CLC_CONFIG_CHANGE_ENUM)
#undef CLC_CONFIG_CHANGE_ENUM
} clc_config_change;

typedef struct clc_config_key {
    const char *section, *name;
    clc_config_type type;
    size_t offset;        /* of the field in clc_config */
    const char *fallback; /* the default, as it would be written in a file */
    const char *meaning;
    double low, high;           /* of a number, or of each of a list; both allowed */
    bool odd;                   /* an INT that must be odd, or 0 */
    bool nonempty;              /* a TEXT that can't be empty */
    bool span;                  /* FLOATS that are a least and a greatest value */
    size_t least, most;         /* numbers in a list */
    const char *const *choices; /* words by value, NULL at the end */
    clc_config_change change;
} clc_config_key;

typedef struct clc_config_section {
    const char *name, *meaning;
    clc_config_change change;
} clc_config_section;

/* All keys in the order of the file, ended by a NULL name. */
extern const clc_config_key clc_config_keys[];
extern const clc_config_section clc_config_sections[];

/* Upper bounds for arrays; a test holds the tables to them. */
enum { CLC_CONFIG_KEYS_MAX = 320, CLC_CONFIG_SECTIONS_MAX = 24 };

/* Fail with CLC_INVALID and a suggestion if there is no such section or key. */
clc_status clc_config_find_section(const char *section);
clc_status clc_config_find_key(const char *section, const char *name, const clc_config_key **key);

/* What is allowed, such as "an integer from 1 to 8"; cut to `size` bytes. */
void clc_config_describe(const clc_config_key *key, char *text, size_t size);

/* Sets the field from text. Fails with CLC_INVALID and "<section>.<key> = <value>: what is wrong".
 */
clc_status clc_config_parse(const clc_config_key *key, const char *value, clc_config *config);

/* The shortest text of the field's value that parses to the same; CLC_CONFIG_TEXT_BYTES suffice. */
void clc_config_format(const clc_config_key *key, const clc_config *config, char *text,
                       size_t size);

/* As clc_config_validate; on failure, `keys` are the two that contradict each other. */
clc_status clc_config_check(const clc_config *config, const clc_config_key *keys[2]);

#endif
