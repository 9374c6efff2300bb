#include "train/preview.h"

#include "augment/preview.h"
#include "core/log.h"
#include "device/open.h"
#include "method/setup.h"

enum { IMAGES = 12, VIEWS = 10 };

clc_status clc_preview(const clc_train_options *options, const char *png) {
    clc_status status = CLC_OK;
    clc_config config;
    clc_dataset *data = NULL;
    clc_device *device = NULL;
    clc_augment augment;
    CLC_TRY(clc_config_load(options->config, options->overrides, options->override_count, &config));
    CLC_TRY(clc_config_require_data(&config, false));
    CLC_TRY(clc_dataset_load(clc_config_choice(&config, "data", "format"), config.data.train_images,
                             NULL, (size_t)config.data.limit, &data));
    CLC_TRY(clc_device_open(options->device, (clc_profile)config.device.profile, &device));
    CLC_TRY(clc_augment_from_config(&config, data, &augment));
    const int images = data->count < IMAGES ? (int)data->count : IMAGES;
    CLC_TRY(clc_augment_preview(device, &augment, data->pixels, images, VIEWS, png));
    clc_log("%s: %d images, %d views of each", png, images, VIEWS);
fail:
    clc_device_close(&device);
    clc_dataset_free(&data);
    return status;
}
