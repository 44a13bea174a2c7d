// SPDX-License-Identifier: GPL-3.0-or-later
// The live source against children that behave, stall, die and lie.  This program is its own child:
// started with --child it plays what the device arguments ask for (radio_child.h).
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/utc.h"
#include "sdr/sdr.h"
#include "tests/unit/radio_child.h"

// ---- The parent ------------------------------------------------------------------------------

static struct iq_live_cfg cfg_of(const char *args)
{
    return (struct iq_live_cfg){ .name = "roof", .args = args, .rate_hz = RATE, .centre_hz = 1e9,
                                 .gain_db = NAN, .program = "/proc/self/exe",
                                 .silence_s = strstr(args, "stall") ? 0.3 : 60 };
}

static struct iq_source *open_it(const char *args)
{
    char why[IQ_WHY];
    struct iq_source *s = NULL;
    struct iq_live_cfg c = cfg_of(args);

    if (iq_open_live(&s, &c, why))
        fail_msg("%s: %s", args, why);
    return s;
}

static void refused(const char *args, int err, const char *word)
{
    char why[IQ_WHY] = "";
    struct iq_source *s = NULL;
    struct iq_live_cfg c = cfg_of(args);

    int r = iq_open_live(&s, &c, why);
    assert_null(s);
    if (r != err || !strstr(why, word) || strncmp(why, "roof: ", 6))
        fail_msg("%s: %d, \"%s\"", args, r, why);
}

struct seen { uint64_t samples, gap_max, gaps, end; double centre_hz; };

// Reads blocks until the radio's counts fit; checks every index.
static struct seen follow(struct iq_source *s, bool (*enough)(const struct iq_radio *,
                                                              const struct seen *))
{
    struct seen seen = { 0 };
    struct iq_radio r;
    struct iq_block *b;

    do {
        b = iq_next(s);
        assert_non_null(b);
        assert_int_equal(b->n0, seen.end + b->lost);
        assert_true(b->utc_ns > INT64_C(1600000000) * 1000000000);
        seen.end = b->n0 + b->n;
        seen.samples += b->n;
        seen.gaps += b->lost > 0;
        seen.gap_max = b->lost > seen.gap_max ? b->lost : seen.gap_max;
        seen.centre_hz = b->centre_hz;
        iq_unref(b);
        iq_radio(s, &r);
    } while (!enough(&r, &seen));
    return seen;
}

static bool hundred(const struct iq_radio *r, const struct seen *s)
{
    (void)r;
    return s->samples >= 100 * BLOCK;
}

static bool restarted(const struct iq_radio *r, const struct seen *s)
{
    return r->restarts && s->gaps && r->state == RADIO_RUNNING;
}

static void samples_come_in_order(void **state)
{
    (void)state;
    struct iq_source *s = open_it("driver=fake,few=1");
    struct iq_radio r;
    struct iq_block *b;
    int64_t err_ns = 0;

    assert_int_equal(iq_info(s).origin, IQ_SIMULATION);
    assert_int_equal(iq_info(s).block_len, BLOCK);
    for (int i = 0; i < 50; i++, iq_unref(b)) {
        b = iq_next(s);
        const int16_t *v = b->data;
        assert_int_equal(b->n, BLOCK);
        assert_int_equal(b->lost, 0);
        for (uint32_t k = 0; k < b->n; k++)
            if ((v[2 * k] | v[2 * k + 1] << 15) != (int)(b->n0 + k))
                fail_msg("sample %llu is another", (unsigned long long)(b->n0 + k));
        int64_t utc_ns = iq_utc_ns(s, (double)b->n0 / RATE, &err_ns);
        assert_true(llabs(utc_ns - utc_now_ns()) < INT64_C(10000000000));
    }
    iq_radio(s, &r);
    assert_int_equal(r.state, RADIO_RUNNING);
    assert_int_equal(r.restarts + r.lost + r.overflows + r.late_reads, 0);
    assert_true(r.hardware_time);
    assert_string_equal(r.device, "made up");
    assert_string_equal(r.what, "");
    assert_true(err_ns > 0);
    iq_stop(s);
    while ((b = iq_next(s)))
        iq_unref(b);
    iq_close(s);
}

static void overflow_is_survived_and_counted(void **state)
{
    (void)state;
    struct iq_source *s = open_it("driver=fake,overflow=1,few=1");
    struct iq_radio r;
    struct seen seen = follow(s, hundred);

    iq_radio(s, &r);
    assert_true(seen.gaps >= 9 && seen.gap_max == 500);
    assert_int_equal(r.lost % 500, 0);
    assert_true(r.overflows >= seen.gaps - 1);
    assert_int_equal(r.restarts, 0);
    iq_close(s);
}

