// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: what a SigMF metadata file says, as far as it concerns us.
//
// Taken: core:datatype, sample_rate, num_channels, dataset, metadata_only; of each capture
// sample_start, global_index (gaps), frequency, datetime; of annotations only how far they reach;
// tyto:origin and tyto:gain_db (of the whole and of each capture), which our own programs write;
// core:sha512, which only `tyto record --verify` checks
// (a recording of hours takes minutes to read).  A gap counts as one only by core:global_index: two
// datetimes tell the time, computer clocks being what they are.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdr/sdr.h"

struct sigmf_capture {
    uint64_t start;             // first sample
    uint64_t lost;              // samples missing before it
    int64_t  utc_ns;            // 0: not said, or not readable
    int64_t  utc_err_ns;        // what the digits written resolve
    double   freq_hz, gain_db;  // NaN: not said
};

struct sigmf {
    enum iq_format format;
    enum iq_origin origin;
    double   gain_db;           // of the whole, where captures say none; 0: not said
    double   rate_hz, centre_hz;    // centre of the first capture that says one; 0: none does
    char     sha512[129];       // of the data, lower-case hex; "" not said
    char     dataset[256];      // a plain relative path below the metadata's folder, or ""
    uint64_t reach;             // a capture or annotation speaks of samples up to here
    size_t   captures;
    struct sigmf_capture *capture;  // in order of start
};

// 0, or -EINVAL/-ENOMEM with a sentence that starts with name.  On success sigmf_done frees.
int  sigmf_parse(struct sigmf *ret, const void *text, size_t len, const char *name,
                 char why[IQ_WHY]);
void sigmf_done(struct sigmf *m);

#define SIGMF_MAX_BYTES (16u << 20)     // some 50 000 annotations

// Reads and parses a metadata file.
int  sigmf_load(struct sigmf *ret, const char *path, char why[IQ_WHY]);
