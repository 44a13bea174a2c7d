// SPDX-License-Identifier: GPL-3.0-or-later
// The table of transmitter models: one file sdr/tx/NAME.c that defines `tx_NAME`, one line here.
#include "sdr/sim/tx.h"

#define MODELS(M) \
    M(avsender) \
    M(ble) \
    M(bluetooth) \
    M(cw) \
    M(droneid) \
    M(dsss) \
    M(elrs) \
    M(fmvideo) \
    M(fsk) \
    M(lte) \
    M(ocusync) \
    M(wifi) \
    M(wmbus)

#define DECLARE(name) extern const struct tx_model tx_##name;
#define ROW(name)     &tx_##name,

MODELS(DECLARE)

const struct tx_model *const tx_models[] = { MODELS(ROW) NULL };
