// SPDX-License-Identifier: GPL-3.0-or-later
// ExpressLRS: air times against facts/links.json, hop sequence against its stated properties, the
// slots of the two ends, and chirps against their closed form.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "sdr/sim/tx.h"
#include "sdr/tx/elrs.h"
#include "sdr/tx/lora.h"

#define LINKS "../shared/facts/links.json"

extern const struct tx_model tx_elrs;

static void *model(const struct tx_args *a)
{
    void *m;
    char why[IQ_WHY];
    struct rng rng;
    rng_init(&rng, 7);
    if (tx_elrs.make(&m, a, &rng, why) < 0)
        fail_msg("%s", why);
    return m;
}

// Each channel once a block, the sync channel first; blocks and links differ.
static void test_sequence(void **state)
{
    (void)state;
    uint8_t c[ELRS_SEQUENCE], other[ELRS_SEQUENCE];
    for (uint32_t uid = 0; uid < 50; uid++) {
        elrs_sequence(uid * 2654435761u, c);
        for (unsigned b = 0; b < ELRS_SEQUENCE; b += ELRS_CHANNELS) {
            bool seen[ELRS_CHANNELS] = { false };
            assert_int_equal(c[b], ELRS_SYNC);
            for (unsigned i = 0; i < ELRS_CHANNELS; i++) {
                assert_false(seen[c[b + i]]);
                seen[c[b + i]] = true;
            }
        }
        assert_memory_not_equal(c, c + ELRS_CHANNELS, ELRS_CHANNELS);
    }
    elrs_sequence(1, c);
    elrs_sequence(2, other);
    assert_memory_not_equal(c, other, sizeof c);
}

// Every mode against the table: air time within 2 %, period, hop, width, share of telemetry.
static void check_mode(const struct elrs_mode *m, const json_t *row)
{
    double burst_s = json_number_value(json_object_get(row, "burst_s"));
    double dev = json_number_value(json_object_get(row, "deviation_hz"));
    double bd = json_number_value(json_object_get(row, "symbol_rate_bd"));
    struct tx_packet p;
    void *e = model(&(struct tx_args){ .mode = m->link, .uid = 6, .until_s = 1 });
    assert_int_equal(tx_elrs.next(e, &p), 1);
    assert_string_equal(p.link, m->link);
    assert_float_equal((double)p.n / p.rate_hz, burst_s, 0.02 * burst_s);
    assert_float_equal(p.bw_hz, m->sf ? 812500 : 2 * dev + bd, 1);
    tx_elrs.drop(e);
    assert_float_equal(m->interval_s, json_number_value(json_object_get(row, "period_s")), 1e-7);
    assert_int_equal(m->per_hop, json_integer_value(json_object_get(row, "packets_per_hop")));
    double up = 1 / m->interval_s;
    assert_float_equal(up / m->ratio,
                       json_number_value(json_object_get(row, "downlink_bursts_per_s")), 0.01);
}

static void test_modes(void **state)
{
    (void)state;
    json_error_t err;
    json_t *j = json_load_file(LINKS, 0, &err), *row;
    size_t i;
    if (!j) {
        print_message("no %s: skipped\n", LINKS);
        skip();
    }
    unsigned found = 0, modes = 0;
    for (const struct elrs_mode *m = elrs_modes; m->link; m++, modes++)
        json_array_foreach(j, i, row)
            if (!strcmp(json_string_value(json_object_get(row, "name")), m->link)) {
                check_mode(m, row);
                found++;
            }
    assert_int_equal(found, modes);
    json_decref(j);
}

// Two blocks of the 500 Hz mode: grid, four a channel, every 128th slot the drone's.
static void test_slots(void **state)
{
    (void)state;
    struct tx_packet p;
    void *e = model(&(struct tx_args){ .mode = "500Hz", .uid = 5, .until_s = 1.28, .value = -9 });
    unsigned up = 0, down = 0, visits[ELRS_CHANNELS] = { 0 };
    double last_t = -1;
    while (tx_elrs.next(e, &p) == 1) {
        assert_true(p.t_s > last_t);
        last_t = p.t_s;
        double slot = p.t_s / 0.002, off = p.freq_hz - ELRS_FIRST_HZ;
        unsigned c = (unsigned)lrint(off / ELRS_STEP_HZ);
        if (p.gain_db < 0 || p.gain_db > 0) {
            down++;
            assert_true(fabs(off - ELRS_STEP_HZ * c) < 25e3 && p.gain_db < -6);
            // A fixed time after the packet before: 300 us, within the gap of 415 us.
            assert_float_equal(slot - floor(slot), (1585.2 + 300) / 2000, 0.002);
        } else {
            up++;
            assert_true(off == ELRS_STEP_HZ * c);
            assert_float_equal(slot, nearbyint(slot), 1e-6);
        }
        visits[c]++;
    }
    assert_int_equal(up + down, 640);
    assert_int_equal(down, 5);
    // 160 dwells from anywhere in the sequence: between one and three visits of each channel.
    for (unsigned c = 0; c < ELRS_CHANNELS; c++)
        assert_in_range(visits[c], 1, 12);
    assert_in_range(visits[ELRS_SYNC], 7, 8);
    tx_elrs.drop(e);
}

static unsigned count(const struct tx_args *a)
{
    struct tx_packet p;
    unsigned n = 0;
    void *e = model(a);
    while (tx_elrs.next(e, &p) == 1)
        n++;
    tx_elrs.drop(e);
    return n;
}

