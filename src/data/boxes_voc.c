/* Pascal VOC's XML, a file a picture: <annotation><object><name/><difficult/><bndbox><xmin/><ymin/>
 * <xmax/><ymax/></bndbox></object></annotation>. Pixels count from 1 there, and the last one is
 * inside. An object's <part>s have names and boxes of their own, which are passed over. */
#include "core/path.h"
#include "data/boxes.h"

#include <dirent.h>
#include <expat.h>
#include <stdio.h>
#include <string.h>

enum { XML_MOST = 1 << 26, DEPTH = 8, WORD = 32, TEXT = 256 };

typedef struct reader {
    XML_Parser parser;
    clc_boxes *boxes;
    clc_status status;
    char words[DEPTH][WORD]; /* the elements that are open */
    int depth;
    char text[TEXT]; /* of the innermost */
    size_t length;
    int32_t picture;
    char name[TEXT];
    double corners[4]; /* xmin, ymin, xmax, ymax */
    unsigned given;    /* which of them, a bit each */
    bool difficult;
} reader;

static void XMLCALL open_element(void *context, const char *word, const char **attributes) {
    reader *r = context;
    (void)attributes;
    if (r->depth < DEPTH)
        snprintf(r->words[r->depth], WORD, "%s", word);
    r->depth++;
    r->length = 0;
    if (r->depth == 2 && !strcmp(word, "object")) {
        r->given = 0;
        *r->name = '\0';
        r->difficult = false;
    }
}

static void XMLCALL take_text(void *context, const char *text, int n) {
    reader *r = context;
    for (int i = 0; i < n && r->length + 1 < TEXT; i++)
        r->text[r->length++] = text[i];
}

static void trim(reader *r) {
    size_t from = 0;
    while (r->length > 0 && strchr(" \t\r\n", r->text[r->length - 1]))
        r->length--;
    r->text[r->length] = '\0';
    from = strspn(r->text, " \t\r\n");
    memmove(r->text, r->text + from, r->length - from + 1);
    r->length -= from;
}

static void stop(reader *r, clc_status status) {
    r->status = status;
    XML_StopParser(r->parser, XML_FALSE);
}

static void add_object(reader *r) {
    const double *c = r->corners;
    size_t label;
    clc_object object = {.box = {c[0] - 1, c[1] - 1, c[2] - c[0] + 1, c[3] - c[1] + 1},
                         .image = r->picture,
                         .crowd = r->difficult};
    if (r->given != 15 || !*r->name) {
        stop(r, clc_fail(CLC_FORMAT,
                         "line %lu: an object lacks its <name>, or numbers in its <bndbox>",
                         (unsigned long)XML_GetCurrentLineNumber(r->parser)));
        return;
    }
    clc_status status =
        clc_name_set_add(&r->boxes->classes, r->name, strlen(r->name), &label, NULL);
    object.label = (int32_t)label;
    if (status == CLC_OK)
        status = clc_boxes_add(r->boxes, &object);
    if (status != CLC_OK)
        stop(r, status);
}

static void take_corner(reader *r, const char *word) {
    static const char *const words[] = {"xmin", "ymin", "xmax", "ymax"};
    for (int i = 0; i < 4; i++)
        if (!strcmp(word, words[i])) {
            char *end;
            r->corners[i] = strtod(r->text, &end);
            if (r->length && !*end)
                r->given |= 1u << i;
        }
}

static void XMLCALL close_element(void *context, const char *word) {
    reader *r = context;
    const bool in_object = r->depth >= 3 && !strcmp(r->words[1], "object");
    trim(r);
    if (in_object && r->depth == 3 && !strcmp(word, "name"))
        memcpy(r->name, r->text, r->length + 1);
    if (in_object && r->depth == 3 && !strcmp(word, "difficult"))
        r->difficult = !strcmp(r->text, "1");
    if (in_object && r->depth == 4 && !strcmp(r->words[2], "bndbox"))
        take_corner(r, word);
    if (r->depth == 2 && !strcmp(word, "object"))
        add_object(r);
    r->depth--;
    r->length = 0;
}

