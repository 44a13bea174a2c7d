// SPDX-License-Identifier: GPL-3.0-or-later
// A polyphase analysis bank: `channels` equally spaced channels, 2x oversampled, as a weighted
// overlap-add transform.
//
//     x   ...............................................
//         |<----- taps * channels ----->|                    window of frame 0, weighted by the
//                  |<-- frame 1, hop = channels/2 later      prototype, folded to one transform
//
// The prototype is liquid-dsp's Kaiser low-pass, cut off at half the spacing and scaled so that
// white noise of power s gives each channel s / channels on average: powers summed over channels
// are the power of the signal (Parseval).
#pragma once

#include <complex.h>
#include <stddef.h>
#include <stdint.h>

struct bank;

// channels: even, from 8 on.  stop_db: the prototype's stop-band.  NULL: no memory.
struct bank *bank_new(unsigned channels, unsigned taps, double stop_db);
void bank_free(struct bank *b);         // NULL is fine
unsigned bank_channels(const struct bank *b);
unsigned bank_hop(const struct bank *b);
unsigned bank_window(const struct bank *b);             // taps * channels
const float *bank_prototype(const struct bank *b);      // bank_window() values

// Spectra of `frames` windows, the i-th beginning at x + i*hop: channel k (in transform order:
// 0 is the centre, channels/2 the most negative) is sum x[n] h[n] e^(-j 2 pi k n / channels).
void bank_spectra(struct bank *b, const float complex *x, unsigned frames, float complex *ret);
// Their powers, lowest frequency first: frame i to ret + i*channels.
void bank_power(struct bank *b, const float complex *x, unsigned frames, float *ret);
// The same powers, packed (dsp/kernel/wola.h); returns the largest.
float bank_power_packed(struct bank *b, const float complex *x, unsigned frames, uint16_t *ret);
