// SPDX-License-Identifier: GPL-3.0-or-later
// SHA-256 (FIPS 180-4) for tests that hold published hashes; its constants are computed, not typed.
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t ror(uint32_t x, int n) { return x >> n | x << (32 - n); }

// The first 32 bits of the fraction of the square or cube root of the i-th prime.
static uint32_t root_bits(int i, bool cube)
{
    int p = 1;
    for (int found = -1; found < i;) {
        p++;
        bool prime = true;
        for (int d = 2; d * d <= p; d++)
            prime &= p % d != 0;
        found += prime;
    }
    long double r = cube ? cbrtl(p) : sqrtl(p);
    return (uint32_t)((r - floorl(r)) * 4294967296.0L);
}

static void sha_block(uint32_t h[8], const uint32_t k[64], const uint8_t *p)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
               (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (ror(a, 7) ^ ror(a, 18) ^ a >> 3) + w[i - 7] +
               (ror(b, 17) ^ ror(b, 19) ^ b >> 10);
    }
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = s[7] + (ror(s[4], 6) ^ ror(s[4], 11) ^ ror(s[4], 25)) +
                      ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
        uint32_t t2 = (ror(s[0], 2) ^ ror(s[0], 13) ^ ror(s[0], 22)) +
                      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        h[i] += s[i];
}

static void sha256_hex(const uint8_t *p, size_t n, char out[65])
{
    uint32_t h[8], k[64];
    for (int i = 0; i < 64; i++)
        k[i] = root_bits(i, true);
    for (int i = 0; i < 8; i++)
        h[i] = root_bits(i, false);
    size_t padded = (n + 9 + 63) / 64 * 64;
    uint8_t *m = calloc(1, padded);
    memcpy(m, p, n);
    m[n] = 0x80;
    for (int i = 0; i < 8; i++)
        m[padded - 1 - (size_t)i] = (uint8_t)((uint64_t)n * 8 >> 8 * i);
    for (size_t i = 0; i < padded; i += 64)
        sha_block(h, k, m + i);
    free(m);
    for (int i = 0; i < 8; i++)
        snprintf(out + 8 * i, 9, "%08x", h[i]);
}
