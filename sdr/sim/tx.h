// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: what a transmitter model of the simulator is.  One file each in sdr/tx/, one
// line each in sdr/sim/models.c.
//
// A model only knows its own clock and baseband.  The simulator places its packets in time and
// frequency, applies crystal error (carrier and clock together), fading and level, and writes
// truth.
#pragma once

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "sdr/sdr.h"

// What the scene says of one emitter, as far as models care.  0, NULL or NaN: not given.
struct tx_args {
    const char *mode;           // link mode: name in facts/links.json, or a model's own word
    double      freq_hz;        // absolute centre; hoppers ignore it unless they say otherwise
    double      capture_lo_hz, capture_hi_hz;   // what the receiver sees: hoppers may skip the rest
    double      period_s;       // packet period where the model lets it be chosen
    double      duration_s;     // packet length where the model lets it be chosen
    const char *payload_hex;    // bytes to send where the model carries any
    const char *variant;        // model's own: "8" or "9" symbols, "pal", "ntsc", "inverted", ...
    double      duty;           // traffic models: wanted share of air time, 0..1
    double      value;          // model's own number
    uint64_t    uid;            // hop seed, address, ...
    double      until_s;        // end of the emitter, its own clock
};

// One transmission, or one piece of a long one.
struct tx_packet {
    double   t_s;               // start of the first sample on the emitter's clock (0: its start)
    double   freq_hz;           // absolute nominal centre
    double   bw_hz;             // contract's width (snr_db is meant in it)
    double   rate_hz;           // of iq
    size_t   n;
    const float complex *iq;    // mean power 1 over the packet; the model's until the next call
    float    gain_db;           // relative to the emitter's level (drone against pilot), 0 normally
    bool     continues;         // a further piece of the transmission before it, without a seam:
                                // starts exactly where that ended, same phase
    bool     bit_exact;
    char     link[64];
    uint16_t payload_len;
    uint8_t  payload[256];
};

struct tx_model {
    const char *name;           // as a scene says it: "droneid", "elrs", "fmvideo", ...
    const char *family;         // contract's closed list
    const char *about;          // one line for `tyto sim --models`
    bool        bit_exact;      // its packets are, but for those that about excepts
    // 0, or -errno with a sentence in why (what was wrong with the arguments).
    int  (*make)(void **ret_state, const struct tx_args *a, struct rng *rng, char why[IQ_WHY]);
    // 1 and the next packet, in order of t_s; 0 when the emitter is done; -ENOMEM.
    int  (*next)(void *state, struct tx_packet *ret_packet);
    void (*drop)(void *state);
};

// sdr/sim/models.c: the table, ended by NULL.  Occupy at most 0.84 of rate_hz: the simulator's
// interpolator passes that much unharmed and removes the images beyond.
extern const struct tx_model *const tx_models[];
