// SPDX-License-Identifier: GPL-3.0-or-later
#include "sdr/radio/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_NS 1000000000
#define JUMP_NS   50000000      // clocks that are slewed stay far below this between two blocks
#define DRIFT     200e-6        // crystal (50 ppm) and host clock (100 ppm), and some
#define OFF_NS    20e6          // a line so far off is no drift: begin a new one
#define ERR_NS    2000000       // transfers on USB come in bundles of about this
#define QUEUE_NS  50000000      // before the first second is over: what may be queued somewhere

void clock_init(struct radio_clock *c, double rate_hz)
{
    *c = (struct radio_clock){ .rate_hz = rate_hz };
}

static double line_ns(const struct radio_clock *c, uint64_t index)
{
    return (double)(int64_t)(index - c->index) / c->rate_hz * 1e9;
}

static void set_anchor(struct radio_clock *c, uint64_t index, int64_t mono_ns, int64_t err_ns)
{
    c->index = index;
    c->mono_ns = mono_ns;
    c->err_ns = err_ns;
    c->known = true;
}

static void begin_window(struct radio_clock *c, int64_t mono_ns)
{
    c->end_ns = mono_ns + WINDOW_NS;
    c->best_ns = INFINITY;
}

// The window is over: earlier than the line is believed, later only as far as clocks drift.
static void end_window(struct radio_clock *c)
{
    double off_ns = c->best_ns, drift_ns = DRIFT * WINDOW_NS;
    double by_ns = off_ns > drift_ns && off_ns < OFF_NS ? drift_ns : off_ns;

    set_anchor(c, c->best_index, c->best_mono_ns - (int64_t)(off_ns - by_ns),
               ERR_NS + (int64_t)fmin(fabs(off_ns), OFF_NS));
}

static void note_rate(struct radio_clock *c)
{
    memmove(c->past, c->past + 1, sizeof c->past - sizeof c->past[0]);
    c->past[CLOCK_WINDOWS - 1].samples = c->best_samples;
    c->past[CLOCK_WINDOWS - 1].index = c->best_index;
    c->past[CLOCK_WINDOWS - 1].mono_ns = c->best_mono_ns;
    c->windows++;
}

bool clock_arrived(struct radio_clock *c, uint64_t index, int64_t mono_ns, uint64_t samples,
                   int64_t utc_less_mono_ns)
{
    bool tell = !c->known;

    if (!c->known) {
        c->utc_less_mono_ns = utc_less_mono_ns;
        set_anchor(c, index, mono_ns, QUEUE_NS);
    }
    if (llabs(utc_less_mono_ns - c->utc_less_mono_ns) > JUMP_NS) {
        c->jump_ns = utc_less_mono_ns - c->utc_less_mono_ns;
        c->utc_less_mono_ns = utc_less_mono_ns;
        c->jumps++;
        tell = true;
    }
    if (!c->end_ns)
        begin_window(c, mono_ns);
    double off_ns = (double)(mono_ns - c->mono_ns) - line_ns(c, index);
    if (off_ns < c->best_ns) {
        c->best_ns = off_ns;
        c->best_index = index;
        c->best_mono_ns = mono_ns;
        c->best_samples = samples;
    }
    if (mono_ns < c->end_ns)
        return tell;
    end_window(c);
    note_rate(c);
    begin_window(c, mono_ns);
    c->utc_less_mono_ns = utc_less_mono_ns;     // slewed clocks are followed
    return true;
}

int64_t clock_utc_ns(const struct radio_clock *c, uint64_t index)
{
    return c->known ? c->mono_ns + c->utc_less_mono_ns + (int64_t)line_ns(c, index) : 0;
}

double clock_index(const struct radio_clock *c, int64_t mono_ns)
{
    return (double)c->index + (double)(mono_ns - c->mono_ns) * 1e-9 * c->rate_hz;
}

void clock_restart(struct radio_clock *c)
{
    c->end_ns = 0;
    c->windows = 0;
}

double clock_rate_hz(const struct radio_clock *c, double *ret_span_hz)
{
    unsigned n = c->windows < CLOCK_WINDOWS ? c->windows : CLOCK_WINDOWS;

    *ret_span_hz = 0;
    if (n < 3)                          // two may lie within the same few ms
        return 0;
    double s = 1e-9 * (double)(c->past[CLOCK_WINDOWS - 1].mono_ns -
                               c->past[CLOCK_WINDOWS - n].mono_ns);
    *ret_span_hz = (double)(c->past[CLOCK_WINDOWS - 1].index -
                            c->past[CLOCK_WINDOWS - n].index) / s;
    return (double)(c->past[CLOCK_WINDOWS - 1].samples - c->past[CLOCK_WINDOWS - n].samples) / s;
}
