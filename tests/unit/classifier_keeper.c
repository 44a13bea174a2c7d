// SPDX-License-Identifier: GPL-3.0-or-later
// Whose samples are asked for: never of a span of which bystanders' bursts have been forgotten.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "classifier/keeper.c"      // with the thread that keeps played by what stands below

static struct keep_want *asked[64];
static unsigned n_asked, n_refused;

bool keep_ask(struct keep *k, struct keep_want *w)
{
    (void)k;
    assert_true(n_asked < 64);
    asked[n_asked++] = w;
    return true;
}

void keep_refuse(struct keep *k)
{
    (void)k;
    n_refused++;
}

static struct keeper k;

static int set_up(void **state)
{
    static char keep;
    (void)state;
    k = (struct keeper){ .keep = (struct keep *)&keep };
    n_asked = n_refused = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    while (n_asked)
        free(asked[--n_asked]);
    return 0;
}

static int64_t utc_of(void *arg, double t_s)
{
    (void)arg;
    return llround(t_s * 1e9);
}

static uint32_t hyp;                // of what is told

static void tell(uint64_t id, enum burst_part part, double t_s, double dur_s, double freq_hz,
                 enum sig_kind kind)
{
    static struct finding f;
    memset(&f, 0, sizeof f);
    f.id = id;
    f.part = part;
    f.hyp = hyp;
    f.fp.kind = kind;
    f.fp.t_s = (struct meas){ t_s, 1e-6 };
    f.fp.dur_s = (struct meas){ dur_s, 1e-6 };
    f.fp.freq_hz = (struct meas){ freq_hz, 1e3 };
    f.fp.bw_hz = (struct meas){ 500e3, 1e3 };
    f.fp.bw99_hz = f.fp.symbol_rate_bd = f.fp.wifi_stf = f.fp.barker_corr = MEAS_NONE;
    keeper_finding(&k, &f);
}

static struct track drone(const char *id, double last_s)
{
    static struct track t;
    memset(&t, 0, sizeof t);
    snprintf(t.id, sizeof t.id, "%s", id);
    t.state = TRACK_NAMED;
    t.family = "elrs";
    t.verdict = VERDICT_DRONE;
    t.freq_lo_hz = 868e6 - 250e3;
    t.freq_hi_hz = 868e6 + 250e3;
    t.first_s = 0;
    t.last_s = last_s;
    return t;
}

static const struct keep_box *box(const struct keep_want *w, uint64_t id)
{
    for (unsigned i = 0; i < w->n_boxes; i++)
        if (w->box[i].id == id)
            return &w->box[i];
    return NULL;
}

// A stranger within the wide span, then so many bursts that its box is gone: nothing is asked for.
static void a_span_of_forgotten_bursts_is_refused(void **state)
{
    (void)state;
    for (unsigned busy = 0; busy < 2; busy++) {
        tear_down(NULL);
        set_up(NULL);
        struct track t = drone("t1", 10);
        tell(1, BURST_WHOLE, 9.95, 1e-3, 866e6, KIND_UNKNOWN);
        keeper_track(&k, &t, 2);
        for (unsigned i = 0; i < (busy ? KEEP_BOXES : KEEP_BOXES - 1); i++)
            tell(2 + i, BURST_WHOLE, 9.96 + i * 1e-5, 1e-6, 863e6, KIND_UNKNOWN);
        keeper_tick(&k, 11, utc_of, NULL);
        assert_int_equal(n_asked, !busy);
        assert_int_equal(n_refused, busy);
        if (!busy)
            assert_true(box(asked[0], 1) && !box(asked[0], 1)->plain);
    }
    // What begins behind all that was forgotten is kept as ever.
    struct track t = drone("t2", 20);
    keeper_track(&k, &t, 2);
    keeper_tick(&k, 21, utc_of, NULL);
    assert_int_equal(n_asked, 1);
    assert_int_equal(n_refused, 1);
}

// A run on the air outlives any number of bursts, in its own box.
static void a_run_on_the_air_is_not_forgotten(void **state)
{
    (void)state;
    tell(7, BURST_RUN_FIRST, 1, 0.1, 866e6, KIND_UNKNOWN);
    for (unsigned i = 0; i < 3 * KEEP_BOXES; i++)
        tell(100 + i, BURST_WHOLE, 1 + i * 1e-4, 1e-5, 863e6, KIND_UNKNOWN);
    struct track t = drone("t1", 5);
    keeper_track(&k, &t, 2);
    keeper_tick(&k, 6, utc_of, NULL);
    assert_int_equal(n_asked, 1);
    assert_non_null(box(asked[0], 7));
    assert_false(box(asked[0], 7)->plain);
}

// More runs than there are boxes: still no box twice, no endless search, and nothing is asked for.
static void more_runs_than_boxes_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KEEP_BOXES + 1; i++)
        tell(1 + i, BURST_RUN_FIRST, 1 + i * 1e-3, 0.1, 866e6, KIND_UNKNOWN);
    struct track t = drone("t1", 2);
    keeper_track(&k, &t, 2);
    keeper_tick(&k, 6, utc_of, NULL);
    assert_int_equal(n_asked, 0);
    assert_int_equal(n_refused, 1);
}

// The end of a run whose parts were never told has no kind: it is nobody's to keep.
static void an_end_alone_is_a_bystander(void **state)
{
    (void)state;
    tell(9, BURST_RUN_END, 4.95, 0.02, 868e6, KIND_LORA);
    struct track t = drone("t1", 5);
    keeper_track(&k, &t, 2);
    keeper_tick(&k, 6, utc_of, NULL);
    assert_int_equal(n_asked, 1);
    assert_false(box(asked[0], 9)->plain);
}

