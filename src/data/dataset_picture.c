#include "data/dataset.h"

#include <string.h>

clc_status clc_dataset_picture(const clc_dataset *data, size_t i, clc_image *image) {
    clc_status status = CLC_OK;
    *image = (clc_image){.channels = data->channels};
    if (!data->places)
        return clc_source_read(data->source, data->items ? data->items[i] : i, &data->image, image);
    image->height = data->places[i].height;
    image->width = data->places[i].width;
    const size_t bytes = (size_t)image->height * (size_t)image->width * (size_t)image->channels;
    CLC_NEW(image->pixels, bytes);
    memcpy(image->pixels, data->pixels + data->places[i].offset, bytes);
fail:
    return status;
}
