// SPDX-License-Identifier: GPL-3.0-or-later
// One complex transform of a fixed length (or a batch of them), over FFTW.
//
// Planning is not thread-safe in FFTW: call fft_new and fft_free from *_new and *_free only, on the
// thread that builds the chain.  fft_run is thread-safe.  Plans are estimated, never measured:
// measured plans differ from run to run, and with them the last bits of every result.
#pragma once

#include <complex.h>
#include <stddef.h>

enum fft_dir { FFT_FORWARD = -1, FFT_BACKWARD = 1 };    // sign of the exponent; neither scales

struct fft;

// howmany transforms of n points, the k-th from in + k*n to out + k*n.  NULL: no memory.
struct fft *fft_new(unsigned n, enum fft_dir dir, unsigned howmany);
void fft_free(struct fft *f);                           // NULL is fine
// in and out come from fft_alloc (at any multiple of 8 samples from its start) and may be the same.
// Out of place, in is kept.
void fft_run(const struct fft *f, float complex *in, float complex *out);

// Memory aligned for the widest vectors; n complex samples, zeroed.  free() frees it.
float complex *fft_alloc(size_t n);
