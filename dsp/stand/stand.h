// SPDX-License-Identifier: GPL-3.0-or-later
// Standing detectors below the energy detector: waveforms that are known, looked for all the time.
//
//     struct stand *s = stand_new(rate_hz, centre_hz);
//     stand_block(s, b, &list); ... stand_flush(s, &list); stand_free(s);
//
// One thread; blocks in order; the outcome does not depend on how samples are cut into blocks.
// LoRa: dsp/stand/lora.c.  Advertisements of Bluetooth Low Energy: ble.c.  802.11's short training
// fields: comb.c; its long preambles of DSSS: dsss.c.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sdr/sdr.h"

enum stand_kind { STAND_LORA, STAND_BLE, STAND_STF, STAND_DSSS, STAND_KINDS };

struct stand_cand {
    enum stand_kind kind;
    double n0, n1;              // capture indices: start and, where known, end
    bool   n1_known;            // else n1 is the end of what was recognised
    double f_hz, bw_hz;         // centre, as an offset; width
    double metric;              // |rho|^2 against the known waveform, 0..1
    double snr_db;              // in bw_hz
    int    sf;                  // LoRa
    bool   down;
};

#define STAND_MAX 256
struct stand_list {
    struct stand_cand c[STAND_MAX];
    unsigned n;
    uint64_t dropped;           // did not fit
};

struct stand;
struct stand *stand_new(double rate_hz, double centre_hz);     // NULL: no memory
void stand_free(struct stand *s);                              // NULL is fine
void stand_block(struct stand *s, const struct iq_block *b, struct stand_list *out);
// Instead of stand_block, where somebody else has the forward transform (wide.h) already.
struct wide_spec;
void stand_spec(struct stand *s, const struct wide_spec *spec, struct stand_list *out);
// Nothing is looked for at that centre.
bool stand_idle(const struct stand *s, double centre_hz);
void stand_flush(struct stand *s, struct stand_list *out);     // end of the source
