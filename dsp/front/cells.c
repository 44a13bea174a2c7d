// SPDX-License-Identifier: GPL-3.0-or-later
#include "dsp/front/cells.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include "dsp/fft.h"
#include "dsp/front/bank.h"
#include "dsp/kernel/band.h"

// Spacing wanted of the fast bank: hops of some 4 us, short enough for the gap before a Wi-Fi
// acknowledgement (10 us), and channels no wider than a narrow control link.
#define FAST_HZ      120e3
#define FAST_MIN     16
// Two taps a channel keep a window short (a strong burst must not ring before it starts); with
// 80 dB in Kaiser's formula it is 70 dB down from two channels on and sums to flat within 0.4 dB.
#define BANK_TAPS    2
#define BANK_STOP_DB 80
#define IN_ROWS      12         // input buffer: 4 rows of window and room to move seldom
#define DEAD_PROBE   8          // every 8th sample is looked at for digital silence
#define DEAD_SHARE   4          // 1/4 exact zeros make a row dead

#define RING_UNIT    64         // rows
#define LINE         64         // bytes of the caches' lines
#define LARGE_PAGE   ((size_t)2 << 20)

static void make_grid(struct grid *g, double rate_hz, double keep_s)
{
    g->rate_hz = rate_hz;
    g->fast_n = FAST_MIN;
    while (rate_hz / g->fast_n > FAST_HZ * M_SQRT2)
        g->fast_n *= 2;
    g->slow_n = ROW_HOPS * g->fast_n;
    g->hop = g->fast_n / 2;
    g->row = g->slow_n / 2;
    g->hop_s = g->hop / rate_hz;
    g->row_s = g->row / rate_hz;
    g->fast_hz = rate_hz / g->fast_n;
    g->slow_hz = rate_hz / g->slow_n;
    g->edge = 1 + (int)g->slow_n / 256;
    g->ring = RING_UNIT * (1 + (unsigned)(keep_s / g->row_s / RING_UNIT));
}

// A ring passes through memory faster than it is looked at: in large pages, where there are any, it
// costs the processor's page tables nothing.
static void *ring_alloc(size_t bytes)
{
    void *p = calloc(1, bytes);
    uintptr_t from = ((uintptr_t)p + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    uintptr_t to = ((uintptr_t)p + bytes) / LARGE_PAGE * LARGE_PAGE;

    if (p && from < to)         // a wish: no matter if it is not granted
        madvise((void *)from, to - from, MADV_HUGEPAGE);
    return p;
}

int cells_init(struct cells *c, double rate_hz, double keep_s)
{
    memset(c, 0, sizeof *c);
    make_grid(&c->g, rate_hz, keep_s);
    size_t cells = (size_t)c->g.ring * c->g.slow_n;

    c->fast_bank = bank_new(c->g.fast_n, BANK_TAPS, BANK_STOP_DB);
    c->slow_bank = bank_new(c->g.slow_n, BANK_TAPS, BANK_STOP_DB);
    c->slow = ring_alloc(cells * sizeof *c->slow);
    c->fast = ring_alloc((cells + BAND_READ) * sizeof *c->fast);
    c->mask = ring_alloc(cells);
    c->marked = calloc(c->g.ring, 1);
    c->peak = calloc(c->g.ring, sizeof *c->peak);
    c->dead = calloc(c->g.ring, 1);
    c->in_cap = IN_ROWS * c->g.row;
    c->in = dft_alloc(c->in_cap);
    if (!c->fast_bank || !c->slow_bank || !c->slow || !c->fast || !c->mask || !c->marked ||
        !c->peak || !c->dead || !c->in)
        return -ENOMEM;
    cells_begin(c, 0);
    return 0;
}

void cells_done(struct cells *c)
{
    bank_free(c->fast_bank);
    bank_free(c->slow_bank);
    free(c->slow);
    free(c->fast);
    free(c->mask);
    free(c->marked);
    free(c->peak);
    free(c->dead);
    free(c->in);
}

// Row r needs samples from 1.5 rows before it to 1.5 rows after it.
//
//     in_at v
//           |<-- 1.5 rows -->|<- row r ->|<-- 1.5 rows -->|          slow window: all 4 rows
//                            |h|h|h|h|h|h|h|h|                       fast windows: 4 hops each
void cells_begin(struct cells *c, uint64_t origin)
{
    c->origin = origin;
    c->samples = c->rows = 0;
    c->in_at = 0;
    c->in_n = c->g.row + c->g.row / 2;
    memset(c->in, 0, c->in_n * sizeof *c->in);
}

static bool silent(const float complex *x, unsigned n)
{
    unsigned zero = 0;
    for (unsigned i = 0; i < n; i += DEAD_PROBE)
        zero += x[i] == 0;
    return zero * DEAD_PROBE * DEAD_SHARE > n;
}

// The rings are larger than the nearest caches: what will be read or written next comes while the
// banks work, a part before each.
static void fetch(const void *at, size_t bytes, bool write)
{
    for (size_t i = 0; i < bytes; i += LINE)
        if (write)
            __builtin_prefetch((const char *)at + i, 1);
        else
            __builtin_prefetch((const char *)at + i, 0);
}

static void finish_row(struct cells *c)
{
    const struct grid *g = &c->g;
    size_t slot = grid_slot(g, c->rows), next = grid_slot(g, c->rows + 1);
    size_t bytes = g->slow_n * sizeof *c->slow;
    const float complex *x = c->in + c->in_at, *row = x + g->row + g->row / 2;

    fetch(c->fast + slot * g->slow_n, bytes, true);
    fetch(cells_slow(c, c->rows - c->behind), bytes, false);
    float a = bank_power_packed(c->slow_bank, x, 1, c->slow + slot * g->slow_n);
    fetch(c->slow + next * g->slow_n, bytes, true);
    fetch(cells_fast(c, c->rows - c->behind), bytes, false);
    float b = bank_power_packed(c->fast_bank, row + g->hop / 2 - 2 * g->hop, ROW_HOPS,
                                c->fast + slot * g->slow_n);
    if (c->marked[slot])
        memset(c->mask + slot * g->slow_n, 0, g->slow_n);
    c->marked[slot] = 0;
    c->peak[slot] = fmaxf(a, b);
    c->dead[slot] = silent(row, g->row);
    c->rows++;
    c->in_at += g->row;
    c->in_n -= g->row;
}

static void make_room(struct cells *c, uint32_t n)
{
    if (c->in_at + c->in_n + n <= c->in_cap)
        return;
    memmove(c->in, c->in + c->in_at, c->in_n * sizeof *c->in);
    c->in_at = 0;
}

uint32_t cells_take(struct cells *c, const struct iq_block *b, uint32_t off, bool *ret_row)
{
    uint32_t want = 4 * c->g.row - c->in_n, n = b->n - off < want ? b->n - off : want;

    make_room(c, n);
    iq_to_cf32(b, off, n, c->in + c->in_at + c->in_n);
    if (b->n - off - n >= c->g.row)
        fetch((const char *)b->data + (off + n) * iq_format_bytes(b->format),
              c->g.row * iq_format_bytes(b->format), false);
    c->in_n += n;
    c->samples += n;
    *ret_row = n == want;
    if (*ret_row)
        finish_row(c);
    return n;
}

bool cells_drain(struct cells *c)
{
    if (c->rows * c->g.row >= c->samples)
        return false;
    uint32_t n = 4 * c->g.row - c->in_n;
    make_room(c, n);
    memset(c->in + c->in_at + c->in_n, 0, n * sizeof *c->in);
    c->in_n += n;
    finish_row(c);
    return true;
}
