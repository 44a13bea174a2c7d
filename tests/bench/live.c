// SPDX-License-Identifier: GPL-3.0-or-later
// Detectors and arbiter on one thread, block by block, counted in samples: no load of the machine
// is in it.
#include <assert.h>
#include <stdlib.h>

#include "dsp/arbiter.h"
#include "dsp/front/front.h"
#include "sdr/sdr.h"
#include "tests/bench/daemons.h"
#include "tests/bench/live.h"

void live_scene(FILE *f, unsigned n, bool crowd, double length_s, double stay_s)
{
    fprintf(f, "name: latency\nrate_hz: %.0f\ncentre_hz: %.0f\nduration_s: %g\nseed: 11\n"
               "receiver: { noise_dbfs: -50, dc_dbfs: -60, clock_ppm: 1.5, adc_bits: 12 }\n"
               "emitters:\n", LIVE_RATE_HZ, LIVE_CENTRE_HZ, length_s);
    for (unsigned i = 0; i < n; i++) {
        double start_s = LIVE_BEGIN_S + i * LIVE_STEP_S;
        fprintf(f, "  - { name: a%u, model: droneid, variant: real, uid: %u, freq_hz: 2444.5e6,"
                   " snr_db: %u, start_s: %.3f, stop_s: %.3f, crystal_ppm: %d }\n", i, LIVE_UID + i,
                12 + i % 5, start_s, start_s + stay_s, (int)(i * 7 % 11) - 5);
    }
    if (crowd)
        fprintf(f, "  - { name: stage, model: wifi, freq_hz: 2437e6, duty: 0.08, snr_db: 16 }\n"
                   "  - { name: phones, model: wifi, freq_hz: 2457e6, duty: 0.05, snr_db: 12,"
                   " count: 2 }\n"
                   "  - { name: headsets, model: bluetooth, duty: 0.2, snr_db: 14, count: 2 }\n");
}


struct wait { double ms[4096]; unsigned n; uint64_t now; };

static void told(void *arg, const struct burst *b)
{
    struct wait *w = arg;
    if ((b->hyp & HYP_DRONEID) && !b->again && b->droneid.metric > 0.3 && w->n < 4096)
        w->ms[w->n++] = (double)(w->now - b->n1) / b->rate_hz * 1e3;
    struct cut c = b->cut;
    cut_drop(&c);
}

void live_waiting(const char *name, bool crowd, double length_s)
{
    static struct wait w;
    static struct front_out out;
    static struct cand_list corr;
    char *text = NULL, why[IQ_WHY];
    size_t len = 0;
    struct iq_source *src;
    struct iq_block *b;
    FILE *f = open_memstream(&text, &len);

    live_scene(f, 4, crowd, length_s, length_s);
    fclose(f);
    w.n = 0;
    corr.done = 0;
    if (iq_open_sim(&src, &(struct iq_sim_cfg){ .text = text, .pool_blocks = DSP_POOL_BLOCKS },
                    why)) {
        fprintf(stderr, "bench_live: %s\n", why);
        exit(2);
    }
    struct iq_info info = iq_info(src);
    struct front *front = front_new(&info);
    struct dcorr *dcorr = dcorr_new(info.rate_hz);
    struct arbiter *arbiter = arbiter_new(&info, told, &w);
    assert(front && dcorr && arbiter);
    while ((b = iq_next(src))) {
        w.now = b->n0 + b->n;
        front_block(front, b, &out);
        corr.n = corr.dropped = 0;
        dcorr_block(dcorr, b, &corr);
        arbiter_block(arbiter, b, &out.list, &out.noise, &corr);
        iq_unref(b);
    }
    qsort(w.ms, w.n, sizeof w.ms[0], usage_by_size);
    if (w.n)
        printf("| %s | %u | %.1f | %.1f | %.1f |\n", name, w.n, w.ms[w.n / 2],
               w.ms[(w.n * 99 - 1) / 100], w.ms[w.n - 1]);
    arbiter_free(arbiter);              // drops the blocks it keeps
    dcorr_free(dcorr);
    front_free(front);
    iq_close(src);
    free(text);
}
