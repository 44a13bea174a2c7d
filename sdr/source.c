// SPDX-License-Identifier: GPL-3.0-or-later
// The front of every source: makes full blocks out of whatever a driver's reads give.
//
// One sample is read ahead (the peek), so that a block knows whether it is the last; a radio's only
// when the next block is asked for, since it comes a block's time later:
//
//     read_index:  next sample the driver gives        block k            block k+1
//                                              |p| == reads == |p'|  then  |p'| == reads == ...
//
// A mark of the driver (lost samples, a new centre or gain, a clock reading) is asked for before
// each read.  One that only tells the time takes effect from the next block's first sample; any
// other ends the block before it.
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/queue.h"
#include "sdr/block.h"
#include "sdr/condition.h"
#include "sdr/keep.h"
#include "sdr/radio/board.h"
#include "sdr/scan/walk.h"
#include "sdr/src/source.h"

#define POOL_DEFAULT 256        // more than the rooms behind hold; untouched ones cost no memory
#define PACE_S       0.1        // longest sleep of a paced source
#define SAMPLE_MAX   16         // bytes of the largest sample, cf64

struct anchor { uint64_t index; int64_t utc_ns, err_ns; };

struct iq_source {
    struct src_driver d;
    struct iq_info    info;
    struct iq_counts  counts;
    struct iq_pool   *pool;
    void             *wide;         // cf64 before it is narrowed
    uint64_t          handed;       // index behind the last sample handed out
    uint64_t          read_index;   // of the next sample the driver gives, lost ones counted
    uint64_t          gap;          // lost before it and not yet told
    struct anchor     anchor;       // utc_ns 0: no UTC known
    struct board      anchor_board; // the same, for iq_utc_ns
    double            centre_hz, gain_db;   // of the next block
    struct scan      *scan;         // or NULL
    struct queue     *tap;          // or NULL
    atomic_bool       stop;
    bool              primed, ended, peeked;
    _Alignas(16) char peek[SAMPLE_MAX]; // drivers write whole samples here too
    bool              paced;
    struct timespec   t0;           // pacing only; never in a value
};

int src_why(char why[IQ_WHY], int err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, IQ_WHY, fmt, ap);
    va_end(ap);
    for (char *c = why; *c; c++)        // names and file contents may hold terminal controls
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return err;
}

const char *src_name(char ret[SRC_NAME], const char *path)
{
    size_t n = strlen(path);
    bool fits = n < SRC_NAME;

    snprintf(ret, SRC_NAME, "%s%s", fits ? "" : "...", path + (fits ? 0 : n + 4 - SRC_NAME));
    return strcmp(path, "-") ? ret : "standard input";
}

// The power of two nearest to 1 ms (in ratio), 1024 .. 131072.
uint32_t src_block_len(double rate_hz)
{
    uint32_t len = 1024;
    while (len < 131072 && len * M_SQRT2 < rate_hz * 1e-3)
        len *= 2;
    return len;
}

int src_open(struct iq_source **ret_src, const struct src_driver *d, const char *name, bool paced,
             unsigned pool_blocks, char why[IQ_WHY])
{
    if (!(d->rate_hz >= IQ_RATE_MIN_HZ && d->rate_hz <= IQ_RATE_MAX_HZ))
        return src_why(why, -EINVAL, "%s: a sample rate of %g Hz is out of range, "
                       "expected %.9g to %.9g", name, d->rate_hz, IQ_RATE_MIN_HZ, IQ_RATE_MAX_HZ);
    struct iq_source *s = calloc(1, sizeof *s);
    if (!s)
        return src_why(why, -ENOMEM, "%s: no memory", name);
    bool wide = d->format == IQ_CF64;
    s->d = *d;
    s->info = (struct iq_info){
        .rate_hz = d->rate_hz, .centre_hz = d->centre_hz, .format = wide ? IQ_CF32 : d->format,
        .origin = d->origin, .block_len = src_block_len(d->rate_hz), .total = d->total,
    };
    s->anchor = (struct anchor){ 0, d->utc_ns, d->utc_err_ns };
    board_write(&s->anchor_board, &s->anchor, sizeof s->anchor);
    s->centre_hz = d->centre_hz;
    s->gain_db = d->gain_db;
    s->paced = paced;
    s->pool = iq_pool_new(pool_blocks ? pool_blocks : POOL_DEFAULT, s->info.block_len,
                          s->info.format);
    s->wide = wide ? malloc(s->info.block_len * (size_t)SAMPLE_MAX) : NULL;
    if (!s->pool || (wide && !s->wide)) {
        iq_pool_free(s->pool);
        free(s->wide);
        free(s);
        return src_why(why, -ENOMEM, "%s: no memory for %u blocks", name, pool_blocks);
    }
    *ret_src = s;
    return 0;
}

