// SPDX-License-Identifier: GPL-3.0-or-later
// Resume, resend, lost (docs/WIRE.md, "Streams and their order").
#include "classifier/pub_resend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "classifier/wire/envelope.h"

#define HELLO_S     5.0         // until everything is resumed
#define QUIET_S     30.0        // nothing heard: ask again
#define RETRY_S     10.0
#define RETRY_MAX_S 60.0
#define WINDOW_MIN  8           // 8 kB or so: a second of a very thin link
#define WINDOW_MAX  1024
#define FAST_S      0.3         // a late message acknowledged sooner: more may be on their way
#define SLOW_S      1.5         // later: live ones would wait behind them

static double s_of(int64_t ns) { return (double)ns * 1e-9; }

// ---- Copies in memory ------------------------------------------------------------------------

static struct resend_copy *copy_at(struct resend *l, uint64_t seq)
{
    if (seq < l->copy_first || seq >= l->copy_next)
        return NULL;
    struct resend_copy *c = &l->copy[seq % RESEND_COPIES];
    return c->p ? c : NULL;
}

static void copy_drop(struct resend *l, bool acked)
{
    struct resend_copy *c = &l->copy[l->copy_first % RESEND_COPIES];

    if (c->p && !c->on_disk && !acked)
        spool_lose(l->spool, l->boot[0].boot, c->seq, c->seq, SPOOL_DISK);
    l->copy_bytes -= c->len;
    free(c->p);
    *c = (struct resend_copy){ 0 };
    l->copy_first++;
}

static void copy_add(struct resend *l, uint64_t seq, const uint8_t *msg, size_t len, bool on_disk)
{
    while (l->copy_next - l->copy_first >= RESEND_COPIES ||
           (l->copy_first < l->copy_next && l->copy_bytes + len > RESEND_COPY_BYTES))
        copy_drop(l, false);
    struct resend_copy *c = &l->copy[seq % RESEND_COPIES];
    *c = (struct resend_copy){ seq, (uint32_t)len, on_disk, malloc(len) };
    l->copy_next = seq + 1;
    if (!c->p) {
        c->len = 0;
        if (!on_disk)
            spool_lose(l->spool, l->boot[0].boot, seq, seq, SPOOL_DISK);
        return;
    }
    memcpy(c->p, msg, len);
    l->copy_bytes += len;
}

// ---- Boots -----------------------------------------------------------------------------------

void resend_init(struct resend *l, struct spool *spool, uint64_t boot, double retry_s,
                 resend_send *send, void *arg)
{
    struct wire_held held[SPOOL_BOOTS];

    memset(l, 0, sizeof *l);
    l->spool = spool;
    l->send = send;
    l->arg = arg;
    l->window = WINDOW_MIN;
    l->retry_s = retry_s > 0 ? retry_s : RETRY_S;
    l->boot[0] = (struct resend_boot){ .boot = boot, .retry_s = l->retry_s };
    unsigned n = spool ? spool_boots(spool, held) : 0;
    for (unsigned i = 0; i < n; i++)
        l->boot[i + 1] = (struct resend_boot){ .boot = held[i].boot, .ack = held[i].first,
                                             .late_next = held[i].first,
                                             .late_end = held[i].last + 1,
                                             .last1 = held[i].last + 1, .retry_s = l->retry_s };
    l->n = n + 1;
}

void resend_done(struct resend *l)
{
    while (l->copy_first < l->copy_next)
        copy_drop(l, true);         // on disk, or beyond help
}

void resend_up(struct resend *l, bool up, int64_t now_ns)
{
    l->up = up;
    l->heard_ns = now_ns;
    l->hello_ns = 0;
    l->probe_ns = 0;
    l->window = WINDOW_MIN;
    for (unsigned i = 0; i < l->n; i++)
        l->boot[i].synced = false;
}

uint64_t resend_next(const struct resend *l) { return l->boot[0].last1; }

void resend_event(struct resend *l, const uint8_t *msg, size_t len, int64_t now_ns)
{
    struct resend_boot *b = &l->boot[0];
    uint64_t seq = b->last1++;
    bool live = l->up && b->synced && l->send(l->arg, msg, len) == 0;

    l->sent += live;
    if (b->ack == seq)
        b->moved_ns = now_ns;       // the clock of what waits begins
    if (!live && b->late_next == b->late_end)
        b->late_next = seq;
    if (!live)
        b->late_end = seq + 1;
    copy_add(l, seq, msg, len, spool_add(l->spool, seq, msg, len, now_ns) == 0);
}

