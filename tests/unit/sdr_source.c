// SPDX-License-Identifier: GPL-3.0-or-later
// The front of every source, behind a driver whose every sample says where it belongs.
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "sdr/src/source.h"

// ci16 samples: I and Q hold the low and high half of the stream index (lost ones counted).
struct counter {
    uint64_t    index, left;            // of the next sample; until the end
    unsigned    chunk;                  // largest read answered; 0: random sizes
    struct rng  rng;
    const struct { uint64_t at, lost; int64_t utc_ns; } *mark;  // ended by at = UINT64_MAX
    uint64_t    read;                   // samples given
    int64_t     end;                    // what the last read returns
    unsigned    closed, ends;
};

static int64_t counter_read(void *state, void *dst, size_t n)
{
    struct counter *c = state;
    uint16_t *v = dst;
    size_t most = c->chunk ? c->chunk : 1 + rng_below(&c->rng, 3000);

    n = n < most ? n : most;
    n = n < c->left ? n : (size_t)c->left;
    if (c->mark && c->mark->at - c->read < n)
        n = (size_t)(c->mark->at - c->read);
    for (size_t i = 0; i < n; i++, c->index++) {
        v[2 * i] = (uint16_t)(c->index & 0x7fff);       // below full scale
        v[2 * i + 1] = (uint16_t)(c->index >> 15 & 0x3fff);
    }
    c->left -= n;
    c->read += n;
    return n ? (int64_t)n : c->end;
}

static bool counter_mark(void *state, struct src_mark *ret)
{
    struct counter *c = state;

    if (!c->mark || c->mark->at != c->read)
        return false;
    *ret = (struct src_mark){ .lost = c->mark->lost, .utc_ns = c->mark->utc_ns, .utc_err_ns = 5 };
    c->index += c->mark->lost;
    c->mark++;
    return true;
}

static void counter_ended(void *state, struct iq_counts *counts)
{
    struct counter *c = state;
    c->ends++;
    counts->trailing_bytes = 3;
    if (c->end < 0)
        snprintf(counts->fault, IQ_WHY, "unplugged");
}

static void counter_close(void *state) { ((struct counter *)state)->closed++; }

static const struct src_ops ops = {
    .read = counter_read, .mark = counter_mark, .ended = counter_ended, .close = counter_close,
};

static struct iq_source *start(struct counter *c, double rate_hz, int64_t utc_ns)
{
    struct src_driver d = {
        .ops = &ops, .state = c, .rate_hz = rate_hz, .centre_hz = 2.4e9, .gain_db = 30,
        .format = IQ_CI16, .origin = IQ_SELFTEST, .utc_ns = utc_ns, .utc_err_ns = 7,
    };
    struct iq_source *s = NULL;
    char why[IQ_WHY];

    rng_init(&c->rng, 1);
    assert_int_equal(src_open(&s, &d, "counter", false, 2, why), 0);
    return s;
}

// Every sample of a block must say its own index.
static void check_samples(const struct iq_block *b)
{
    const uint16_t *v = b->data;

    for (uint64_t i = 0, k = b->n0; i < b->n; i++, k++)
        if (v[2 * i] != (k & 0x7fff) || v[2 * i + 1] != (k >> 15 & 0x3fff))
            fail_msg("sample %llu is another one", (unsigned long long)k);
}

static void blocks_do_not_depend_on_read_sizes(void **state)
{
    (void)state;
    static const unsigned chunks[] = { 1, 7, 1023, 1024, 1025, 100000, 0, 0 };

    for (unsigned k = 0; k < sizeof chunks / sizeof *chunks; k++) {
        struct counter c = { .left = 10 * 2048 + 5, .chunk = chunks[k] };
        struct iq_source *s = start(&c, 2e6, 0);
        struct iq_block *b;
        unsigned n = 0;

        assert_int_equal(iq_info(s).block_len, 2048);
        for (; (b = iq_next(s)); n++, iq_unref(b)) {
            assert_int_equal(b->n0, n * 2048);
            assert_int_equal(b->n, n < 10 ? 2048 : 5);
            assert_int_equal(b->flags, n < 10 ? 0 : IQ_LAST);
            assert_int_equal(b->lost, 0);
            assert_int_equal(b->utc_ns, 0);
            assert_int_equal(b->origin, IQ_SELFTEST);
            assert_true(b->rate_hz == 2e6 && b->centre_hz == 2.4e9 && b->gain_db == 30);
            check_samples(b);
        }
        assert_int_equal(n, 11);
        assert_null(iq_next(s));                    // and stays so
        assert_int_equal(iq_counts(s)->samples, 10 * 2048 + 5);
        assert_int_equal(iq_counts(s)->trailing_bytes, 3);
        assert_string_equal(iq_counts(s)->fault, "");
        assert_int_equal(c.ends, 1);
        iq_close(s);
        assert_int_equal(c.closed, 1);
    }
}