void iq_close(struct iq_source *s)
{
    if (!s)
        return;
    s->d.ops->close(s->d.state);
    iq_pool_free(s->pool);
    free(s->wide);
    free(s);
}

// Takes in a mark at the next sample, if there is one; true where a block must end before it.
static bool look_mark(struct iq_source *s)
{
    struct src_mark m;

    if (!s->d.ops->mark || !s->d.ops->mark(s->d.state, &m))
        return false;
    s->gap += m.lost;
    s->read_index += m.lost;
    if (m.utc_ns) {
        s->anchor = (struct anchor){ s->read_index, m.utc_ns, m.utc_err_ns };
        board_write(&s->anchor_board, &s->anchor, sizeof s->anchor);
    }
    if (m.tuned)
        s->centre_hz = m.centre_hz;
    if (m.gained)
        s->gain_db = m.gain_db;
    return m.lost > 0 || m.tuned || m.gained;
}

// Some of the next n samples; 0 at the end.
static size_t read_some(struct iq_source *s, void *dst, size_t n)
{
    int64_t r = s->d.ops->read(s->d.state, dst, n);

    assert(r <= (int64_t)n);
    if (r > 0) {
        s->read_index += (uint64_t)r;
        return (size_t)r;
    }
    s->ended = true;
    if (s->d.ops->ended)
        s->d.ops->ended(s->d.state, &s->counts);
    return 0;
}

static void read_ahead(struct iq_source *s)
{
    look_mark(s);
    s->peeked = !s->ended && read_some(s, s->peek, 1) == 1;
}

// The peeked sample and what follows it, up to a whole block, a gap or the end.
static uint32_t fill(struct iq_source *s, char *dst)
{
    size_t size = iq_format_bytes(s->d.format);
    uint32_t n = 1;

    memcpy(dst, s->peek, size);
    s->peeked = false;
    while (n < s->info.block_len && !s->ended && !look_mark(s))
        n += (uint32_t)read_some(s, dst + n * size, s->info.block_len - n);
    return n;
}

static int64_t utc_at(const struct iq_source *s, uint64_t index)
{
    if (!s->anchor.utc_ns)
        return 0;
    return s->anchor.utc_ns +
           (int64_t)llround((double)(index - s->anchor.index) / s->info.rate_hz * 1e9);
}

int64_t iq_utc_ns(const struct iq_source *s, double t_s, int64_t *ret_err_ns)
{
    struct anchor a;

    board_read(&s->anchor_board, &a, sizeof a);
    double after_ns = (t_s - (double)a.index / s->info.rate_hz) * 1e9;
    if (!a.utc_ns || !(fabs(after_ns) < 9e18 - (double)a.utc_ns))
        return 0;
    *ret_err_ns = a.err_ns;
    return a.utc_ns + (int64_t)llround(after_ns);
}

