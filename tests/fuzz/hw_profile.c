// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a radio profile: a sentence with the line, or figures in their ranges.
#include <assert.h>
#include <math.h>
#include <string.h>

#include "hw/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hw_profile p;
    char why[HW_WHY] = "";

    if (hw_profile_parse(&p, (const char *)data, size, "p", why) < 0) {
        assert(!strncmp(why, "p:", 2) && strlen(why) < HW_WHY);
        return 0;
    }
    assert(p.name[0] && p.driver[0] && p.n_rates <= HW_RATES && strlen(p.udev) % 10 != 1);
    assert(isnan(p.rate_hi_hz.v) || (p.rate_hi_hz.v >= 1 && p.rate_hi_hz.v <= 1e9));
    assert(isnan(p.settle_s.v) || (p.settle_s.v >= 0 && p.settle_s.v <= 10));
    assert(!(p.freq_hi_hz.v < p.freq_lo_hz.v) && !(p.rate_hi_hz.v < p.rate_lo_hz.v));
    assert(p.gain_db >= -100 && p.gain_db <= 200);
    return 0;
}
