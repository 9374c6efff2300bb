#include "data/decode.h"

#include <string.h>

/* TGA has no magic number: it comes last. */
static const clc_decoder *const decoders[] = {
    &clc_decoder_jpeg, &clc_decoder_png, &clc_decoder_webp, &clc_decoder_tiff, &clc_decoder_gif,
    &clc_decoder_bmp,  &clc_decoder_pnm, &clc_decoder_psd,  &clc_decoder_tga,
};
enum { DECODERS = sizeof decoders / sizeof *decoders };

bool clc_begins(const uint8_t *bytes, size_t n, const char *text, size_t length) {
    return n >= length && !memcmp(bytes, text, length);
}

/* Kinds of files that are met among pictures but not read. */
typedef struct known_kind {
    const char *name;
    size_t offset;
    const char *text;
    size_t length;
} known_kind;

#define KIND(name, offset, text)                                                                   \
    { name, offset, text, sizeof text - 1 }
static const known_kind pictures[] = {
    KIND("heic", 4, "ftyphei"),
    KIND("heic", 4, "ftyphev"),
    KIND("heic", 4, "ftypmif1heic"),
    KIND("avif", 4, "ftypavi"),
    KIND("heif", 4, "ftypmif1"),
    KIND("heif", 4, "ftypmsf1"),
    KIND("raw: Canon CR3", 4, "ftypcrx "),
    KIND("jpeg xl", 0, "\xff\x0a"),
    KIND("jpeg xl", 4, "JXL \r\n"),
    KIND("jpeg 2000", 4, "jP  \r\n"),
    KIND("jpeg 2000", 0, "\xff\x4f\xff\x51"),
    KIND("raw: Canon CR2", 8, "CR\x02"),
    KIND("raw: Olympus", 0, "IIRO"),
    KIND("raw: Olympus", 0, "IIRS"),
    KIND("raw: Panasonic", 0, "IIU\0"),
    KIND("raw: Fujifilm", 0, "FUJIFILMCCD-RAW"),
    KIND("raw: Sigma", 0, "FOVb"),
    KIND("icon", 0, "\0\0\1\0"),
    KIND("cursor", 0, "\0\0\2\0"),
    KIND("apple icon", 0, "icns"),
    KIND("openexr", 0, "\x76\x2f\x31\x01"),
    KIND("radiance hdr", 0, "#?RADIANCE"),
    KIND("radiance hdr", 0, "#?RGBE"),
    KIND("direct draw surface", 0, "DDS "),
    KIND("qoi", 0, "qoif"),
    KIND("gimp xcf", 0, "gimp xcf"),
    KIND("djvu", 0, "AT&TFORM"),
    KIND("fits", 0, "SIMPLE  ="),
    KIND("dicom", 128, "DICM"),
    KIND("pdf", 0, "%PDF-"),
    KIND("postscript", 0, "%!PS"),
};

static const known_kind others[] = {
    KIND("video", 4, "ftyp"),
    KIND("video", 0, "\x1a\x45\xdf\xa3"),
    KIND("gzip", 0, "\x1f\x8b"),
    KIND("zip", 0, "PK\x03\x04"),
    KIND("7z", 0, "7z\xbc\xaf\x27\x1c"),
    KIND("xz", 0,
         "\xfd"
         "7zXZ"),
    KIND("zstd", 0, "\x28\xb5\x2f\xfd"),
    KIND("bzip2", 0, "BZh"),
    KIND("tar", 257, "ustar"),
    KIND("numpy", 0, "\x93NUMPY"),
    KIND("audio or video", 0, "RIFF"),
    KIND("audio", 0, "OggS"),
    KIND("audio", 0, "ID3"),
    KIND("a pointer of git-lfs: run git lfs pull", 0, "version https://git-lfs"),
    KIND("AppleDouble", 0, "\0\5\x16\7"),
};

