// SPDX-License-Identifier: GPL-3.0-or-later
// Gaussian noise by the ziggurat (Marsaglia and Tsang 2000), fast enough that noise is never what a
// bench waits for, and exact in the tails, which false-alarm figures live on.
//
//       |--.
//       |====\          256 layers of the same area under exp(-x^2/2); a point in a layer left of
//       |======\ .      the next layer's edge is taken at once (98.8 %), one in the wedge is tested
//       |========\  `   against the curve, the lowest layer's overhang gives way to the tail
//       0        x[i+1] x[i]
//
// One 64-bit random number serves one complex sample: per part 8 bits of layer and 24 of position.
#include "sdr/sim/noise.h"

#include <math.h>

#define LAYERS 256
#define TAIL   3.6541528853610088       // r: where the tail begins, for 256 layers
#define AREA   0.00492867323399         // v: area of each layer

void ziggurat_init(struct ziggurat *z)
{
    double x = TAIL, f = exp(-0.5 * x * x);
    z->x[0] = (float)(AREA / f);        // the lowest layer as a box that holds the tail
    z->x[1] = (float)x;
    z->f[1] = f;
    for (int i = 2; i < LAYERS; i++) {
        f += AREA / x;
        x = sqrt(-2 * log(f));
        z->x[i] = (float)x;
        z->f[i] = f;
    }
    z->f[0] = 0;                        // never read: layer 0 ends in the tail
    z->x[LAYERS] = 0;
    z->f[LAYERS] = 1;
}

// Marsaglia's tail: exponential with the curve as its acceptance.
static float tail(struct rng *r)
{
    double x, y;
    do {
        x = -log(1 - rng_uniform(r)) / TAIL;
        y = -log(1 - rng_uniform(r));
    } while (2 * y < x * x);
    return (float)(TAIL + x);
}

static float edge(const struct ziggurat *z, struct rng *r, unsigned layer, float x);

static inline float draw(const struct ziggurat *z, struct rng *r, uint32_t bits)
{
    unsigned layer = bits & (LAYERS - 1);
    float u = (float)((int32_t)bits >> 8) * 0x1p-23f;      // -1 .. 1
    float x = u * z->x[layer];
    return fabsf(x) < z->x[layer + 1] ? x : edge(z, r, layer, x);
}

static float edge(const struct ziggurat *z, struct rng *r, unsigned layer, float x)
{
    if (!layer)
        return copysignf(tail(r), x);
    double f = z->f[layer] + rng_uniform(r) * (z->f[layer + 1] - z->f[layer]);
    return f < exp(-0.5 * (double)x * x) ? x : draw(z, r, (uint32_t)(rng_u64(r) >> 32));
}

void noise_add(const struct ziggurat *z, struct rng *r, double power, float complex *x, size_t n)
{
    float a = (float)sqrt(power / 2);
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = rng_u64(r);
        float re = draw(z, r, (uint32_t)(bits >> 32)), im = draw(z, r, (uint32_t)bits);
        x[i] += CMPLXF(a * re, a * im);
    }
}
