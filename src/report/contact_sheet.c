#include "report/contact_sheet.h"

#include "core/file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The only place where stb's writer is compiled, without files: core/file.h writes. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>
#pragma GCC diagnostic pop

enum { GROUND = 96, GAP = 4, LARGEST_SIDE = 32767, QUALITY = 90, PICTURE_QUALITY = 82 };

clc_status clc_contact_sheet_create(int rows, int columns, int height, int width,
                                    clc_contact_sheet **created) {
    clc_status status = CLC_OK;
    clc_contact_sheet *sheet = NULL;
    const int64_t h = (int64_t)rows * (height + GAP) + GAP;
    const int64_t w = (int64_t)columns * (width + GAP) + GAP;
    if (rows < 1 || columns < 1 || height < 1 || width < 1 || h > LARGEST_SIDE || w > LARGEST_SIDE)
        return clc_fail(CLC_INVALID,
                        "a contact sheet of %d x %d images of %dx%d pixels can't be drawn; its "
                        "sides must be at most %d pixels: take fewer images",
                        rows, columns, height, width, LARGEST_SIDE);
    CLC_NEW(sheet, 1);
    *sheet = (clc_contact_sheet){rows, columns, height, width, GAP, NULL};
    CLC_NEW(sheet->pixels, (size_t)h * (size_t)w * 3);
    memset(sheet->pixels, GROUND, (size_t)h * (size_t)w * 3);
    *created = sheet;
    sheet = NULL;
fail:
    clc_contact_sheet_free(&sheet);
    return status;
}

static size_t sheet_width(const clc_contact_sheet *sheet) {
    return (size_t)sheet->columns * (size_t)(sheet->width + sheet->gap) + (size_t)sheet->gap;
}

void clc_contact_sheet_put(clc_contact_sheet *sheet, int row, int column, const uint8_t *image,
                           int height, int width, int channels) {
    const int tall = sheet->height / height, broad = sheet->width / width;
    const int times = tall < broad ? tall : broad;
    const int top =
        row * (sheet->height + sheet->gap) + sheet->gap + (sheet->height - times * height) / 2;
    const int left =
        column * (sheet->width + sheet->gap) + sheet->gap + (sheet->width - times * width) / 2;
    for (int y = 0; y < times * height; y++)
        for (int x = 0; x < times * width; x++) {
            const uint8_t *from = image + (size_t)((y / times * width + x / times) * channels);
            uint8_t *to =
                sheet->pixels + ((size_t)(top + y) * sheet_width(sheet) + (size_t)(left + x)) * 3;
            for (int c = 0; c < 3; c++)
                to[c] = from[channels >= 3 ? c : 0];
        }
}

/* stb reports nothing back: the first failure is kept. */
typedef struct picture_target {
    clc_file_writer *file;
    clc_status status;
} picture_target;

static void write_block(void *context, void *data, int size) {
    picture_target *target = context;
    if (target->status == CLC_OK)
        target->status = clc_file_writer_write(target->file, data, (size_t)size);
}

clc_status clc_contact_sheet_write(const clc_contact_sheet *sheet, const char *path) {
    clc_status status = CLC_OK;
    picture_target target = {0};
    const int width = (int)sheet_width(sheet);
    const int height = sheet->rows * (sheet->height + sheet->gap) + sheet->gap;
    CLC_TRY(clc_file_writer_open(path, &target.file));
    const char *end = strrchr(path, '.');
    const int written =
        end && !strcmp(end, ".jpg")
            ? stbi_write_jpg_to_func(write_block, &target, width, height, 3, sheet->pixels, QUALITY)
            : stbi_write_png_to_func(write_block, &target, width, height, 3, sheet->pixels,
                                     width * 3);
    if (!written) {
        status = clc_fail_alloc((size_t)width * (size_t)height * 3);
        goto fail;
    }
    CLC_TRY(target.status);
    CLC_TRY(clc_file_writer_commit(&target.file));
fail:
    clc_file_writer_abort(&target.file);
    return status;
}

/* Bytes that grow as they come. */
typedef struct memory_target {
    uint8_t *bytes;
    size_t used, room;
    bool full;
} memory_target;

static void append_block(void *context, void *data, int size) {
    memory_target *to = context;
    const size_t n = (size_t)size;
    if (to->used + n > to->room) {
        const size_t room = 2 * (to->used + n);
        uint8_t *grown = to->full ? NULL : realloc(to->bytes, room);
        if (!grown) {
            to->full = true;
            return;
        }
        to->bytes = grown;
        to->room = room;
    }
    memcpy(to->bytes + to->used, data, n);
    to->used += n;
}

clc_status clc_picture_jpeg(const uint8_t *pixels, int height, int width, int channels,
                            void **bytes, size_t *n) {
    memory_target to = {0};
    const int written =
        stbi_write_jpg_to_func(append_block, &to, width, height, channels, pixels, PICTURE_QUALITY);
    if (!written || to.full) {
        free(to.bytes);
        return clc_fail_alloc((size_t)width * (size_t)height * 3);
    }
    *bytes = to.bytes;
    *n = to.used;
    return CLC_OK;
}

void clc_contact_sheet_free(clc_contact_sheet **sheet) {
    if (!sheet || !*sheet)
        return;
    free((*sheet)->pixels);
    free(*sheet);
    *sheet = NULL;
}
