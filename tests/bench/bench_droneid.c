// SPDX-License-Identifier: GPL-3.0-or-later
// DroneID: probability of decoding and of detection against SNR, cost, false recognitions.
// Bursts come from a generator of its own (didgen.c) and, as a check on that, from the simulator;
// candidates always come from the standing correlator, nothing is told to the receiver.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dsp/burst.h"
#include "dsp/droneid/droneid.h"
#include "sdr/sdr.h"
#include "tests/bench/didgen.h"

static bool quick;

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

// Wilson's 95 % interval of k out of n.
static void wilson(unsigned k, unsigned n, double *lo, double *hi)
{
    double z = 1.96, p = (double)k / n, a = 1 + z * z / n, b = p + z * z / (2.0 * n);
    double c = z * sqrt(p * (1 - p) / n + z * z / (4.0 * n * n));
    *lo = fmax(0, (b - c) / a);
    *hi = fmin(1, (b + c) / a);
}

static void print_share(unsigned k, unsigned n)
{
    double lo, hi;
    wilson(k, n, &lo, &hi);
    printf(" | %.3f (%.3f-%.3f)", (double)k / n, lo, hi);
}

// ---- one burst through correlator and receiver -----------------------------------------------

static const double rates[] = { 15.36e6, 20e6, 30.72e6, 50e6, 61.44e6 };
#define RATES (sizeof(rates) / sizeof(*rates))

struct bench {
    struct rng         rng;
    struct dcorr      *corr[RATES];
    struct droneid_rx *rx[RATES];
    float complex     *x;
    uint64_t           at[RATES];       // correlators live on: each burst comes a second later
};

enum channel { FLAT, ECHO_300NS, ECHO_1US };

struct outcome { bool candidate, seen, verified, decoded, assisted; double ms; };

static struct gen random_burst(struct bench *b, double rate, enum channel ch)
{
    struct gen g = {
        .rate_hz = rate, .start = 0.3e-3 * rate + rng_uniform(&b->rng),
        .clock_ppm = rng_between(&b->rng, -20, 20), .symbols = rng_u64(&b->rng) & 1 ? 9 : 8,
        .dc = 0.35f * cexpf(-1.13f * I), .data_db = rng_between(&b->rng, -0.5, 0),
    };
    double span = fmax(rate / 2 - 5e6, 0.5e6);
    g.f_hz = rng_between(&b->rng, -span, span);
    gen_frame(&b->rng, (uint16_t)rng_u64(&b->rng), g.block);
    if (ch != FLAT)
        gen_fade(&g, &b->rng, ch == ECHO_1US ? 1e-6 : 0.3e-6);
    return g;
}

// snr_db in 9.015 MHz.
static struct outcome one(struct bench *b, size_t r, const struct gen *g, double snr_db,
                          enum droneid_mode mode)
{
    static struct cand_list list;
    struct outcome o = { 0 };
    size_t n = (size_t)(1.5e-3 * rates[r]);
    float sigma = (float)sqrt(pow(10, -snr_db / 10) * rates[r] / 9.015e6);
    for (size_t i = 0; i < n; i++)
        b->x[i] = sigma * rng_cnormal(&b->rng);
    gen_add(g, 1, b->x, n);
    struct iq_block blk = { .n0 = b->at[r] + (uint64_t)rates[r], .n = (uint32_t)n,
                            .rate_hz = rates[r], .format = IQ_CF32, .data = b->x };
    b->at[r] = blk.n0 + n;
    list.n = 0;
    dcorr_block(b->corr[r], &blk, &list);
    dcorr_flush(b->corr[r], &list);
    double zc = g->start + (g->symbols == 9 ? 3368 : 2264) * rates[r] / 15.36e6;
    for (unsigned i = 0; i < list.n; i++) {
        struct cand *c = &list.c[i];
        double late = (c->zc_n - (double)blk.n0 - zc) / rates[r];
        if (fabs(late - (g->f_hz - c->zc_f_hz) * 7.395e-12) > 2e-6)     // 7.4 us per MHz
            continue;
        struct burst burst = { .hyp = HYP_DRONEID, .rate_hz = rates[r], .droneid = *c };
        struct finding f = { 0 };
        burst.cut = (struct cut){ .n0 = blk.n0, .n = blk.n, .n_blk = 1, .blk = { &blk } };
        double t = cpu_ms();
        droneid_receive(b->rx[r], &burst, mode, &f);
        o.ms += cpu_ms() - t;
        o.candidate = true;
        o.seen |= f.droneid.seen && fabs(f.droneid.freq_hz.v - g->f_hz) < 3e3;
        o.verified |= f.droneid.verified;
        o.decoded |= f.n_decode && !memcmp(f.decode->raw, g->block, 91);
        finding_done(&f);
    }
    return o;
}

