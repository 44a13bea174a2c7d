// SPDX-License-Identifier: GPL-3.0-or-later
// Blocks: exact conversions, the pool under many threads, what is clipped and what is absurd.
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/queue.h"
#include "base/rng.h"
#include "sdr/block.h"
#include "sdr/condition.h"

// ---- Conversion -----------------------------------------------------------------------------

// All codes of a format as I, Q pairs in one block; check(code) is what code must become.
static void convert_all(enum iq_format f, unsigned codes, double (*check)(unsigned code))
{
    unsigned n = codes / 2, size = (unsigned)iq_format_bytes(f) / 2;
    struct iq_pool *p = iq_pool_new(1, n, f);
    struct iq_block *b = iq_pool_take(p);
    float complex *z = malloc(n * sizeof *z);

    assert_int_equal((uintptr_t)b->data % 64, 0);
    b->n = n;
    for (unsigned c = 0; c < codes; c++)
        memcpy((char *)iq_block_data(b) + c * size, &c, size);
    for (unsigned off = 0; off < 5; off++) {        // moves the vectorised part
        iq_to_cf32(b, off, n - off, z);
        for (unsigned i = off; i < n; i++) {
            assert_true(crealf(z[i - off]) == (float)check(2 * i));
            assert_true(cimagf(z[i - off]) == (float)check(2 * i + 1));
        }
    }
    free(z);
    iq_unref(b);
    iq_pool_free(p);
}

static double ci16_is(unsigned c) { return (int16_t)c / 32768.0; }
static double ci8_is(unsigned c)  { return (int8_t)c / 128.0; }
static double cu8_is(unsigned c)  { return (c - 127.5) / 128.0; }

static void converts_every_code(void **state)
{
    (void)state;
    convert_all(IQ_CI16, 65536, ci16_is);
    convert_all(IQ_CI8, 256, ci8_is);
    convert_all(IQ_CU8, 256, cu8_is);
}

static void passes_floats_unchanged(void **state)
{
    (void)state;
    struct iq_pool *p = iq_pool_new(1, 8, IQ_CF32);
    struct iq_block *b = iq_pool_take(p);
    float complex *in = iq_block_data(b), out[3];

    b->n = 8;
    for (unsigned i = 0; i < 8; i++)
        in[i] = CMPLXF((float)i / 3, -1e-30f * (float)i);
    iq_to_cf32(b, 4, 3, out);
    assert_memory_equal(out, in + 4, sizeof out);
    iq_unref(b);
    iq_pool_free(p);
}

static void names_formats_and_origins(void **state)
{
    (void)state;
    static const char *const names[] = { "cf32", "cf64", "ci16", "ci8", "cu8" };
    static const size_t bytes[] = { 8, 16, 4, 2, 2 };

    for (int f = 0; f < IQ_FORMATS; f++) {
        assert_string_equal(iq_format_name((enum iq_format)f), names[f]);
        assert_int_equal(iq_format_of(names[f]), f);
        assert_int_equal(iq_format_bytes((enum iq_format)f), bytes[f]);
    }
    assert_true(iq_format_of("cf16") < 0);
    assert_true(iq_format_of("") < 0);
    assert_string_equal(iq_origin_name(IQ_LIVE), "live");
    assert_string_equal(iq_origin_name(IQ_SIMULATION), "simulation");
    assert_string_equal(iq_origin_name(IQ_EXERCISE), "exercise");
}

// ---- Pool -----------------------------------------------------------------------------------

#define READERS 3
#define ROUNDS  3000
#define LEN     16

// Each reader gets every block; the last to let go gives it back.  A block that was reused too
// early shows a foreign number.
static void *reader(void *arg)
{
    struct queue *q = arg;
    struct iq_block *b;
    uintptr_t wrong = 0;

    while ((b = queue_pop(q))) {
        const int16_t *v = b->data;
        for (unsigned i = 0; i < 2 * LEN; i++)
            wrong += v[i] != (int16_t)b->n0;
        iq_unref(b);
    }
    return (void *)wrong;
}

