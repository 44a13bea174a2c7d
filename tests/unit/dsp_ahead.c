// SPDX-License-Identifier: GPL-3.0-or-later
// A DroneID burst is told ahead, on the correlator's word, and once more as the burst that the
// front finds there: when, with which of several candidates, and what either finding carries.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/arbiter.h"
#include "sdr/block.h"

// ---- The arbiter alone -----------------------------------------------------------------------
// Blocks of 1 ms; the correlator answers up to the newest sample, the front 30 ms later.

#define RATE   16e6
#define LEN    16384
#define LATE   (30 * LEN)
#define BURST  10288            // samples of 0.643 ms

struct told { struct burst b; uint64_t now; };
struct rig {
    struct iq_pool *pool;
    struct arbiter *a;
    struct told     told[16];
    unsigned        n;
    uint64_t        now;
    bool            deaf;       // the front knows no noise yet
    uint64_t        tuned;      // from this sample on at another centre; 0: never
};

static void tell(void *arg, const struct burst *b)
{
    struct rig *r = arg;
    struct cut c = b->cut;
    assert_true(r->n < 16);
    r->told[r->n++] = (struct told){ *b, r->now };
    cut_drop(&c);
}

static struct cand droneid(double n0, double f_hz, double metric)
{
    return (struct cand){ .hyp = HYP_DRONEID, .n0 = (uint64_t)n0, .n1 = (uint64_t)n0 + BURST,
                          .f_lo_hz = f_hz - 4.5075e6, .f_hi_hz = f_hz + 4.5075e6,
                          .zc_n = n0 + 3508, .zc_f_hz = f_hz, .metric = (float)metric };
}

static struct cand energy(double n0, double f_hz)
{
    struct cand c = droneid(n0 - 300, f_hz + 0.2e6, 0);
    c.hyp = HYP_ENERGY;
    c.n1 += 600;
    c.level_dbfs = -40;
    c.snr_db = 10;
    return c;
}

static void rig_begin(struct rig *r)
{
    struct iq_info info = { .rate_hz = RATE, .format = IQ_CI8, .block_len = LEN };
    *r = (struct rig){ .pool = iq_pool_new(256, LEN, IQ_CI8), .a = arbiter_new(&info, tell, r) };
    assert_true(r->pool && r->a);
}

// A candidate comes with the first block of which its detector has seen all.
static void rig_run(struct rig *r, unsigned blocks, const struct cand *c, unsigned n)
{
    static struct cand_list front, corr;
    struct noise_shape noise;

    for (unsigned i = 0; i < NOISE_POINTS; i++)
        noise.dbfs_hz[i] = r->deaf ? -300 : -110;
    for (unsigned k = 0; k < blocks; k++) {
        struct iq_block *b = iq_pool_take(r->pool);
        uint64_t before = r->now;
        b->n0 = before;
        b->n = LEN;
        b->lost = 0;
        b->flags = 0;
        b->centre_hz = r->tuned && before >= r->tuned ? 1e9 : 0;
        r->now += LEN;
        front.n = corr.n = 0;
        front.done = r->now > LATE ? r->now - LATE : 0;
        corr.done = r->now;
        for (unsigned i = 0; i < n; i++) {
            uint64_t at = c[i].n1 + (c[i].hyp == HYP_ENERGY ? LATE : 0);
            if (at <= r->now && at > before) {
                struct cand_list *l = c[i].hyp == HYP_ENERGY ? &front : &corr;
                l->c[l->n++] = c[i];
            }
        }
        arbiter_block(r->a, b, &front, &noise, &corr);
        iq_unref(b);
    }
}

static void rig_end(struct rig *r)
{
    static struct cand_list none;
    none.done = UINT64_MAX;
    arbiter_flush(r->a, &none, &none);
    arbiter_free(r->a);
    iq_pool_free(r->pool);
}

