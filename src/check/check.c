#include "check/check.h"

#include "check/family.h"
#include "core/config.h"
#include "core/log.h"
#include "core/signals.h"
#include "core/text.h"
#include "device/open.h"

#include <inttypes.h>
#include <string.h>

typedef struct checker {
    const clc_check_options *options;
    FILE *file;
    char program[CLC_PATH_BYTES];
    clc_names families;
    clc_device_info info;
    clc_profile profile;
    unsigned vector_width, group_size;
    size_t done, failed;
    FILE *report; /* what failed and how, into `text` */
    char *text;
    size_t text_bytes;
} checker;

static const char *profile_word(clc_profile profile) {
    return profile == CLC_PROFILE_CPU ? "cpu" : "gpu";
}

/* The device is only looked at: a process that tests opens it anew. */
static clc_status look(checker *c) {
    clc_status status = CLC_OK;
    clc_config config;
    clc_device *device = NULL;
    CLC_TRY(clc_config_load(NULL, c->options->overrides, c->options->override_count, &config));
    CLC_TRY(clc_device_open_as(c->options->device, &config.device, &device));
    c->info = device->info;
    c->profile = device->profile;
    c->vector_width = device->vector_width;
    c->group_size = device->group_size;
fail:
    clc_device_close(&device);
    return status;
}

static void print_device(const checker *c, FILE *file) {
    const clc_device_info *i = &c->info;
    const char *kernels = getenv("CLCONTRAST_CL_DIR");
    fprintf(file, "clcontrast %s, device %d: %s (%s), %u compute units, %" PRIu64 " MB\n",
            clc_version(), i->number, i->name, i->vendor, i->compute_units, i->memory / 1000000);
    fprintf(file, "platform %s; driver %s; %s\n", i->platform, i->driver, i->opencl);
    fprintf(file, "kernels for %ss: -DCPU_KERNELS=%d -DNATIVE_WIDTH=%u -DLS=%u",
            profile_word(c->profile), c->profile == CLC_PROFILE_CPU, c->vector_width,
            c->group_size);
    if (kernels && *kernels)
        fprintf(file, "; from CLCONTRAST_CL_DIR=%s", kernels);
    fputc('\n', file);
}

/* NULL if all is well. */
static const char *fault_of(const clc_family_result *r) {
    return r->stuck    ? "hangs"
           : r->signal ? "crashed"
           : !r->ended ? "ended early"
           : r->failed ? "failed"
                       : NULL;
}

static void report_fault(checker *c, const clc_family_call *call, const char *fault,
                         const clc_family_result *r) {
    fprintf(c->report, "\n%s: %s%s\n", call->name, fault,
            call->sync ? ", with device.sync = every" : "");
    if (r->signal && !r->stuck)
        fprintf(c->report, "ended by signal %d (%s)\n", r->signal, strsignal(r->signal));
    if (r->text)
        fputs(r->text, c->report);
}

static clc_status run_once(checker *c, clc_family_call *call, bool sync, clc_family_result *r,
                           const char **fault) {
    call->sync = sync;
    clc_live("checking %s%s", call->name, sync ? ", launch by launch" : "");
    const clc_status status = clc_family_run(call, r);
    *fault = status == CLC_OK ? fault_of(r) : NULL;
    if (*fault && !clc_signals_stop())
        report_fault(c, call, *fault, r);
    return status;
}

/* The same once more, launch by launch: what then is other is a race. Sets *fault unless it is
 * set. */
static clc_status run_again(checker *c, clc_family_call *call, const clc_family_result *before,
                            clc_family_result *r, const char **fault) {
    const char *alone = NULL;
    const clc_status status = run_once(c, call, true, r, &alone);
    if (status != CLC_OK || clc_signals_stop())
        return status;
    if (*fault && !alone)
        fprintf(c->report, "right with device.sync = every: launches run into each other\n");
    if (*fault || alone) {
        *fault = *fault ? *fault : alone;
        return CLC_OK;
    }
    if (before->digest == r->digest && before->reads == r->reads)
        return CLC_OK;
    fprintf(c->report,
            "\n%s: some bits of the %zu results differ from those with device.sync = every: "
            "launches run into each other\n",
            call->name, before->reads);
    *fault = "races";
    return CLC_OK;
}