// A stall and a death end alike: a gap about as long as the outage, then samples again.
static void stall_and_death_leave_a_gap(void **state)
{
    (void)state;
    static const char *const how[] = { "driver=fake,stall=1", "driver=fake,die=1" };

    for (int i = 0; i < 2; i++) {
        struct iq_source *s = open_it(how[i]);
        struct iq_radio r;
        int64_t t0 = mono_now_ns();
        struct seen seen = follow(s, restarted);
        double took_s = (double)(mono_now_ns() - t0) / 1e9;

        iq_radio(s, &r);
        assert_true(r.restarts >= 1 && r.errors >= 1);
        assert_int_equal(strncmp(r.what, "back after ", 11), 0);
        // The back-off alone is half a second; and no gap is longer than what really passed.
        assert_true((double)seen.gap_max > 0.5 * RATE);
        assert_true((double)seen.gap_max < (took_s + 1) * RATE);
        assert_int_equal(r.lost, seen.end - seen.samples);
        iq_close(s);
    }
}

static void lies_are_a_dead_child(void **state)
{
    (void)state;
    static const char *const lies[] = { "long", "none", "seq", "index", "ahead", "wrap", "nan",
                                        "future", "many" };
    char args[64];

    for (unsigned i = 0; i < sizeof lies / sizeof *lies; i++) {
        snprintf(args, sizeof args, "driver=fake,lie=%s", lies[i]);
        refused(args, -EIO, "nonsense");
    }
    refused("driver=fake,babble", -EIO, "nonsense");
    refused("driver=fake,badhello", -EIO, "nonsense");
    struct iq_radio r;
    struct iq_source *s = open_it("driver=fake,lie=count");
    iq_radio(s, &r);
    assert_int_equal(r.overflows, 0);
    iq_close(s);
}

static void opening_says_what_is_wrong(void **state)
{
    (void)state;
    struct iq_live_cfg c = cfg_of("driver=fake");
    struct iq_source *s = NULL;
    char why[IQ_WHY];

    refused("driver=fake,absent", -ENODEV, "no device fits");
    refused("driver=fake,crash", -EIO, "firmware [2J not found");
    refused("", -EINVAL, "driver=rtlsdr");
    c.program = "/nonexistent/tyto-radio";
    assert_int_equal(iq_open_live(&s, &c, why), -ENOENT);
    assert_non_null(strstr(why, "/nonexistent"));
    c = cfg_of("driver=fake");
    c.rate_hz = NAN;
    assert_int_equal(iq_open_live(&s, &c, why), -EINVAL);
}

// Whatever descriptors the parent has: the child gets its four.
static void descriptors_do_not_get_mixed_up(void **state)
{
    (void)state;
    int fd[80];

    for (int i = 0; i < 80; i++)
        fd[i] = dup(STDERR_FILENO);
    for (int keep = 0; keep < 80; keep += 13) {         // holes of all kinds
        for (int i = keep; i < 80 && i < keep + 3; i++)
            close(fd[i]);
        struct iq_source *s = open_it("driver=fake");
        iq_close(s);
        for (int i = keep; i < 80 && i < keep + 3; i++)
            fd[i] = dup(STDERR_FILENO);
    }
    for (int i = 0; i < 80; i++)
        close(fd[i]);
}

static void only_a_proven_radio_is_live(void **state)
{
    (void)state;
    struct iq_source *s = open_it("driver=fake,origin=none");       // driver tyto, says nothing
    assert_int_equal(iq_info(s).origin, IQ_EXERCISE);
    iq_close(s);
    s = open_it("driver=fake,origin=live");
    assert_int_equal(iq_info(s).origin, IQ_EXERCISE);
    iq_close(s);
}

static bool at_2g(const struct iq_radio *r, const struct seen *s)
{
    (void)r;
    return s->centre_hz == 2e9;
}

static void tuning_shows_in_the_blocks(void **state)
{
    (void)state;
    struct iq_source *s = open_it("driver=fake");

    assert_int_equal(iq_tune(s, NAN), -EINVAL);
    assert_int_equal(iq_tune(s, 2e9), 0);
    struct seen seen = follow(s, at_2g);
    assert_true(seen.gaps >= 1 && seen.gap_max >= 100);
    iq_close(s);
}

// The gain told with the first block that is heard there.
static double gain_at(struct iq_source *s, double centre_hz)
{
    double at_hz, gain_db;

    do {
        struct iq_block *b = iq_next(s);
        at_hz = b->centre_hz;
        gain_db = b->gain_db;
        iq_unref(b);
    } while (at_hz != centre_hz);
    return gain_db;
}