// ---- tables ----------------------------------------------------------------------------------

static void decode_table(struct bench *b)
{
    unsigned n = quick ? 60 : 200;
    static const char *const name[] = { "one path", "echoes 0.3 us rms", "echoes 1 us rms" };
    printf("Decoded, SNR in 9.015 MHz.  Random rate of 15.36 20 30.72 50 61.44 MS/s, 8 or 9\n"
           "symbols, any centre, clock +-20 ppm, random padding (so that its form is no help);\n"
           "echoes include their fading.  95 %% intervals.\n\n"
           "| SNR dB | %s | %s | %s |\n|---|---|---|---|\n",
           name[0], name[1], name[2]);
    for (double snr = -5; snr <= 0.01; snr += snr < -2.1 ? 0.5 : 1) {
        printf("| %4.1f", snr);
        for (int ch = FLAT; ch <= ECHO_1US; ch++) {
            unsigned ok = 0;
            for (unsigned i = 0; i < n; i++) {
                size_t r = rng_below(&b->rng, RATES);
                struct gen g = random_burst(b, rates[r], (enum channel)ch);
                ok += one(b, r, &g, snr, DRONEID_DECODE).decoded;
            }
            print_share(ok, n);
        }
        printf(" |\n");
        fflush(stdout);
    }
}

// off: 0 centres that fall on the correlator's grid at 15.36 MS/s, 1: half-way between two.
static void detect_table(struct bench *b)
{
    unsigned n = quick ? 100 : 300;
    printf("\nDetected, SNR in 15.36 MHz (2.3 dB below the figure in 9.015): candidate of the\n"
           "standing correlator; of these, pair of roots confirmed at the right carrier;\n"
           "structure verified.\n\n"
           "| SNR dB | any centre | pair | verified | worst centre | pair | verified |\n"
           "|---|---|---|---|---|---|---|\n");
    for (double snr = -17; snr <= -7.9; snr += snr < -12 ? 1 : 2) {
        printf("| %5.1f", snr);
        for (int worst = 0; worst < 2; worst++) {
            unsigned cand = 0, seen = 0, verified = 0;
            for (unsigned i = 0; i < n; i++) {
                size_t r = worst ? 0 : rng_below(&b->rng, RATES);
                struct gen g = random_burst(b, rates[r], FLAT);
                // at 15.36 MS/s slices begin at multiples of 1.8 MHz: groups of five and six lie
                // 0.9 MHz apart, so 0.45 is as far off as can be
                if (worst)
                    g.f_hz = 0.45e6;
                struct outcome o = one(b, r, &g, snr + 2.314, DRONEID_RECOGNISE);
                cand += o.candidate;
                seen += o.seen;
                verified += o.verified;
            }
            print_share(cand, n);
            print_share(seen, cand ? cand : 1);
            print_share(verified, n);
        }
        printf(" |\n");
        fflush(stdout);
    }
}

static void cost_table(struct bench *b)
{
    unsigned n = quick ? 40 : 200;
    printf("\nCost of one burst, ms of one core (correlator apart):\n\n"
           "| SNR dB | decoded | mean ms of those | mean ms of the others |\n|---|---|---|---|\n");
    for (double snr = -6; snr <= 10.1; snr += 4) {
        double ms[2] = { 0 };
        unsigned k[2] = { 0 };
        for (unsigned i = 0; i < n; i++) {
            size_t r = rng_below(&b->rng, RATES);
            struct gen g = random_burst(b, rates[r], FLAT);
            struct outcome o = one(b, r, &g, snr, DRONEID_DECODE);
            ms[o.decoded] += o.ms;
            k[o.decoded]++;
        }
        printf("| %4.0f | %u of %u | %.2f | %.2f |\n", snr, k[1], n, k[1] ? ms[1] / k[1] : 0.0,
               k[0] ? ms[0] / k[0] : 0.0);
    }
    printf("\nCost of the standing correlator on noise:\n\n| MS/s | cores |\n|---|---|\n");
    for (size_t r = 0; r < RATES; r++) {
        static struct cand_list list;
        size_t len = 65536, blocks = (size_t)((quick ? 0.1 : 0.5) * rates[r]) / len;
        for (size_t i = 0; i < len; i++)
            b->x[i] = rng_cnormal(&b->rng);
        double t = cpu_ms();
        for (size_t i = 0; i < blocks; i++) {
            struct iq_block blk = { .n0 = b->at[r], .n = (uint32_t)len, .rate_hz = rates[r],
                                    .format = IQ_CF32, .data = b->x };
            b->at[r] += len;
            list.n = 0;
            dcorr_block(b->corr[r], &blk, &list);
        }
        printf("| %.2f | %.3f |\n", rates[r] / 1e6,
               (cpu_ms() - t) / 1e3 / ((double)(blocks * len) / rates[r]));
    }
}

