/* The energy meter, on a folder like Linux's. */
#include "core/energy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static void path_of(int zone, const char *name, char path[256]) {
    snprintf(path, 256, "%s/intel-rapl:%d%s", folder, zone, name);
}

static void write_number(int zone, const char *name, double value) {
    char path[256];
    path_of(zone, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%.0f\n", value);
    fclose(file);
}

static void packages_are_summed_and_counters_may_begin_anew(void **state) {
    (void)state;
    clc_energy_meter meter;
    char path[256];
    snprintf(folder, sizeof folder, "/tmp/clcontrast-energy-XXXXXX");
    assert_non_null(mkdtemp(folder));
    clc_energy_start(&meter, folder);
    assert_true(isnan(clc_energy_read(&meter)));
    for (int zone = 0; zone < 2; zone++) {
        path_of(zone, "", path);
        assert_int_equal(mkdir(path, 0700), 0);
        write_number(zone, "/energy_uj", 9e6);
        write_number(zone, "/max_energy_range_uj", 10e6);
    }
    clc_energy_start(&meter, folder);
    assert_true(fabs(clc_energy_read(&meter)) <= 0);
    write_number(0, "/energy_uj", 9.5e6);
    write_number(1, "/energy_uj", 1e6); /* over its range */
    assert_true(fabs(clc_energy_read(&meter) - 2.5) < 1e-9);
    write_number(1, "/energy_uj", 3e6);
    assert_true(fabs(clc_energy_read(&meter) - 4.5) < 1e-9);
    for (int zone = 0; zone < 2; zone++) {
        path_of(zone, "/energy_uj", path);
        unlink(path);
        path_of(zone, "/max_energy_range_uj", path);
        unlink(path);
        path_of(zone, "", path);
        rmdir(path);
    }
    assert_true(isnan(clc_energy_read(&meter)));
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packages_are_summed_and_counters_may_begin_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
