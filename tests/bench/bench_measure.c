// SPDX-License-Identifier: GPL-3.0-or-later
// How sure the kind of a burst is over SNR, and what one burst costs.  Packets come from the
// simulator's transmitters, are moved to a random centre, put into noise at a stated SNR
// (contract's width) and measured with extents as rough as a detector's.  Simulated figures: no
// fading, one transmitter at a time.
//
// right / wrong: a wrong kind is worse than unknown, so both are told.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dsp/burst.h"
#include "dsp/ddc.h"
#include "sdr/sim/tx.h"

#define LEAD_S   150e-6
#define MOST_S   20e-3          // of an endless transmission: one part of a run
#define SNRS     6

static const double snrs[SNRS] = { -5, 0, 5, 10, 15, 20 };

static const struct row {
    const char *what, *model;
    struct tx_args args;
    double rate_hz;
    unsigned kinds;             // bits of enum sig_kind that are right
} rows[] = {
#define BIT(k) (1u << (k))
    { "LoRa, ELRS 2.4/500Hz", "elrs", { .mode = "ELRS 2.4/500Hz LoRa" }, 20e6, BIT(KIND_LORA) },
    { "LoRa, ELRS 2.4/250Hz", "elrs", { .mode = "ELRS 2.4/250Hz LoRa" }, 20e6, BIT(KIND_LORA) },
    { "LoRa, ELRS 2.4/50Hz", "elrs", { .mode = "ELRS 2.4/50Hz LoRa" }, 20e6, BIT(KIND_LORA) },
    { "GFSK, BLE advertising", "ble", { 0 }, 20e6, BIT(KIND_FSK) | BIT(KIND_MSK) },
    { "GFSK, Bluetooth", "bluetooth", { 0 }, 20e6, BIT(KIND_FSK) | BIT(KIND_MSK) },
    { "FSK 38.4 kBd +-20 kHz", "fsk", { .mode = "38400/20000", .period_s = 0.02 }, 2e6,
      BIT(KIND_FSK) | BIT(KIND_MSK) },
    { "FSK, wireless M-Bus", "wmbus", { .period_s = 0.02 }, 2e6, BIT(KIND_FSK) | BIT(KIND_MSK) },
    { "OFDM, DroneID", "droneid", { 0 }, 30.72e6, BIT(KIND_OFDM) },
    { "OFDM, OcuSync downlink", "ocusync", { 0 }, 30.72e6, BIT(KIND_OFDM) },
    { "OFDM, LTE 10 MHz, 20 ms", "lte", { .mode = "10" }, 20e6, BIT(KIND_OFDM) },
    { "OFDM, Wi-Fi", "wifi", { 0 }, 40e6, BIT(KIND_OFDM) },
    { "DSSS, 802.11b", "dsss", { 0 }, 40e6, BIT(KIND_DSSS) },
    { "FM video, PAL, 20 ms", "fmvideo", { .variant = "pal" }, 20e6, BIT(KIND_FM) },
    { "FM video, NTSC, 20 ms", "fmvideo", { .variant = "ntsc" }, 20e6, BIT(KIND_FM) },
    { "carrier, 20 ms", "cw", { 0 }, 2e6, BIT(KIND_CW) },
};

struct packet { float complex *iq; size_t n; double rate_hz, bw_hz; bool whole; };

// The next transmission, pieces joined up to MOST_S; false at the end.
static bool packet_next(const struct tx_model *m, void *state, struct packet *p)
{
    struct tx_packet t;
    free(p->iq);
    *p = (struct packet){ .whole = true };
    while (m->next(state, &t) == 1) {
        if (p->n && !t.continues)
            break;
        size_t most = (size_t)(MOST_S * t.rate_hz), n = t.n < most - p->n ? t.n : most - p->n;
        float complex *more = realloc(p->iq, (p->n + n) * sizeof *more);
        if (!more)
            return false;
        memcpy(more + p->n, t.iq, n * sizeof *more);
        p->iq = more;
        p->n += n;
        p->rate_hz = t.rate_hz;
        p->bw_hz = t.bw_hz;
        p->whole = p->n < most;
        if (p->n >= most || !t.continues)
            break;
    }
    return p->n > 0;
}

struct scene { struct iq_block b; struct burst burst; float complex *x; };