static void whole_last_block_is_marked_last(void **state)
{
    (void)state;
    struct counter c = { .left = 2048 };
    struct iq_source *s = start(&c, 1e6, 0);
    struct iq_block *b;
    unsigned last = 0, n = 0;

    for (; (b = iq_next(s)); n++, iq_unref(b)) {
        assert_int_equal(b->n, 1024);
        last += (b->flags & IQ_LAST) != 0;
    }
    assert_int_equal(n, 2);
    assert_int_equal(last, 1);
    iq_close(s);
}

// A radio's next sample comes a block later: nothing waits for it.  Gaps cut blocks all the same.
static void a_radios_block_waits_for_no_other(void **state)
{
    (void)state;
    static const struct { uint64_t at, lost; int64_t utc_ns; } marks[] = {
        { 1024 + 100, 50, 0 }, { UINT64_MAX, 0, 0 },
    };
    struct counter c = { .left = 3000, .chunk = 700, .mark = (const void *)marks };
    struct src_driver d = { .ops = &ops, .state = &c, .rate_hz = 1e6, .format = IQ_CI16,
                            .endless = true };
    static const uint32_t n[] = { 1024, 100, 1024, 852 };
    struct iq_source *s = NULL;
    char why[IQ_WHY];
    uint64_t end = 0;

    assert_int_equal(src_open(&s, &d, "counter", false, 2, why), 0);
    for (unsigned k = 0; k < 4; k++) {
        struct iq_block *b = iq_next(s);
        assert_non_null(b);
        assert_int_equal(b->n, n[k]);
        assert_int_equal(b->flags, 0);
        assert_int_equal(b->lost, k == 2 ? 50 : 0);
        check_samples(b);
        end += b->n;
        assert_int_equal(c.read, end);
        iq_unref(b);
    }
    assert_null(iq_next(s));
    assert_null(iq_next(s));
    assert_int_equal(c.ends, 1);
    iq_close(s);
}

static void one_sample_and_none(void **state)
{
    (void)state;
    struct counter one = { .left = 1 }, none = { 0 };
    struct iq_source *s = start(&one, 1e6, 0);
    struct iq_block *b = iq_next(s);

    assert_int_equal(b->n, 1);
    assert_int_equal(b->flags, IQ_LAST);
    iq_unref(b);
    assert_null(iq_next(s));
    iq_close(s);
    s = start(&none, 1e6, 0);
    assert_null(iq_next(s));
    assert_int_equal(iq_counts(s)->samples, 0);
    iq_close(s);
}

// Gaps in the middle of a block, directly at a block's end, of one sample between two samples, and
// behind the very last one (nothing follows: not told).
static void gaps_cut_blocks_and_are_counted(void **state)
{
    (void)state;
    static const struct { uint64_t at, lost; int64_t utc_ns; } marks[] = {
        { 0, 0, 0 }, { 1500, 100, 0 }, { 1501, 1, 0 }, { 1501 + 1024, 1u << 20, 0 },
        { 4000, 9, 0 }, { UINT64_MAX, 0, 0 },
    };
    static const struct { uint64_t n0, lost; uint32_t n; } want[] = {
        { 0, 0, 1024 }, { 1024, 0, 476 }, { 1600, 100, 1 }, { 1602, 1, 1024 },
        { 2626 + (1u << 20), 1u << 20, 1024 }, { 3650 + (1u << 20), 0, 451 },
    };
    for (unsigned chunk = 0; chunk < 5; chunk++) {
        struct counter c = { .left = 4000, .chunk = chunk, .mark = (const void *)marks };
        struct iq_source *s = start(&c, 1e6, 0);
        struct iq_block *b;
        unsigned n = 0;

        for (; (b = iq_next(s)); n++, iq_unref(b)) {
            assert_in_range(n, 0, 5);
            assert_int_equal(b->n0, want[n].n0);
            assert_int_equal(b->lost, want[n].lost);
            assert_int_equal(b->n, want[n].n);
            assert_int_equal(b->flags, n == 5 ? IQ_LAST : 0);
            check_samples(b);
        }
        assert_int_equal(n, 6);
        assert_int_equal(iq_counts(s)->lost, 101 + (1u << 20));
        assert_int_equal(iq_counts(s)->samples, 4000);
        iq_close(s);
    }
}

