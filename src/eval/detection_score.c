#include "eval/detection_score.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { THRESHOLDS = 10, RECALLS = 101, AT_50 = 0, AT_75 = 5 };

/* As NumPy's linspace has them: the comparisons with overlaps and recalls are exact. */
static double threshold_of(int t) {
    const double first = 0.5, last = 0.95;
    return t == THRESHOLDS - 1 ? last : first + t * ((last - first) / (THRESHOLDS - 1));
}

static double recall_of(int r) {
    return r == RECALLS - 1 ? 1 : r * (1.0 / (RECALLS - 1));
}

double clc_box_overlap(const clc_box *a, const clc_object *object) {
    const clc_box *b = &object->box;
    const double width = fmin(a->x + a->width, b->x + b->width) - fmax(a->x, b->x);
    const double height = fmin(a->y + a->height, b->y + b->height) - fmax(a->y, b->y);
    const double area = a->width * a->height;
    if (!(width > 0) || !(height > 0))
        return 0;
    const double both = width * height;
    return both / (object->crowd ? area : area + b->width * b->height - both);
}

/* A detection of the class at hand with its place in the whole list, which decides between equal
 * scores as a stable sort does. */
typedef struct entry {
    const clc_detection *found;
    bool right[THRESHOLDS], ignored[THRESHOLDS];
} entry;