static void test_when(void **state)
{
    (void)state;
    struct rig r;
    // One ends in the middle of a block, one with it: its margin is in the next.
    const struct cand c[] = { droneid(5 * LEN, 0, 0.5), energy(5 * LEN, 0),
                              droneid(10 * LEN - BURST, 0, 0.5) };
    rig_begin(&r);
    rig_run(&r, 60, c, 3);
    assert_int_equal(r.n, 4);
    const struct burst *b = &r.told[0].b;
    assert_true(b->ahead && !b->again && b->hyp == HYP_DRONEID);
    assert_int_equal(r.told[0].now, 6 * LEN);
    assert_true(b->cut.n >= BURST);
    assert_true(r.told[1].b.ahead);
    assert_int_equal(r.told[1].now, 11 * LEN);
    assert_true(r.told[1].b.id != b->id);
    // the bursts: the box's extents where there is one
    assert_true(r.told[2].b.again && !r.told[2].b.ahead && r.told[2].b.id == b->id);
    assert_int_equal(r.told[2].b.hyp, HYP_ENERGY | HYP_DRONEID);
    assert_int_equal(r.told[2].b.n0, 5 * LEN - 300);
    assert_true(r.told[2].now >= 5 * LEN + LATE);
    assert_true(r.told[3].b.again && r.told[3].b.id == r.told[1].b.id);
    rig_end(&r);
}

// Several centres see one burst, and a ghost stands beside it: the strongest is told, once.
static void test_one_of_many(void **state)
{
    (void)state;
    struct rig r;
    const struct cand c[] = { droneid(5 * LEN, 1.8e6, 0.1), droneid(5 * LEN + 1000, 0, 0.5),
                              droneid(5 * LEN + 3000, 1.0e6, 0.2),
                              droneid(5 * LEN + 5 * BURST, 0, 0.5) };
    rig_begin(&r);
    rig_run(&r, 60, c, 4);
    assert_int_equal(r.n, 4);
    assert_true(r.told[0].b.ahead && r.told[0].b.droneid.metric == 0.5f);
    assert_int_equal(r.told[0].b.n0, 5 * LEN + 1000);
    assert_true(r.told[1].b.ahead);             // the next is another
    assert_true(r.told[2].b.again && r.told[2].b.id == r.told[0].b.id);
    assert_true(r.told[3].b.again && r.told[3].b.id == r.told[1].b.id);
    rig_end(&r);
}

// While no noise is known no level is: then it waits for the front, as everything does.
static void test_deaf(void **state)
{
    (void)state;
    struct rig r;
    const struct cand c[] = { droneid(5 * LEN, 0, 0.5), energy(5 * LEN, 0) };
    rig_begin(&r);
    r.deaf = true;
    rig_run(&r, 60, c, 2);
    assert_int_equal(r.n, 1);
    assert_false(r.told[0].b.ahead || r.told[0].b.again);
    assert_int_equal(r.told[0].b.hyp, HYP_ENERGY | HYP_DRONEID);
    rig_end(&r);
}

// Tuned within a burst: what is left of it has its samples; what the other centre had is closed.
static void test_tuned(void **state)
{
    (void)state;
    struct rig r;
    const struct cand c[] = { droneid(7 * LEN, 0, 0.5), droneid(8 * LEN - 2000, 1e6, 0.5) };
    rig_begin(&r);
    r.tuned = 8 * LEN;
    rig_run(&r, 60, c, 2);
    assert_int_equal(r.n, 4);
    assert_true(r.told[0].b.ahead && r.told[1].b.again && r.told[1].b.id == r.told[0].b.id);
    assert_int_equal(r.told[1].now, 9 * LEN);
    assert_true(r.told[1].b.centre_hz == 0 && r.told[1].b.cut.n >= BURST);
    assert_true(r.told[2].b.ahead && r.told[3].b.again && r.told[3].b.id == r.told[2].b.id);
    assert_true(r.told[2].b.centre_hz == 1e9 && r.told[3].b.n0 == 8 * LEN);
    assert_true(r.told[3].b.cut.n0 == 8 * LEN && r.told[3].b.cut.n >= BURST - 2000);
    rig_end(&r);
}

