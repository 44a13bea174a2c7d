// SPDX-License-Identifier: GPL-3.0-or-later
// From hits to what is told: hits wait until all around them has been received, are judged, become
// packets, are followed to their end and told once.
#include <math.h>
#include <string.h>

#include "dsp/stand/lora.h"

#define LIKE         0.3        // of the last one's: the same sender's
#define TURN_S       0.25       // many packets of every link, and little of it spent on starting
#define NEAR         0.9        // of the bandwidth: centres so near are of one packet

// A hit on what waits already is one with it; the stronger stays.
void hit_wait(struct lora *l, const struct hit *h)
{
    int64_t near = (int64_t)COHERENT << h->sf;
    l->hits++;
    for (unsigned i = 0; i < l->n_pending; i++) {
        struct hit *o = &l->pending[i];
        if (o->group != h->group || o->lane != h->lane || o->sf != h->sf || o->down != h->down ||
            h->end - o->end > near)
            continue;
        if (h->sum > o->sum && h->end - o->end <= near / 2)
            *o = *h;
        return;
    }
    if (l->n_pending < PENDING_MAX)
        l->pending[l->n_pending++] = *h;
    else
        l->dropped++;
}

static const struct narrow *stream(const struct lora *l, const struct packet *p)
{
    return &l->group[p->h.group].s;
}

static void extent(const struct lora *l, struct packet *p)
{
    const struct narrow *s = stream(l, p);
    double n = l->chirps[p->h.sf].n;
    // while it is followed: as far as that has come
    double symbols = p->preamble + 4.25 + (p->open ? (int)p->symbols : p->last + 1);
    p->n0 = s->zero + ((double)p->q + p->tau) * s->per;
    p->n1 = p->n0 + symbols * n * s->per;
    p->f_hz = s->f_hz[p->h.lane] + p->nu * s->bw_hz / n;
}

// One transmission seen twice: further into its preamble, from a neighbouring channel, or through
// another spreading factor's chirp.
static bool same_packet(const struct lora *l, const struct packet *p, const struct packet *o)
{
    double wide = fmax(stream(l, p)->bw_hz, stream(l, o)->bw_hz);
    return fabs(o->f_hz - p->f_hz) < NEAR * wide && p->n0 < o->n1 && p->n1 > o->n0;
}

static void tell(const struct lora *l, const struct packet *p, struct stand_list *out)
{
    if (out->n == STAND_MAX) {
        out->dropped++;
        return;
    }
    out->c[out->n++] = (struct stand_cand){
        .kind = STAND_LORA, .n0 = p->n0, .n1 = p->n1, .n1_known = p->last >= 0, .f_hz = p->f_hz,
        .bw_hz = stream(l, p)->bw_hz, .metric = p->rho2, .sf = (int)p->h.sf,
        .snr_db = 10 * log10(p->rho2 / fmax(1 - p->rho2, 1e-4)), .down = p->h.down,
    };
}

// The next packet of that channel begins while the last is still being followed: the last ended
// before.  (Eight equal chirps are no payload.)
static bool follows(struct lora *l, const struct packet *p, struct packet *o,
                    struct stand_list *out)
{
    double symbols = (p->n0 - o->n0) / (l->chirps[o->h.sf].n * stream(l, o)->per);
    int most = (int)floor(symbols - o->preamble - 4.25 + 0.5);
    if (most < 1 || p->rho2 < LIKE * o->rho2)
        return false;
    if (o->open) {
        if (o->last >= most)
            o->last = o->before >= 0 && o->before < most ? o->before : most - 1;
        o->open = false;
        extent(l, o);
        tell(l, o, out);
    }
    return true;
}