// ---- memory ----------------------------------------------------------------------------------

static void memory_table(struct bench *b)
{
    unsigned n = quick ? 30 : 100;
    printf("\nThe next frame of an aircraft of which one was read before (2 s later, moved):\n\n"
           "| SNR dB | alone | with memory |\n|---|---|---|\n");
    for (double snr = -9; snr <= -3.9; snr += 1) {
        unsigned alone = 0, with = 0;
        for (unsigned i = 0; i < n; i++) {
            struct droneid_memory *m = droneid_memory_new();
            static struct cand_list list;
            struct gen g = random_burst(b, rates[0], FLAT);
            struct decode before, d;
            struct finding f = { 0 };
            did_frame(g.block, &before);
            before.t_s.v = -2;
            droneid_memory_learn(m, &(struct finding){ .decode = &before, .n_decode = 1 });
            g.block[3] ^= 3;
            g.block[23] = (uint8_t)rng_u64(&b->rng);    // some hundred metres
            g.block[27] = (uint8_t)rng_u64(&b->rng);
            for (int k = 33; k < 43; k++)
                if (k != 34)
                    g.block[k] = (uint8_t)rng_u64(&b->rng);
            uint16_t crc = did_crc16(g.block, 89);
            g.block[89] = (uint8_t)crc;
            g.block[90] = (uint8_t)(crc >> 8);
            gen_seal(g.block);
            size_t len = (size_t)(1.5e-3 * rates[0]);
            float sigma = (float)sqrt(pow(10, -snr / 10) * rates[0] / 9.015e6);
            for (size_t k = 0; k < len; k++)
                b->x[k] = sigma * rng_cnormal(&b->rng);
            gen_add(&g, 1, b->x, len);
            struct iq_block blk = { .n0 = b->at[0] + (uint64_t)rates[0], .n = (uint32_t)len,
                                    .rate_hz = rates[0], .format = IQ_CF32, .data = b->x };
            b->at[0] = blk.n0 + len;
            list.n = 0;
            dcorr_block(b->corr[0], &blk, &list);
            dcorr_flush(b->corr[0], &list);
            struct burst burst = { .hyp = HYP_DRONEID, .rate_hz = rates[0], .droneid = list.c[0] };
            burst.cut = (struct cut){ .n0 = blk.n0, .n = blk.n, .n_blk = 1, .blk = { &blk } };
            if (list.n)
                droneid_receive(b->rx[0], &burst, DRONEID_DECODE, &f);
            f.droneid.t_s.v = 0;
            alone += f.n_decode;
            with += f.n_decode || droneid_memory_help(m, &f, &d);
            finding_done(&f);
            droneid_memory_free(m);
        }
        printf("| %4.1f", snr);
        print_share(alone, n);
        print_share(with, n);
        printf(" |\n");
    }
}

// ---- false recognitions ----------------------------------------------------------------------

struct tally { double s; unsigned cand, seen, verified, crc; };

