// SPDX-License-Identifier: GPL-3.0-or-later
// The ring of sdr/radio/ring.h.
//
// Going to sleep without missing the wake-up: the reader sets `asleep` and looks at `written` once
// more; the writer publishes and then looks at `asleep`.  In one total order (all of it seq_cst)
// one of the two sees the other.
#include "sdr/radio/ring.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/utc.h"

#define SAMPLE_MAX 8            // bytes of the largest sample in a block, cf32
#define SLACK_S    10.0         // how far sample time may run ahead of the host's clock: a driver's
                                // whole queue, and then some
#define QUEUE_NS INT64_C(2000000000)    // more than a read ever holds
#define GAIN_MAX_DB 1000        // as on the wire
#define AHEAD      1.1          // and how much faster it may go before it is nonsense

struct ring_shape ring_shape(double rate_hz, uint32_t block_len)
{
    struct ring_shape s = { .slots = 8, .block_len = block_len,
                            .stride = sizeof(struct ring_slot) + (size_t)block_len * SAMPLE_MAX };

    while (s.slots < RING_SLOTS_MAX && s.slots * (double)block_len < RING_S * rate_hz &&
           2 * s.slots * s.stride <= RING_BYTES_MAX)
        s.slots *= 2;
    s.bytes = sizeof(struct ring_head) + s.slots * s.stride;
    return s;
}

static struct ring_slot *slot_at(struct ring_head *head, const struct ring_shape *s, uint64_t seq)
{
    return (struct ring_slot *)((char *)(head + 1) + (seq & (s->slots - 1)) * s->stride);
}

// ---- The writer ------------------------------------------------------------------------------

void ring_out_init(struct ring_out *r, void *memory, struct ring_shape shape, int wake_fd,
                   size_t size, double rate_hz, double centre_hz)
{
    *r = (struct ring_out){ .head = memory, .shape = shape, .wake_fd = wake_fd, .size = size,
                            .rate_hz = rate_hz, .centre_hz = centre_hz };
    r->head->magic = RING_MAGIC;
}

void ring_count(struct ring_out *r, enum ring_count c) { atomic_fetch_add(&r->head->count[c], 1); }

static void publish(struct ring_out *r, int64_t mono_ns)
{
    struct ring_slot *s = slot_at(r->head, &r->shape, r->seq);

    if (!r->n)
        return;
    *s = (struct ring_slot){ .seq = r->seq, .index = r->index - r->n, .lost = r->lost,
                             .mono_ns = mono_ns, .centre_hz = r->centre_hz, .gain_db = r->gain_db,
                             .n = r->n };
    r->lost = 0;
    r->n = 0;
    r->seq++;
    atomic_store(&r->head->written, r->seq);
    if (atomic_exchange(&r->head->asleep, 0)) {
        ssize_t w = write(r->wake_fd, &(uint64_t){ 1 }, 8);
        (void)w;                                // full: it is awake already
    }
}

static bool has_room(struct ring_out *r)
{
    uint64_t used = r->seq - atomic_load(&r->head->read);

    if (used >= r->shape.slots && !r->dropping) {
        r->dropping = true;
        ring_count(r, RING_LATE);
    } else if (used <= r->shape.slots - r->shape.slots / 4)
        r->dropping = false;
    return !r->dropping;
}

void ring_put(struct ring_out *r, const void *samples, uint32_t n, int64_t mono_ns)
{
    const char *p = samples;

    while (n) {
        if (!r->n && !has_room(r)) {            // the rest of this read with it: one gap
            r->index += n;
            r->lost += n;
            return;
        }
        uint32_t room = r->shape.block_len - r->n, k = n < room ? n : room;
        struct ring_slot *s = slot_at(r->head, &r->shape, r->seq);
        memcpy((char *)(s + 1) + r->n * r->size, p, k * r->size);
        r->n += k;
        r->index += k;
        p += k * r->size;
        n -= k;
        if (r->n == r->shape.block_len)
            publish(r, mono_ns - (int64_t)(n / r->rate_hz * 1e9));
    }
}

void ring_lose(struct ring_out *r, uint64_t n, int64_t mono_ns)
{
    if (!n)
        return;
    publish(r, mono_ns);
    r->index += n;
    r->lost += n;
}

void ring_tuned(struct ring_out *r, double centre_hz, double gain_db, int64_t mono_ns)
{
    publish(r, mono_ns);
    r->centre_hz = centre_hz;
    r->gain_db = gain_db;
}

// ---- The reader ------------------------------------------------------------------------------

void ring_in_init(struct ring_in *r, void *memory, struct ring_shape shape, double rate_hz,
                  int64_t now_ns)
{
    *r = (struct ring_in){ .head = memory, .shape = shape, .rate_hz = rate_hz,
                           .began_ns = now_ns };
}

// What of a copied slot cannot be true; NULL: all of it can.
static const char *judge(const struct ring_in *r, const struct ring_slot *s, int64_t now_ns)
{
    double up_s = (double)(now_ns - r->began_ns) / 1e9;

    if (s->seq != r->seq)
        return "a block out of order";
    if (!s->n || s->n > r->shape.block_len)
        return "a block of impossible length";
    if (s->lost > UINT64_MAX / 4 || s->index != r->index + s->lost)
        return "a sample index that does not follow";
    if ((double)(s->index + s->n) > (up_s * AHEAD + SLACK_S) * r->rate_hz)
        return "more samples than time has passed";
    if (!(s->centre_hz >= 0 && s->centre_hz <= 300e9))      // NaN as well
        return "an impossible frequency";
    if (!(fabs(s->gain_db) <= GAIN_MAX_DB))
        return "an impossible gain";
    // (The first samples of a long read may be dated before the child: dates count back.)
    if (s->mono_ns > now_ns || s->mono_ns < r->began_ns - QUEUE_NS)
        return "a time that is not now";
    return NULL;
}

int ring_take(struct ring_in *r, struct ring_slot *ret, const void **ret_samples,
              const char **ret_why)
{
    uint64_t written = atomic_load(&r->head->written);

    if (written == r->seq)
        return 0;
    if (written - r->seq > r->shape.slots) {
        *ret_why = "more blocks than the ring has";
        return -EBADMSG;
    }
    struct ring_slot *s = slot_at(r->head, &r->shape, r->seq);
    struct ring_slot mine;
    memcpy(&mine, s, sizeof mine);
    __asm__ volatile("" ::: "memory");          // judge the copy and nothing read again
    const char *why = judge(r, &mine, mono_now_ns());
    if (why) {
        *ret_why = why;
        return -EBADMSG;
    }
    r->seq++;
    r->index = mine.index + mine.n;
    r->lost += mine.lost;
    *ret = mine;
    *ret_samples = s + 1;
    return 1;
}

void ring_release(struct ring_in *r) { atomic_store(&r->head->read, r->seq); }

uint32_t ring_waiting(const struct ring_in *r)
{
    uint64_t n = atomic_load(&r->head->written) - r->seq;
    return n <= r->shape.slots ? (uint32_t)n : 0;       // more cannot be
}

bool ring_sleep(struct ring_in *r)
{
    atomic_store(&r->head->asleep, 1);
    if (atomic_load(&r->head->written) == r->seq)
        return true;
    atomic_store(&r->head->asleep, 0);
    return false;
}
