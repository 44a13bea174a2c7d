// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: what aircraft said of themselves, one entry an aircraft, for the
// report in words: hundreds of frames of one drone are one block on the screen.
#pragma once

#include "classifier/classifier.h"

#define CLAIMS_MAX 256          // a busy airport's worth; further ones are counted

struct claim {
    struct decode last;         // newest frame
    double        first_s;
    uint64_t      frames;
};

struct claims {
    struct claim *c;
    unsigned      n, size;
    uint64_t      untold;       // frames of aircraft that found no room
};

// Keyed by serial number, else by session, else by protocol.
void claims_add(struct claims *s, const struct decode *d);
void claims_free(struct claims *s);