static void shares_blocks_between_threads(void **state)
{
    (void)state;
    struct iq_pool *p = iq_pool_new(4, LEN, IQ_CI16);
    struct queue *q[READERS];
    pthread_t t[READERS];

    for (unsigned r = 0; r < READERS; r++) {
        q[r] = queue_new(2 + r, QUEUE_WAIT);
        assert_int_equal(pthread_create(&t[r], NULL, reader, q[r]), 0);
    }
    for (unsigned k = 0; k < ROUNDS; k++) {
        struct iq_block *b = iq_pool_take(p);
        int16_t *v = iq_block_data(b);
        b->n0 = k;
        for (unsigned i = 0; i < 2 * LEN; i++)
            v[i] = (int16_t)k;
        for (unsigned r = 0; r < READERS; r++)
            assert_int_equal(queue_push(q[r], iq_ref(b)), 0);
        iq_unref(b);
    }
    for (unsigned r = 0; r < READERS; r++) {
        void *wrong;
        queue_close(q[r]);
        pthread_join(t[r], &wrong);
        assert_null(wrong);
        queue_free(q[r]);
    }
    iq_pool_free(p);
}

// A pool of one: the second take can only come back once the first block is let go.
static void *let_go(void *b)
{
    iq_unref(b);
    return NULL;
}

static void waits_while_all_blocks_are_out(void **state)
{
    (void)state;
    struct iq_pool *p = iq_pool_new(1, LEN, IQ_CI8);
    struct iq_block *b = iq_pool_take(p);
    pthread_t t;

    for (unsigned k = 0; k < 100; k++) {
        assert_int_equal(pthread_create(&t, NULL, let_go, b), 0);
        struct iq_block *again = iq_pool_take(p);
        assert_ptr_equal(again, b);
        pthread_join(t, NULL);
    }
    iq_unref(b);
    iq_pool_free(p);
}

// ---- Conditioning ---------------------------------------------------------------------------

#define N 4096

static void replaces_absurd_values(void **state)
{
    (void)state;
    float v[2 * N];
    static const float bad[] = { NAN, -NAN, INFINITY, -INFINITY, 1.1e9f, -3e38f };

    for (unsigned i = 0; i < 2 * N; i++)
        v[i] = 0.25f * (float)sin(i);
    v[7] = 1e9f;                                    // the last that is let through
    for (unsigned i = 0; i < 6; i++)
        v[100 + 777 * i] = bad[i];
    struct condition c = iq_condition(IQ_CF32, v, N);
    assert_int_equal(c.nonfinite, 6);
    assert_int_equal(c.flags, IQ_NONFINITE);
    assert_int_equal(c.clipped, 0);
    assert_true(v[7] == 1e9f);
    for (unsigned i = 0; i < 6; i++)
        assert_true(v[100 + 777 * i] == 0);
    assert_true(v[101] == 0.25f * (float)sin(101));
}

static void survives_one_sample_of_nothing_but_nan(void **state)
{
    (void)state;
    float v[2] = { NAN, INFINITY };
    struct condition c = iq_condition(IQ_CF32, v, 1);

    assert_int_equal(c.nonfinite, 2);
    assert_true(v[0] == 0 && v[1] == 0);
}

// A sine of amplitude a at rate/50, rounded to integers and held at top, in each format.
static struct condition sine(enum iq_format f, double a, double top, double scale)
{
    static union { float f[2 * N]; int16_t s[2 * N]; int8_t c[2 * N]; uint8_t u[2 * N]; } v;

    for (unsigned i = 0; i < 2 * N; i++) {
        double x = round(a * cos(2 * M_PI * (i / 2) / 50.0 - (i % 2 ? M_PI / 2 : 0) + 0.1));
        x = fmax(-top - 1, fmin(top, x));
        switch (f) {
        case IQ_CF32: v.f[i] = (float)(x * scale); break;
        case IQ_CI16: v.s[i] = (int16_t)x; break;
        case IQ_CI8:  v.c[i] = (int8_t)x; break;
        default:      v.u[i] = (uint8_t)(x + 128); break;
        }
    }
    return iq_condition(f, &v, N);
}

