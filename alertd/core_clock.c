// SPDX-License-Identifier: GPL-3.0-or-later
// A sensor's clock, from what is measured on the link before what is said of it.
//
//     off = its time of a live health or ledger message, which is made as it is sent, less ours
//         = how far its clock is ahead of this post's - how long the message took (never negative)
//
//     the greatest off of the last half minute, which came fastest, says:
//       over 1 s          it is ahead: no message comes from the future
//       within 1 s        the two clocks agree, whatever disciplines the one or the other
//       -1 s to -10 s     it is behind, or the link is slow: what it states decides
//       under -10 s       it is behind
//
// A jump shows without the link: its UTC less its monotonic clock stays the same but for slewing.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/core.h"

#define S_NS INT64_C(1000000000)
#define CLOCK_NS  S_NS          // error above which times of two sensors cannot be compared
#define BEHIND_NS (10 * S_NS)   // a link that is slower than this is none
#define WINDOW_NS (15 * S_NS)   // two of them are kept
#define JUMP_NS   (S_NS / 2)    // slewing moves a clock by 2.5 ms between two health messages

static void note_jump(struct sensor *s, const struct wire_head *h)
{
    int64_t rel_ns = h->t_ns - h->mono_ns, by_ns = rel_ns - s->rel_ns;
    bool same = s->rel_boot == h->boot && s->rel_ns;
    s->rel_boot = h->boot;
    s->rel_ns = rel_ns;
    bool jumped = same && llabs(by_ns) >= JUMP_NS;
    if (jumped || h->kind == WIRE_HEALTH)
        s->jump_ns = jumped ? by_ns : 0;
    if (!jumped)
        return;
    s->jumps++;
    s->off_n = 0;               // what was measured before says nothing of now
    s->dirty = true;
}

static void note_off(struct core *c, struct sensor *s, int64_t off_ns)
{
    if (!s->off_n || c->mono_ns - s->off_from_ns > 2 * WINDOW_NS) {
        s->off_n = 1;
        s->off_ns[0] = off_ns;
        s->off_from_ns = c->mono_ns;
    } else if (c->mono_ns - s->off_from_ns > WINDOW_NS) {
        s->off_n = 2;
        s->off_ns[1] = s->off_ns[0];
        s->off_ns[0] = off_ns;
        s->off_from_ns = c->mono_ns;
    } else if (off_ns > s->off_ns[0]) {
        s->off_ns[0] = off_ns;
    }
    s->clock_off_ns = s->off_n > 1 && s->off_ns[1] > s->off_ns[0] ? s->off_ns[1] : s->off_ns[0];
}

// Of a live message.  Tracks and frames are dated by their bursts and say nothing of the clock.
void clock_note(struct core *c, struct sensor *s, const struct wire_head *h)
{
    s->clock = h->clock;
    if (h->kind != WIRE_HEALTH && h->kind != WIRE_LEDGER)
        return;
    note_jump(s, h);
    note_off(c, s, h->t_ns - c->now_ns);
}

// A radio's time stamps that jump: its driver's or its firmware's fault.  The sensor then dates by
// its own clock, and only estimates what is lost.  Where that clock jumped, this counts it, too.
void clock_radio(struct sensor *s, const struct wire_radio *new, const struct wire_radio *old)
{
    if (new->time_jumps <= old->time_jumps || s->jump_ns)
        return;
    s->stamp_jumps += new->time_jumps - old->time_jumps;
    snprintf(s->stamp_radio, sizeof s->stamp_radio, "%s", new->name);
}

void clock_judge(struct core *c, struct sensor *s)
{
    bool ahead = s->clock_off_ns > CLOCK_NS, behind = s->clock_off_ns < -BEHIND_NS;
    bool agrees = llabs(s->clock_off_ns) <= CLOCK_NS && s->off_n;
    bool stated = s->clock.locked && s->clock.err_ns <= CLOCK_NS;
    char what[96];
    s->clock_bad = s->have_health && s->off_n && (ahead || behind || (!agrees && !stated));
    if (ahead || behind || !s->clock.locked)
        snprintf(what, sizeof what, "%.1f s %s this post's", (double)llabs(s->clock_off_ns) / 1e9,
                 s->clock_off_ns > 0 ? "ahead of" : "behind");
    else
        snprintf(what, sizeof what, "%.1f s by its own word", (double)s->clock.err_ns / 1e9);
    sensor_mark(c, s, TROUBLE_CLOCK, s->clock_bad, what);
    snprintf(what, sizeof what, "by %+.1f s", (double)s->jump_ns / 1e9);
    sensor_mark_count(c, s, TROUBLE_JUMP, s->jumps, what);
    sensor_mark_count(c, s, TROUBLE_STAMPS, s->stamp_jumps, s->stamp_radio);
}
