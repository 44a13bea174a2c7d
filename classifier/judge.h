// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: evidence to probabilities.
#pragma once

#include "classifier/group.h"
#include "classifier/hop.h"

#define HYP_MAX  12             // hypotheses weighed at once
#define LLR_CAP  9.0            // no pile of evidence is worth more: models are wrong, too

struct hyp {
    const struct sig      *sig;
    const struct sig_mode *mode;        // NULL: the family, no mode of it
    double                 llr;         // natural log of the ratio to "something we do not know"
    char                   why[HOP_WHY][160];
    unsigned               n_why;
    char                   against[96];     // what speaks against it most, or empty
};

// Hypotheses on a group by every family whose judge has an opinion; how many.
unsigned judge_group(const struct sigs *s, const struct group *g, struct hyp hyp[HYP_MAX]);

// What nobody's signature explains.
struct stranger {
    const char *family;         // "unknown-hopper", "unknown-ofdm" or "unknown"
    double      weight;         // prior mass of strangers against families
    double      p_drone;        // of such a stranger
};
struct stranger stranger_of(const struct group *g);     // NULL: a hopper on a packet grid

// Posterior of hypotheses and stranger into a track's family, confidence, runner-up, p_drone,
// verdict, link, role and reasons.
void judge_track(struct track *t, const struct hyp *hyp, unsigned n, struct stranger u,
                 double p_drone_threshold);
