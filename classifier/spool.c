// SPDX-License-Identifier: GPL-3.0-or-later
// The segments together: their order, their bounds, and what was lost.
#include "classifier/spool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utc.h"
#include "classifier/spool_seg.h"
#include "classifier/wire/envelope.h"

#define MAX_BYTES (64u << 20)
#define MAX_S     86400.0
#define SEGS      512           // files at most; the oldest go
#define SEG_MOST  (1u << 20)    // bytes of one; a sixteenth of a small spool
#define SEG_LEAST (16u << 10)
#define GRACE_S   3600.0        // what lay there at the start is kept so long at least: the clock
                                // that says it is old may have jumped

struct spool {
    struct spool_cfg cfg;
    int       dir, lock, fd;    // fd: the segment written to, -1 none
    bool      dirty, writing;   // writing: the last segment is the one at fd
    unsigned  n;
    struct seg seg[SEGS];       // in order of no
    unsigned  next_no;
    uint64_t  bytes, seg_bytes, lost_total;
    unsigned  n_lost;
    struct wire_span lost[SPOOL_SPANS];
    int       read_fd;          // where the last read stopped
    unsigned  read_no;
    uint64_t  read_off, read_next;
};

// ---- What is lost ----------------------------------------------------------------------------

void spool_lose(struct spool *s, uint64_t boot, uint64_t from, uint64_t to)
{
    assert(from <= to);
    s->lost_total += to - from + 1;
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

uint64_t spool_lost_total(const struct spool *s) { return s->lost_total; }
uint64_t spool_bytes(const struct spool *s) { return s->bytes; }

// ---- Segments --------------------------------------------------------------------------------

static void read_close(struct spool *s)
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
        read_close(s);
    seg_name(&s->seg[i], name);
    unlinkat(s->dir, name, 0);
    s->bytes -= s->seg[i].bytes;
    memmove(&s->seg[i], &s->seg[i + 1], (s->n - i - 1) * sizeof s->seg[0]);
    s->n--;
}

static void oldest_drop(struct spool *s)
{
    struct seg g = s->seg[0];

    seg_remove(s, 0);
    if (g.n)
        spool_lose(s, g.boot, g.first, g.last);
}

static int segment_begin(struct spool *s, int64_t mono_ns)
{
    struct seg g = { .no = s->next_no, .boot = s->cfg.boot, .bytes = SEG_HEAD,
                     .born_mono_ns = mono_ns };

    if (s->fd >= 0) {
        if (s->dirty)
            fdatasync(s->fd);
        close(s->fd);
    }
    s->fd = -1;
    s->writing = s->dirty = false;
    if (s->n == SEGS)
        oldest_drop(s);
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
        oldest_drop(s);
    }
    while (s->bytes > s->cfg.max_bytes && s->n > 1)
        oldest_drop(s);
    return r;
}

