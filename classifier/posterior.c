// SPDX-License-Identifier: GPL-3.0-or-later
// Weighs hypotheses: prior times likelihood ratio, saturated, normalised, capped.
//
//     weight of a family   = prior * exp(min(llr, 9))
//     weight of a stranger = its share, likelihood ratio 1 by definition
//     confidence           = weight / sum of weights
//
// A family that was never met in a recording ends at 0.95; what it gives up goes to the stranger.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "classifier/judge.h"

#define STRANGER_CAP 0.95   // what nobody knows may yet be a family that was badly received
#define SURE_CAP 0.995      // nor is anything else ever certain

static void tell_family(struct track *t, const struct hyp *h)
{
    const struct sig_mode *m = h->mode;

    t->family = h->sig->family;
    t->link = m ? m->link : NULL;
    t->role = m ? m->role : h->sig->modes[0].role;
    for (unsigned i = 0; i < 4; i++)
        t->link_alternatives[i] = m && t->link && i < m->n_alternatives ? m->alternatives[i] : NULL;
    t->n_why = 0;
    for (unsigned i = 0; i < h->n_why && t->n_why < CLS_WHY; i++)
        memcpy(t->why[t->n_why++], h->why[i], sizeof t->why[0]);
}

static void tell_stranger(struct track *t, const struct hyp *best, struct stranger u)
{
    t->family = u.family;
    t->link = NULL;
    t->role = ROLE_UNKNOWN;
    memset(t->link_alternatives, 0, sizeof t->link_alternatives);
    t->n_why = 0;
    if (!best)
        snprintf(t->why[t->n_why++], sizeof t->why[0], "%s",
                 !strcmp(u.family, "unknown-hopper")
                     ? "like packets on several centres; no signature has their waveform"
                 : !strcmp(u.family, "unknown-ofdm")
                     ? "OFDM; no signature has its symbol length and width"
                     : "no signature has its kind of modulation, or none could be measured");
    else
        snprintf(t->why[t->n_why++], sizeof t->why[0], "nearest is %s, but %s", best->sig->family,
                 best->against[0] ? best->against : "what is found of it may as well be chance");
    if (best)
        for (unsigned i = 0; i < best->n_why && t->n_why < CLS_WHY; i++)
            memcpy(t->why[t->n_why++], best->why[i], sizeof t->why[0]);
}

static enum verdict verdict_of(const struct track *t, const struct sig *best, double threshold)
{
    if (t->p_drone >= threshold)
        return VERDICT_DRONE;
    if (best && best->verdict == VERDICT_NOT_DRONE && t->confidence >= 0.5)
        return VERDICT_NOT_DRONE;
    return VERDICT_UNKNOWN;
}

void judge_track(struct track *t, const struct hyp *hyp, unsigned n, struct stranger u,
                 double threshold)
{
    double w[HYP_MAX], sum = u.weight;
    int best = -1, second = -1;

    for (unsigned i = 0; i < n; i++) {
        w[i] = hyp[i].sig->prior * exp(fmin(hyp[i].llr, LLR_CAP));
        sum += w[i];
    }
    double stranger = u.weight / sum;
    t->p_drone = 0;
    for (unsigned i = 0; i < n; i++) {
        double cap = hyp[i].sig->recorded ? SURE_CAP : SIG_CAP, p = w[i] / sum;
        if (p > cap) {
            stranger += p - cap;
            p = cap;
        }
        w[i] = p;
        t->p_drone += p * hyp[i].sig->p_drone;
        if (best < 0 || w[i] > w[best]) {
            second = best;
            best = (int)i;
        } else if (second < 0 || w[i] > w[second]) {
            second = (int)i;
        }
    }
    t->p_drone += stranger * u.p_drone;
    bool named = best >= 0 && w[best] >= 0.5;
    // the open contest of two families of one waveform still names the likelier
    if (best >= 0 && !named && w[best] > stranger && second >= 0 && w[best] + w[second] > 0.8)
        named = true;
    t->confidence = named ? w[best] : fmin(stranger, STRANGER_CAP);
    if (named)
        tell_family(t, &hyp[best]);
    else
        tell_stranger(t, best >= 0 ? &hyp[best] : NULL, u);
    int other = named ? second : best;
    bool by_stranger = named && (other < 0 || stranger > w[other]);
    t->runner_up = by_stranger ? u.family : other >= 0 ? hyp[other].sig->family : NULL;
    t->runner_up_confidence = by_stranger ? stranger : other >= 0 ? w[other] : 0;
    t->verdict = verdict_of(t, named ? hyp[best].sig : NULL, threshold);
}