// ---- Short messages --------------------------------------------------------------------------

static int send_msg(struct resend *l, const struct wire_msg *m)
{
    uint8_t buf[2048];
    int n = wire_pack(m, buf, sizeof buf);
    return n < 0 ? n : l->send(l->arg, buf, (size_t)n);
}

// What is neither in memory nor on disk will never come.
static int hole_tell(struct resend *l, const struct resend_boot *b, uint64_t from, uint64_t to,
                     enum spool_why why)
{
    struct wire_msg m = { .head = { .v = WIRE_VERSION, .kind = WIRE_LOST },
                          .span = { b->boot, from, to } };
    struct wire_span s;

    for (unsigned i = 0; spool_lost(l->spool, i, &s); i++)
        if (s.boot == b->boot && s.from <= from && s.to >= to)
            return send_msg(l, &m);     // counted already
    spool_lose(l->spool, b->boot, from, to, why);
    return send_msg(l, &m);
}

// ---- What the post says ----------------------------------------------------------------------

static void boot_ack(struct resend *l, struct resend_boot *b, uint64_t next, int64_t now_ns)
{
    if (next > b->last1)
        next = b->last1;            // of what we never sent: not to be believed
    if (next <= b->ack)
        return;
    l->acked += next - b->ack;
    b->ack = next;
    b->moved_ns = now_ns;
    b->retry_s = l->retry_s;
    if (b->late_next < next)
        b->late_next = next;
    if (b->late_end < b->late_next)
        b->late_end = b->late_next;
    if (b == &l->boot[0])
        while (l->copy_first < next && l->copy_first < l->copy_next)
            copy_drop(l, true);
    if (l->probe_ns && l->probe_boot == b->boot && l->probe_seq < next) {
        double took_s = s_of(now_ns - l->probe_ns);
        l->probe_ns = 0;
        if (took_s < FAST_S && l->window < WINDOW_MAX)
            l->window *= 2;
        else if (took_s > SLOW_S && l->window > WINDOW_MIN)
            l->window /= 2;
    }
    spool_ack(l->spool, b->boot, next);
}

void resend_heard(struct resend *l, const struct wire_msg *m, int64_t now_ns)
{
    l->heard_ns = now_ns;
    for (unsigned i = 0; i < l->n; i++) {
        struct resend_boot *b = &l->boot[i];
        if (b->boot != m->span.boot)
            continue;
        bool resume = m->head.kind == WIRE_RESUME;
        // A post that was set back to an older store: what it lacks is no longer here.
        if (resume && !b->synced && m->span.to < b->ack)
            hole_tell(l, b, m->span.to, b->ack - 1, SPOOL_ASKED);
        boot_ack(l, b, resume ? m->span.to : m->span.to + 1, now_ns);
        if (resume && !b->synced) {
            b->synced = true;
            b->hole_end = 0;
            b->late_next = b->ack;
            b->late_end = b->last1;
            b->moved_ns = now_ns;
            b->retry_s = l->retry_s;
        }
        if (i && b->ack == b->last1) {          // an earlier start, done with
            memmove(b, b + 1, (l->n - i - 1) * sizeof *b);
            l->n--;
        }
        return;
    }
}

// ---- Sending ---------------------------------------------------------------------------------

// The running boot in each; eight boots a message.
static int hello_send(struct resend *l, const char *name)
{
    unsigned i = 1;

    do {
        struct wire_msg m = { .head = { .v = WIRE_VERSION, .kind = WIRE_HELLO,
                                        .boot = l->boot[0].boot } };
        struct wire_hello *h = &m.hello;
        h->v_lo = h->v_hi = WIRE_VERSION;
        snprintf(h->name, sizeof h->name, "%s", name ? name : "");
        snprintf(h->version, sizeof h->version, "%s", TYTO_VERSION);
        const struct resend_boot *b = &l->boot[0];
        h->held[h->n++] = (struct wire_held){ b->boot, b->ack,
                                              b->last1 > b->ack ? b->last1 - 1 : b->ack };
        for (; i < l->n && h->n < WIRE_BOOTS; i++)
            h->held[h->n++] = (struct wire_held){ l->boot[i].boot, l->boot[i].ack,
                                                  l->boot[i].last1 - 1 };
        int r = send_msg(l, &m);
        if (r < 0)
            return r;
    } while (i < l->n);
    return 0;
}

