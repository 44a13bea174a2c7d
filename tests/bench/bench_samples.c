// SPDX-License-Identifier: GPL-3.0-or-later
// How fast samples come out of a recording (in the page cache): reading, looking for absurd and
// clipped values, blocks; and how fast blocks become complex float.  One thread, and what the
// chain's source thread may take of a core follows: rate wanted over rate measured.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/rng.h"
#include "sdr/sdr.h"

#define SAMPLES (1u << 23)      // 32 MB of ci16: more than caches hold
#define PIECE   4096            // what stages convert at a time: stays in the first cache

static float complex piece[PIECE];

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Noise 20 dB below full scale, the same 64 Ki samples again and again.
static bool write_noise(int fd, enum iq_format f)
{
    size_t n = 1u << 16, size = iq_format_bytes(f);
    union { float *f; double *d; int16_t *s; int8_t *c; uint8_t *u; void *p; } v;
    struct rng r;
    bool ok = true;

    rng_init(&r, 1);
    v.p = malloc(n * size);
    for (size_t i = 0; v.p && i < 2 * n; i++) {
        double x = 0.1 * rng_normal(&r);
        switch (f) {
        case IQ_CF32: v.f[i] = (float)x; break;
        case IQ_CF64: v.d[i] = x; break;
        case IQ_CI16: v.s[i] = (int16_t)(32767 * x); break;
        case IQ_CI8:  v.c[i] = (int8_t)(127 * x); break;
        default:      v.u[i] = (uint8_t)(128 + 127 * x); break;
        }
    }
    for (size_t i = 0; ok && i < SAMPLES / n; i++)
        ok = v.p && write(fd, v.p, n * size) == (ssize_t)(n * size);
    free(v.p);
    return ok;
}

// One pass; MS/s of the source and of the conversion.
static bool pass(const char *path, enum iq_format f, double *ret_source, double *ret_convert)
{
    struct iq_file_cfg cfg = { .path = path, .format = iq_format_name(f), .rate_hz = 61.44e6 };
    char why[IQ_WHY];
    struct iq_source *s;
    struct iq_block *b;
    double convert_s = 0, t0 = now_s();

    if (iq_open_file(&s, &cfg, why) < 0) {
        fprintf(stderr, "%s\n", why);
        return false;
    }
    for (; (b = iq_next(s)); iq_unref(b)) {
        double t = now_s();
        for (uint32_t at = 0; at < b->n; at += PIECE)
            iq_to_cf32(b, at, b->n - at < PIECE ? b->n - at : PIECE, piece);
        convert_s += now_s() - t;
    }
    *ret_source = SAMPLES / (now_s() - t0 - convert_s) / 1e6;
    *ret_convert = SAMPLES / convert_s / 1e6;
    iq_close(s);
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool measure(enum iq_format f, unsigned passes)
{
    char path[] = "/tmp/tyto-bench-??????";
    double source[32], convert[32];

    memset(strchr(path, '?'), 'X', 6);
    int fd = mkstemp(path);
    bool ok = fd >= 0 && write_noise(fd, f);
    for (unsigned i = 0; ok && i < passes; i++)
        ok = pass(path, f, &source[i], &convert[i]);
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    if (!ok)
        return false;
    qsort(source, passes, sizeof *source, by_value);
    qsort(convert, passes, sizeof *convert, by_value);
    printf("| %s | %.0f (%.0f to %.0f) | %.0f (%.0f to %.0f) |\n", iq_format_name(f),
           source[passes / 2], source[0], source[passes - 1], convert[passes / 2], convert[0],
           convert[passes - 1]);
    return true;
}

int main(void)
{
    const char *quick = getenv("QUICK");
    unsigned passes = quick && *quick ? 3 : 15;

    puts("| format | source, MS/s, median (lowest to highest) | to cf32, MS/s |\n|---|---|---|");
    for (int f = 0; f < IQ_FORMATS; f++)
        if (!measure((enum iq_format)f, passes)) {
            fputs("cannot write or read the recording to measure with in /tmp\n", stderr);
            return 2;
        }
    return 0;
}