static bool scene_make(struct scene *s, const struct packet *p, double rate, double snr_db,
                       struct rng *r)
{
    double dur = (double)p->n / p->rate_hz, room = rate - p->bw_hz;
    double f = room > 0 ? room * rng_between(r, -0.4, 0.4) : 0;
    double lead = p->whole ? LEAD_S : 0;
    size_t n = (size_t)((dur + 2 * lead) * rate);
    s->x = malloc(n * sizeof *s->x);
    float complex *y = malloc(n * sizeof *y);
    if (!s->x || !y)
        return false;
    struct iq_block src = { .n = (uint32_t)p->n, .format = IQ_CF32, .data = p->iq };
    struct cut cut = { .n = (uint32_t)p->n, .n_blk = 1, .blk = { &src } };
    ddc_run(&cut, p->rate_hz, 0, -lead * p->rate_hz, rate, 0.9 * fmin(rate, p->rate_hz), y, n);
    double amp = sqrt(pow(10, snr_db / 10) * p->bw_hz / rate);
    for (size_t i = 0; i < n; i++) {
        double ph = f / rate * (double)i;
        ph = 2 * M_PI * (ph - floor(ph));
        s->x[i] = rng_cnormal(r) + (float)amp * y[i] * ((float)cos(ph) + I * (float)sin(ph));
    }
    free(y);
    s->b = (struct iq_block){ .n = (uint32_t)n, .rate_hz = rate, .format = IQ_CF32, .data = s->x };
    double slack = p->whole ? fmin(30e-6, dur / 5) : 0, w = p->bw_hz;
    s->burst = (struct burst){
        .id = 1, .hyp = HYP_ENERGY, .part = p->whole ? BURST_WHOLE : BURST_RUN_MORE,
        .rate_hz = rate, .noise_dbfs_hz = (float)(-10 * log10(rate)),
        .n0 = (uint64_t)((lead + slack * rng_between(r, -1, 1)) * rate),
        .n1 = (uint64_t)((lead + dur + slack * rng_between(r, -1, 1)) * rate),
        .f_lo_hz = fmax(-rate / 2, f - w / 2 - 0.2 * w * rng_uniform(r)),
        .f_hi_hz = fmin(rate / 2, f + w / 2 + 0.2 * w * rng_uniform(r)),
        .cut = { .n = (uint32_t)n, .n_blk = 1, .blk = { &s->b } },
    };
    s->burst.n1 = s->burst.n1 > n ? n : s->burst.n1;
    return true;
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void row_run(const struct row *row, int trials)
{
    const struct tx_model *m = NULL;
    char why[IQ_WHY] = "no such model";
    struct rng r, mr;
    void *state;
    struct packet p = { 0 };
    for (size_t i = 0; tx_models[i] && !m; i++)
        m = !strcmp(tx_models[i]->name, row->model) ? tx_models[i] : NULL;
    struct tx_args a = row->args;
    a.freq_hz = 2440e6;
    a.capture_lo_hz = 2400e6;
    a.capture_hi_hz = 2500e6;
    a.until_s = 100;
    a.uid = 7;
    rng_init(&r, 20);
    rng_fork(&mr, &r, 1);
    if (!m || m->make(&state, &a, &mr, why) < 0) {
        printf("| %s | %s |\n", row->what, why);
        return;
    }
    struct measurer *meter = measurer_new(row->rate_hz);
    double cost = 0, air = 0;
    int bursts = 0;
    printf("| %s |", row->what);
    for (int k = 0; k < SNRS && meter; k++) {
        int right = 0, wrong = 0, n = 0;
        for (; n < trials && packet_next(m, state, &p); n++) {
            struct scene s;
            struct finding f = { 0 };
            if (!scene_make(&s, &p, row->rate_hz, snrs[k], &r))
                break;
            double t0 = cpu_s();
            measure_burst(meter, &s.burst, &f);
            cost += cpu_s() - t0;
            air += (double)p.n / p.rate_hz;
            bursts++;
            right += (row->kinds >> f.fp.kind) & 1;
            wrong += f.fp.kind != KIND_UNKNOWN && !((row->kinds >> f.fp.kind) & 1);
            free(s.x);
        }
        printf(" %d/%d |", n ? 100 * right / n : 0, n ? 100 * wrong / n : 0);
        fflush(stdout);
    }
    printf(" %.2f | %.2f |\n", bursts ? 1e3 * air / bursts : 0, bursts ? 1e3 * cost / bursts : 0);
    measurer_free(meter);
    m->drop(state);
    free(p.iq);
}

int main(void)
{
    const char *quick = getenv("QUICK");
    int trials = quick && *quick ? 5 : 20;
    printf("Kind of a burst, right / wrong in percent of %d bursts, by SNR in dB (simulated):\n\n",
           trials);
    printf("| signal |");
    for (int k = 0; k < SNRS; k++)
        printf(" %g |", snrs[k]);
    printf(" ms on the air | ms of one core |\n|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        row_run(&rows[i], trials);
    return 0;
}
