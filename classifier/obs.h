// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: one transmission as the links see it.
#pragma once

#include "classifier/sig.h"

struct obs {
    double   t_s, dur_s, freq_hz, bw_hz, level_dbfs, snr_db;
    double   rate_hz, centre_hz;        // of the capture
    uint32_t flags;                     // enum burst_flags
    enum burst_part part;
    enum iq_origin  origin;
    uint64_t id;
    struct fingerprint fp;
};

// false: the finding has no time or place to work with, or nobody looked at its samples.
bool obs_of(struct obs *ret, const struct finding *f);
// Its length is that of the transmission: neither end is missing.
bool obs_whole(const struct obs *o);

// ---- How an observation fits a mode (obs.c) ---------------------------------------------------

// Waveform: kind, spreading factor, width, symbol rate, index.  What was not measured does not
// contradict, but the kind must fit.
bool mode_wave_fits(const struct sig_mode *m, const struct obs *o);
// Length: within the file's range, widened by what the edges of a burst can be off.
bool mode_length_fits(const struct sig_mode *m, const struct obs *o);
bool mode_band_fits(const struct sig_mode *m, double freq_hz, double slack_hz);
// Offset from the nearest channel of raster or list; false when there is neither.
bool mode_channel(const struct sig_mode *m, double freq_hz, int *ret_channel, double *ret_off_hz);
// How many channels lie within [lo, hi].
unsigned mode_channels_within(const struct sig_mode *m, double lo_hz, double hi_hz);

#define OBS_PPM 80e-6           // both crystals together, as bad as they come
