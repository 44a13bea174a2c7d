// SPDX-License-Identifier: GPL-3.0-or-later
// The life of a radio's child, as the reading thread drives it:
//
//     down --start--> starting --first samples--> running --nothing for silence_s--> silent
//      ^                  |                          |                                  |
//      '---- killed, with back-off (0.5 s doubling to 30 s; 10 s of samples forget it) -'
//
// Every way out of running is the same: kill -9.  Asking a hung driver to close has never helped
// anybody.
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utc.h"
#include "sdr/radio/live.h"

#define BACKOFF_S     0.5
#define BACKOFF_MAX_S 30.0
#define GOOD_S        10.0      // samples for so long: the trouble before is forgotten
#define START_S       20.0      // loading firmware and calibrating takes some radios 10 s
#define TELL_NS       20000000
#define RATE_OFF      0.01
#define NEAR          0.01      // of the rate: tuners have steps of their own

static void set_state(struct live *l, enum iq_radio_state s)
{
    struct live_board b;

    if (l->said.state == s)
        return;
    l->said.state = s;
    board_read(&l->board, &b, sizeof b);
    b.since_ns = mono_now_ns();
    board_write(&l->board, &b, sizeof b);
    live_tell(l);
}

// The sentence that goes with the state.
static const char *words(struct live *l)
{
    int64_t now_ns = mono_now_ns();

    if (l->said.state != RADIO_RUNNING)
        return l->said.what;
    for (int i = 0; i < REMARKS; i++)
        if (l->remark[i].until_ns > now_ns)
            return l->remark[i].text;
    return "";
}

void live_tell(struct live *l)
{
    struct live_board b;

    for (int i = 0; i < RING_COUNTS; i++) {
        uint64_t c = l->child.memory ? atomic_load(&l->ring.head->count[i]) : 0;
        c = c < UINT64_C(1) << 62 ? c : 0;
        uint64_t *to[] = { &l->said.overflows, &l->said.timeouts, &l->said.errors,
                           &l->said.time_jumps, &l->said.late_reads };
        *to[i] = l->before[i] + c;
    }
    l->said.time_jumps += l->clock.jumps;
    board_read(&l->board, &b, sizeof b);
    b.radio = l->said;
    snprintf(b.radio.what, sizeof b.radio.what, "%s", words(l));
    board_write(&l->board, &b, sizeof b);
}

void live_say(struct live *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(l->said.what, sizeof l->said.what, fmt, ap);
    va_end(ap);
}

void live_remark(struct live *l, enum remark r, double seconds, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(l->remark[r].text, sizeof l->remark[r].text, fmt, ap);
    va_end(ap);
    l->remark[r].until_ns = isinf(seconds) ? INT64_MAX
                                           : mono_now_ns() + (int64_t)(seconds * 1e9);
}

// What was true of the child that goes now.
static void forget_child(struct live *l)
{
    for (int i = 0; i < REMARKS; i++)
        if (l->remark[i].until_ns == INT64_MAX)
            l->remark[i].until_ns = 0;
}

// The samples of the slot held lie in the ring that goes now: they count as never come.
static void drop_slot(struct live *l)
{
    uint64_t left = l->holding ? l->slot.n - l->at : 0;

    l->handed -= left;
    l->received -= left;
    if (l->holding && l->fresh) {
        l->handed -= l->gap;
        *(l->retuned ? &l->said.settled : &l->said.lost) -= l->gap;
    }
    l->holding = false;
}

void live_restart(struct live *l, enum iq_radio_state why)
{
    drop_slot(l);
    live_judge_place(l);
    if (!l->fatal)
        snprintf(l->why, sizeof l->why, "%s", l->said.what);
    live_tell(l);
    uint64_t jumps = l->said.time_jumps - l->clock.jumps;
    const uint64_t now[] = { l->said.overflows, l->said.timeouts, l->said.errors, jumps,
                             l->said.late_reads };
    memcpy(l->before, now, sizeof now);
    child_mutter(&l->child, l->muttered, sizeof l->muttered);
    child_kill(&l->child);
    l->heard = l->rolling = false;
    forget_child(l);
    clock_restart(&l->clock);
    l->backoff_s = l->backoff_s > 0 ? fmin(2 * l->backoff_s, BACKOFF_MAX_S) : BACKOFF_S;
    l->down_ns = mono_now_ns() + (int64_t)(l->backoff_s * 1e9);
    set_state(l, why);
    live_tell(l);
}

void live_trouble(struct live *l, enum iq_radio_state state)
{
    l->before[RING_ERRORS]++;
    live_restart(l, state);
}

