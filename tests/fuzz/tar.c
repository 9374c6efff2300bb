/* Archives: what is in them, and the bytes of each member. */
#include "data/tar_index.h"
#include "fuzz.h"

#include <archive.h>

#define MEMBER_MOST (1 << 20)

static clc_status read_members(const uint8_t *bytes, size_t n) {
    clc_status status = CLC_OK;
    struct archive *archive = NULL;
    struct archive_entry *entry;
    bool more = true;
    CLC_TRY(clc_tar_open(NULL, bytes, n, &archive));
    for (int i = 0; i < 16; i++) {
        uint8_t *data = NULL;
        size_t length = 0;
        CLC_TRY(clc_tar_next(archive, &entry, &more));
        if (!more)
            break;
        const clc_status read = clc_tar_data(archive, MEMBER_MOST, &data, &length);
        fuzz_require_status(read);
        if (read == CLC_OK)
            fuzz_touch(data, length);
        free(data);
    }
fail:
    archive_read_free(archive);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    struct archive *archive = NULL;
    clc_tar_index index = {0};
    clc_status status = clc_tar_open(NULL, bytes, n, &archive);
    if (status == CLC_OK)
        status = clc_tar_index_read(archive, "archive", n, &index);
    fuzz_require_status(status);
    for (size_t i = 0; i < index.names.count; i++) {
        fuzz_touch(clc_names_at(&index.names, i), clc_names_length(&index.names, i));
        fuzz_require(!index.direct || (index.members[i].place <= n &&
                                       index.members[i].size <= n - index.members[i].place),
                     "a member outside the file");
        fuzz_require(index.members[i].label < (int64_t)index.labels.count, "a label");
    }
    clc_tar_index_free(&index);
    archive_read_free(archive);
    fuzz_require_status(read_members(bytes, n));
    return 0;
}
