// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as chronyd's answer: what is taken of it has bounds, and a name that ends.
#include <assert.h>
#include <math.h>
#include <string.h>

#include "hw/chrony.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct chrony c = { .stratum = 77 };

    int r = chrony_answer(&c, data, size, 0x01020304, INT64_C(1900000000000000000));
    if (r < 0) {
        assert(c.stratum == 77 && !c.source[0]);        // nothing of it was taken
        return 0;
    }
    assert(memchr(c.source, 0, sizeof c.source));
    assert(isfinite(c.err_s) && isfinite(c.age_s));
    assert(!c.synchronised || c.err_s >= 0);
    return 0;
}