static const char *find_kind(const known_kind *kinds, size_t count, const uint8_t *bytes,
                             size_t n) {
    for (size_t i = 0; i < count; i++)
        if (n >= kinds[i].offset && clc_begins(bytes + kinds[i].offset, n - kinds[i].offset,
                                               kinds[i].text, kinds[i].length))
            return kinds[i].name;
    return NULL;
}

/* Of files that begin with "<": "svg", "html", "xml"; else "text" or NULL. Case doesn't count. */
static const char *text_kind(const uint8_t *bytes, size_t n) {
    enum { LOOK = 1024 };
    char text[LOOK + 1];
    size_t length = 0, foreign = 0;
    if (clc_begins(bytes, n, "\xef\xbb\xbf", 3)) {
        bytes += 3;
        n -= 3;
    }
    for (; length < n && length < LOOK; length++) {
        const uint8_t c = bytes[length];
        if (c < 32 && !(c >= '\t' && c <= '\r'))
            return NULL;
        foreign += c > 126;
        text[length] = (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
    }
    text[length] = 0;
    if (2 * foreign > length)
        return NULL;
    if (text[strspn(text, " \t\r\n")] != '<')
        return "text";
    return strstr(text, "<svg")                                   ? "svg"
           : strstr(text, "<html") || strstr(text, "<!doctype h") ? "html"
                                                                  : "xml";
}

static clc_status refuse(const uint8_t *bytes, size_t n) {
    const char *kind = find_kind(pictures, sizeof pictures / sizeof *pictures, bytes, n);
    if (n == 0)
        return clc_fail(CLC_FORMAT, "the file is empty");
    if (kind)
        return clc_fail(CLC_FORMAT, "not supported (%s)", kind);
    kind = find_kind(others, sizeof others / sizeof *others, bytes, n);
    if (!kind)
        kind = text_kind(bytes, n);
    if (kind && !strcmp(kind, "svg"))
        return clc_fail(CLC_FORMAT, "not supported (svg)");
    if (kind)
        return clc_fail(CLC_FORMAT, "not a picture (%s)", kind);
    char first[3 * 8 + 1] = "";
    for (size_t i = 0; i < n && i < 8; i++)
        snprintf(first + 3 * i, 4, " %02x", bytes[i]);
    return clc_fail(CLC_FORMAT, "not a picture (it begins with%s)", first);
}

static clc_status find_decoder(const uint8_t *bytes, size_t n, const clc_decoder **decoder) {
    for (int i = 0; i < DECODERS; i++) {
        if (decoders[i]->recognise(bytes, n)) {
            *decoder = decoders[i];
            return CLC_OK;
        }
    }
    return refuse(bytes, n);
}

/* Formats of bad files are worth knowing: they are often not what the name says. */
static clc_status name_format(clc_status status, const clc_decoder *decoder) {
    return status == CLC_FORMAT ? clc_fail_context(status, "%s", decoder->name) : status;
}

clc_status clc_image_probe(const uint8_t *bytes, size_t n, const clc_image_options *options,
                           clc_image_info *info) {
    clc_status status = CLC_OK;
    const clc_decoder *decoder = NULL;
    *info = (clc_image_info){0};
    CLC_TRY(find_decoder(bytes, n, &decoder));
    info->format = decoder->name;
    CLC_TRY(name_format(decoder->probe(bytes, n, options, info), decoder));
    CLC_TRY(name_format(clc_check_size(info->height, info->width, options), decoder));
fail:
    return status;
}

clc_status clc_image_decode(const uint8_t *bytes, size_t n, const clc_image_options *options,
                            clc_image *image) {
    clc_status status = CLC_OK;
    const clc_decoder *decoder = NULL;
    clc_raster raster = {0};
    *image = (clc_image){0};
    CLC_TRY(find_decoder(bytes, n, &decoder));
    CLC_TRY(name_format(decoder->decode(bytes, n, options, &raster), decoder));
    CLC_TRY(name_format(clc_raster_finish(&raster, options, image), decoder));
fail:
    clc_raster_free(&raster);
    return status;
}
