// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a file of measured plans.
#include <stdint.h>

#include "dsp/plans.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[PLANS_WHY];

    (void)plans_read((const char *)data, size, why);
    return 0;
}