// ---- The whole chain -------------------------------------------------------------------------

static const char scene[] = "name: ahead\nrate_hz: 12.5e6\ncentre_hz: 2444e6\nduration_s: 0.13\n"
    "seed: 3\nreceiver: { noise_dbfs: -50, adc_bits: 12 }\nemitters:\n"
    "  - { name: a, model: droneid, variant: real, uid: 4001, freq_hz: 2444.5e6, snr_db: 12,"
    " start_s: 0.04 }\n"
    "  - { name: b, model: droneid, variant: real, uid: 4002, freq_hz: 2443.5e6, snr_db: 3,"
    " start_s: 0.06 }\n"
    "  - { name: headset, model: bluetooth, duty: 0.2, snr_db: 10 }\n";

static const char *serial(const struct finding *f)
{
    for (unsigned i = 0; f->n_decode && i < f->decode->n_fields; i++)
        if (!strcmp(f->decode->field[i].key, "serial"))
            return f->decode->field[i].str;
    return "";
}

static char *run(unsigned threads, enum droneid_mode mode, unsigned *ret_ahead)
{
    char *text = NULL, why[IQ_WHY];
    size_t len = 0;
    uint64_t id[8] = { 0 };
    unsigned ahead = 0, again = 0;
    struct iq_source *s;
    struct finding *f;
    FILE *o = open_memstream(&text, &len);
    struct iq_sim_cfg cfg = { .text = scene, .pool_blocks = DSP_POOL_BLOCKS };
    assert_int_equal(iq_open_sim(&s, &cfg, why), 0);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = s, .threads = threads, .droneid = mode });

    assert_true(o && d);
    while ((f = dsp_next(d))) {
        fprintf(o, "%llu %d %d %d %x %.12g %.12g %.9g %u %s\n", (unsigned long long)f->id,
                f->reject, f->ahead, f->again, f->hyp, f->fp.t_s.v, f->fp.freq_hz.v,
                f->fp.level_dbfs, f->n_decode, serial(f));
        if (f->ahead) {
            assert_true(f->reject && f->droneid.seen && ahead < 8);
            // told before the front has answered for the time in which it began
            assert_true((double)f->tick < f->droneid.t_s.v * f->rate_hz);
            assert_true(meas_ok(f->fp.freq_hz) && fabs(f->fp.level_dbfs + 43.5) < 6);
            assert_int_equal(f->n_decode, mode == DRONEID_DECODE);
            id[ahead++] = f->id;
        }
        if (f->again) {
            assert_true(f->droneid.seen && !f->n_decode && !f->soft && !f->reject);
            assert_int_equal(f->id, id[again++]);
        }
        finding_free(f);
    }
    fclose(o);
    assert_int_equal(dsp_counts(d)->droneid_seen, 2);
    dsp_free(d);
    iq_close(s);
    assert_int_equal(ahead, again);
    *ret_ahead = ahead;
    return text;
}

static void test_chain(void **state)
{
    (void)state;
    unsigned n;
    char *one = run(1, DRONEID_DECODE, &n);

    assert_int_equal(n, 2);
    assert_true(strstr(one, "TYTOSIM0004001") && strstr(one, "TYTOSIM0004002"));
    char *eight = run(8, DRONEID_DECODE, &n);
    assert_string_equal(eight, one);
    free(eight);
    free(one);
    free(run(2, DRONEID_RECOGNISE, &n));
    assert_int_equal(n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when),
        cmocka_unit_test(test_one_of_many),
        cmocka_unit_test(test_deaf),
        cmocka_unit_test(test_tuned),
        cmocka_unit_test(test_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