static void test_variants(void **state)
{
    (void)state;
    const char *mode = "F1000";
    assert_int_equal(count(&(struct tx_args){ .mode = mode, .until_s = 1.024 }), 1024);
    assert_int_equal(count(&(struct tx_args){ .mode = mode, .until_s = 1.024,
                                              .variant = "no-receiver" }), 1024 - 8);
    assert_int_equal(count(&(struct tx_args){ .mode = mode, .until_s = 1.024,
                                              .variant = "no-receiver 1:2" }), 512);
    assert_int_equal(count(&(struct tx_args){ .mode = mode, .until_s = 1.024,
                                              .variant = "gemini" }), 2048);
    unsigned held = count(&(struct tx_args){ .mode = mode, .until_s = 1.024, .duty = 0.75 });
    assert_in_range(held, 700, 840);
    // 8 MHz of 80: a tenth of the visits.
    unsigned part = count(&(struct tx_args){ .mode = mode, .until_s = 1.92,
                                             .capture_lo_hz = 2.436e9, .capture_hi_hz = 2.444e9 });
    assert_in_range(part, 1920 / 10 - 40, 1920 / 10 + 60);
    struct tx_packet p;
    void *m = model(&(struct tx_args){ .freq_hz = 868e6, .variant = "parked" });
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(tx_elrs.next(m, &p), 1);
        assert_float_equal(p.freq_hz, 868e6, 10e3);
    }
    tx_elrs.drop(m);
    char why[IQ_WHY];
    struct rng rng = { { 1, 2, 3, 4 } };
    assert_true(tx_elrs.make(&m, &(struct tx_args){ .mode = "900/50Hz" }, &rng, why) < 0);
    assert_true(tx_elrs.make(&m, &(struct tx_args){ .variant = "geminy" }, &rng, why) < 0);
}

// Multiplied by the conjugate of a plain up-chirp, each whole symbol becomes a tone in bin s; the
// sync symbols of 0x12 lie in bins 8 and 16; conjugation is inversion.
static unsigned dechirp(const struct lora *l, const float complex *x, double *ret_share)
{
    unsigned n = 1u << l->sf, best = 0;
    double top = 0, total = 0;
    for (unsigned s = 0; s < n; s++) {
        double complex sum = 0;
        for (unsigned i = 0; i < n; i++) {      // one sample a chip
            double u = (double)i / n, turn = n * (u * u / 2 - u / 2) + u * s;
            sum += (double complex)x[i * l->over] * cexp(-2 * M_PI * I * turn);
        }
        double e = cabs(sum) * cabs(sum);
        total += e;
        if (e > top) {
            top = e;
            best = s;
        }
    }
    *ret_share = top / total;
    return best;
}

static void test_chirps(void **state)
{
    (void)state;
    struct lora l = { .sf = 7, .bw_hz = 812500, .preamble = 12, .payload = 21, .sync = 0x12,
                      .over = 4 };
    size_t n = lora_chips(&l) * l.over, sym = 128 * l.over;
    assert_int_equal(lora_chips(&l), 128 * 37 + 32);        // 37.25 symbols
    float complex *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
    struct rng rng;
    double share, jump = 0;
    rng_init(&rng, 3);
    lora_frame(&l, &rng, x);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(dechirp(&l, x + i * sym, &share), 0);
    assert_int_equal(dechirp(&l, x + 12 * sym, &share), 8);
    assert_int_equal(dechirp(&l, x + 13 * sym, &share), 16);
    assert_true(share > 0.999);
    dechirp(&l, x + 14 * sym, &share);
    assert_true(share < 0.1);                               // a down-chirp
    for (size_t i = 16 * sym + sym / 4; i + sym <= n; i += sym) {
        dechirp(&l, x + i, &share);
        assert_true(share > 0.999);
    }
    // Nowhere a phase step beyond the sweep's edge: bw/2 over 4 bw is an eighth of a cycle.
    for (size_t i = 1; i < n; i++)
        jump = fmax(jump, fabs(carg((double complex)x[i] * conj((double complex)x[i - 1]))));
    assert_true(jump < 2 * M_PI / 8 * 1.01);
    rng_init(&rng, 3);
    l.inverted = true;
    lora_frame(&l, &rng, y);
    for (size_t i = 0; i < n; i++)
        assert_true(cabsf(y[i] - conjf(x[i])) < 1e-5f);
    free(x);
    free(y);
}

// FLRC is MSK: over the first 32 bits, which alternate, the phase swings to and fro; over any
// number of bits it turns by quarter cycles (Gaussian smoothing rounds by a few degrees).
static void test_flrc(void **state)
{
    (void)state;
    struct tx_packet p;
    void *m = model(&(struct tx_args){ .mode = "F1000" });
    assert_int_equal(tx_elrs.next(m, &p), 1);
    for (unsigned i = 4; i < 28; i++) {
        double turned = carg((double complex)p.iq[8 * i + 16] * conj((double complex)p.iq[8 * i]));
        assert_float_equal(turned, 0, 0.05);            // one up, one down
    }
    double most = 0;
    for (size_t i = 8; i < p.n; i++) {
        double step = carg((double complex)p.iq[i] * conj((double complex)p.iq[i - 8]));
        most = fmax(most, fabs(step));
    }
    assert_float_equal(most, M_PI / 2, 0.02);           // a quarter cycle a bit: h = 0.5
    tx_elrs.drop(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequence), cmocka_unit_test(test_modes),
        cmocka_unit_test(test_slots),    cmocka_unit_test(test_variants),
        cmocka_unit_test(test_chirps),   cmocka_unit_test(test_flrc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
