#include "runner.h"

#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The main functions of the tests, under other names. */
#define DECLARE(identifier, name) int check_##identifier(void);
CHECK_FAMILIES(DECLARE)

typedef struct family {
    const char *name;
    int (*run)(void);
} family;
#define ROW(identifier, name) {name, check_##identifier},
static const family families[] = {CHECK_FAMILIES(ROW)};
enum { FAMILIES = sizeof families / sizeof *families };

static jmp_buf end_of_test;
enum { FAILED = 1, SKIPPED };
static size_t test_count, failed, skipped;
static const char *running = "";

_Noreturn void check_fail(const char *file, int line, const char *format, ...) {
    va_list arguments;
    printf("failed %s: %s:%d: ", running, file + strspn(file, "./"), line);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    check_trace_print();
    longjmp(end_of_test, FAILED);
}

_Noreturn void check_skip(void) {
    longjmp(end_of_test, SKIPPED);
}

void check_message(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}

static void run_one(const struct CMUnitTest *test) {
    void *state = NULL;
    running = test->name;
    test_count++;
    check_trace_forget();
    printf("test %s\n", running);
    fflush(stdout);
    const int how = setjmp(end_of_test);
    if (!how)
        test->run(&state);
    failed += how == FAILED;
    skipped += how == SKIPPED;
}

/* After a failure buffers are left: only then `end` is not asked whether all were released. */
int check_run_tests(const struct CMUnitTest *tests, size_t count, int (*begin)(void **),
                    int (*end)(void **)) {
    void *state = NULL;
    if (begin && begin(&state)) {
        puts("failed the set-up of the tests");
        failed++;
    }
    for (size_t i = 0; i < count; i++)
        run_one(&tests[i]);
    if (end && end(&state) && !failed) {
        puts("failed to release all buffers");
        failed++;
    }
    return (int)failed;
}

/* A driver or a kernel on a CPU that crashes: says where, and ends as it would have. */
static void crash(int signal_number) {
    printf("failed %s: crashed by signal %d\n", running, signal_number);
    check_trace_print();
    fflush(stdout);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void catch_crashes(void) {
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], crash);
}

static int run_family(const char *name) {
    for (size_t i = 0; i < FAMILIES; i++) {
        if (strcmp(families[i].name, name))
            continue;
        catch_crashes();
        families[i].run();
        const test_measure m = test_measured();
        const check_reads reads = check_reads_get();
        check_sources_print();
        printf("end %zu %zu %zu %zu %.9g %.9g %zu %016llx %s\n", test_count, failed, skipped,
               m.comparisons, m.error, m.tolerance, reads.count, (unsigned long long)reads.digest,
               m.name);
        fflush(NULL);
        if (failed)
            _Exit(EXIT_FAILURE); /* what a failed test leaves behind is no leak to tell of */
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "there is no family '%s'\n", name);
    return EXIT_FAILURE;
}

int main(int argc, char **argv) {
    for (int option; (option = getopt(argc, argv, "sw:")) != -1;) {
        if (option == '?')
            return EXIT_FAILURE;
        setenv(option == 's' ? "CLC_TEST_SYNC" : "CLC_TEST_WORK", option == 's' ? "every" : optarg,
               1);
    }
    if (argc - optind == 3) {
        setenv("CLC_TEST_DEVICE", argv[optind], 1);
        setenv("CLC_TEST_PROFILE", argv[optind + 1], 1);
        return run_family(argv[optind + 2]);
    }
    for (size_t i = 0; i < FAMILIES; i++)
        puts(families[i].name);
    return EXIT_SUCCESS;
}