static void print_line(checker *c, const char *name, const char *fault, const clc_family_result *r,
                       double seconds) {
    clc_live("%s", "");
    fprintf(c->file, "%-22s %-8s %3zu tests %6.1f s", name, fault ? fault : "passed", r->tests,
            seconds);
    if (r->ended && r->comparisons)
        fprintf(c->file, "  greatest error %.1e of %.1e allowed: %s", r->error, r->tolerance,
                r->name);
    fputc('\n', c->file);
    fflush(c->file);
}

static clc_status check_family(checker *c, const char *name) {
    clc_status status = CLC_OK;
    clc_family_result results[2] = {{0}, {0}};
    clc_family_call call = {.program = c->program,
                            .name = name,
                            .device = c->info.number,
                            .profile = profile_word(c->profile),
                            .small = c->options->quick};
    const char *fault = NULL;
    CLC_TRY(run_once(c, &call, false, &results[0], &fault));
    if (!c->options->quick && !clc_signals_stop())
        CLC_TRY(run_again(c, &call, &results[0], &results[1], &fault));
    if (!clc_signals_stop()) {
        c->done++;
        c->failed += fault != NULL;
        print_line(c, name, fault, &results[0], results[0].seconds + results[1].seconds);
    }
fail:
    clc_family_free(&results[0]);
    clc_family_free(&results[1]);
    return status;
}

static bool is_among(const clc_names *names, const char *name) {
    for (size_t i = 0; i < names->count; i++)
        if (!strcmp(clc_names_at(names, i), name))
            return true;
    return false;
}

/* Leaves the families that are asked for. */
static clc_status choose_families(checker *c) {
    const clc_check_options *o = c->options;
    clc_status status = CLC_OK;
    clc_names wanted = {0};
    if (!o->family_count)
        return CLC_OK;
    for (size_t i = 0; i < o->family_count; i++) {
        const char *name = o->families[i];
        if (!is_among(&c->families, name))
            CLC_TRY(clc_fail(CLC_INVALID,
                             "check %s: there is no such family of kernels; the lines of "
                             "clcontrast check --quick begin with their names",
                             name));
        CLC_TRY(clc_names_add(&wanted, name, strlen(name)));
    }
    clc_names_free(&c->families);
    c->families = wanted;
    return CLC_OK;
fail:
    clc_names_free(&wanted);
    return status;
}

static clc_status check_all(checker *c) {
    clc_status status = CLC_OK;
    for (size_t i = 0; i < c->families.count && !clc_signals_stop(); i++)
        CLC_TRY(check_family(c, clc_names_at(&c->families, i)));
    if (clc_signals_stop())
        status = clc_fail(CLC_INTERRUPTED, "interrupted after %zu of %zu families of kernels",
                          c->done, c->families.count);
fail:
    return status;
}

static clc_status conclude(checker *c) {
    fprintf(c->file, "%zu families of kernels: %zu passed, %zu failed\n", c->done,
            c->done - c->failed, c->failed);
    if (!c->failed)
        return CLC_OK;
    fputs("\nIf the driver is up to date, please report what follows:\n\n", c->file);
    print_device(c, c->file);
    fflush(c->report);
    fputs(c->text, c->file);
    return clc_fail(
        CLC_OPENCL,
        "%zu of %zu families of kernels failed on device %d; another driver, or "
        "--set device.profile=%s, may be right",
        c->failed, c->done, c->info.number,
        profile_word(c->profile == CLC_PROFILE_CPU ? CLC_PROFILE_GPU : CLC_PROFILE_CPU));
}

clc_status clc_check(const clc_check_options *options, FILE *file) {
    clc_status status = CLC_OK;
    checker c = {.options = options, .file = file};
    clc_signals_install();
    CLC_TRY(clc_family_program(c.program));
    CLC_TRY(clc_family_names(c.program, &c.families));
    CLC_TRY(choose_families(&c));
    CLC_TRY(look(&c));
    c.report = open_memstream(&c.text, &c.text_bytes);
    if (!c.report)
        CLC_TRY(clc_fail_alloc(1));
    print_device(&c, file);
    CLC_TRY(check_all(&c));
    CLC_TRY(conclude(&c));
fail:
    if (c.report)
        fclose(c.report);
    free(c.text);
    clc_names_free(&c.families);
    clc_signals_restore();
    return status;
}
