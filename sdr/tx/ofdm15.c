// SPDX-License-Identifier: GPL-3.0-or-later
// Symbols on a 15 kHz grid: radix-2 inverse transform (decimation in time), cyclic prefix,
// Zadoff-Chu and Gold sequences.
#include "sdr/tx/ofdm15.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void ofdm_init(struct ofdm *o, unsigned n)
{
    assert(n >= 128 && n <= OFDM_FFT_MAX && !(n & (n - 1)));
    o->n = n;
    for (unsigned i = 0; i < n / 2; i++)
        o->twiddle[i] = cexp(2 * M_PI * I * i / n);
}

static void bit_reverse(double complex *x, unsigned n)
{
    for (unsigned i = 1, j = 0; i < n; i++) {
        unsigned bit = n >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double complex t = x[i];
            x[i] = x[j];
            x[j] = t;
        }
    }
}

void ofdm_inverse(const struct ofdm *o, double complex *x)
{
    unsigned n = o->n;
    bit_reverse(x, n);
    for (unsigned len = 2; len <= n; len <<= 1)
        for (unsigned i = 0; i < n; i += len)
            for (unsigned j = 0; j < len / 2; j++) {
                double complex a = x[i + j];
                double complex b = x[i + j + len / 2] * o->twiddle[j * (n / len)];
                x[i + j] = a + b;
                x[i + j + len / 2] = a - b;
            }
}

unsigned ofdm_symbol(const struct ofdm *o, const double complex *carrier, unsigned half,
                     unsigned cp, double complex *out)
{
    unsigned n = o->n;
    double complex *x = out + cp;
    assert(2 * half < n && cp <= n);
    memset(x, 0, n * sizeof *x);
    for (unsigned i = 0; i <= 2 * half; i++)
        x[(i + n - half) % n] = carrier[i];
    ofdm_inverse(o, x);
    memcpy(out, x + n - cp, cp * sizeof *x);
    return cp + n;
}

void ofdm_zc(unsigned u, unsigned len, double complex *z)
{
    for (unsigned i = 0; i < len; i++) {
        // The phase repeats with 2 len: reduced as an integer, no digit of it is lost.
        uint64_t turns = (uint64_t)u * i % (2 * len) * (i + 1) % (2 * len);
        z[i] = cexp(-M_PI * I * (double)turns / len);
    }
}

// Two shift registers of 31 bits; 1600 steps are thrown away.  x2 is read LSB first.
void ofdm_gold(uint32_t c_init, unsigned n, uint8_t *bit)
{
    uint32_t a = 1, b = c_init & 0x7fffffff;
    for (unsigned i = 0; i < 1600 + n; i++) {
        if (i >= 1600)
            bit[i - 1600] = (a ^ b) & 1;
        a = a >> 1 | ((a >> 3 ^ a) & 1) << 30;
        b = b >> 1 | ((b >> 3 ^ b >> 2 ^ b >> 1 ^ b) & 1) << 30;
    }
}

double complex ofdm_qpsk(unsigned b0, unsigned b1)
{
    return CMPLX(b0 ? -M_SQRT1_2 : M_SQRT1_2, b1 ? -M_SQRT1_2 : M_SQRT1_2);
}

void ofdm_unit_power(const double complex *x, unsigned n, float complex *out)
{
    double sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += creal(x[i]) * creal(x[i]) + cimag(x[i]) * cimag(x[i]);
    double scale = sum > 0 ? sqrt(n / sum) : 0;
    for (unsigned i = 0; i < n; i++)
        out[i] = CMPLXF((float)(creal(x[i]) * scale), (float)(cimag(x[i]) * scale));
}