static int read_in(struct spool *s, const struct seg *g, uint64_t seq, uint8_t *buf, size_t size,
                   uint64_t *ret_seq)
{
    char name[SEG_NAME];
    int n;

    if (s->read_fd < 0 || s->read_no != g->no || s->read_next > seq) {
        read_close(s);
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
        const struct seg *g = &s->seg[i];
        if (g->boot != boot || !g->n || g->last < seq)
            continue;
        int n = read_in(s, g, seq, buf, size, ret_seq);
        if (n > 0)
            return n;
        read_close(s);              // damaged: what follows may still be good
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
        oldest_drop(s);
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

// ---- Opening ---------------------------------------------------------------------------------

static int fault(char why[SPOOL_WHY], const char *dir, int err)
{
    snprintf(why, SPOOL_WHY, "spool: %.300s: %s", dir, strerror(err));
    return -err;
}

static int dir_open(struct spool *s, char why[SPOOL_WHY])
{
    const char *dir = s->cfg.dir;

    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return fault(why, dir, errno);
    s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (s->dir < 0)
        return fault(why, dir, errno);
    s->lock = openat(s->dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (s->lock < 0)
        return fault(why, dir, errno);
    if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    snprintf(why, SPOOL_WHY, "spool: %.300s is another sensor's that runs; each needs its own",
             dir);
    return -EBUSY;
}

static int by_no(const void *a, const void *b)
{
    unsigned x = ((const struct seg *)a)->no, y = ((const struct seg *)b)->no;
    return x < y ? -1 : x > y;
}

// One file of an earlier start.  Its age is by the clock, which may have jumped since: it is never
// found too old at once.
static void found(struct spool *s, struct seg *g)
{
    int64_t utc_ns = 0;
    int r = seg_scan(s->dir, g, s->cfg.post, &utc_ns);
    double age_s = (double)(s->cfg.now_ns - utc_ns) * 1e-9, most = s->cfg.max_s - GRACE_S;

    if (g->no >= s->next_no)
        s->next_no = g->no + 1;
    if (r < 0 || !g->n) {
        char name[SEG_NAME];
        seg_name(g, name);
        unlinkat(s->dir, name, 0);
        s->lost_total += r == -EINVAL;
        return;
    }
    age_s = age_s > 0 ? age_s : 0;
    most = most > 0 ? most : 0;
    g->born_mono_ns = s->cfg.mono_ns - (int64_t)((age_s < most ? age_s : most) * 1e9);
    if (s->n == SEGS)
        oldest_drop(s);
    s->bytes += g->bytes;
    s->seg[s->n++] = *g;
}

static int earlier_find(struct spool *s)
{
    struct seg *all = calloc(2 * SEGS, sizeof *all);
    int own = dup(s->dir);
    DIR *d = own < 0 ? NULL : fdopendir(own);
    struct dirent *e;
    unsigned n = 0;

    if (!all || !d) {
        free(all);
        if (!d && own >= 0)
            close(own);
        if (d)
            closedir(d);
        return -ENOMEM;
    }
    while ((e = readdir(d)) && n < 2 * SEGS)
        n += seg_name_parse(e->d_name, &all[n]);
    closedir(d);
    qsort(all, n, sizeof *all, by_no);
    for (unsigned i = 0; i < n; i++)
        found(s, &all[i]);
    free(all);
    return 0;
}

// Holes inside what an earlier start left: a file that was damaged.
static void holes_find(struct spool *s)
{
    for (unsigned i = 1; i < s->n; i++)
        if (s->seg[i].boot == s->seg[i - 1].boot && s->seg[i].first > s->seg[i - 1].last + 1)
            spool_lose(s, s->seg[i].boot, s->seg[i - 1].last + 1, s->seg[i].first - 1);
}

static void bounds_hold(struct spool *s)
{
    struct wire_held held[SPOOL_BOOTS];

    // Room for the running one: this many earlier boots at most.
    while (s->n && spool_boots(s, held) == SPOOL_BOOTS)
        oldest_drop(s);
    while (s->n && s->bytes > s->cfg.max_bytes)
        oldest_drop(s);
}

int spool_new(struct spool **ret, const struct spool_cfg *cfg, char why[SPOOL_WHY])
{
    struct spool *s = calloc(1, sizeof *s);

    if (!s)
        return fault(why, cfg->dir, ENOMEM);
    s->cfg = *cfg;
    s->dir = s->lock = s->fd = s->read_fd = -1;
    if (!s->cfg.max_bytes)
        s->cfg.max_bytes = MAX_BYTES;
    if (!(s->cfg.max_s > 0))
        s->cfg.max_s = MAX_S;
    s->seg_bytes = s->cfg.max_bytes / 16;
    s->seg_bytes = s->seg_bytes > SEG_MOST ? SEG_MOST : s->seg_bytes < SEG_LEAST ? SEG_LEAST
                                                                                 : s->seg_bytes;
    int r = dir_open(s, why);
    if (r == 0 && (r = earlier_find(s)) < 0)
        fault(why, cfg->dir, -r);
    if (r < 0) {
        spool_free(s);
        return r;
    }
    s->cfg.dir = NULL;              // the caller's
    holes_find(s);
    bounds_hold(s);
    *ret = s;
    return 0;
}

void spool_free(struct spool *s)
{
    if (!s)
        return;
    if (s->fd >= 0) {
        fdatasync(s->fd);
        close(s->fd);
    }
    read_close(s);
    if (s->lock >= 0)
        close(s->lock);
    if (s->dir >= 0)
        close(s->dir);
    free(s);
}
