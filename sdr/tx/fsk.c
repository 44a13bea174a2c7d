// SPDX-License-Identifier: GPL-3.0-or-later
// Packets of plain or Gaussian 2-FSK with random bits: meters, smart homes, sensors.
//
//     mode: RATE/DEVIATION in Bd and Hz, as 38400/20000; wmbus: 100 kchip/s, 50 kHz (T1 meters)
//     variant: gauss (BT 0.5) or none; duration_s, period_s: length and start to start (+- 5 %)
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/args.h"
#include "sdr/tx/gfsk.h"

#define MAX_SAMPLES (1u << 20)

struct fsk {
    struct rng    rng;
    struct gfsk   shape;
    double        rate_bd, deviation_hz, freq_hz, period_s, t_s, until_s;
    size_t        bits;
    const char   *link;
    uint8_t      *bit;
    float complex *iq;
};

static void fsk_drop(void *state)
{
    struct fsk *f = state;
    free(f->bit);
    free(f->iq);
    free(f);
}

static int refuse(struct fsk *f, char why[IQ_WHY], const char *what)
{
    snprintf(why, IQ_WHY, "%s", what);
    fsk_drop(f);
    return -EINVAL;
}

static int make(void **ret_state, const struct tx_args *a, struct rng *rng, const char *mode,
                const char *link, char why[IQ_WHY])
{
    if (!args_need_freq("fsk", a, why))
        return -EINVAL;
    struct fsk *f = calloc(1, sizeof *f);
    if (!f)
        return -ENOMEM;
    f->rng = *rng;
    f->link = link;
    if (!mode || sscanf(mode, "%lf/%lf", &f->rate_bd, &f->deviation_hz) != 2)
        return refuse(f, why, "mode is not RATE/DEVIATION as 38400/20000");
    if (!(f->rate_bd >= 100 && f->rate_bd <= 10e6 && f->deviation_hz >= 10 &&
          f->deviation_hz <= 10e6 && f->deviation_hz <= 50 * f->rate_bd))
        return refuse(f, why, "mode is out of range, expected 100 to 1e7 Bd and 10 Hz to 50 times "
                              "the rate");
    double wide = 2 * f->deviation_hz + f->rate_bd;
    f->shape = (struct gfsk){ .index = 2 * f->deviation_hz / f->rate_bd,
                              .sps = (unsigned)ceil(2.5 * wide / f->rate_bd) };
    f->shape.bt = a->variant && !strcmp(a->variant, "gauss") ? 0.5 : 0;
    if (a->variant && strcmp(a->variant, "gauss"))
        return refuse(f, why, "variant is not gauss");
    f->bits = (size_t)ceil((a->duration_s > 0 ? a->duration_s : 5e-3) * f->rate_bd);
    if (f->bits * f->shape.sps > MAX_SAMPLES)
        return refuse(f, why, "duration_s is too long for this mode, expected under 2^20 samples");
    f->freq_hz = a->freq_hz;
    f->period_s = fmax(a->period_s > 0 ? a->period_s : 0.1, 1.1 * (double)f->bits / f->rate_bd);
    f->until_s = a->until_s;
    f->bit = malloc(f->bits);
    f->iq = malloc(f->bits * f->shape.sps * sizeof *f->iq);
    if (!f->bit || !f->iq) {
        fsk_drop(f);
        return -ENOMEM;
    }
    *ret_state = f;
    return 0;
}

static int fsk_make(void **ret_state, const struct tx_args *a, struct rng *rng, char why[IQ_WHY])
{
    return make(ret_state, a, rng, a->mode, "", why);
}

static int wmbus_make(void **ret_state, const struct tx_args *a, struct rng *rng, char why[IQ_WHY])
{
    return make(ret_state, a, rng, "100000/50000", "Wireless M-Bus T/C", why);
}

static int fsk_next(void *state, struct tx_packet *ret_packet)
{
    struct fsk *f = state;
    double t_s = f->t_s;
    if (t_s >= f->until_s)
        return 0;
    f->t_s += f->period_s * rng_between(&f->rng, 0.95, 1.05);
    for (size_t i = 0; i < f->bits; i++)        // an alternating head for the receiver's clock
        f->bit[i] = i < 40 ? i & 1 : rng_u64(&f->rng) >> 63;
    gfsk_modulate(&f->shape, f->bit, f->bits, f->iq);
    *ret_packet = (struct tx_packet){ .t_s = t_s, .freq_hz = f->freq_hz,
                                      .bw_hz = 2 * f->deviation_hz + f->rate_bd,
                                      .rate_hz = f->rate_bd * f->shape.sps,
                                      .n = f->bits * f->shape.sps, .iq = f->iq };
    snprintf(ret_packet->link, sizeof ret_packet->link, "%s", f->link);
    return 1;
}

const struct tx_model tx_fsk = {
    .name = "fsk", .family = "unknown",
    .about = "2-FSK packets (mode: RATE/DEVIATION; variant: gauss); random bits",
    .make = fsk_make, .next = fsk_next, .drop = fsk_drop,
};

const struct tx_model tx_wmbus = {
    .name = "wmbus", .family = "wmbus",
    .about = "wireless M-Bus T1 like 2-FSK, 100 kchip/s (duration_s, period_s); random bits",
    .make = wmbus_make, .next = fsk_next, .drop = fsk_drop,
};
