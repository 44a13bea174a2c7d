// SPDX-License-Identifier: GPL-3.0-or-later
// Writes raw IQ that no receiver should choke on, for tests/scripts.
//
//     iqmake KIND FORMAT COUNT [SEED]  >FILE
//
//     zero    all zero                         full   every value at full scale, random sign
//     noise   Gaussian, -40 dBFS               tone   0.5 at +1/16 of the rate, in such noise
//     nan     noise; every 7th sample not finite (NaN, +inf, -inf, 1e38 in turn)
//     bits    random bytes, whatever they mean
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

static const char *kind, *format;
static struct rng  rng;

static double sample_part(uint64_t i, int q)
{
    static const double odd[] = { NAN, INFINITY, -INFINITY, 1e38 };
    double noise = 0.01 * M_SQRT1_2 * rng_normal(&rng);

    if (!strcmp(kind, "zero"))
        return 0;
    if (!strcmp(kind, "full"))
        return rng_u64(&rng) & 1 ? 1 : -1;
    if (!strcmp(kind, "tone"))
        return noise + 0.5 * cos(2 * M_PI * (double)(i % 16) / 16 - q * M_PI_2);
    if (!strcmp(kind, "nan") && i % 7 == 3)
        return odd[(i / 7 + (uint64_t)q) % 4];
    return noise;
}

// Integer formats take the nearest step and stop at the last one.
static long step(double v, double scale, double zero, long lo, long hi)
{
    double x = v * scale + zero;
    return !(x > (double)lo) ? lo : x >= (double)hi ? hi : lround(x);
}

static size_t value_put(double v, unsigned char *p)
{
    float f = (float)v;
    int16_t s = (int16_t)step(v, 32768, 0, INT16_MIN, INT16_MAX);

    if (!strcmp(format, "cf32"))
        return memcpy(p, &f, 4), 4;
    if (!strcmp(format, "cf64"))
        return memcpy(p, &v, 8), 8;
    if (!strcmp(format, "ci16"))
        return memcpy(p, &s, 2), 2;
    if (!strcmp(format, "ci8"))
        return *p = (unsigned char)step(v, 128, 0, INT8_MIN, INT8_MAX), 1;
    return *p = (unsigned char)step(v, 127.5, 127.5, 0, UINT8_MAX), 1;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: iqmake KIND FORMAT COUNT [SEED]\n", stderr);
        return 2;
    }
    kind = argv[1];
    format = argv[2];
    rng_init(&rng, argc > 4 ? strtoull(argv[4], NULL, 10) : 1);
    for (uint64_t i = 0, n = strtoull(argv[3], NULL, 10); i < n; i++)
        for (int q = 0; q < 2; q++) {
            unsigned char p[8];
            size_t len = value_put(sample_part(i, q), p);
            for (size_t k = 0; !strcmp(kind, "bits") && k < len; k++)
                p[k] = (unsigned char)rng_u64(&rng);
            if (fwrite(p, 1, len, stdout) != len)
                return 1;
        }
    return fflush(stdout) ? 1 : 0;
}