static void sees_a_converter_at_its_stops(void **state)
{
    (void)state;
    // Driven 20 % over: |cos| stays above 1/1.2 for 37 % of the time, in I or in Q: about 74 %.
    static const struct { enum iq_format f; double top, scale; } c[] = {
        { IQ_CI16, 32767, 1 }, { IQ_CI16, 2047, 1 }, { IQ_CI16, 8191, 1 }, { IQ_CI8, 127, 1 },
        { IQ_CU8, 127, 1 }, { IQ_CF32, 127, 1 / 128.0 }, { IQ_CF32, 32767, 1 / 32768.0 },
        { IQ_CF32, 2047, 1 }, { IQ_CF32, 127, 1 },
    };
    for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
        struct condition hot = sine(c[i].f, 1.2 * c[i].top, c[i].top, c[i].scale);
        assert_int_equal(hot.flags, IQ_CLIPPED);
        assert_in_range(hot.clipped, N * 70 / 100, N * 78 / 100);
        struct condition fine = sine(c[i].f, 0.8 * c[i].top, c[i].top, c[i].scale);
        assert_int_equal(fine.flags, 0);
        assert_int_equal(fine.clipped, 0);
    }
}

// A weak signal of a few codes stays at its highest code for many samples; that is no clipping.
static void leaves_quiet_recordings_alone(void **state)
{
    (void)state;
    static const struct { enum iq_format f; double scale; } c[] = {
        { IQ_CI16, 1 }, { IQ_CI8, 1 }, { IQ_CU8, 1 }, { IQ_CF32, 1 }, { IQ_CF32, 1 / 128.0 },
    };
    for (unsigned i = 0; i < sizeof c / sizeof *c; i++)
        assert_int_equal(sine(c[i].f, 3, 127, c[i].scale).flags, 0);
    float zero[2 * N] = { 0 };
    assert_int_equal(iq_condition(IQ_CF32, zero, N).flags, 0);
    assert_int_equal(iq_condition(IQ_CI16, zero, N).flags, 0);
}

static void counts_a_lone_extreme_without_flagging(void **state)
{
    (void)state;
    int16_t v[2 * N] = { 0 };

    v[1000] = INT16_MAX;
    struct condition c = iq_condition(IQ_CI16, v, N);
    assert_int_equal(c.clipped, 1);
    assert_int_equal(c.flags, 0);
    v[1000] = 2047;                                 // may be full scale of 12 bits, or just a value
    c = iq_condition(IQ_CI16, v, N);
    assert_int_equal(c.clipped, 0);
    for (unsigned i = 0; i < 3; i++)
        v[2 * (N - 3 + i) + 1] = INT16_MIN;         // a run at the block's end
    c = iq_condition(IQ_CI16, v, N);
    assert_int_equal(c.clipped, 3);
    assert_int_equal(c.flags, IQ_CLIPPED);
}

static void narrows_doubles(void **state)
{
    (void)state;
    double in[2 * 37];
    float out[2 * 37];

    for (unsigned i = 0; i < 74; i++)
        in[i] = pow(-1.7, (int)i - 37);
    in[3] = 1e300;
    in[73] = NAN;
    iq_narrow(in, out, 37);
    for (unsigned i = 0; i < 73; i++)
        assert_true(i == 3 ? isinf(out[i]) : out[i] == (float)in[i]);
    assert_true(isnan(out[73]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converts_every_code),
        cmocka_unit_test(passes_floats_unchanged),
        cmocka_unit_test(names_formats_and_origins),
        cmocka_unit_test(shares_blocks_between_threads),
        cmocka_unit_test(waits_while_all_blocks_are_out),
        cmocka_unit_test(replaces_absurd_values),
        cmocka_unit_test(survives_one_sample_of_nothing_but_nan),
        cmocka_unit_test(sees_a_converter_at_its_stops),
        cmocka_unit_test(leaves_quiet_recordings_alone),
        cmocka_unit_test(counts_a_lone_extreme_without_flagging),
        cmocka_unit_test(narrows_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
