/* What the names of files and folders say of them: listing opens no file, so it goes by these. */
#include "data/format.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const pictures[] = {"jpg", "jpeg", "jpe",  "jfif", "png",  "gif", "bmp",
                                       "dib", "tga",  "pnm",  "ppm",  "pgm",  "pbm", "pam",
                                       "psd", "webp", "apng", "tif",  "tiff", "hdr", "pic"};

/* People have these as pictures, too: they are counted and named, not passed over. */
static const char *const unsupported[] = {
    "heic", "heif", "avif", "jxl", "jp2", "j2k", "jpx", "jxr", "svg", "svgz", "eps",
    "ico",  "cur",  "exr",  "dds", "xcf", "kra", "dng", "cr2", "cr3", "nef",  "arw",
    "orf",  "rw2",  "raf",  "dcm", "nii", "pcx", "wmf", "emf", "xpm", "xbm"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

const char *clc_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Of "a.b.JPG" the "JPG"; NULL if there is none. */
static const char *extension(const char *base) {
    const char *dot = strrchr(base, '.');
    return dot && dot > base && dot[1] ? dot + 1 : NULL;
}

static bool among(const char *word, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!strcasecmp(word, words[i]))
            return true;
    return false;
}

clc_name_kind clc_name_kind_of(const char *base) {
    const char *word = extension(base);
    if (base[0] == '.' || !strcasecmp(base, "Thumbs.db") || !strcasecmp(base, "desktop.ini"))
        return CLC_NAME_HIDDEN;
    if (word && among(word, pictures, COUNT(pictures)))
        return CLC_NAME_PICTURE;
    if (word && among(word, unsupported, COUNT(unsupported)))
        return CLC_NAME_UNSUPPORTED;
    return CLC_NAME_OTHER;
}

void clc_name_unsupported(const char *base, char *text, size_t size) {
    char word[16] = "";
    const char *from = extension(base);
    for (size_t i = 0; from && from[i] && i + 1 < sizeof word; i++)
        word[i] = (char)tolower((unsigned char)from[i]);
    snprintf(text, size, "not supported (%s)", word);
}

const struct clc_split_word clc_split_words[CLC_SPLIT_WORDS] = {
    {"train", CLC_SPLIT_TRAIN},     {"training", CLC_SPLIT_TRAIN}, {"test", CLC_SPLIT_TEST},
    {"testing", CLC_SPLIT_TEST},    {"val", CLC_SPLIT_TEST},       {"valid", CLC_SPLIT_TEST},
    {"validation", CLC_SPLIT_TEST},
};

clc_split clc_split_of_word(const char *word) {
    for (size_t i = 0; i < CLC_SPLIT_WORDS; i++)
        if (!strcasecmp(word, clc_split_words[i].word))
            return clc_split_words[i].split;
    return CLC_SPLIT_ALL;
}
