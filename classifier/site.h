// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: what is usual at this place.  Learnt before the event, from as many
// hours as asked for, then fixed: who comes later does not become usual by staying.
//
//     learning |== tracks that are no drone's, by the minute ==| fixed |== like one of these? ==>
//
// Kept are families, frequencies, levels and how often: nothing that says whose they are.  It ranks
// and masks: a track is marked, never left out, and one that may be a drone's is never marked.
#pragma once

#include "classifier/classifier.h"

#define SITE_EMITTERS 512
#define SITE_BANDS    16        // as sdr/scan.h

struct site_emitter {
    char     family[24];
    double   lo_hz, hi_hz, level_dbfs;  // the widest, the loudest
    uint32_t minutes;                   // in so many it was heard
};

struct site {
    double   learn_s, learnt_s;         // of sample time; at learn_s it is fixed
    double   minute_s;                  // when the present minute began
    unsigned n;
    struct site_emitter emitter[SITE_EMITTERS];
    double   busy_sum[SITE_BANDS];      // occupancy of each band, and of how many spectra
    uint64_t busy_n[SITE_BANDS];
};

// The file, or an empty one where there is none.  0, or -errno with a sentence.
int  site_load(struct site *s, const char *path, double learn_s, char why[IQ_WHY]);
int  site_save(const struct site *s, const char *path);     // 0 or -errno; whole or not at all
bool site_fixed(const struct site *s);
// A spectrum was told at now_s: time passes.  1: a minute, or all learning, is over:
// site_minute is due.
int  site_time(struct site *s, double now_s, double step_s, unsigned band, double busy);
void site_minute(struct site *s, const struct cls *c, double now_s);
bool site_usual(const struct site *s, const struct track *t);
double site_busy(const struct site *s, unsigned band);      // NAN: not learnt
