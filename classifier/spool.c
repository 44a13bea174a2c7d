// SPDX-License-Identifier: GPL-3.0-or-later
// The segments together: their order, their bounds, and what was lost.
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utc.h"
#include "classifier/spool_own.h"
#include "classifier/wire/envelope.h"

// ---- What is lost ----------------------------------------------------------------------------

void spool_lose(struct spool *s, uint64_t boot, uint64_t from, uint64_t to, enum spool_why why)
{
    assert(from <= to);
    s->lost_by[why] += to - from + 1;
    for (unsigned i = 0; i < s->n_lost; i++) {
        struct wire_span *l = &s->lost[i];
        if (l->boot == boot && from <= l->to + 1 && to + 1 >= l->from) {
            l->from = from < l->from ? from : l->from;
            l->to = to > l->to ? to : l->to;
            return;
        }
    }
    if (s->n_lost == SPOOL_SPANS) {     // the oldest is forgotten: its hole is closed by no word
        memmove(s->lost, s->lost + 1, (SPOOL_SPANS - 1) * sizeof s->lost[0]);
        s->n_lost--;
    }
    s->lost[s->n_lost++] = (struct wire_span){ boot, from, to };
}

bool spool_lost(const struct spool *s, unsigned i, struct wire_span *ret)
{
    if (i >= s->n_lost)
        return false;
    *ret = s->lost[i];
    return true;
}

uint64_t spool_lost_by(const struct spool *s, enum spool_why why) { return s->lost_by[why]; }
struct spool_found spool_found(const struct spool *s) { return s->found; }

uint64_t spool_lost_total(const struct spool *s)
{
    uint64_t n = 0;
    for (int i = 0; i < SPOOL_WHYS; i++)
        n += s->lost_by[i];
    return n;
}

uint64_t spool_bytes(const struct spool *s) { return s->bytes; }

// ---- Segments --------------------------------------------------------------------------------

void spool_read_close(struct spool *s)
{
    if (s->read_fd >= 0)
        close(s->read_fd);
    s->read_fd = -1;
}

static void seg_remove(struct spool *s, unsigned i)
{
    char name[SEG_NAME];

    if (s->writing && i == s->n - 1) {
        close(s->fd);
        s->fd = -1;
        s->writing = s->dirty = false;
    }
    if (s->read_fd >= 0 && s->read_no == s->seg[i].no)
        spool_read_close(s);
    seg_name(&s->seg[i], name);
    unlinkat(s->dir, name, 0);
    s->bytes -= s->seg[i].bytes;
    memmove(&s->seg[i], &s->seg[i + 1], (s->n - i - 1) * sizeof s->seg[0]);
    s->n--;
}

void spool_oldest_drop(struct spool *s, enum spool_why why)
{
    struct seg g = s->seg[0];

    seg_remove(s, 0);
    if (g.n)
        spool_lose(s, g.boot, g.first, g.last, why);
}

static int segment_begin(struct spool *s, int64_t mono_ns)
{
    struct seg g = { .mac = s->cfg.mac, .no = s->next_no, .boot = s->cfg.boot, .bytes = SEG_HEAD,
                     .born_mono_ns = mono_ns };

    if (s->fd >= 0) {
        if (s->dirty)
            fdatasync(s->fd);
        close(s->fd);
    }
    s->fd = -1;
    s->writing = s->dirty = false;
    if (s->n == SPOOL_SEGS)
        spool_oldest_drop(s, SPOOL_FULL);
    int fd = seg_make(s->dir, &g, s->cfg.post, utc_now_ns());
    if (fd < 0)
        return fd;
    s->fd = fd;
    s->writing = true;
    s->next_no++;
    s->seg[s->n++] = g;
    s->bytes += SEG_HEAD;
    return 0;
}

