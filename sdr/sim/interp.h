// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the simulator: values of a sampled signal between its samples.
#pragma once

#include <stddef.h>

#define INTERP_TAPS 32          // at full width; see interp.c

struct interp;

// cutoff: half width at -6 dB in cycles per input sample, up to 0.5; edge: width of the edge around
// it (0.16 of the slower of the two rates).  NULL: no memory.
struct interp *interp_new(double cutoff, double edge);
void           interp_free(struct interp *f);
int            interp_taps(const struct interp *f);

// A place in the input: whole samples and a 64-bit fraction.
typedef __int128 interp_pos;
#define INTERP_ONE ((interp_pos)1 << 64)
interp_pos interp_pos_of(double samples);
static inline long long interp_whole(interp_pos p) { return (long long)(p >> 64); }

// out[i] = input at pos + i * step.  re, im: such that re[interp_whole(pos) + k] exists for k from
// -taps/2 + 1 to taps/2, at every pos on the way.
void interp_run(const struct interp *f, const float *re, const float *im, interp_pos pos,
                interp_pos step, size_t n, float *restrict out_re, float *restrict out_im);
