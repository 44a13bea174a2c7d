// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the hw room: what gpsd says, one JSON object a line, from whoever sits on that port.
//
//     bytes in any portions --> a line of at most GPSD_LINE --> TPV: the fix, SKY: satellites
//                                   | longer, no JSON, absurd: counted, nothing changes
//                                   | a fix that cannot be: refused, the last one grows old
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GPSD_LINE 16384         // gpsd itself keeps below 10240

// Why a fix, or a line, is not believed.
enum gpsd_refusal {
    GPSD_FINE, GPSD_NONSENSE,   // a line that is no JSON, too long, or holds what cannot be
    GPSD_OLD,                   // its time does not go on: a receiver that stands still, a replay
    GPSD_JUMP,                  // farther from the last than anything drives
    GPSD_CLOCK,                 // dated far from a clock that is known to be right
};
const char *gpsd_refusal_words(enum gpsd_refusal r);

struct gpsd {
    bool     known;             // there was a fix
    bool     news;              // since somebody last cleared it
    int64_t  fix_ns;            // its time by the receiver; 0: told none
    int64_t  time_ns;           // of the last fix told, believed or not
    double   next_lat_deg, next_lon_deg;    // where a jump led
    unsigned next_row;          // fixes in a row that agree with it
    uint64_t refused;
    enum gpsd_refusal why;      // the last time
    double   lat_deg, lon_deg, alt_m, err_m;
    unsigned satellites;        // used
    uint64_t lines, bad;        // whole lines; those that made no sense
    unsigned bad_row;           // of them, in a row
    bool     skipping;          // a line too long, up to its end
    uint64_t skipped;           // bytes of it
    size_t   n;
    char     line[GPSD_LINE];
};

void gpsd_feed(struct gpsd *g, const void *bytes, size_t n);
// Of a new fix: is it from now?  Takes the news back where it is not.
void gpsd_judge(struct gpsd *g, int64_t utc_now_ns, bool clock_locked);
