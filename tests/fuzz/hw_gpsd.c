// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes from the port of gpsd, in any portions: what is taken is a place on the Earth, and the
// portions do not matter.
#include <assert.h>
#include <math.h>
#include <string.h>

#include "hw/gpsd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gpsd a, b;

    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    gpsd_feed(&a, data, size);
    for (size_t i = 0, n = 1; i < size; i += n, n = n * 7 % 31)
        gpsd_feed(&b, data + i, n < size - i ? n : size - i);
    assert(!memcmp(&a, &b, sizeof a));
    assert(a.bad <= a.lines && a.n <= GPSD_LINE && a.satellites <= GPSD_LINE);
    if (a.known) {
        assert(fabs(a.lat_deg) <= 90 && fabs(a.lon_deg) <= 180);
        assert(a.err_m >= 0 && a.err_m <= 2e6);
        assert(isnan(a.alt_m) || (a.alt_m >= -1000 && a.alt_m <= 100e3));
    }
    return 0;
}
