// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: writing SigMF, and checking what was written.
#pragma once

#include <stdio.h>

#include "sdr/sdr.h"

struct record_capture {
    uint64_t start, index;      // in the file; in the stream as it was
    int64_t  utc_ns, utc_err_ns;
    double   centre_hz, gain_db;
};

struct record_meta {
    struct iq_info info;
    const char *description, *hardware;
    double   gain_db;
    const struct record_capture *capture;
    size_t   captures;
    const char *sha512;         // hex, NULL: not known (yet)
};

int record_write_meta(FILE *f, const struct record_meta *m);

// Is the data of this recording what core:sha512 says?  0 it is, 1 it is not (with a sentence),
// -errno with a sentence: cannot be told.
int record_verify(const char *path, char why[IQ_WHY]);