// 2.5 MS/s: 400 ns a sample, exactly.  A clock reading in mid-block holds from the next block on.
static void utc_follows_the_sample_clock(void **state)
{
    (void)state;
    const int64_t t0 = 1700000000123456789;
    static const struct { uint64_t at, lost; int64_t utc_ns; } marks[] = {
        { 3000, 0, 42000000 }, { 7000, 50, 0 }, { UINT64_MAX, 0, 0 },
    };
    struct counter c = { .left = 9000, .mark = (const void *)marks };
    struct iq_source *s = start(&c, 2.5e6, t0);
    const int64_t want[] = { t0, t0 + 2048 * 400, 42000000 + (4096 - 3000) * 400,
                             42000000 + (6144 - 3000) * 400, 42000000 + (7050 - 3000) * 400 };
    struct iq_block *b;

    for (unsigned n = 0; (b = iq_next(s)); n++, iq_unref(b)) {
        assert_in_range(n, 0, 4);
        assert_true(b->utc_ns == want[n]);
        assert_int_equal(b->utc_err_ns, n < 2 ? 7 : 5);
    }
    iq_close(s);
}

static void fault_ends_it_after_what_was_there(void **state)
{
    (void)state;
    struct counter c = { .left = 1500, .end = -EIO };
    struct iq_source *s = start(&c, 1e6, 0);
    struct iq_block *b;
    uint64_t n = 0;

    for (; (b = iq_next(s)); iq_unref(b))
        n += b->n;
    assert_int_equal(n, 1500);
    assert_string_equal(iq_counts(s)->fault, "unplugged");
    iq_close(s);
}

static void block_is_about_a_millisecond(void **state)
{
    (void)state;
    static const struct { double rate_hz; uint32_t len; } want[] = {
        { 0.25e6, 1024 }, { 1e6, 1024 }, { 1.44e6, 1024 }, { 1.46e6, 2048 }, { 30.72e6, 32768 },
        { 50e6, 65536 }, { 61.44e6, 65536 }, { 125e6, 131072 },
    };
    for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
        struct counter c = { 0 };
        struct iq_source *s = start(&c, want[i].rate_hz, 0);
        assert_int_equal(iq_info(s).block_len, want[i].len);
        iq_close(s);
    }
}

static void refuses_rates_out_of_range(void **state)
{
    (void)state;
    static const double rates[] = { 0, -1e6, 249999, 125000001, NAN, INFINITY };

    for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct counter c = { 0 };
        struct src_driver d = { .ops = &ops, .state = &c, .rate_hz = rates[i] };
        struct iq_source *s = NULL;
        char why[IQ_WHY] = "";
        assert_int_equal(src_open(&s, &d, "x", false, 0, why), -EINVAL);
        assert_non_null(strstr(why, "250000 to 125000000"));
        assert_null(s);
        assert_int_equal(c.closed, 0);              // still the caller's
    }
}

static void sentences_hold_no_control_characters(void **state)
{
    (void)state;
    char why[IQ_WHY], longer[2 * IQ_WHY];

    assert_int_equal(src_why(why, -EPERM, "a%cb\x1b[2J%s", '\n', "\x7f"), -EPERM);
    assert_string_equal(why, "a?b?[2J?");
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    src_why(why, 0, "%s", longer);
    assert_int_equal(strlen(why), IQ_WHY - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_do_not_depend_on_read_sizes),
        cmocka_unit_test(whole_last_block_is_marked_last),
        cmocka_unit_test(a_radios_block_waits_for_no_other),
        cmocka_unit_test(one_sample_and_none),
        cmocka_unit_test(gaps_cut_blocks_and_are_counted),
        cmocka_unit_test(utc_follows_the_sample_clock),
        cmocka_unit_test(fault_ends_it_after_what_was_there),
        cmocka_unit_test(block_is_about_a_millisecond),
        cmocka_unit_test(refuses_rates_out_of_range),
        cmocka_unit_test(sentences_hold_no_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