static int start(struct live *l)
{
    if (!child_is_gone(&l->child)) {
        live_say(l, "the driver's process cannot be ended: it hangs in the kernel; unplug the "
                    "radio");
        l->down_ns = mono_now_ns() + (int64_t)(BACKOFF_S * 1e9);
        return 0;
    }
    live_news_of_place(l);
    l->muttered[0] = 0;
    l->wait_ns = mono_now_ns();         // before: the child may be quicker than this thread
    int r = child_start(&l->child, l->program, l->plugins ? l->plugin_path : NULL, &l->ask,
                        &l->shape);
    if (r < 0) {
        live_say(l, "%.100s cannot be started: %s", l->program, strerror(-r));
        live_trouble(l, RADIO_RESTARTING);
        return r;
    }
    l->fatal = false;
    if (l->first.kind)
        l->said.restarts++;
    ring_in_init(&l->ring, l->child.memory, l->shape, l->ask.rate_hz, l->wait_ns);
    set_state(l, l->first.kind ? RADIO_RESTARTING : RADIO_STARTING);
    return 0;
}

static void forward_tune(struct live *l)
{
    uint64_t before = l->tuned_count;

    if (!l->heard || !live_news_of_place(l))
        return;
    struct talk_ask ask = l->ask;
    ask.kind = TALK_TUNE;
    if (child_ask(&l->child, &ask))
        l->tuned_count = before;        // again, soon
}

static void judge_rate(struct live *l)
{
    double span_hz, rate_hz = clock_rate_hz(&l->clock, &span_hz), want_hz = l->clock.rate_hz;

    l->said.rate_measured_hz = rate_hz;
    // The first second after a start holds what was queued; so judge when it is out of sight.
    if (l->clock.windows <= CLOCK_WINDOWS)
        return;
    l->remark[REMARK_RATE].until_ns = 0;
    if (fabs(span_hz / want_hz - 1) > RATE_OFF)
        live_remark(l, REMARK_RATE, REMARK_CHILD, "%.4g MS/s come, %.4g were asked "
                    "for: frequencies and times will be wrong",
                    rate_hz / 1e6, want_hz / 1e6);
    else if (rate_hz < want_hz * (1 - RATE_OFF))
        live_remark(l, REMARK_RATE, REMARK_CHILD, "%.1f %% of the samples are lost: a lower rate "
                    "or another USB port may help", 100 * (1 - rate_hz / want_hz));
}

// The host's own clock was set, seen against the one that nobody sets.
static void judge_clock(struct live *l, uint64_t jumps_before)
{
    if (l->clock.jumps != jumps_before)
        live_remark(l, REMARK_CLOCK, REMARK_S, "this machine's clock was set %s by %.3f s; sample "
                    "time goes on, UTC follows it", l->clock.jump_ns > 0 ? "ahead" : "back",
                    fabs((double)l->clock.jump_ns * 1e-9));
}

// Samples again, behind an outage.
static void judge_outage(struct live *l, double away_s)
{
    if (l->said.restarts)
        live_remark(l, REMARK_AWAY, REMARK_S, "back after %.1f s without samples: %.110s", away_s,
                    l->why);
}

// Of two readings of two clocks, one right behind the other.
static int64_t utc_less_mono_ns(void)
{
    int64_t before_ns, utc_ns, after_ns;

    do {                                // again when this thread was put aside in between
        before_ns = mono_now_ns();
        utc_ns = utc_now_ns();
        after_ns = mono_now_ns();
    } while (after_ns - before_ns > 2000000);
    return utc_ns - after_ns;
}

// A new slot: where it lies in the stream, and when it came.
static void place(struct live *l, int64_t now_ns)
{
    const struct ring_slot *s = &l->slot;
    uint64_t begin = l->handed + s->lost;
    // A step of the gain settles as a retune does: what it throws away is no loss either.
    bool retuned = l->rolling &&
                   (s->centre_hz != l->placed_hz || s->gain_db != l->placed_db);

    if (!l->rolling) {
        // The stream goes on where the machine's clock says it stands by now.
        double due = l->clock.known
                   ? clock_index(&l->clock, s->mono_ns) - (double)s->n : 0;
        if (l->clock.known)
            begin = due > (double)l->handed + 1 ? (uint64_t)due : l->handed + 1;
        else
            begin = 0;
        l->rolling = true;
        l->misses = 0;
        l->good_ns = now_ns;
        judge_outage(l, (double)(begin - l->handed) / l->clock.rate_hz);
        set_state(l, RADIO_RUNNING);
    }
    l->gap = begin - l->handed;
    l->retuned = retuned;               // an outage is one, wherever the radio came back
    l->placed_hz = s->centre_hz;
    l->placed_db = s->gain_db;
    if ((!l->good.kind || l->good_count != l->tuned_count) &&
        fabs(s->centre_hz - l->ask.centre_hz) < NEAR * l->clock.rate_hz) {
        l->good = l->ask;
        l->good_count = l->tuned_count;
    }
    *(l->retuned ? &l->said.settled : &l->said.lost) += l->gap;
    l->handed = begin + s->n;
    l->received += s->n;
    uint64_t jumps = l->clock.jumps;
    uint64_t came = l->received + l->said.settled;      // what a retune throws away came, too
    if (clock_arrived(&l->clock, l->handed, s->mono_ns, came, utc_less_mono_ns())) {
        l->tell_utc = true;
        judge_rate(l);
        judge_clock(l, jumps);
    }
    if (now_ns - l->good_ns > (int64_t)(GOOD_S * 1e9) && !l->flat)
        l->backoff_s = 0;
}