static clc_status parse(reader *r, const char *text, size_t n) {
    r->parser = XML_ParserCreate(NULL);
    if (!r->parser)
        return clc_fail_alloc(sizeof *r);
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, open_element, close_element);
    XML_SetCharacterDataHandler(r->parser, take_text);
    const bool good = XML_Parse(r->parser, text, (int)n, XML_TRUE) == XML_STATUS_OK;
    if (!good && r->status == CLC_OK)
        r->status = clc_fail(CLC_FORMAT, "line %lu: this is no XML: %s",
                             (unsigned long)XML_GetCurrentLineNumber(r->parser),
                             XML_ErrorString(XML_GetErrorCode(r->parser)));
    XML_ParserFree(r->parser);
    return r->status;
}

static clc_status read_file(const char *folder, const char *name, clc_boxes *boxes) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    reader r = {.boxes = boxes};
    void *text = NULL;
    size_t n, length, picture;
    const char *stem = clc_boxes_stem(name, &length);
    CLC_TRY(clc_path_format(path, "%s/%s", folder, name));
    CLC_TRY(clc_file_read_all(path, XML_MOST, &text, &n));
    CLC_TRY(clc_name_set_add(&boxes->pictures, stem, length, &picture, NULL));
    r.picture = (int32_t)picture;
    status = parse(&r, text, n);
    if (status != CLC_OK)
        clc_fail_context(status, "%s", path);
fail:
    free(text);
    return status;
}

static clc_status list_files(const char *folder, clc_names *files) {
    clc_status status = CLC_OK;
    DIR *opened = opendir(folder);
    if (!opened)
        return clc_fail_file("read", folder);
    for (const struct dirent *entry; (entry = readdir(opened));) {
        const char *point = strrchr(entry->d_name, '.');
        if (point && point != entry->d_name && !strcmp(point, ".xml"))
            CLC_TRY(clc_names_add(files, entry->d_name, strlen(entry->d_name)));
    }
    if (!files->count)
        status = clc_fail(CLC_FORMAT, "%s: there is no .xml file in this folder", folder);
fail:
    closedir(opened);
    return status;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in the order of their bytes; the caller frees the list. */
static clc_status sorted(const clc_names *names, size_t first, const char ***list) {
    clc_status status = CLC_OK;
    CLC_NEW(*list, names->count);
    for (size_t i = 0; i < names->count; i++)
        (*list)[i] = clc_names_at(names, i);
    qsort(*list + first, names->count - first, sizeof **list, by_text);
fail:
    return status;
}

/* Numbers the classes from `known` on by name. */
static clc_status number_classes(size_t known, clc_boxes *boxes) {
    clc_status status = CLC_OK;
    const char **list = NULL;
    clc_name_set set = {0};
    CLC_TRY(sorted(&boxes->classes.names, known, &list));
    for (size_t i = 0; i < boxes->classes.names.count; i++)
        CLC_TRY(clc_name_set_add(&set, list[i], strlen(list[i]), &(size_t){0}, NULL));
    for (size_t i = 0; i < boxes->count; i++) {
        const char *name = clc_names_at(&boxes->classes.names, (size_t)boxes->objects[i].label);
        boxes->objects[i].label = (int32_t)clc_name_set_find(&set, name, strlen(name));
    }
    clc_name_set_free(&boxes->classes);
    boxes->classes = set;
    set = (clc_name_set){0};
fail:
    clc_name_set_free(&set);
    free(list);
    return status;
}

clc_status clc_boxes_read_voc(const char *folder, clc_boxes *boxes) {
    clc_status status = CLC_OK;
    const size_t known = boxes->classes.names.count;
    clc_names files = {0};
    const char **list = NULL;
    CLC_TRY(list_files(folder, &files));
    CLC_TRY(sorted(&files, 0, &list));
    for (size_t i = 0; i < files.count; i++)
        CLC_TRY(read_file(folder, list[i], boxes));
    CLC_TRY(number_classes(known, boxes));
fail:
    clc_names_free(&files);
    free(list);
    return status;
}
