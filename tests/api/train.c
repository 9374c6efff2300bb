/* Example: lists the devices, then trains as a configuration file says.
 *
 *     cc train.c $(pkg-config --cflags --libs clcontrast) && ./a.out train.ini */
#include <clcontrast/device.h>
#include <clcontrast/train.h>

#include <stdio.h>

int main(int argc, char **argv) {
    clc_device_info *devices = NULL;
    clc_train_options options = {0};
    size_t count = 0;
    if (clc_devices_probe(&devices, &count, NULL) != CLC_OK) {
        fprintf(stderr, "%s\n", clc_error());
        return 1;
    }
    for (size_t i = 0; i < count; i++)
        printf("%d %s\n", devices[i].number, devices[i].name);
    clc_devices_free(&devices, &count, NULL);
    options.config = argc > 1 ? argv[1] : "train.ini";
    const clc_status status = clc_train(&options);
    if (status != CLC_OK)
        fprintf(stderr, "%s: %s\n", clc_status_name(status), clc_error());
    return (int)status;
}
