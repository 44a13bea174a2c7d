// SPDX-License-Identifier: GPL-3.0-or-later
// 802.11b: long preamble and header at 1 Mb/s, then 1 or 2 Mb/s on the Barker sequence or 11 Mb/s
// by complementary codes (CCK).
//
//     | 128 ones | start 16 | signal 8 service 8 length 16 CRC 16 |  PSDU ...       all scrambled
//     each bit of the head: +-++-+++---, turned by half a turn for a 1
//
// Chips get a raised-cosine pulse (roll-off 0.6: about 17 MHz wide, as transmit filters leave it).
#include "sdr/tx/wifi_dsss.h"

#include <math.h>
#include <string.h>

#define ROLL 0.6
#define SPAN 4                  // chips on each side of the pulse

unsigned dsss_length_us(enum dsss_rate rate, size_t n)
{
    unsigned bits = 8 * (unsigned)n;
    return rate == DSSS_1M ? bits : rate == DSSS_2M ? bits / 2 : (bits + 10) / 11;
}

static uint8_t *put_lsb(uint8_t *bit, unsigned v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        *bit++ = (v >> i) & 1;
    return bit;
}

// x^16 + x^12 + x^5 + 1 from all ones, complemented, highest first.
static uint8_t *put_crc(uint8_t *bit, const uint8_t *head)
{
    unsigned r = 0xffff;
    for (unsigned i = 0; i < 32; i++) {
        unsigned in = ((r >> 15) ^ head[i]) & 1;
        r = ((r << 1) & 0xffff) ^ (in ? 0x1021 : 0);
    }
    for (int k = 15; k >= 0; k--)
        *bit++ = !((r >> k) & 1);
    return bit;
}

size_t dsss_bits(enum dsss_rate rate, const uint8_t *psdu, size_t n, uint8_t *bit)
{
    static const uint8_t signal[DSSS_RATES] = { 0x0a, 0x14, 0x6e };     // in 100 kb/s
    unsigned us = dsss_length_us(rate, n), service = 0;
    if (rate == DSSS_11M && us * 11 - 8 * n >= 8)
        service = 0x80;         // the length in us would fit one byte more
    uint8_t *p = bit + 128, *head;
    memset(bit, 1, 128);
    p = head = put_lsb(p, 0xf3a0, 16);
    p = put_lsb(p, signal[rate], 8);
    p = put_lsb(p, service, 8);
    p = put_lsb(p, us, 16);
    p = put_crc(p, head);
    for (size_t i = 0; i < n; i++)
        p = put_lsb(p, psdu[i], 8);
    return (size_t)(p - bit);
}

// s[n] = d[n] ^ s[n-4] ^ s[n-7]; the state for long preambles, the latest bit lowest.
void dsss_scramble(uint8_t *bit, size_t n)
{
    unsigned r = 0x1b;
    for (size_t i = 0; i < n; i++) {
        bit[i] ^= ((r >> 3) ^ (r >> 6)) & 1;
        r = ((r << 1) | bit[i]) & 0x7f;
    }
}

size_t dsss_chips(enum dsss_rate rate, size_t n)
{
    return 11 * DSSS_HEAD + (rate == DSSS_1M ? 88 * n : rate == DSSS_2M ? 44 * n : 8 * n);
}

// Quarter turns of a pair of bits, the first on the air as bit 0: 00 0, 01 1, 11 2, 10 3.
static unsigned quarter(const uint8_t *bit)
{
    static const uint8_t turn[4] = { 0, 3, 1, 2 };
    return turn[bit[0] | bit[1] << 1];
}

static float complex unit(unsigned quarters)
{
    static const float complex u[4] = { 1, I, -1, -I };
    return u[quarters & 3];
}

static float complex *barker(float complex *chip, unsigned phase)
{
    static const int8_t code[11] = { 1, -1, 1, 1, -1, 1, 1, 1, -1, -1, -1 };
    for (int i = 0; i < 11; i++)
        *chip++ = code[i] * unit(phase);
    return chip;
}

// 8 bits to 8 chips.  Later pairs map as whole numbers: 00 0, 01 1, 10 2, 11 3 quarter turns with
// the first bit as the high one.
static float complex *cck(float complex *chip, const uint8_t *bit, unsigned phase)
{
    unsigned p2 = 2u * bit[2] + bit[3], p3 = 2u * bit[4] + bit[5], p4 = 2u * bit[6] + bit[7];
    const unsigned turn[8] = { p2 + p3 + p4, p3 + p4, p2 + p4, p4 + 2, p2 + p3, p3, p2 + 2, 0 };
    for (int i = 0; i < 8; i++)
        *chip++ = unit(phase + turn[i]);
    return chip;
}

size_t dsss_spread(enum dsss_rate rate, const uint8_t *bit, size_t n_bits, float complex *chip)
{
    float complex *p = chip;
    unsigned phase = 0;
    size_t i = 0, symbol = 0;
    for (; i < n_bits && (i < DSSS_HEAD || rate == DSSS_1M); i++) {
        phase += 2u * bit[i];
        p = barker(p, phase);
    }
    for (; rate == DSSS_2M && i + 2 <= n_bits; i += 2) {
        phase += quarter(bit + i);
        p = barker(p, phase);
    }
    for (; rate == DSSS_11M && i + 8 <= n_bits; i += 8) {
        phase += quarter(bit + i) + 2 * (symbol++ & 1);     // odd symbols turn by another half
        p = cck(p, bit + i, phase);
    }
    return (size_t)(p - chip);
}

// Raised cosine at t chips.
static double pulse(double t)
{
    double x = 2 * ROLL * t, s = fabs(t) < 1e-9 ? 1 : sin(M_PI * t) / (M_PI * t);
    if (fabs(fabs(x) - 1) < 1e-9)
        return M_PI / 4 * sin(M_PI / 2 / ROLL) / (M_PI / 2 / ROLL);
    return s * cos(M_PI * ROLL * t) / (1 - x * x);
}

void dsss_shape(const float complex *chip, size_t n, float complex *iq)
{
    float w[DSSS_SPC][2 * SPAN];
    double power = 0;
    for (int s = 0; s < DSSS_SPC; s++)          // sample s of a chip, from its start
        for (int k = 0; k < 2 * SPAN; k++)
            w[s][k] = (float)pulse((s + 0.5) / DSSS_SPC - 0.5 + SPAN - k);
    for (size_t i = 0; i < n; i++)
        for (int s = 0; s < DSSS_SPC; s++) {
            float re = 0, im = 0;
            for (int k = 0; k < 2 * SPAN; k++) {
                size_t j = i + (size_t)k;       // chip j - SPAN
                if (j >= SPAN && j - SPAN < n) {
                    re += w[s][k] * crealf(chip[j - SPAN]);
                    im += w[s][k] * cimagf(chip[j - SPAN]);
                }
            }
            iq[i * DSSS_SPC + (size_t)s] = CMPLXF(re, im);
            power += (double)re * re + (double)im * im;
        }
    float a = (float)sqrt((double)(n * DSSS_SPC) / power);
    for (size_t i = 0; i < n * DSSS_SPC; i++)
        iq[i] *= a;
}
