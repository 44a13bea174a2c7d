// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: what a simulated scene put on the air, beside what was found.
#pragma once

#include <stdio.h>

#include "classifier/classifier.h"

#define DEMO_EMITTERS 64
#define DEMO_FRAMES   256

struct demo_emitter {           // the truth about one emitter
    char     name[32], family[24], link[64];
    uint64_t transmissions;
    double   first_s, last_s, snr_db;
    uint16_t payload_len;       // of the last that carried one
    unsigned frames, read;      // DroneID frames sent; of them read bit for bit
};

struct demo {
    struct demo_emitter emitter[DEMO_EMITTERS];
    unsigned            n;
    struct decode       decode[DEMO_FRAMES];
    unsigned            n_decode;
};

struct demo_result { unsigned found, missed, false_alarms; };

// Keeps a decode for the comparison with what was sent.
void demo_decode(struct demo *d, const struct decode *x);
// Reads the truth, compares, prints the table of emitters and the false alarms to f.
void demo_compare(struct demo *d, const struct iq_source *src, const struct cls *c, FILE *f,
                  struct demo_result *sum);
