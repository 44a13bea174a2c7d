// SPDX-License-Identifier: GPL-3.0-or-later
// What a standing detector's measurement may look into.
#pragma once

#include "dsp/stand/ble.h"
#include "dsp/stand/comb.h"
#include "dsp/stand/dsss.h"
#include "dsp/stand/lora.h"
#include "dsp/stand/stand.h"
#include "dsp/stand/wide.h"

struct stand {
    struct wide       *wide;
    struct lora        lora;
    struct ble         ble;
    struct comb        comb;
    struct dsss        dsss;
    double             centre_hz;   // what the channels are made for
    bool               running;
    struct stand_list *out;
};
