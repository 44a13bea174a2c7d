// SPDX-License-Identifier: GPL-3.0-or-later
// Second door of sdr: a radio that walks over more than it can hear at once, and what was watched.
//
//     hw/bands/NAME.yaml --> scan_plan --+--> scan (one radio's walk) --> iq_scan(source, scan)
//                          profiles -----'        steps: centres that cover its bands
//
//     time  |== 2.4 a ==|~|== 2.4 b ==|~|= 868 =|~|== 5.8 a ==|~|== 2.4 a ==| ...    ~ it settles
//
// The walk is made of sample time, by the thread that reads the source: the same source gives the
// same walk.  Next is always the step whose absence is the greatest share of what its band allows
// (every_s), so that no step waits for ever, whatever is heard at another.  Each dwell is longer by
// a share that never repeats in step with anything, up to a quarter: what is sent periodically
// cannot always fall into the gaps.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sdr/sdr.h"

#define SCAN_BANDS 16               // as many as a ledger message holds
#define SCAN_STEPS 512              // of one radio
#define SCAN_USABLE 0.84            // of the capture: both edges roll off by 8 % (docs/SCENES.md)
#define SCAN_DWELL_S 0.2            // where a band says nothing
#define SCAN_EVERY_S 5.0            // no window longer unvisited (goals: time)

// ---- The band plan (docs/RADIOS.md) ----------------------------------------------------------

struct scan_band {
    char     name[16], radio[32];   // radio: the only one that walks it; "" whichever can
    char     antenna[64], settings[64];     // as SoapySDR names them; "" as the radio is set
    double   lo_hz, hi_hz;
    double   dwell_s, every_s;
    double   filter_hz;             // bandwidth of the driver's filter; 0 as the radio is set
    double   gain_db;               // NAN as the radio is set
    double   link_hz, link_s;       // the least conspicuous burst of the links here
    unsigned line;                  // in its file
};

struct scan_plan { unsigned n; struct scan_band band[SCAN_BANDS]; };

// path: a file, or the name of one in share/tyto/bands.  0, or -errno with file and line.
int scan_plan_load(struct scan_plan *ret, const char *path, char why[IQ_WHY]);
int scan_plan_parse(struct scan_plan *ret, const char *text, size_t len, const char *name,
                    char why[IQ_WHY]);

// ---- One radio's walk ------------------------------------------------------------------------

struct scan_reach {                 // what the radio can do
    const char *radio;
    double rate_hz, lo_hz, hi_hz;   // lo_hz, hi_hz: of its centre
};
unsigned scan_windows(const struct scan_band *b, const struct scan_reach *r);   // 0: no reach
// Shares the plan's bands out over the radios: ret[i] the bands of radio i, bit k for band k.  Each
// band goes where it can be heard and least is to be done.  0, or -ERANGE with a sentence: which
// band no radio reaches.
int scan_share(const struct scan_plan *p, const struct scan_reach *r, unsigned n, uint32_t *ret,
               char why[IQ_WHY]);

struct scan;
struct scan *scan_new(const struct scan_plan *p, uint32_t bands, const struct scan_reach *r);
void scan_free(struct scan *s);     // after the source was closed
unsigned scan_steps(const struct scan *s);
// Where to open the radio: the n-th band's first window; false: there is none.
bool scan_start(const struct scan *s, unsigned n, struct iq_place *ret);
double scan_round_s(const struct scan *s, double settle_s);     // a whole round's length, about

// The source walks from here on; before its first block is read.  -ENOTSUP: it cannot tune.
int iq_scan(struct iq_source *src, struct scan *s);

// ---- What was watched: counts since the start, any thread ------------------------------------

struct scan_seen {
    uint32_t windows, visits;
    double   watched_s;             // seconds of samples, weighed by how much of it each heard
    double   lost_s, clipped_s;     // the same of what was lost at a visit; of blocks that clipped
    double   away_s;                // longest that any window of it waits just now
    double   p95_s, max_s;          // unvisited times: 95 % of the last SCAN_GAPS are shorter; the
                                    // longest of them; NAN: none yet
    uint32_t refused;               // visits that the radio did not follow
};
#define SCAN_GAPS 128
void scan_seen(const struct scan *s, unsigned band, struct scan_seen *ret);
unsigned scan_step_band(const struct scan *s, unsigned step);
// Which window of which band this centre is; -1: none.
int scan_window_at(const struct scan *s, double centre_hz, unsigned *ret_band);
