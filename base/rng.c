// SPDX-License-Identifier: GPL-3.0-or-later
// xoshiro256++ and what is drawn from it; every step in integers or IEEE double.
#include "base/rng.h"

#include <math.h>

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

void rng_init(struct rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

void rng_fork(struct rng *child, const struct rng *r, uint64_t stream)
{
    uint64_t x = r->s[0] ^ rotl(r->s[3], 17) ^ (stream * 0xd1342543de82ef95u);
    rng_init(child, splitmix(&x));
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t *s = r->s, out = rotl(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

// Lemire's multiply-and-reject: no modulo bias.
uint32_t rng_below(struct rng *r, uint32_t n)
{
    for (;;) {
        uint64_t m = (rng_u64(r) >> 32) * (uint64_t)n;
        if ((uint32_t)m >= -n % n)
            return (uint32_t)(m >> 32);
    }
}

double rng_uniform(struct rng *r) { return (double)(rng_u64(r) >> 11) * 0x1p-53; }

double rng_between(struct rng *r, double lo, double hi) { return lo + (hi - lo) * rng_uniform(r); }

double rng_normal(struct rng *r)
{
    double u = 1.0 - rng_uniform(r);
    return sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * rng_uniform(r));
}

// Box-Muller gives both parts from one radius.
float complex rng_cnormal(struct rng *r)
{
    double u = 1.0 - rng_uniform(r), a = 2.0 * M_PI * rng_uniform(r), m = sqrt(-log(u));
    return CMPLXF((float)(m * cos(a)), (float)(m * sin(a)));
}
