// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: what a block's samples are put through before anybody sees them.
#pragma once

#include "sdr/sdr.h"

struct condition {
    uint32_t flags;             // IQ_CLIPPED, IQ_NONFINITE
    uint32_t nonfinite;         // values replaced by 0
    uint32_t clipped;           // samples at full scale
    float    peak;              // greatest |I| or |Q|, full scale 1
};

// Replaces what no radio could have sent and looks for a converter at its stops.  In place.
struct condition iq_condition(enum iq_format f, void *data, uint32_t n);

// n samples of cf64 to cf32; beyond float's range becomes infinite (and then caught above).
void iq_narrow(const void *restrict cf64, void *restrict cf32, uint32_t n);