/* By image, then the surest first. */
static int by_image(const void *a, const void *b) {
    const clc_detection *x = ((const entry *)a)->found, *y = ((const entry *)b)->found;
    if (x->image != y->image)
        return x->image < y->image ? -1 : 1;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* The surest first, else as they stand: `number` is where. */
typedef struct ranked {
    double score;
    size_t number;
} ranked;

static int by_score(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* By image, then crowds last, else as they stand. */
static int by_crowd(const void *a, const void *b) {
    const clc_object *x = *(const clc_object *const *)a, *y = *(const clc_object *const *)b;
    if (x->image != y->image)
        return x->image < y->image ? -1 : 1;
    if (x->crowd != y->crowd)
        return x->crowd ? 1 : -1;
    return x < y ? -1 : x > y;
}

/* One class. */
typedef struct of_class {
    const clc_object **objects;         /* (object_count), sorted by_crowd */
    bool *taken;                        /* (object_count) */
    entry *entries;                     /* (count), sorted by_image */
    ranked *ranks;                      /* (count) */
    double *precision;                  /* (count) */
    size_t object_count, count, wanted; /* wanted: objects that are no crowds */
} of_class;

/* The object that a detection takes at a threshold, or `end`: of those left the one that it
 * overlaps most; a crowd, which many may take, only if there is none. */
static size_t match(const of_class *c, const clc_box *box, size_t first, size_t end,
                    double threshold) {
    double most = fmin(threshold, 1 - 1e-10);
    size_t best = end;
    for (size_t i = first; i < end; i++) {
        const clc_object *object = c->objects[i];
        if (c->taken[i] && !object->crowd)
            continue;
        if (best < end && !c->objects[best]->crowd && object->crowd)
            break;
        const double overlap = clc_box_overlap(box, object);
        if (!(overlap >= most))
            continue;
        most = overlap;
        best = i;
    }
    return best;
}

/* The detections [from, to) of one image with its objects [first, end). */
static void match_image(of_class *c, size_t from, size_t to, size_t first, size_t end) {
    for (int t = 0; t < THRESHOLDS; t++) {
        memset(c->taken + first, 0, (end - first) * sizeof *c->taken);
        for (size_t d = from; d < to; d++) {
            entry *e = &c->entries[d];
            const size_t best = match(c, &e->found->box, first, end, threshold_of(t));
            e->right[t] = best < end && !c->objects[best]->crowd;
            e->ignored[t] = best < end && c->objects[best]->crowd;
            if (best < end)
                c->taken[best] = true;
        }
    }
}

/* Matches image by image; what an image has beyond the most is dropped. */
static void match_all(of_class *c) {
    size_t kept = 0, first = 0;
    for (size_t from = 0, to; from < c->count; from = to) {
        const int32_t image = c->entries[from].found->image;
        size_t end, last;
        for (to = from; to < c->count && c->entries[to].found->image == image;)
            to++;
        while (first < c->object_count && c->objects[first]->image < image)
            first++;
        for (end = first; end < c->object_count && c->objects[end]->image == image;)
            end++;
        last = to - from > CLC_DETECTIONS_MOST ? from + CLC_DETECTIONS_MOST : to;
        match_image(c, from, last, first, end);
        memmove(c->entries + kept, c->entries + from, (last - from) * sizeof *c->entries);
        kept += last - from;
        first = end;
    }
    c->count = kept;
}

/* Mean over the recalls of the greatest precision at that recall or beyond, of ranked detections.
 */
static double average_precision(of_class *c, int t) {
    const double least = 2.220446049250313e-16; /* NumPy's spacing(1) */
    double right = 0, wrong = 0, sum = 0, *recall = NULL;
    size_t n = 0, place = 0;
    recall = c->precision + c->count;
    for (size_t i = 0; i < c->count; i++) {
        const entry *e = &c->entries[c->ranks[i].number];
        right += e->right[t];
        wrong += !e->right[t] && !e->ignored[t];
        recall[n] = right / (double)c->wanted;
        c->precision[n++] = right / (right + wrong + least);
    }
    for (size_t i = n; i-- > 1;)
        c->precision[i - 1] = fmax(c->precision[i - 1], c->precision[i]);
    for (int r = 0; r < RECALLS; r++) {
        while (place < n && recall[place] < recall_of(r))
            place++;
        sum += place < n ? c->precision[place] : 0;
    }
    return sum / RECALLS;
}

static void choose(const clc_object *objects, size_t object_count, const clc_detection *found,
                   size_t found_count, int label, of_class *c) {
    c->object_count = c->count = c->wanted = 0;
    for (size_t i = 0; i < object_count; i++)
        if (objects[i].label == label) {
            c->objects[c->object_count++] = &objects[i];
            c->wanted += !objects[i].crowd;
        }
    for (size_t i = 0; i < found_count; i++)
        if (found[i].label == label)
            c->entries[c->count++] = (entry){.found = &found[i]};
    qsort(c->objects, c->object_count, sizeof(const clc_object *), by_crowd);
    qsort(c->entries, c->count, sizeof *c->entries, by_image);
}

/* AP of the chosen class at each threshold. */
static void score_class(of_class *c, double ap[THRESHOLDS]) {
    match_all(c);
    for (size_t i = 0; i < c->count; i++)
        c->ranks[i] = (ranked){c->entries[i].found->score, i};
    qsort(c->ranks, c->count, sizeof *c->ranks, by_score);
    for (int t = 0; t < THRESHOLDS; t++)
        ap[t] = average_precision(c, t);
}

static clc_status check(const clc_object *objects, size_t object_count, const clc_detection *found,
                        size_t found_count, int images, int classes) {
    for (size_t i = 0; i < object_count; i++)
        if (objects[i].label < 0 || objects[i].label >= classes || objects[i].image < 0 ||
            objects[i].image >= images)
            return clc_fail(CLC_INVALID,
                            "object %zu is of class %d in image %d; there are %d and %d", i,
                            (int)objects[i].label, (int)objects[i].image, classes, images);
    for (size_t i = 0; i < found_count; i++)
        if (found[i].label < 0 || found[i].label >= classes || found[i].image < 0 ||
            found[i].image >= images)
            return clc_fail(CLC_INVALID,
                            "detection %zu is of class %d in image %d; there are %d and %d", i,
                            (int)found[i].label, (int)found[i].image, classes, images);
    return CLC_OK;
}

static double mean_of(double sum, int count) {
    return count ? sum / count : NAN;
}

clc_status clc_detection_score_make(const clc_object *objects, size_t object_count,
                                    const clc_detection *found, size_t found_count, int images,
                                    int classes, clc_detection_score *score) {
    clc_status status = CLC_OK;
    of_class c = {0};
    double ap[THRESHOLDS], sum = 0, sum_50 = 0, sum_75 = 0;
    int counted = 0;
    *score = (clc_detection_score){.classes = classes};
    CLC_TRY(check(objects, object_count, found, found_count, images, classes));
    CLC_NEW(score->ap_of_class, classes);
    CLC_NEW(c.objects, object_count);
    CLC_NEW(c.taken, object_count);
    CLC_NEW(c.entries, found_count);
    CLC_NEW(c.ranks, found_count);
    CLC_NEW(c.precision, 2 * found_count);
    for (int label = 0; label < classes; label++) {
        double *mean = &score->ap_of_class[label];
        choose(objects, object_count, found, found_count, label, &c);
        *mean = c.wanted ? 0 : NAN;
        if (!c.wanted)
            continue;
        score_class(&c, ap);
        for (int t = 0; t < THRESHOLDS; t++)
            *mean += ap[t] / THRESHOLDS;
        sum += *mean;
        sum_50 += ap[AT_50];
        sum_75 += ap[AT_75];
        counted++;
    }
    score->ap = mean_of(sum, counted);
    score->ap50 = mean_of(sum_50, counted);
    score->ap75 = mean_of(sum_75, counted);
fail:
    free(c.objects);
    free(c.taken);
    free(c.entries);
    free(c.ranks);
    free(c.precision);
    return status;
}

void clc_detection_score_free(clc_detection_score *score) {
    free(score->ap_of_class);
    score->ap_of_class = NULL;
}
