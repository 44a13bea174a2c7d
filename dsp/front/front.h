// SPDX-License-Identifier: GPL-3.0-or-later
// The energy detector: blocks of samples in, bursts' places in time and frequency out.
//
//     block -> banks (fast, slow) -> power cells -> floor -> tiles over threshold -> components
//           -> split at dips, edges, level, SNR -> candidates
//
// One thread owns it; everything is allocated in front_new.
#pragma once

#include "dsp/arbiter.h"
#include "dsp/burst.h"

struct front;

struct front_out {
    struct cand_list   list;        // done moves forward with every block
    struct noise_shape noise;       // as known now
    bool               has_psd;     // psd below is new (twice a second)
    struct psd_frame   psd;         // psd.psd_db points to psd_db
    float              psd_db[2048];
};

struct front *front_new(const struct iq_info *info);    // NULL: no memory
void front_free(struct front *f);                       // NULL is fine
// Another false alarm probability of a tile (TILE_PFA), for measurements.
void front_set_pfa(struct front *f, double pfa);
// Fills *out afresh.
void front_block(struct front *f, const struct iq_block *b, struct front_out *out);
void front_flush(struct front *f, struct front_out *out);       // end of the source
