// SPDX-License-Identifier: GPL-3.0-or-later
// One complex transform of a fixed length (or a batch of them), over FFTW.  (The names say dft:
// liquid-dsp exports dft_run and dft_free.)
//
// Planning is not thread-safe in FFTW: call dft_new and dft_free from *_new and *_free only, on the
// thread that builds the chain.  One dft serves one thread.  Plans are estimated, or come from a
// file (dsp/plans.h); never measured while samples flow: measured plans differ from run to run, and
// with them the last bits of every result.
#pragma once

#include <complex.h>
#include <stddef.h>

enum dft_dir { DFT_FORWARD = -1, DFT_BACKWARD = 1 };    // sign of the exponent; neither scales

struct dft;

// howmany transforms of n points, the k-th from in + k*n to out + k*n.  NULL: no memory.
struct dft *dft_new(unsigned n, enum dft_dir dir, unsigned howmany);
void dft_free(struct dft *f);                           // NULL is fine
// in and out come from dft_alloc (at any multiple of 8 samples from its start) and may be the same.
// Out of place, in is kept.
void dft_run(const struct dft *f, float complex *in, float complex *out);

// Memory aligned for the widest vectors; n complex samples, zeroed.  free() frees it.
float complex *dft_alloc(size_t n);

// How dft_new plans from now on: estimates, which it does at first; takes what was measured (what
// was not, it estimates); or measures.
enum dft_plans { DFT_ESTIMATE, DFT_KNOWN, DFT_MEASURE };
void dft_plans(enum dft_plans how);
