#include "core/energy.h"

#include <math.h>
#include <stdio.h>

/* Zones named intel-rapl:N are packages, on AMD too; their parts intel-rapl:N:M are in them. */
static bool read_number(const clc_energy_meter *meter, int zone, const char *name, double *value) {
    char path[512];
    snprintf(path, sizeof path, "%s/intel-rapl:%d/%s", meter->folder, zone, name);
    FILE *file = fopen(path, "r");
    const bool read = file && fscanf(file, "%lf", value) == 1;
    if (file)
        fclose(file);
    return read;
}

void clc_energy_start(clc_energy_meter *meter, const char *folder) {
    *meter = (clc_energy_meter){.folder = folder ? folder : "/sys/class/powercap"};
    while (meter->zones < CLC_ENERGY_ZONES &&
           read_number(meter, meter->zones, "energy_uj", &meter->last[meter->zones])) {
        if (!read_number(meter, meter->zones, "max_energy_range_uj", &meter->range[meter->zones]))
            meter->range[meter->zones] = 0;
        meter->zones++;
    }
}

double clc_energy_read(clc_energy_meter *meter) {
    for (int i = 0; i < meter->zones; i++) {
        double now;
        if (!read_number(meter, i, "energy_uj", &now))
            return NAN;
        const double used = now - meter->last[i];
        meter->joules += (used < 0 ? used + meter->range[i] : used) * 1e-6;
        meter->last[i] = now;
    }
    return meter->zones ? meter->joules : NAN;
}
