// SPDX-License-Identifier: GPL-3.0-or-later
// What a radio lost and where it was overdriven, remembered: an outage of a second every minute is
// not well in between.
//
//     5 s steps   |....|....|.xx.|....|....|....|x...|....|....|..x.|....|   x lost more than 1 %
//                           outage                outage         outage      now
//                                                             '--- 30 s ---'
//     trouble   more than 1 % of the last 30 s, or three outages in ten minutes
//     an alert  more than a tenth of them, or in three steps of them, or three outages
//     well      less than half a per cent of them, and one outage at most
//
// What the driver only tells as an overflow, without a number, counts as a step with loss.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"

#define STEP_NS   INT64_C(5000000000)   // a health message each
#define NOW       6             // steps: 30 s
#define LONG      120           // ten minutes
#define APART     2             // steps without, or it is the same outage
#define LOSS_MAX  0.01          // a DroneID frame is 0.6 ms of 640: 1 % lost still hears nearly all
#define MUCH      0.1           // three seconds at once
#define OFTEN     3

static struct loss_step *step_of(struct loss_log *l, int64_t step)
{
    return &l->step[(uint64_t)step % LOSS_STEPS];
}

static void go_on(struct loss_log *l, int64_t step)
{
    if (step - l->newest >= LOSS_STEPS || step < l->newest) {
        memset(l->step, 0, sizeof l->step);
        l->newest = step;
    }
    while (l->newest < step)
        *step_of(l, ++l->newest) = (struct loss_step){ 0 };
}

static struct loss_log *log_of(struct sensor *s, const char *radio)
{
    struct loss_log *oldest = &s->loss[0];
    for (unsigned k = 0; k < WIRE_RADIOS; k++) {
        if (!strcmp(s->loss[k].radio, radio))
            return &s->loss[k];
        if (s->loss[k].newest < oldest->newest)
            oldest = &s->loss[k];
    }
    memset(oldest, 0, sizeof *oldest);
    snprintf(oldest->radio, sizeof oldest->radio, "%s", radio);
    return oldest;
}

static void note(struct core *c, struct loss_log *l, const struct wire_radio *new,
                 const struct wire_radio *old)
{
    go_on(l, c->mono_ns / STEP_NS);
    struct loss_step *p = step_of(l, l->newest);
    p->clip = p->clip || new->clipping;
    if (!old || new->lost < old->lost || new->samples + new->lost < old->samples + old->lost)
        return;                 // another one, or its counters began anew
    // Behind an outage a radio tells its gap before the samples that follow: fewer.
    uint64_t lost = new->lost - old->lost;
    uint64_t got = new->samples > old->samples ? new->samples - old->samples : 0;
    p->lost += (float)lost;
    p->all += (float)lost + (float)got;
    p->unknown = p->unknown || (!lost && new->overflows > old->overflows);
}

// Of the health just come, against the one before it.
void loss_take(struct core *c, struct sensor *s, const struct wire_health *new)
{
    if (!s->loss && !(s->loss = calloc(WIRE_RADIOS, sizeof *s->loss)))
        return;                 // no memory: no history, all else goes on
    for (unsigned i = 0; i < new->n_radios && i < WIRE_RADIOS; i++) {
        const struct wire_radio *old = NULL;
        for (unsigned k = 0; s->have_health && k < s->health.n_radios && k < WIRE_RADIOS; k++)
            if (!strcmp(new->radio[i].name, s->health.radio[k].name))
                old = &s->health.radio[k];
        if (old)
            clock_radio(s, &new->radio[i], old);
        note(c, log_of(s, new->radio[i].name), &new->radio[i], old);
    }
}

static bool lossy(const struct loss_step *p)
{
    return p->unknown || (p->lost > 0 && p->lost > LOSS_MAX * p->all);
}
static bool clipped(const struct loss_step *p) { return p->clip; }

struct sums { double share; unsigned steps, times; };   // of 30 s, of 30 s, of ten minutes

static struct sums sum_of(struct loss_log *l, int64_t now, bool (*bad)(const struct loss_step *))
{
    struct sums r = { 0 };
    double lost = 0, all = 0;
    int64_t last = INT64_MIN / 2;
    for (int64_t k = now - LONG + 1; k <= now; k++) {
        if (k > l->newest || k <= l->newest - LOSS_STEPS || k < 0)
            continue;
        const struct loss_step *p = step_of(l, k);
        if (k > now - NOW) {
            lost += p->lost;
            all += p->all;
            r.steps += bad(p);
        }
        if (bad(p)) {
            r.times += k - last > APART;
            last = k;
        }
    }
    r.share = all > 0 ? lost / all : 0;
    return r;
}

struct loss_news loss_look(struct core *c, struct sensor *s, bool was_lost, bool was_clipped)
{
    struct loss_news n = { 0 };
    int64_t now = c->mono_ns / STEP_NS;
    for (unsigned k = 0; s->loss && k < WIRE_RADIOS; k++) {
        struct loss_log *l = &s->loss[k];
        if (!l->radio[0])
            continue;
        struct sums a = sum_of(l, now, lossy), b = sum_of(l, now, clipped);
        bool loses = was_lost ? a.share >= LOSS_MAX / 2 || a.times >= OFTEN - 1
                              : a.share > LOSS_MAX || a.times >= OFTEN;
        bool clips = was_clipped ? b.steps || b.times >= OFTEN - 1
                                 : b.steps >= 2 || b.times >= OFTEN;
        // The worst radio counts: one that loses a tenth is not made good by seven that do not.
        if (loses && (!n.lost || a.share > n.share)) {
            if (a.share >= LOSS_MAX / 2)
                snprintf(n.what, sizeof n.what, "%.1f %% of radio %s", 100 * a.share, l->radio);
            else
                snprintf(n.what, sizeof n.what, "%u times in ten minutes, radio %s", a.times,
                         l->radio);
        }
        n.share = fmax(n.share, a.share);
        n.lost = n.lost || loses;
        n.lost_ripe = n.lost_ripe || a.share > MUCH || a.steps >= 3 || a.times >= OFTEN;
        n.clip_ripe = n.clip_ripe || b.steps >= 3 || b.times >= OFTEN;
        if (clips)
            n.clip = l->radio;
    }
    return n;
}
