/* Example: makes or brings up to date an index of a folder's pictures, and prints what in it is
 * most like one.
 *
 *     cc search.c $(pkg-config --cflags --libs clcontrast) && ./a.out ENCODER FOLDER INDEX PICTURE
 */
#include <clcontrast/search.h>

#include <stdio.h>
#include <stdlib.h>

enum { NEAREST = 3 };

static int fail(void) {
    fprintf(stderr, "%s\n", clc_error());
    return 1;
}

static void say_nothing(void *context, clc_log_level level, const char *text) {
    (void)context;
    (void)level;
    (void)text;
}

int main(int argc, char **argv) {
    clc_index_options options = {0};
    clc_searcher *searcher = NULL;
    clc_match matches[NEAREST];
    if (argc != 5)
        return 2;
    clc_log_to(say_nothing, NULL);
    options.encoder = argv[1];
    options.device = getenv("CLC_TEST_DEVICE");
    options.paths = (const char *const *)&argv[2];
    options.path_count = 1;
    options.output = argv[3];
    options.log = say_nothing;
    if (clc_index_update(&options) != CLC_OK ||
        clc_searcher_open(argv[3], NULL, options.device, &searcher) != CLC_OK)
        return fail();
    const size_t count = clc_searcher_count(searcher);
    const int k = count < NEAREST ? (int)count : NEAREST;
    if (clc_searcher_find_file(searcher, argv[4], k, matches) != CLC_OK)
        return fail();
    for (int i = 0; i < k; i++)
        printf("%.4f\t%s\n", matches[i].similarity, clc_searcher_name(searcher, matches[i].sample));
    clc_searcher_close(&searcher);
    return 0;
}
