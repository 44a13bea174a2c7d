// SPDX-License-Identifier: GPL-3.0-or-later
// Up to sixteen channels of one bandwidth out of the wideband transform, each sampled at exactly
// that bandwidth, side by side.
#pragma once

#include <stdint.h>

#include "dsp/fft.h"
#include "dsp/stand/ops.h"
#include "dsp/stand/wide.h"

struct narrow {
    const struct stand_ops *op;
    const struct lane_ops *lane;
    double        bw_hz;
    unsigned      lanes;                    // in use
    int           k0[LANES_MAX];            // bin of the channel's centre
    double        f_hz[LANES_MAX];            // its frequency, as an offset
    // geometry
    unsigned      n, points, hop, guard;    // of the wideband transform; of the small one
    double        per, step;                // capture samples, small samples per stream sample
    const struct dft *inv;                  // borrowed
    float complex turn[WIDE_PARTS];         // whole sixteenths, backwards
    float         taps[READ_PHASES + 1][READ_TAPS];
    float        *window;                   // over the small transform's bins, each value twice
    float complex *bins, *out;              // points; points of each lane
    float        *mid;                      // rows at the small transform's rate
    unsigned      mid_have;
    double        mid_at;                   // place of the next stream sample in mid
    float        *ring;                     // rows of the stream: sample i at i % len
    float        *energy;                   // a lane's each per SUM_ROWS samples, likewise
    unsigned      len;                      // a power of two
    uint64_t      have;                     // samples since the restart
    double        zero;                     // capture index of stream sample 0
};

// Points of the small transform for streams of bw_hz; 0: the wideband one of n cannot serve them.
unsigned narrow_points(double rate_hz, unsigned n, double bw_hz);
struct narrow_cfg {
    double            rate_hz, bw_hz;
    unsigned          n, lanes, len;        // len: samples kept, a power of two
    const double     *f_hz;                 // of lanes channels
    const struct dft *inv;                  // backward, of narrow_points; lives as long as we do
};
int  narrow_init(struct narrow *s, const struct narrow_cfg *cfg);       // 0 or -ENOMEM
void narrow_done(struct narrow *s);         // zeroed or half-made is fine
void narrow_restart(struct narrow *s, int64_t at);      // at: of the first block
void narrow_add(struct narrow *s, const struct wide_spec *b);
// Samples [q, q + n) of one lane; 0 where there are none (yet, or any more).
void narrow_read(const struct narrow *s, unsigned lane, int64_t q, unsigned n, float complex *ret);
