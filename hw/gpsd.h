// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the hw room: what gpsd says, one JSON object a line, from whoever sits on that port.
//
//     bytes in any portions --> a line of at most GPSD_LINE --> TPV: the fix, SKY: satellites
//                                   | longer, no JSON, absurd: counted, nothing changes
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GPSD_LINE 16384         // gpsd itself keeps below 10240

struct gpsd {
    bool     known;             // there was a fix
    bool     news;              // since somebody last cleared it
    double   lat_deg, lon_deg, alt_m, err_m;
    unsigned satellites;        // used
    uint64_t lines, bad;        // whole lines; those that made no sense
    unsigned bad_row;           // of them, in a row
    bool     skipping;          // a line too long, up to its end
    size_t   n;
    char     line[GPSD_LINE];
};

void gpsd_feed(struct gpsd *g, const void *bytes, size_t n);
