// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a policy: read or refused with a sentence, and what was refused allows nothing.
#include <stdlib.h>
#include <string.h>

#include "sdr/record/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy p = { 0 };
    char why[IQ_WHY] = "";
    double max_s = 0;
    uint64_t max_bytes = 0;

    if (size > POLICY_MAX_BYTES)
        return 0;
    if (policy_parse(&p, (const char *)data, size, "policy", why)) {
        if (strncmp(why, "policy:", 7))
            abort();
        return 0;
    }
    if (!policy_allows(&p, 2.4e9, 20e6, &max_s, &max_bytes, why) &&
        (!(max_s > 0 || max_bytes) || p.never || !p.record_line))
        abort();                        // bounded means bounded
    return 0;
}
