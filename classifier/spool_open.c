// SPDX-License-Identifier: GPL-3.0-or-later
// Opening a spool: what an earlier start left, looked through before anything of it is believed.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/why.h"
#include "classifier/spool_own.h"

#define MAX_BYTES (64u << 20)
#define MAX_S     86400.0
#define SEG_MOST  (1u << 20)    // bytes of one; a sixteenth of a small spool
#define SEG_LEAST (16u << 10)
#define BAD_MOST  16            // files set aside; more are deleted
#define GRACE_S   3600.0        // what lay there at the start is kept so long at least: the clock
                                // that says it is old may have jumped

static int fault(char why[SPOOL_WHY], const char *dir, int err)
{
    snprintf(why, SPOOL_WHY, "spool: %.300s: %s", dir, why_error(err));
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
    // Others may neither look nor put anything in.
    (void)!fchmod(s->dir, 0700);
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

// A file that holds nothing for us: empty ones go, the others are kept for who looks into it.
static void of_no_use(struct spool *s, const struct seg *g, int r)
{
    char name[SEG_NAME], bad[SEG_NAME + 8];

    seg_name(g, name);
    snprintf(bad, sizeof bad, "%s.bad", name);
    if (r == 0) {
        unlinkat(s->dir, name, 0);
    } else if (r != -EBADMSG && r != -EKEYREJECTED) {
        s->found.unreadable++;
    } else {
        s->found.damaged += r == -EBADMSG;
        s->found.foreign += r == -EKEYREJECTED;
        s->lost_by[SPOOL_DAMAGED] += r == -EBADMSG;
        if (s->n_bad++ >= BAD_MOST || renameat(s->dir, name, s->dir, bad))
            unlinkat(s->dir, name, 0);
    }
}

// One file of an earlier start.  Its age is by the clock, which may have jumped since: it is never
// found too old at once.
static void found(struct spool *s, struct seg *g)
{
    int64_t utc_ns = 0;
    g->mac = s->cfg.mac;
    int r = seg_scan(s->dir, g, s->cfg.post, &utc_ns);
    double age_s = (double)(s->cfg.now_ns - utc_ns) * 1e-9, most = s->cfg.max_s - GRACE_S;

    if (g->no >= s->next_no)
        s->next_no = g->no + 1;
    if (r < 0 || !g->n) {
        of_no_use(s, g, r);
        return;
    }
    age_s = age_s > 0 ? age_s : 0;
    most = most > 0 ? most : 0;
    g->born_mono_ns = s->cfg.mono_ns - (int64_t)((age_s < most ? age_s : most) * 1e9);
    s->found.damaged += g->damaged;
    if (s->n == SPOOL_SEGS)
        spool_oldest_drop(s, SPOOL_FULL);
    s->bytes += g->bytes;
    s->seg[s->n++] = *g;
}

static int earlier_find(struct spool *s)
{
    struct seg *all = calloc(2 * SPOOL_SEGS, sizeof *all);
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
    while ((e = readdir(d)) && n < 2 * SPOOL_SEGS)
        if (seg_name_parse(e->d_name, &all[n]))
            n++;
        else
            s->n_bad += strstr(e->d_name, ".seg.bad") != NULL;
    closedir(d);
    qsort(all, n, sizeof *all, by_no);
    for (unsigned i = 0; i < n; i++)
        found(s, &all[i]);
    free(all);
    return 0;
}

// Holes inside what an earlier start left: a file that was damaged.  Behind a torn end there was
// one at least; how many, only what follows tells.
static void holes_find(struct spool *s)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->seg[i].torn && (i + 1 == s->n || s->seg[i + 1].boot != s->seg[i].boot))
            s->lost_by[SPOOL_DAMAGED]++;
    for (unsigned i = 1; i < s->n; i++)
        if (s->seg[i].boot == s->seg[i - 1].boot && s->seg[i].first > s->seg[i - 1].last + 1)
            spool_lose(s, s->seg[i].boot, s->seg[i - 1].last + 1, s->seg[i].first - 1,
                       SPOOL_DAMAGED);
}

static void bounds_hold(struct spool *s)
{
    struct wire_held held[SPOOL_BOOTS];

    // Room for the running one: this many earlier boots at most.
    while (s->n && spool_boots(s, held) == SPOOL_BOOTS)
        spool_oldest_drop(s, SPOOL_FULL);
    while (s->n && s->bytes > s->cfg.max_bytes)
        spool_oldest_drop(s, SPOOL_FULL);
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
    spool_read_close(s);
    if (s->lock >= 0)
        close(s->lock);
    if (s->dir >= 0)
        close(s->dir);
    free(s);
}