static int lost_send(struct resend *l, uint64_t boot)
{
    struct wire_msg m = { .head = { .v = WIRE_VERSION, .kind = WIRE_LOST } };
    int r = 0;

    for (unsigned i = 0; r == 0 && spool_lost(l->spool, i, &m.span); i++)
        if (m.span.boot == boot)
            r = send_msg(l, &m);
    return r;
}

// The first message of the boot from *seq on in its envelope; its length, or -ENOENT.
static int late_get(struct resend *l, const struct resend_boot *b, uint64_t *seq)
{
    const struct resend_copy *c = b == &l->boot[0] ? copy_at(l, *seq) : NULL;

    if (c)
        return wire_pack_late(c->p, c->len, l->late, sizeof l->late);
    int n = spool_read(l->spool, b->boot, *seq, l->sealed, sizeof l->sealed, seq);
    return n < 0 ? n : wire_pack_sealed(l->sealed, (size_t)n, l->late, sizeof l->late);
}

// 1: a message went, 0: none is left or the window is full, -EAGAIN.
static int late_one(struct resend *l, struct resend_boot *b, int64_t now_ns)
{
    uint64_t seq = b->late_next;

    uint64_t base = b->hole_end > b->ack ? b->hole_end : b->ack;
    if (seq >= b->late_end || seq >= base + l->window)
        return 0;
    int n = late_get(l, b, &seq);
    uint64_t have = n < 0 || seq >= b->late_end ? b->late_end : seq;
    if (have > b->late_next) {
        // In memory there may be what is not on the disk: look again behind the hole.
        if (b == &l->boot[0])
            for (uint64_t k = b->late_next; k < have; k++)
                if (copy_at(l, k))
                    have = k;
        int r = hole_tell(l, b, b->late_next, have - 1, SPOOL_DAMAGED);
        if (r == 0)
            b->late_next = b->hole_end = have;
        return r < 0 ? r : 1;
    }
    int r = l->send(l->arg, l->late, (size_t)n);
    if (r < 0)
        return r;
    if (!l->probe_ns) {
        l->probe_ns = now_ns;
        l->probe_boot = b->boot;
        l->probe_seq = seq;
    }
    b->late_next = seq + 1;
    l->sent++;
    return 1;
}

static void retry(struct resend *l, struct resend_boot *b, int64_t now_ns)
{
    if (b->ack == b->last1 || s_of(now_ns - b->moved_ns) < b->retry_s)
        return;
    b->late_next = b->ack;
    b->late_end = b->last1;
    b->moved_ns = now_ns;
    b->retry_s = b->retry_s * 2 > RETRY_MAX_S ? RETRY_MAX_S : b->retry_s * 2;
    l->probe_ns = 0;
    l->window = WINDOW_MIN;
    lost_send(l, b->boot);
}

static bool all_synced(const struct resend *l)
{
    for (unsigned i = 0; i < l->n; i++)
        if (!l->boot[i].synced)
            return false;
    return true;
}

void resend_work(struct resend *l, const char *name, int64_t now_ns)
{
    unsigned budget = WINDOW_MAX;       // then back to the poll: live ones come first
    int r = 1;

    if (!l->up)
        return;
    double since_s = l->hello_ns ? s_of(now_ns - l->hello_ns) : 1e9;
    bool quiet = s_of(now_ns - l->heard_ns) > QUIET_S && since_s > QUIET_S;
    if (((!all_synced(l) && since_s >= HELLO_S) || quiet) && hello_send(l, name) == 0) {
        l->hello_ns = now_ns;
        for (unsigned i = 0; i < l->n; i++)
            lost_send(l, l->boot[i].boot);
    }
    for (unsigned i = 0; i < l->n && r >= 0 && budget; i++) {
        struct resend_boot *b = &l->boot[i];
        if (!b->synced)
            continue;
        retry(l, b, now_ns);
        while (budget && (r = late_one(l, b, now_ns)) > 0)
            budget--;
        if (i && b->ack < b->last1)
            break;                      // one earlier boot after the other
    }
}

bool resend_idle(const struct resend *l)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->boot[i].ack < l->boot[i].last1)
            return false;
    return true;
}

double resend_lag_s(const struct resend *l, int64_t now_ns)
{
    return l->boot[0].ack < l->boot[0].last1 ? s_of(now_ns - l->boot[0].moved_ns) : 0;
}
