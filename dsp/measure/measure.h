// SPDX-License-Identifier: GPL-3.0-or-later
// Inside dsp/measure/: one look at a burst, and what each measurer adds to it.
//
//     burst --look_take--> x[] at fs, centred --measurers, one file each--> fingerprint + evidence
//                                                                 kind.c: evidence -> kind, kind_p
//
//     x  |..noise..|======= burst =======|..noise..|       n samples at fs,
//        0         i0                    i1        n          1.5 .. 3 times its width
#pragma once

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "dsp/burst.h"
#include "dsp/ddc.h"
#include "dsp/fft.h"
#include "dsp/kernel/look.h"

// Samples one look holds: 4.3 ms of 20 MHz, 68 ms of 1 MHz.  Bounds the work per burst.
#define LOOK_MAX  131072
#define LOOK_SHORT 24576           // to find the width
#define PSD_MAX   1024
#define FFT_LOG_MIN 4
#define FFT_LOG_MAX 17              // 2^17 = LOOK_MAX

struct look {
    const struct burst *b;
    double fs, in_fs;               // rate of x; of the capture
    double grid_fs;                 // 15 kHz * 2^k: fs, but where the capture's own samples do
    double f_hz;                    // where x is centred, offset from the capture's centre
    double t0;                      // x[0] in samples of the cut
    size_t n, i0, i1;
    bool   whole;                   // the burst ends inside x
    float complex *x;
    // filled by look_level
    double n0_psd;                  // noise density, power per Hz
    double noise, power;            // per sample of x: noise; signal (noise removed) over [i0, i1)
    // filled by spectrum_take
    double floor_psd;               // like n0_psd, with a neighbour's skirts beside the signal
    // bins of psd, lowest frequency first; bin k at (k - nf/2) fs/nf
    size_t nf;
    float  psd[PSD_MAX];            // mean power per bin
    size_t segments;                // that were averaged
    double occ_lo, occ_hi;          // outermost quarter-power frequencies, relative to f_hz
    double occ_err;
    bool  between;                  // cp.c: a lag between two samples shows something
    float held;                     // cp.c: samples in m->z are held to this power ...
    size_t held_end;                // ... and go so far; 0: not begun
    double lo99, hi99, err99;
};

// Where cp.c found the symbols, in samples of x.
struct cp_place {
    size_t lag;                     // useful symbol, 0: none found
    double at;                      // first prefix, from i0
    double prefix, symbol;          // prefix; symbol with prefix
    // of a slot and its first prefix's excess; of a symbol when per_slot is 0
    double period, extra;
    unsigned per_slot;
    double cfo_hz;                  // carriers stand at cfo + k fs/lag
    double neff, rho, spacing;      // independent samples behind it, correlation; carriers, Hz
};

// What the measurers found out for each kind.  p is a probability-like score: 0 nothing, 1 certain;
// each file states how it comes from its test statistic.
struct evidence {
    double p[KIND_COUNT];
    bool   freq_ok[KIND_COUNT];     // centre by the kind's own measurement, relative to l->f_hz
    double freq[KIND_COUNT], freq_err[KIND_COUNT];
    double line_share;              // share of the power in the strongest spectral line
    double const_env, const_env_err;    // variance over mean square of the power, noise removed
    bool   wifi;
    struct cp_place cp;
};

struct measurer {
    double rate_hz;
    float complex *x, *y, *z, *g;   // LOOK_MAX each
    float  *p, *q, *r;              // LOOK_MAX each; p: the power of the look's samples
    float  *blocks;                 // its sums over LOOK_BLOCK each
    struct ddc_kept *ddc;
    float   hann[PSD_MAX];          // windows, the one of nf bins from nf on
    const struct look_ops *op;
    struct dft *fft[FFT_LOG_MAX + 1], *ifft[FFT_LOG_MAX + 1];
    bool   own;                     // looks may be at the capture's own samples
    struct look look;
};

// ---- look.c
// Reads the burst with its margins, `most` samples at most, centred on f_hz, at the 15 kHz * 2^k
// rate next above 1.5 width; or all of the capture as it is, where that rate holds all of it.
void look_take(struct measurer *m, const struct burst *b, double f_hz, double width_hz,
               size_t most, struct look *l);
bool look_own(const struct look *l);                     // x is the capture as it is
double look_noise_band(const struct look *l);            // Hz of noise in x
double look_time(const struct look *l, double i);       // seconds since the capture's first sample

// ---- level.c, spectrum.c
void level_edges(struct measurer *m, struct look *l, struct fingerprint *fp);
void level_envelope(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e);
void spectrum_windows(float *hann);                    // PSD_MAX of them
void spectrum_take(struct measurer *m, struct look *l);

// ---- the measurers
void cp_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e);
void ofdm_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e);
void chirp_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e);
void fsk_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e);
void tone_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e);
void stf_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e);
void barker_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e);
void video_measure(struct measurer *m, struct look *l, struct fingerprint *fp, struct evidence *e);

// ---- kind.c
void kind_decide(struct look *l, struct fingerprint *fp, const struct evidence *e);
void kind_lora(const struct burst *b, struct fingerprint *fp);
void kind_wifi(const struct burst *b, struct fingerprint *fp);
void kind_droneid(const struct burst *b, const struct droneid_seen *d, struct fingerprint *fp);

static inline double db_of(double power) { return 10 * log10(power > 1e-30 ? power : 1e-30); }
static inline float sq(float complex v) { return crealf(v) * crealf(v) + cimagf(v) * cimagf(v); }
static inline unsigned log2_floor(size_t n) { unsigned k = 0; while (n >>= 1) k++; return k; }