// One value from end to end is a dead converter, or a driver that fills in.
static void judge_flat(struct live *l)
{
    size_t size = iq_format_bytes(l->first.format), bytes = l->slot.n * size;

    bool flat = bytes == size || !memcmp(l->samples, l->samples + size, bytes - size);
    l->flat = flat ? l->flat + l->slot.n : 0;
    if ((double)l->flat < LIVE_FLAT_S * l->clock.rate_hz)
        return;
    l->flat = 1;                        // not 0: the back-off is not forgotten yet
    live_say(l, "the radio sends one value only: its driver or its receiver is dead");
    live_trouble(l, RADIO_SILENT);
}

bool live_take(struct live *l)
{
    const char *why = NULL;
    const void *samples = NULL;

    if (!l->heard)
        return false;
    int r = ring_take(&l->ring, &l->slot, &samples, &why);
    if (r < 0) {
        live_say(l, "the driver's process wrote nonsense (%s); it was ended", why);
        live_trouble(l, RADIO_RESTARTING);
    }
    if (r <= 0)
        return false;
    int64_t now_ns = mono_now_ns();
    l->samples = samples;
    l->at = 0;
    l->holding = l->fresh = true;
    l->wait_ns = 0;
    place(l, now_ns);
    judge_flat(l);
    if (l->holding)
        forward_tune(l);                // a scan's turn, at once
    if (now_ns - l->said_ns > TELL_NS) {
        struct live_board b;
        l->said_ns = now_ns;
        live_hear(l);                        // trouble in words, and whether it still lives
        live_tell(l);
        board_read(&l->board, &b, sizeof b);
        b.last_ns = now_ns;
        board_write(&l->board, &b, sizeof b);
    }
    return l->holding;
}

static void drain_event(int fd)
{
    uint64_t v;
    ssize_t r = read(fd, &v, sizeof v);
    (void)r;
}

static void wait_for(struct live *l, int64_t until_ns)
{
    struct pollfd p[] = {
        { .fd = l->stop_fd, .events = POLLIN },
        { .fd = l->child.wake_fd, .events = POLLIN },
        { .fd = l->child.socket_fd, .events = POLLIN },
        { .fd = l->child.error_fd, .events = POLLIN },
    };
    int64_t left_ns = until_ns - mono_now_ns();
    struct timespec t = { left_ns / 1000000000, left_ns % 1000000000 };

    if (left_ns <= 0 || (l->heard && !ring_sleep(&l->ring)))
        return;
    if (ppoll(p, 4, &t, NULL) <= 0)
        return;
    if (p[0].revents)
        drain_event(l->stop_fd);
    if (p[1].revents)
        drain_event(l->child.wake_fd);
    if (p[3].revents & POLLIN)
        child_mutter(&l->child, l->muttered, sizeof l->muttered);
}

static bool is_silent(struct live *l, int64_t now_ns)
{
    double limit_s = l->rolling ? l->silence_s : fmax(START_S, l->silence_s);
    return (double)(now_ns - l->wait_ns) > limit_s * 1e9;
}

int live_step(struct live *l, int64_t until_ns)
{
    int64_t now_ns = mono_now_ns();

    if (!l->child.memory) {
        if (now_ns >= l->down_ns)
            return start(l);
        wait_for(l, until_ns < l->down_ns ? until_ns : l->down_ns);
        return 0;
    }
    if (!l->wait_ns)
        l->wait_ns = now_ns;
    live_hear(l);
    if (!l->child.memory)
        return l->fatal ? -l->fatal_code : 0;
    forward_tune(l);
    if (is_silent(l, now_ns)) {
        live_say(l, "no sample for %.1f s; the driver was ended and is started again",
                 (double)(now_ns - l->wait_ns) / 1e9);
        live_trouble(l, RADIO_SILENT);
        return 0;
    }
    live_tell(l);
    int64_t soon_ns = now_ns + 200000000;       // to look at counts and silence
    wait_for(l, until_ns < soon_ns ? until_ns : soon_ns);
    return 0;
}