// Whether a stronger view of it is known already.  Weaker ones still open end here.
static bool seen(struct lora *l, const struct packet *p, struct stand_list *out)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < l->n_packet; i++) {
        struct packet *o = &l->packet[i];
        bool same = o->h.group == p->h.group && o->h.lane == p->h.lane && o->h.sf == p->h.sf &&
                    o->h.down == p->h.down;
        if (same_packet(l, p, o) && !(same && follows(l, p, o, out)) &&
            (p->rho2 <= o->rho2 || same))
            return true;
    }
    for (unsigned i = 0; i < l->n_packet; i++)
        if (!l->packet[i].open || !same_packet(l, p, &l->packet[i]))
            l->packet[kept++] = l->packet[i];
    l->n_packet = kept;
    return false;
}

// The oldest closed one makes room.
static bool keep(struct lora *l, const struct packet *p)
{
    if (l->n_packet == PACKETS_MAX) {
        unsigned i = 0;
        while (i < PACKETS_MAX && l->packet[i].open)
            i++;
        if (i == PACKETS_MAX)
            return false;
        memmove(&l->packet[i], &l->packet[i + 1], (PACKETS_MAX - 1 - i) * sizeof *l->packet);
        l->n_packet--;
    }
    l->packet[l->n_packet++] = *p;
    return true;
}

static void judge(struct lora *l, struct stand_list *out)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < l->n_pending; i++) {
        struct hit h = l->pending[i];
        struct packet p;
        int64_t need = h.end + (int64_t)((REGION - REGION_BACK + 1) << h.sf);
        if (!l->group[h.group].ended && (int64_t)l->group[h.group].s.have < need) {
            l->pending[kept++] = h;
            continue;
        }
        l->judged++;
        if (!judge_hit(l, &h, &p))
            continue;
        extent(l, &p);
        if (seen(l, &p, out))
            continue;
        l->passed++;
        if (!keep(l, &p))
            l->dropped++;
    }
    l->n_pending = kept;
}

static void follow(struct lora *l, struct stand_list *out)
{
    for (unsigned i = 0; i < l->n_packet; i++) {
        struct packet *p = &l->packet[i];
        if (!p->open)
            continue;
        p->open = !follow_packet(l, p);
        extent(l, p);
        if (!p->open)
            tell(l, p, out);
    }
}

// What the groups that are ended have left is judged and told.
static void close_ended(struct lora *l, struct stand_list *out)
{
    judge(l, out);
    follow(l, out);
}

// The next groups' turn, as many as there is work for; those that go on go on.
static void next_turn(struct lora *l, const struct wide_spec *s, struct stand_list *out)
{
    double left = l->budget;
    for (unsigned k = 0; k < l->groups; k++)
        l->group[k].next = false;
    unsigned first = l->first, k = 0;
    for (; k < l->groups; k++) {
        struct group *g = &l->group[(first + k) % l->groups];
        if (k && g->work > left)
            break;
        left -= g->work;
        g->next = true;
    }
    l->first = l->groups ? (first + k) % l->groups : 0;
    for (unsigned i = 0; i < l->groups; i++)
        l->group[i].ended = !l->group[i].next;
    close_ended(l, out);
    for (unsigned i = 0; i < l->groups; i++) {
        if (l->group[i].next && !l->group[i].active)
            group_restart(&l->group[i], s->at);
        l->group[i].active = l->group[i].next;
    }
}

void lora_spec(struct lora *l, const struct wide_spec *s, struct stand_list *out)
{
    // turns change at whole multiples of their length in capture time
    int64_t turn = (int64_t)floor((double)s->at / (TURN_S * l->rate_hz));
    if (!s->number || turn != l->turn)
        next_turn(l, s, out);
    l->turn = turn;
    for (unsigned i = 0; i < l->groups; i++)
        if (l->group[i].active) {
            narrow_add(&l->group[i].s, s);
            screen_group(l, i);
        }
    judge(l, out);
    follow(l, out);
}

void lora_end(struct lora *l, struct stand_list *out)
{
    for (unsigned i = 0; i < l->groups; i++)
        l->group[i].ended = true;
    close_ended(l, out);
}
