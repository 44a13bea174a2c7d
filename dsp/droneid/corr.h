// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the standing correlator: corr.c turns samples into slices, corr_find.c finds candidates in
// them, dsp/kernel/droneid_corr.c holds the hot loops, one set per instruction set.
#pragma once

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

#include "dsp/burst.h"
#include "dsp/droneid/droneid.h"
#include "dsp/fft.h"
#include "dsp/stand/wide.h"

#define CORR_LEVEL 32                   // samples per step of the level
#define CORR_TAPS  8
#define CORR_READS 16                   // places, a twelfth of a sample apart; 13 are looked at

#define M          512                  // points of a slice's transform, 133 us at 3.84 MS/s
#define GUARD      48                   // spoilt at either end: half a slice's chirp is 7 us
#define HOP        (M - 2 * GUARD)
#define SIDE       128                  // samples of level to either side
#define LEVELS     (2 * SIDE / CORR_LEVEL)              // behind the newest
#define FRESH      (HOP / CORR_LEVEL)
#define ROOM       16                   // for FRESH: whole vectors

struct corr_level { float sum[LEVELS + ROOM + LEVELS], top[LEVELS + ROOM]; };

const struct corr_ops *corr_ops(void);

struct corr_ops {
    // Geometric mean of the powers of n < 4096 bins.
    float (*geometric)(const float complex *restrict x, size_t n);
    // ring[(at + i) % len] = x[i] * f[i] for n <= len bins, the rest of it 0; bins of more power
    // than limit are left out.
    void (*filter)(const float complex *restrict x, const float complex *restrict f, float limit,
                   size_t n, float complex *restrict ring, size_t len, size_t at);
    // p = |x|^2.
    void (*power)(const float complex *restrict x, size_t n, float *restrict p);
    // Pieces of CORR_LEVEL samples of e[i] = sum over k < m of p[k][i], m being 4 or 5: their sums
    // and largest values behind those of the LEVELS pieces before.  limit[b] = factor times the sum
    // of the LEVELS + 1 pieces from b on; true if one in the middle of them exceeds it.
    bool (*combine)(const float *const p[], size_t m, float factor, struct corr_level *l,
                    float *restrict limit);
    // Adds a slice, read off at CORR_READS places between samples, to a: CORR_TAPS samples of s
    // times the rows of re + j im.
    void (*read_off)(const float complex *restrict s, const float *restrict re,
                     const float *restrict im, float *restrict a_re, float *restrict a_im);
};

#define SLICE_HZ   (DID_BW_HZ / SLICES)
#define SLICES     5
#define USABLE     0.98                 // of the capture's width
#define SYMBOL_S   (1 / DID_SPACING_HZ)
// Seconds of delay per Hz: 7.4 us per MHz.
#define KAPPA      (SYMBOL_S / (DID_ZC_LEN * DID_SPACING_HZ))

#define HISTORY    592                  // 2 SIDE, TAPS, five slices' delay (64 each at most)
#define BLOCKS     4                    // hops kept before history is moved
#define CAP        (HISTORY + BLOCKS * HOP)
#define KEPT       3                    // transforms: samples are read SIDE, TAPS, delay behind
#define STEPS      12                   // places between two samples in step 2
#define TAPS       CORR_TAPS
#define PASS_1     3.2f                 // five exponentials: 3e-4 of samples
#define PASS_2     21.0                 // exp(-21) = 8e-10
// |sum|^2 over what five slices in step would give: 0.84 in noise at the threshold (under 0.6 in
// one of 2000), more in a burst, 0.6 where an echo takes two slices away.  A short narrow signal,
// be it only the end of somebody's packet, stands 25 times over the level (one slice of five, 13 us
// of 67) and gives 0.2.
#define TOGETHER   0.6
#define PER_BLOCK  24                   // step 2 at most so often per centre and block
#define MERGE_S    10e-6
// A bin so far above the geometric mean is no part of noise or of a wide signal, both of which are
// exponential: exp(-0.5772) of the mean is the geometric one, so the chance is
// exp(-21.4 * 0.56) = 6e-6.  It is somebody's narrow signal.
#define STANDS_OUT 21.4f
#define GHOST      0.15                 // 0.06 on recordings: a quarter of the band, twice
#define GHOST_S    3e-6
#define CENTRE_MIN 0.6                  // of the strongest: groups that have a say in the centre
#define FAINT      0.06                 // metric: -12 dB in the burst's width, 3 dB over threshold
#define FAINT_PER_S 10.0                // noise gives 2 at 61.44 MS/s
#define FAINT_MOST 20.0
#define PENDING    256                  // one burst fills 20: every centre that sees it

struct pend {
    double out, at;                     // common time (slice samples), of the symbol (capture's)
    double f, score, power, metric;
    bool   told;
};

struct dcorr {
    double          rate_hz, slice_rate_hz, bin_hz;
    unsigned        dec, n, width, slices;              // slices 0: rate too low
    int             bin0;                               // of slice 0
    const struct corr_ops *op;
    struct wide    *wide;                               // for dcorr_block
    struct dft     *inv;
    const float complex *spec;                          // the block's, while it is looked at
    float complex  *bins, *filter;
    float complex  *s;          // samples: per slice the transforms of the last KEPT blocks
    float          *p;          // powers, CAP per slice
    struct corr_level *level;   // of each group
    float         (*read)[2][CORR_TAPS * CORR_READS];   // per slice: re and im of read-off
    int            *delay;                              // of slice j, samples of its rate
    float          *mean;                               // of slice j's bins, geometric
    int64_t         base;                               // capture index of block 0's first sample
    uint64_t        blocks;                             // transformed since base
    unsigned        have;                               // samples in each slice's buffer
    struct pend     pend[PENDING];
    unsigned        n_pend;
    uint64_t        dropped;
    double          room, told_at;                      // faint candidates that may be told, since
    double          pass, faint_per_s;  // PASS_2 and FAINT_PER_S, unless a measurement lowers them
};

static inline double slice_middle(const struct dcorr *d, double j)      // Hz; j may be fractional
{
    return (d->bin0 + (j + 0.5) * d->width) * d->bin_hz;
}

// Looks through what the newest block brought; before d->blocks counts it.
void corr_scan(struct dcorr *d);
// Tells what can no longer be topped: everything before `limit` (common time in slice samples).
void corr_settle(struct dcorr *d, double limit, struct cand_list *out);
