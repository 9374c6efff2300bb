#include "reference.h"

#include <math.h>
#include <string.h>

enum { LARGEST = 512 * 512 * 3, LONGEST = 64 };

static double scratch[LARGEST];

static double clip(double x) {
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static int pixels(int size) {
    return size * size;
}

/* Element i of `size` when a line of `length` elements, `step` apart, is resized: bilinear,
 * antialiased. */
static double resized(const double *line, int step, int length, int size, int i) {
    const double scale = (double)length / size, support = scale > 1 ? scale : 1;
    const double centre = (i + 0.5) * scale;
    double sum = 0, total = 0;
    for (int j = 0; j < length; j++) {
        const double w = fmax(0, 1 - fabs(j + 0.5 - centre) / support);
        total += w;
        sum += w * line[j * step];
    }
    return sum / total;
}

void reference_crop(const clc_augment *a, const augment_view *v, const uint8_t *source,
                    double *image) {
    const int c = a->channels, n = a->settings.size;
    static double column[4096], rows[LARGEST];
    for (int x = 0; x < v->width; x++)
        for (int k = 0; k < c; k++)
            for (int y = 0; y < n; y++) {
                const int from = v->left + x;
                for (int j = 0; j < v->height; j++) {
                    const int at = v->top + j;
                    const bool inside = from >= 0 && from < a->width && at >= 0 && at < a->height;
                    column[j] = inside ? source[(at * a->width + from) * c + k] / 255.0 : 0;
                }
                rows[(y * v->width + x) * c + k] = resized(column, 1, v->height, n, y);
            }
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++)
            for (int k = 0; k < c; k++) {
                const int to_y = v->vertical_flip ? n - 1 - y : y;
                const int to_x = v->horizontal_flip ? n - 1 - x : x;
                image[(to_y * n + to_x) * c + k] =
                    resized(rows + y * v->width * c + k, c, v->width, n, x);
            }
}

static double pixel(const double *image, int size, int channels, int y, int x, int k) {
    const bool inside = y >= 0 && y < size && x >= 0 && x < size;
    return inside ? image[(y * size + x) * channels + k] : 0;
}

void reference_rotate(double *image, int size, int channels, double cosine, double sine) {
    const double middle = 0.5 * (size - 1);
    memcpy(scratch, image, sizeof(double) * (size_t)(pixels(size) * channels));
    for (int i = 0; i < pixels(size); i++) {
        const double x = i % size - middle, y = i / size - middle;
        const double sx = cosine * x - sine * y + middle, sy = sine * x + cosine * y + middle;
        const int left = (int)floor(sx), top = (int)floor(sy);
        const double right = sx - left, low = sy - top;
        for (int k = 0; k < channels; k++)
            image[i * channels + k] =
                (1 - low) * (1 - right) * pixel(scratch, size, channels, top, left, k) +
                (1 - low) * right * pixel(scratch, size, channels, top, left + 1, k) +
                low * (1 - right) * pixel(scratch, size, channels, top + 1, left, k) +
                low * right * pixel(scratch, size, channels, top + 1, left + 1, k);
    }
}

void reference_brightness(double *image, int size, int channels, double factor) {
    for (int i = 0; i < pixels(size) * channels; i++)
        image[i] = clip(image[i] * factor);
}

static double grey(const double *p) {
    return 0.2989 * p[0] + 0.587 * p[1] + 0.114 * p[2];
}

void reference_contrast(double *image, int size, int channels, double factor) {
    double mean = 0;
    for (int i = 0; i < pixels(size); i++)
        mean += (channels == 3 ? grey(image + 3 * i) : image[i]) / pixels(size);
    for (int i = 0; i < pixels(size) * channels; i++)
        image[i] = clip(factor * image[i] + (1 - factor) * mean);
}

void reference_saturation(double *image, int size, double factor) {
    for (int i = 0; i < pixels(size); i++) {
        const double g = grey(image + 3 * i);
        for (int k = 0; k < 3; k++)
            image[3 * i + k] = clip(factor * image[3 * i + k] + (1 - factor) * g);
    }
}

