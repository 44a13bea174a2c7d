// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: what an installation allows to be recorded from its radios.
//
//     # /etc/tyto/policy.yaml
//     record: bounded            # or never
//     max_s: 60
//     max_bytes: 2000000000
//     bands:                     # nothing outside is recorded
//         - {lo_hz: 2400e6, hi_hz: 2500e6}
//
// The file may hold other programs' keys.  A policy without `record`, or one that cannot be read,
// allows nothing; no file, no policy.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sdr/sdr.h"

#define POLICY_PATH  "/etc/tyto/policy.yaml"
#define POLICY_BANDS 32
#define POLICY_MAX_BYTES 65536

struct policy {
    char     path[256];
    bool     exists, never;
    int      record_line, max_s_line, max_bytes_line, bands_line;
    double   max_s;             // 0: not bounded
    uint64_t max_bytes;         // 0: not bounded
    unsigned n_bands;           // 0: all
    struct { double lo_hz, hi_hz; } band[POLICY_BANDS];
};

// 0 (also when there is no file), or -errno with file and line.
int policy_load(struct policy *ret, const char *path, char why[IQ_WHY]);
int policy_parse(struct policy *ret, const char *text, size_t len, const char *name,
                 char why[IQ_WHY]);

// May this be recorded?  Lowers *max_s and *max_bytes where they are not given (0) to what is
// allowed; asked for more than that, or forbidden: -EPERM with a sentence.
int policy_allows(const struct policy *p, double centre_hz, double rate_hz, double *max_s,
                  uint64_t *max_bytes, char why[IQ_WHY]);
