#include "report/events.h"

#include "core/file.h"
#include "core/path.h"

#include <dirent.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "events.out.tfevents."

uint32_t clc_crc32c(const void *data, size_t n) {
    const uint8_t *bytes = data;
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (0x82F63B78u & (0u - (crc & 1))); /* the polynomial, bits reversed */
    }
    return ~crc;
}

/* ---- messages: a key of number and wire type, then the value ---- */

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

typedef struct message {
    uint8_t *data;
    size_t n;
} message;

static void put_varint(message *m, uint64_t value) {
    for (; value > 127; value >>= 7)
        m->data[m->n++] = (uint8_t)(value | 128);
    m->data[m->n++] = (uint8_t)value;
}

static void put_fixed(message *m, uint64_t bits, int bytes) {
    for (int i = 0; i < bytes; i++)
        m->data[m->n++] = (uint8_t)(bits >> 8 * i);
}

static void put_key(message *m, int number, int type) {
    put_varint(m, (uint64_t)(number << 3 | type));
}

static void put_bytes(message *m, int number, const void *data, size_t n) {
    put_key(m, number, BYTES);
    put_varint(m, n);
    memcpy(m->data + m->n, data, n);
    m->n += n;
}

static void put_time_and_step(message *m, int64_t step) {
    struct timespec now;
    uint64_t bits;
    clock_gettime(CLOCK_REALTIME, &now);
    const double seconds = (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
    memcpy(&bits, &seconds, sizeof bits);
    put_key(m, 1, FIXED64); /* wall_time */
    put_fixed(m, bits, 8);
    put_key(m, 2, VARINT); /* step */
    put_varint(m, (uint64_t)step);
}

static void put_masked(message *m, const void *data, size_t n) {
    const uint32_t crc = clc_crc32c(data, n);
    put_fixed(m, (uint32_t)((crc >> 15 | crc << 17) + 0xA282EAD8u), 4);
}

static void write_record(FILE *file, const message *event) {
    uint8_t head[12], tail[4];
    message h = {head, 0}, t = {tail, 0};
    put_fixed(&h, event->n, 8);
    put_masked(&h, head, 8);
    put_masked(&t, event->data, event->n);
    fwrite(head, 1, h.n, file);
    fwrite(event->data, 1, event->n, file);
    fwrite(tail, 1, t.n, file);
    fflush(file);
}

/* ---- events ---- */

enum { ROOM = 512, TAG_MOST = 200 }; /* bytes of a message without a picture; of a tag */

/* summary (5) of one value (1). */
static void write_value(FILE *file, int64_t step, const message *value, uint8_t *room) {
    uint8_t head[16];
    message event = {room, 0}, key = {head, 0};
    put_time_and_step(&event, step);
    put_key(&key, 1, BYTES);
    put_varint(&key, value->n);
    put_key(&event, 5, BYTES);
    put_varint(&event, key.n + value->n);
    memcpy(event.data + event.n, head, key.n);
    memcpy(event.data + event.n + key.n, value->data, value->n);
    event.n += key.n + value->n;
    write_record(file, &event);
}

void clc_events_scalar(FILE *file, int64_t step, const char *tag, double value) {
    uint8_t room[ROOM], bytes[ROOM];
    message m = {bytes, 0};
    const float number = (float)value;
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    put_bytes(&m, 1, tag, strnlen(tag, TAG_MOST));
    put_key(&m, 2, FIXED32); /* simple_value */
    put_fixed(&m, bits, 4);
    write_value(file, step, &m, room);
}

clc_status clc_events_image(FILE *file, int64_t step, const char *tag,
                            const clc_events_picture *picture) {
    clc_status status = CLC_OK;
    enum { RGB = 3 };
    message image = {NULL, 0}, m = {NULL, 0};
    uint8_t *room = NULL;
    CLC_NEW(image.data, picture->n + ROOM);
    CLC_NEW(m.data, picture->n + 2 * ROOM);
    CLC_NEW(room, picture->n + 3 * ROOM);
    const int numbers[] = {picture->height, picture->width, RGB};
    for (int i = 0; i < 3; i++) {
        put_key(&image, i + 1, VARINT);
        put_varint(&image, (uint64_t)numbers[i]);
    }
    put_bytes(&image, 4, picture->bytes, picture->n);
    put_bytes(&m, 1, tag, strnlen(tag, TAG_MOST));
    put_bytes(&m, 4, image.data, image.n);
    write_value(file, step, &m, room);
fail:
    free(image.data);
    free(m.data);
    free(room);
    return status;
}

static clc_status remove_former(const char *folder) {
    clc_status status = CLC_OK;
    char path[CLC_PATH_BYTES];
    DIR *directory = opendir(folder);
    if (!directory)
        return clc_fail_file("read", folder);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)))
            continue;
        CLC_TRY(clc_path_format(path, "%s/%s", folder, entry->d_name));
        if (unlink(path) != 0)
            CLC_TRY(clc_fail_file("remove", path));
    }
fail:
    closedir(directory);
    return status;
}

clc_status clc_events_open(const char *folder, int64_t resumed_step, FILE **file) {
    clc_status status = CLC_OK;
    static const char version[] = "brain.Event:2";
    static const uint8_t start[] = {1 << 3 | VARINT, 1}; /* SessionLog: status START */
    char path[CLC_PATH_BYTES];
    uint8_t bytes[ROOM];
    message m = {bytes, 0};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (resumed_step < 0)
        CLC_TRY(remove_former(folder));
    CLC_TRY(clc_path_format(path, "%s/" PREFIX "%010lld.%09ld.clcontrast", folder,
                            (long long)now.tv_sec, now.tv_nsec));
    *file = fopen(path, "wb");
    if (!*file)
        return clc_fail_file("write", path);
    put_time_and_step(&m, 0);
    put_bytes(&m, 3, version, strlen(version));
    write_record(*file, &m);
    if (resumed_step >= 0) {
        m.n = 0;
        put_time_and_step(&m, resumed_step + 1);
        put_bytes(&m, 7, start, sizeof start);
        write_record(*file, &m);
    }
fail:
    return status;
}