// Places of tracks that ended are others'; what is turned away for want of room is counted.
static void a_place_is_free_when_its_track_ended(void **state)
{
    (void)state;
    char id[24];
    for (unsigned i = 0; i < 3 * KEEPER_TRACKS; i++) {
        snprintf(id, sizeof id, "t%u", i);
        struct track t = drone(id, 10 + i);
        keeper_track(&k, &t, 2);
        t.state = TRACK_ENDED;
        keeper_track(&k, &t, 2);
        if (i == 0) {                               // not yet: its samples are to be asked for
            struct track next = drone("next", 10);
            keeper_track(&k, &next, 2);
            assert_string_equal(k.track[0].id, "t0");
            assert_string_equal(k.track[1].id, "next");
        }
        keeper_tick(&k, 11 + i, utc_of, NULL);
        assert_int_equal(n_asked, i ? 1 : 2);
        assert_string_equal(asked[0]->track, id);
        assert_string_equal(asked[0]->family, "elrs");
        tear_down(NULL);
    }
    assert_int_equal(n_refused, 0);
    for (unsigned i = 0; i < KEEPER_TRACKS; i++) {  // "next" stays: one too many
        snprintf(id, sizeof id, "u%u", i);
        struct track t = drone(id, 200);
        keeper_track(&k, &t, 2);
    }
    assert_int_equal(n_refused, 1);
    keeper_tick(&k, 201, utc_of, NULL);
    assert_int_equal(n_asked, KEEPER_TRACKS - 1);
}

// Bursts behind a track's end are not its own.
static void nothing_is_cut_for_a_track_that_ended(void **state)
{
    (void)state;
    struct track t = drone("t1", 10);
    keeper_track(&k, &t, 2);
    tell(1, BURST_WHOLE, 10.5, 1e-3, 868e6, KIND_LORA);
    t.state = TRACK_ENDED;
    keeper_track(&k, &t, 2);
    tell(2, BURST_WHOLE, 12, 1e-3, 868e6, KIND_LORA);
    keeper_tick(&k, 13, utc_of, NULL);
    assert_int_equal(n_asked, 2);                   // the wide one, and the burst of before
}

static void a_full_list_of_waits_is_counted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 70; i++)
        want(&k, 0, i, 1, 1, 1.1);
    assert_int_equal(n_refused, 6);
}

// With every reason there is room for, and quotes in them, the track still stands in the file.
static void a_long_track_is_told_whole(void **state)
{
    (void)state;
    struct track t = drone("t1", 10);
    t.n_why = CLS_WHY;
    for (unsigned i = 0; i < CLS_WHY; i++)
        for (unsigned n = 0; n < sizeof t.why[i] - 1; n++)
            t.why[i][n] = n % 2 ? '"' : 'x';
    keeper_track(&k, &t, 2);
    keeper_tick(&k, 11, utc_of, NULL);
    assert_int_equal(n_asked, 1);
    size_t n = strlen(asked[0]->line);
    assert_true(n > CLS_WHY * 160 && asked[0]->line[n - 1] == '}');
}

// An advertisement's detector tells its head; what a phone says in it goes as well.
static void an_advertisement_goes_whole(void **state)
{
    (void)state;
    hyp = HYP_BLE;
    tell(1, BURST_WHOLE, 9.95, 128e-6, 2402e6, KIND_FSK);
    hyp = HYP_ENERGY;
    tell(2, BURST_WHOLE, 9.96, 128e-6, 2402e6, KIND_FSK);
    hyp = HYP_BLE | HYP_ENERGY;
    tell(3, BURST_WHOLE, 9.97, 2e-3, 2402e6, KIND_FSK);
    hyp = 0;
    struct track t = drone("t1", 10);
    keeper_track(&k, &t, 2);
    keeper_tick(&k, 11, utc_of, NULL);
    assert_int_equal(n_asked, 1);
    // 8 us preamble, 32 address, 16 header, 37 bytes, 24 check: 376 us
    assert_true(box(asked[0], 1)->t1_s >= 9.95 + 376e-6 && box(asked[0], 1)->t1_s < 9.95 + 1e-3);
    assert_true(fabs(box(asked[0], 2)->t1_s - 9.96 - 128e-6) < 1e-9);
    assert_true(fabs(box(asked[0], 3)->t1_s - 9.97 - 2e-3) < 1e-9);
}

// What turns out to be no drone's before it was asked for is not kept; another's waits go on.
static void no_drone_is_let_go(void **state)
{
    (void)state;
    struct track t = drone("t1", 10), other = drone("t2", 10);
    keeper_track(&k, &t, 2);
    keeper_track(&k, &other, 2);
    t.verdict = VERDICT_NOT_DRONE;
    keeper_track(&k, &t, 2);
    keeper_tick(&k, 11, utc_of, NULL);
    assert_int_equal(n_asked, 1);
    assert_string_equal(asked[0]->track, "t2");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_span_of_forgotten_bursts_is_refused), CASE(a_run_on_the_air_is_not_forgotten),
        CASE(more_runs_than_boxes_end), CASE(an_end_alone_is_a_bystander),
        CASE(a_place_is_free_when_its_track_ended), CASE(nothing_is_cut_for_a_track_that_ended),
        CASE(a_full_list_of_waits_is_counted),
        CASE(a_long_track_is_told_whole), CASE(an_advertisement_goes_whole),
        CASE(no_drone_is_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