// Sleeps until the sample at `index` would have arrived from a radio.
static void pace(struct iq_source *s, uint64_t index)
{
    if (!s->t0.tv_sec && !s->t0.tv_nsec)
        clock_gettime(CLOCK_MONOTONIC, &s->t0);
    double after_s = (double)index / s->info.rate_hz, whole_s = floor(after_s);
    struct timespec t = { s->t0.tv_sec + (time_t)whole_s,
                          s->t0.tv_nsec + (long)((after_s - whole_s) * 1e9) };
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    while (!atomic_load(&s->stop)) {
        struct timespec now, step;
        clock_gettime(CLOCK_MONOTONIC, &now);
        double left_s = (double)(t.tv_sec - now.tv_sec) + (double)(t.tv_nsec - now.tv_nsec) / 1e9;
        if (left_s <= 0)
            return;
        // In pieces, so that iq_stop need not wait for the end of a gap of hours.
        left_s = left_s < PACE_S ? left_s : PACE_S;
        step = (struct timespec){ 0, (long)(left_s * 1e9) };
        clock_nanosleep(CLOCK_MONOTONIC, 0, &step, NULL);
    }
}

struct iq_block *iq_next(struct iq_source *s)
{
    if (!s->primed || s->d.endless)
        read_ahead(s);
    s->primed = true;
    if (!s->peeked || atomic_load(&s->stop))
        return NULL;
    struct iq_block *b = iq_pool_take(s->pool);
    b->lost = s->gap;
    b->n0 = s->handed + s->gap;
    s->gap = 0;
    b->utc_ns = utc_at(s, b->n0);
    b->utc_err_ns = s->anchor.err_ns;
    b->rate_hz = s->info.rate_hz;
    b->centre_hz = s->centre_hz;
    b->gain_db = s->gain_db;
    b->origin = s->info.origin;
    b->n = fill(s, s->wide ? s->wide : iq_block_data(b));
    if (s->wide)
        iq_narrow(s->wide, iq_block_data(b), b->n);
    struct condition c = iq_condition(b->format, iq_block_data(b), b->n);
    if (!s->d.endless)
        read_ahead(s);
    b->peak = c.peak;
    b->flags = c.flags | (s->peeked || s->d.endless ? 0 : IQ_LAST);
    s->handed = b->n0 + b->n;
    s->counts.samples += b->n;
    s->counts.lost += b->lost;
    s->counts.nonfinite += c.nonfinite;
    s->counts.clipped += c.clipped;
    if (s->scan)
        scan_block(s->scan, s, b);
    if (s->tap && queue_push(s->tap, iq_ref(b)))
        iq_unref(b);                // left out there
    if (s->paced)
        pace(s, s->handed);
    return b;
}

void iq_stop(struct iq_source *s)
{
    atomic_store(&s->stop, true);
    if (s->d.ops->stop)
        s->d.ops->stop(s->d.state);
}

int iq_tune_to(struct iq_source *s, const struct iq_place *p)
{
    return s->d.ops->tune ? s->d.ops->tune(s->d.state, p) : -ENOTSUP;
}

int iq_tune(struct iq_source *s, double centre_hz)
{
    return iq_tune_to(s, &(struct iq_place){ .centre_hz = centre_hz, .gain_db = NAN });
}

void iq_tap(struct iq_source *s, struct queue *q) { s->tap = q; }

int iq_scan(struct iq_source *s, struct scan *scan)
{
    if (!s->d.ops->tune)
        return -ENOTSUP;
    s->scan = scan;
    return scan_begin(scan, s, s->info.rate_hz, s->info.centre_hz);
}

double iq_behind_s(const struct iq_source *s)
{
    return s->d.ops->behind_s ? s->d.ops->behind_s(s->d.state) : 0;
}

void iq_radio(const struct iq_source *s, struct iq_radio *ret)
{
    *ret = (struct iq_radio){ .state = RADIO_NONE };
    if (s->d.ops->radio)
        s->d.ops->radio(s->d.state, ret);
}

const char *iq_radio_state_name(enum iq_radio_state s)
{
    static const char *const names[] = { "none", "starting", "running", "silent", "restarting" };
    return names[s];
}

struct iq_info iq_info(const struct iq_source *s)            { return s->info; }
const struct iq_counts *iq_counts(const struct iq_source *s) { return &s->counts; }

const struct iq_truth *iq_truth(const struct iq_source *s, size_t *ret_n)
{
    *ret_n = 0;
    return s->d.ops->truth ? s->d.ops->truth(s->d.state, s->handed, ret_n) : NULL;
}
