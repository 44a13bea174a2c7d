// SPDX-License-Identifier: GPL-3.0-or-later
// Cuts one band out of a wideband cut-out: shifts f_hz to zero, low-passes, resamples to any rate.
//
// Output sample j stands for capture time  n0 + t0 + j * in_rate/out_rate  exactly (no group delay
// left), so times measured in the output are times of the capture.
// The filter is a Kaiser-windowed sinc evaluated at the exact fractional delay of every output
// sample: flat to +-pass_hz/2, 60 dB down from stop = out_rate - pass/2 on.  Thread-safe, no state.
#pragma once

#include <complex.h>
#include <stddef.h>

#include "dsp/burst.h"

// Reads n output samples beginning at capture offset t0 (samples of the cut, fractional, may lie
// outside: zeros).  pass_hz <= 0.9 * out_rate_hz.  in_rate may be lower than out_rate (plain
// interpolation).
void ddc_run(const struct cut *c, double in_rate_hz, double f_hz, double t0,
             double out_rate_hz, double pass_hz, float complex *dst, size_t n);

// The same, bit for bit, with the filters of the last few rates kept; one thread at a time.
struct ddc_kept;
struct ddc_kept *ddc_kept_new(void);                    // NULL: no memory
void ddc_kept_free(struct ddc_kept *k);                 // NULL is fine
void ddc_run_kept(struct ddc_kept *k, const struct cut *c, double in_rate_hz, double f_hz,
                  double t0, double out_rate_hz, double pass_hz, float complex *dst, size_t n);