/* After the usual definition of hue, saturation and value. */
void reference_hue(double *image, int size, double turn) {
    for (int i = 0; i < pixels(size); i++) {
        double *p = image + 3 * i, r = p[0], g = p[1], b = p[2];
        const double v = fmax(r, fmax(g, b)), range = v - fmin(r, fmin(g, b));
        if (range <= 0)
            continue;
        double h = v == r ? (g - b) / range : v == g ? 2 + (b - r) / range : 4 + (r - g) / range;
        h = h / 6 + turn;
        h = 6 * (h - floor(h));
        /* Channel k is v - range times how far, beyond one sector, the hue is from the channel's
         * own. */
        for (int k = 0; k < 3; k++) {
            double away = fabs(h - 2 * k);
            away = away > 3 ? 6 - away : away;
            p[k] = v - range * clip(away - 1);
        }
    }
}

void reference_grey(double *image, int size) {
    for (int i = 0; i < pixels(size); i++)
        image[3 * i] = image[3 * i + 1] = image[3 * i + 2] = grey(image + 3 * i);
}

static int reflected(int i, int size) {
    i = i < 0 ? -i : i;
    return i < size ? i : 2 * size - 2 - i;
}

void reference_blur(double *image, int size, int channels, int kernel, double sigma) {
    const int radius = kernel / 2;
    double weight[LONGEST], sum = 0;
    for (int k = 0; k < kernel; k++)
        sum += weight[k] = exp(-0.5 * pow((k - radius) / sigma, 2));
    memcpy(scratch, image, sizeof(double) * (size_t)(pixels(size) * channels));
    for (int i = 0; i < pixels(size); i++)
        for (int c = 0; c < channels; c++) {
            double total = 0;
            for (int j = 0; j < kernel * kernel; j++) {
                const int y = reflected(i / size + j / kernel - radius, size);
                const int x = reflected(i % size + j % kernel - radius, size);
                total += weight[j / kernel] * weight[j % kernel] *
                         scratch[(y * size + x) * channels + c];
            }
            image[i * channels + c] = total / (sum * sum);
        }
}

void reference_solarise(double *image, int size, int channels, double threshold) {
    for (int i = 0; i < pixels(size) * channels; i++)
        image[i] = image[i] >= threshold ? 1 - image[i] : image[i];
}

static void apply_part(const clc_augment *a, const augment_view *v, int part, double *image) {
    if (part == PART_BRIGHTNESS && a->settings.brightness > 0)
        reference_brightness(image, a->settings.size, a->channels, (double)v->brightness);
    if (part == PART_CONTRAST && a->settings.contrast > 0)
        reference_contrast(image, a->settings.size, a->channels, (double)v->contrast);
    if (part == PART_SATURATION && a->settings.saturation > 0 && a->channels == 3)
        reference_saturation(image, a->settings.size, (double)v->saturation);
    if (part == PART_HUE && a->settings.hue > 0 && a->channels == 3)
        reference_hue(image, a->settings.size, (double)v->hue);
}

void reference_view(const clc_augment *a, const augment_view *v, const uint8_t *source,
                    double *image) {
    reference_crop(a, v, source, image);
    if (v->rotate)
        reference_rotate(image, a->settings.size, a->channels, (double)v->cosine, (double)v->sine);
    for (int k = 0; v->jitter && k < 4; k++)
        apply_part(a, v, (v->order >> (4 * k)) & 15, image);
    if (v->grey)
        reference_grey(image, a->settings.size);
    int kernel = a->settings.blur_kernel;
    if (!kernel) /* a tenth of the size, the next odd number, at least 3 */
        kernel =
            a->settings.size / 10 < 3 ? 3 : a->settings.size / 10 + (a->settings.size / 10 + 1) % 2;
    if (v->blur)
        reference_blur(image, a->settings.size, a->channels, kernel, (double)v->sigma);
}