static void run_scene(const char *text, struct tally *t)
{
    static struct cand_list list;
    struct iq_source *s;
    struct iq_block *b, *kept[24] = { 0 };
    unsigned k = 0;
    char why[IQ_WHY];
    if (iq_open_sim(&s, &(struct iq_sim_cfg){ .text = text }, why) < 0) {
        printf("%s\n", why);
        return;
    }
    struct iq_info info = iq_info(s);
    struct dcorr *corr = dcorr_new(info.rate_hz);
    struct droneid_rx *rx = droneid_rx_new(info.rate_hz);
    bool more = true;
    while (more) {
        list.n = 0;
        b = iq_next(s);
        more = b;
        if (b) {
            if (kept[k % 24])
                iq_unref(kept[k % 24]);
            kept[k++ % 24] = b;
            t->s += b->n / info.rate_hz;
            dcorr_block(corr, b, &list);
        } else {
            dcorr_flush(corr, &list);
        }
        for (unsigned i = 0; i < list.n; i++) {
            struct burst burst = { .hyp = HYP_DRONEID, .rate_hz = info.rate_hz,
                                   .droneid = list.c[i] };
            struct finding f = { 0 };
            unsigned first = k > 24 ? k - 24 : 0;
            for (unsigned j = first; j < k; j++)
                burst.cut.blk[burst.cut.n_blk++] = kept[j % 24];
            burst.cut.n0 = burst.cut.blk[0]->n0;
            const struct iq_block *last = burst.cut.blk[burst.cut.n_blk - 1];
            burst.cut.n = (uint32_t)(last->n0 + last->n - burst.cut.n0);
            droneid_receive(rx, &burst, DRONEID_DECODE, &f);
            t->cand++;
            t->seen += f.droneid.seen;
            t->verified += f.droneid.verified;
            t->crc += f.n_decode;
            finding_done(&f);
        }
    }
    for (int i = 0; i < 24; i++)
        if (kept[i])
            iq_unref(kept[i]);
    dcorr_free(corr);
    droneid_rx_free(rx);
    iq_close(s);
}

static void false_table(void)
{
    static const struct { const char *name, *emitters; } with[] = {
        { "noise", "" },
        { "LTE, 20 MHz, full",
          "  - {name: a, model: lte, mode: '20', duty: 1, freq_hz: 2430e6, snr_db: 20}\n"
          "  - {name: b, model: lte, mode: '20', variant: tdd, freq_hz: 2452e6, snr_db: 5}\n" },
        { "Wi-Fi, three channels",
          "  - {name: a, model: wifi, duty: 0.8, freq_hz: 2422e6, snr_db: 25}\n"
          "  - {name: b, model: wifi, duty: 0.8, freq_hz: 2442e6, snr_db: 10}\n"
          "  - {name: c, model: wifi, duty: 0.8, freq_hz: 2457e6, snr_db: 30}\n" },
        { "OcuSync 15 kHz OFDM",
          "  - {name: a, model: ocusync, mode: 20MHz, freq_hz: 2430e6, snr_db: 20}\n"
          "  - {name: b, model: ocusync, mode: 10MHz, freq_hz: 2455e6, snr_db: 10}\n" },
        { "Bluetooth, BLE, FSK",
          "  - {name: a, model: bluetooth, snr_db: 30, count: 4}\n"
          "  - {name: b, model: ble, snr_db: 20, period_s: 0.02, count: 10}\n" },
        { "analog video", "  - {name: a, model: fmvideo, freq_hz: 2440e6, snr_db: 20}\n" },
    };
    printf("\nFalse ones at 61.44 MS/s with decoding on; upper bounds are 3/T where none came.\n"
           "Told alone is only what is verified or decoded.\n\n"
           "| simulated | s | candidates | pair | verified | decoded | verified per hour below |\n"
           "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof(with) / sizeof(*with); i++) {
        char text[2048];
        struct tally t = { 0 };
        snprintf(text, sizeof(text),
                 "name: x\nrate_hz: 61.44e6\ncentre_hz: 2440e6\nduration_s: %s\nformat: ci16\n"
                 "receiver: {noise_dbfs: -50, dc_dbfs: -55}\nemitters:%s%s",
                 quick ? "0.5" : "6", *with[i].emitters ? "\n" : " []\n", with[i].emitters);
        run_scene(text, &t);
        printf("| %s | %.1f | %u | %u | %u | %u | %.0f |\n", with[i].name, t.s, t.cand, t.seen,
               t.verified, t.crc, t.s > 0 ? 3600 * 3 / t.s : 0.0);
        fflush(stdout);
    }
}

int main(void)
{
    const char *q = getenv("QUICK");
    struct bench *b = calloc(1, sizeof(*b));
    quick = q && *q;
    rng_init(&b->rng, 20260701);
    b->x = malloc((size_t)(1.6e-3 * rates[RATES - 1]) * sizeof(*b->x));
    for (size_t r = 0; r < RATES; r++) {
        b->corr[r] = dcorr_new(rates[r]);
        b->rx[r] = droneid_rx_new(rates[r]);
    }
    decode_table(b);
    detect_table(b);
    cost_table(b);
    memory_table(b);
    false_table();
    for (size_t r = 0; r < RATES; r++) {
        dcorr_free(b->corr[r]);
        droneid_rx_free(b->rx[r]);
    }
    free(b->x);
    free(b);
    return 0;
}
