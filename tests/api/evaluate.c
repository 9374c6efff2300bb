/* Example: evaluates a run by kNN and prints the share that is right, before training and after.
 *
 *     cc evaluate.c $(pkg-config --cflags --libs clcontrast) && ./a.out RUN FOLDER */
#include <clcontrast/evaluate.h>

#include <stdio.h>
#include <stdlib.h>

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
    const char *const features[] = {"untrained encoder", "encoder"};
    clc_evaluate_options options = {0};
    clc_results *results = NULL;
    double accuracy = 0;
    if (argc != 3)
        return 2;
    options.run = argv[1];
    options.output = argv[2];
    options.device = getenv("CLC_TEST_DEVICE");
    options.tasks = "knn";
    options.log = say_nothing;
    if (clc_evaluate(&options, &results) != CLC_OK)
        return fail();
    for (int i = 0; i < 2; i++) {
        if (clc_results_value(results, features[i], "knn.accuracy", &accuracy) != CLC_OK)
            return fail();
        printf("%.6f\n", accuracy);
    }
    if (clc_results_value(results, "encoder", "knn.beauty", &accuracy) != CLC_INVALID)
        return fail();
    fprintf(stderr, "%s\n", clc_error());
    clc_results_free(&results);
    return 0;
}