static int record_add(struct spool *s, uint64_t seq, const uint8_t *p, size_t len, int64_t mono_ns)
{
    int r = 0;

    if (!s->writing || s->seg[s->n - 1].bytes + SEG_REC + len > s->seg_bytes)
        r = segment_begin(s, mono_ns);
    if (r < 0)
        return r;
    struct seg *g = &s->seg[s->n - 1];
    uint64_t before = g->bytes;
    if ((r = seg_add(s->fd, g, seq, p, len)) < 0)
        return r;
    g->born_mono_ns = mono_ns;
    s->bytes += g->bytes - before;
    s->dirty = true;
    return 0;
}

int spool_add(struct spool *s, uint64_t seq, const uint8_t *msg, size_t len, int64_t mono_ns)
{
    uint8_t sealed[WIRE_MAX];
    int n = wire_seal(msg, len, s->cfg.post, sealed, sizeof sealed), r;

    if (n < 0)
        return n;
    // The disk may be full with what is not ours: give of our own, but not the file written to.
    while ((r = record_add(s, seq, sealed, (size_t)n, mono_ns)) == -ENOSPC || r == -EDQUOT) {
        if (s->n < 2 && !(s->n == 1 && !s->writing))
            break;
        spool_oldest_drop(s, SPOOL_DISK);
    }
    while (s->bytes > s->cfg.max_bytes && s->n > 1)
        spool_oldest_drop(s, SPOOL_FULL);
    return r;
}

static int read_in(struct spool *s, struct seg *g, uint64_t seq, uint8_t *buf, size_t size,
                   uint64_t *ret_seq)
{
    char name[SEG_NAME];
    int n;

    if (s->read_fd < 0 || s->read_no != g->no || s->read_next > seq) {
        spool_read_close(s);
        seg_name(g, name);
        s->read_fd = openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (s->read_fd < 0)
            return -errno;
        s->read_no = g->no;
        s->read_off = SEG_HEAD;
    }
    while ((n = seg_read(s->read_fd, g, &s->read_off, buf, size, ret_seq)) > 0) {
        s->read_next = *ret_seq + 1;
        if (*ret_seq >= seq)
            return n;
    }
    return n < 0 ? n : -ENOENT;
}

int spool_read(struct spool *s, uint64_t boot, uint64_t seq, uint8_t *buf, size_t size,
               uint64_t *ret_seq)
{
    for (unsigned i = 0; i < s->n; i++) {
        struct seg *g = &s->seg[i];
        if (g->boot != boot || !g->n || g->last < seq)
            continue;
        int n = read_in(s, g, seq, buf, size, ret_seq);
        if (n > 0)
            return n;
        spool_read_close(s);              // damaged: what follows may still be good
    }
    return -ENOENT;
}

void spool_ack(struct spool *s, uint64_t boot, uint64_t next)
{
    for (unsigned i = 0; i < s->n;)
        if (s->seg[i].boot == boot && (!s->seg[i].n || s->seg[i].last < next))
            seg_remove(s, i);
        else
            i++;
    for (unsigned i = 0; i < s->n_lost;)
        if (s->lost[i].boot == boot && s->lost[i].to < next)
            s->lost[i] = s->lost[--s->n_lost];
        else
            i++;
}

void spool_tick(struct spool *s, int64_t mono_ns)
{
    if (s->dirty) {
        fdatasync(s->fd);
        s->dirty = false;
    }
    while (s->n && (double)(mono_ns - s->seg[0].born_mono_ns) * 1e-9 > s->cfg.max_s)
        spool_oldest_drop(s, SPOOL_OLD);
}

unsigned spool_boots(const struct spool *s, struct wire_held ret[SPOOL_BOOTS])
{
    unsigned n = 0, j;

    for (unsigned i = s->n; i-- > 0;) {
        const struct seg *g = &s->seg[i];
        if (!g->n)
            continue;
        for (j = 0; j < n && ret[j].boot != g->boot; j++)
            ;
        if (j == n && n < SPOOL_BOOTS)
            ret[n++] = (struct wire_held){ g->boot, g->first, g->last };
        else if (j < n)
            ret[j].first = g->first;
    }
    return n;
}
