/* What kind of thing a sample is. */
#ifndef CLC_CORE_KIND_H
#define CLC_CORE_KIND_H

typedef enum clc_kind { CLC_KIND_IMAGES, CLC_KIND_TOKENS, CLC_KIND_SERIES } clc_kind;

enum { CLC_KINDS = 3 };

#endif