// A place that names no antenna, filter and gain means those the radio was opened with, not those
// of the place before.
static void an_empty_place_is_as_it_was_opened(void **state)
{
    (void)state;
    struct iq_source *s = open_it("driver=fake");
    const struct iq_place named = { .centre_hz = 2e9, .gain_db = 3, .filter_hz = 1e6,
                                    .antenna = "B" };

    assert_int_equal(iq_tune_to(s, &named), 0);
    assert_true(gain_at(s, 2e9) == 0);
    assert_int_equal(iq_tune(s, 3e9), 0);
    assert_true(gain_at(s, 3e9) == 20);
    iq_close(s);
}

// What settles behind a step of the gain alone is not lost: no radio is slow for that.
static void a_step_of_the_gain_settles(void **state)
{
    (void)state;
    struct iq_source *s = open_it("driver=fake");
    struct iq_radio r;

    assert_int_equal(iq_tune_to(s, &(struct iq_place){ .centre_hz = 1e9, .gain_db = 3 }), 0);
    do {
        iq_unref(iq_next(s));
        iq_radio(s, &r);
    } while (r.settled + r.lost < 100);
    assert_true(r.settled >= 100);
    iq_close(s);
}

static void *stop_later(void *s)
{
    nap(0.05);
    iq_stop(s);
    return NULL;
}

static void stop_ends_any_wait(void **state)
{
    (void)state;
    struct iq_live_cfg c = cfg_of("driver=fake,stall=1");
    struct iq_source *s = NULL;
    struct iq_block *b;
    pthread_t t;
    char why[IQ_WHY];
    int pipe_fd[2], keep = dup(STDIN_FILENO);

    c.silence_s = 3600;                         // would wait for ever
    assert_int_equal(iq_open_live(&s, &c, why), 0);
    pthread_create(&t, NULL, stop_later, s);
    while ((b = iq_next(s)))
        iq_unref(b);
    pthread_join(t, NULL);
    iq_close(s);

    assert_int_equal(pipe(pipe_fd), 0);         // standard input on which nothing comes
    dup2(pipe_fd[0], STDIN_FILENO);
    struct iq_file_cfg f = { .path = "-", .format = "ci16", .rate_hz = 1e6 };
    assert_int_equal(iq_open_file(&s, &f, why), 0);
    assert_int_equal(iq_tune(s, 1e9), -ENOTSUP);
    pthread_create(&t, NULL, stop_later, s);
    assert_null(iq_next(s));
    pthread_join(t, NULL);
    iq_close(s);
    dup2(keep, STDIN_FILENO);
    close(keep);
    close(pipe_fd[0]);
    close(pipe_fd[1]);
}

static bool silenced(const struct iq_radio *r, const struct seen *s)
{
    (void)s;
    return r->state == RADIO_SILENT || r->restarts;
}

// A converter that gives one value only is dead though it streams.
static void one_value_is_a_dead_radio(void **state)
{
    (void)state;
    struct iq_source *s = open_it("driver=fake,flat=1");
    struct iq_radio r;
    struct seen seen = follow(s, silenced);

    iq_radio(s, &r);
    assert_non_null(strstr(r.what, "one value"));
    assert_true(seen.samples > 4 * RATE && r.errors >= 1);
    iq_close(s);
}

// A reader that is too slow: the child drops and says so, nothing grows.
static void slow_reader_loses_counted_samples(void **state)
{
    (void)state;
    struct iq_source *s = open_it("driver=fake,burst=1");
    struct iq_radio r;
    struct seen seen = { 0 };

    for (int i = 0; i < 2000; i++) {
        struct iq_block *b = iq_next(s);
        assert_int_equal(b->n0, seen.end + b->lost);
        seen.end = b->n0 + b->n;
        seen.gaps += b->lost > 0;
        iq_unref(b);
        iq_radio(s, &r);
        if (r.late_reads && seen.gaps)
            break;
        if (i > 100 && !r.late_reads)   // as slow as it takes
            nap(0.1);
    }
    assert_true(r.late_reads && seen.gaps);
    iq_close(s);
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--child"))
        play();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_come_in_order),
        cmocka_unit_test(overflow_is_survived_and_counted),
        cmocka_unit_test(stall_and_death_leave_a_gap),
        cmocka_unit_test(lies_are_a_dead_child),
        cmocka_unit_test(opening_says_what_is_wrong),
        cmocka_unit_test(descriptors_do_not_get_mixed_up),
        cmocka_unit_test(only_a_proven_radio_is_live),
        cmocka_unit_test(tuning_shows_in_the_blocks),
        cmocka_unit_test(an_empty_place_is_as_it_was_opened),
        cmocka_unit_test(a_step_of_the_gain_settles),
        cmocka_unit_test(stop_ends_any_wait),
        cmocka_unit_test(one_value_is_a_dead_radio),
        cmocka_unit_test(slow_reader_loses_counted_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
