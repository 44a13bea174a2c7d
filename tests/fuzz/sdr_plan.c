// SPDX-License-Identifier: GPL-3.0-or-later
// A band plan of any bytes: refused with file and line, or bands that can be walked.
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sdr/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scan_plan p;
    const struct scan_reach r = { "a", 20e6, 1, 300e9 };
    uint32_t got;
    char why[IQ_WHY] = "";

    if (size > 65536)
        return 0;
    if (scan_plan_parse(&p, (const char *)data, size, "b.yaml", why) < 0) {
        assert(!strncmp(why, "b.yaml:", 7) && !strchr(why, '\n'));
        return 0;
    }
    assert(p.n >= 1 && p.n <= SCAN_BANDS);
    for (unsigned i = 0; i < p.n; i++) {
        const struct scan_band *b = &p.band[i];
        assert(b->name[0] && memchr(b->name, 0, sizeof b->name) && b->hi_hz > b->lo_hz);
        assert(b->dwell_s > 0 && b->dwell_s <= b->every_s && scan_windows(b, &r) <= SCAN_STEPS);
    }
    if (scan_share(&p, &r, 1, &got, why) == 0) {
        struct scan *s = scan_new(&p, got, &r);
        assert(!s || (scan_steps(s) >= 1 && scan_steps(s) <= SCAN_STEPS && scan_round_s(s, 0) > 0));
        scan_free(s);
    }
    return 0;
}
