// SPDX-License-Identifier: GPL-3.0-or-later
// What every SigMF file of ours begins with, whoever writes it: the recorder, the simulator and the
// evidence that a sensor keeps.
#pragma once

#include "base/json.h"

struct sigmf_head {
    const char *type;                   // as SigMF names it: ci16_le
    double      rate_hz;
    const char *program;                // that wrote it; the version is added
    const char *description, *hardware, *sha512;        // each NULL: not told
};

// Opens `global` with core's keys; the caller adds its own, which begin with "tyto:", and closes.
void sigmf_global(struct json *j, const struct sigmf_head *h);
