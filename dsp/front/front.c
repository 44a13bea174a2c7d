// SPDX-License-Identifier: GPL-3.0-or-later
// First version: rows of 256-point spectra, a row is on the air when its power exceeds four times
// the capture's quietest tenth.  (The banks and tiles take its place.)
#include "dsp/front/front.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/fft.h"

#define BINS 256

struct front {
    struct iq_info  info;
    struct dft     *fft;
    float complex  *buf, *spec;
    double          floor;          // power per row
    bool            open;
    uint64_t        n0, end;
    double          acc[BINS];
    uint64_t        rows;
};

struct front *front_new(const struct iq_info *info)
{
    struct front *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->info = *info;
    f->fft = dft_new(BINS, DFT_FORWARD, 1);
    f->buf = dft_alloc(131072 + BINS);
    f->spec = dft_alloc(BINS);
    if (!f->fft || !f->buf || !f->spec) {
        front_free(f);
        return NULL;
    }
    return f;
}

void front_free(struct front *f)
{
    if (!f)
        return;
    dft_free(f->fft);
    free(f->buf);
    free(f->spec);
    free(f);
}

static void emit(struct front *f, uint64_t n1, struct front_out *out)
{
    double sum = 0, part = 0;
    int lo = -1, hi = BINS - 1;

    f->open = false;
    if (n1 - f->n0 < 2 * BINS || out->list.n == CAND_MAX)
        return;
    for (int i = 0; i < BINS; i++)
        sum += f->acc[i] = fmax(0, f->acc[i] - f->floor * (double)f->rows / BINS);
    for (int i = 0; i < BINS; i++) {
        part += f->acc[i];
        if (lo < 0 && part > 0.01 * sum)
            lo = i;
        if (part < 0.99 * sum)
            hi = i + 1;
    }
    double step = f->info.rate_hz / BINS, level = sum / (double)f->rows;
    struct cand *c = &out->list.c[out->list.n++];
    *c = (struct cand){ .hyp = HYP_ENERGY, .n0 = f->n0, .n1 = n1,
                        .f_lo_hz = (lo - BINS / 2) * step, .f_hi_hz = (hi + 1 - BINS / 2) * step };
    if (c->f_hi_hz <= c->f_lo_hz)
        c->f_hi_hz = c->f_lo_hz + step;
    double noise = fmax(f->floor, 1e-20) * (c->f_hi_hz - c->f_lo_hz) / f->info.rate_hz;
    c->level_dbfs = (float)(10 * log10(fmax(level, 1e-20)));
    c->snr_db = (float)(c->level_dbfs - 10 * log10(noise));
    c->flags = f->n0 == 0 ? BURST_AT_START : 0;
}

static int cmp(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

void front_block(struct front *f, const struct iq_block *b, struct front_out *out)
{
    unsigned rows = b->n / BINS;
    static double p[131072 / BINS], s[131072 / BINS];

    out->list.n = 0;
    out->list.dropped = 0;
    out->has_psd = false;
    iq_to_cf32(b, 0, b->n, f->buf);
    for (unsigned r = 0; r < rows; r++) {
        p[r] = 0;
        for (unsigned i = 0; i < BINS; i++)
            p[r] += (double)cabsf(f->buf[r * BINS + i]) * cabsf(f->buf[r * BINS + i]) / BINS;
        s[r] = p[r];
    }
    qsort(s, rows, sizeof s[0], cmp);
    double q = rows ? s[rows / 10] : 0;
    f->floor = f->floor == 0 || q < f->floor ? q : f->floor + 0.01 * (q - f->floor);
    for (unsigned r = 0; r < rows; r++) {
        uint64_t n = b->n0 + r * BINS;
        bool on = p[r] > 4 * f->floor;
        if (on && !f->open) {
            f->open = true;
            f->n0 = n;
            f->rows = 0;
            memset(f->acc, 0, sizeof f->acc);
        }
        if (on) {
            dft_run(f->fft, f->buf + r * BINS, f->spec);
            for (unsigned i = 0; i < BINS; i++)
                f->acc[(i + BINS / 2) % BINS] += (double)crealf(f->spec[i] * conjf(f->spec[i])) /
                                                 BINS / BINS;
            f->rows++;
        }
        if (f->open && (!on || n - f->n0 > DSP_RUN_S * 0.9 * f->info.rate_hz))
            emit(f, n, out);
    }
    f->end = b->n0 + b->n;
    for (unsigned i = 0; i < NOISE_POINTS; i++)
        out->noise.dbfs_hz[i] = (float)(10 * log10(fmax(f->floor, 1e-20) / f->info.rate_hz));
    out->list.done = f->open ? f->n0 : f->end;
}

void front_flush(struct front *f, struct front_out *out)
{
    out->list.n = 0;
    out->list.dropped = 0;
    out->has_psd = false;
    if (f->open)
        emit(f, f->end, out);
    if (out->list.n)
        out->list.c[out->list.n - 1].flags |= BURST_AT_END;
    out->list.done = UINT64_MAX;
}
