// SPDX-License-Identifier: GPL-3.0-or-later
// A radio's process that has gone mad in the middle of its samples: each field of the ring wrong,
// words without end, another version, everything overwritten.  What was received before comes
// through, the process is ended, counted and named, and the stream goes on behind a gap.
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/utc.h"
#include "sdr/sdr.h"
#include "tests/unit/radio_child.h"

static struct iq_source *open_it(const char *args)
{
    char why[IQ_WHY];
    struct iq_source *s = NULL;
    struct iq_live_cfg c = { .name = "roof", .args = args, .rate_hz = RATE, .centre_hz = 1e9,
                             .gain_db = NAN, .program = "/proc/self/exe",
                             .silence_s = strstr(args, "hang") ? 0.3 : 60 };

    if (iq_open_live(&s, &c, why))
        fail_msg("%s: %s", args, why);
    return s;
}

struct run {
    const char *args, *word;    // word: of what is told afterwards
    struct iq_source *s;
    struct iq_radio r;
    uint64_t samples, end, before, gaps;
    char     fault[160];
    pthread_t t;
};

// Reads until the radio was restarted and gives samples again; each index follows the one before.
// On a thread of its own: each waits out the back-off.
static void *survive(void *arg)
{
    struct run *u = arg;

    do {
        struct iq_block *b = iq_next(u->s);
        if (!b || b->n0 != u->end + b->lost || !b->n ||
            !(b->centre_hz >= 0 && b->centre_hz <= 300e9)) {
            snprintf(u->fault, sizeof u->fault, "%s", b ? "a block that does not fit" : "the end");
            return NULL;
        }
        u->gaps += b->lost > 0;
        u->before += u->gaps ? 0 : b->n;
        u->samples += b->n;
        u->end = b->n0 + b->n;
        iq_unref(b);
        iq_radio(u->s, &u->r);
    } while (!(u->r.restarts && u->gaps && u->r.state == RADIO_RUNNING));
    return NULL;
}

// What it does, and a word of what is told of it.
static const char *const kinds[][2] = {
    { "late_lie=long", "length" }, { "late_lie=none", "length" },
    { "late_lie=seq", "order" }, { "late_lie=index", "does not follow" },
    { "late_lie=ahead", "follow" }, { "late_lie=wrap", "follow" },
    { "late_lie=back", "follow" }, { "late_lie=nan", "frequency" },
    { "late_lie=negative", "frequency" }, { "late_lie=future", "not now" },
    { "late_lie=past", "not now" }, { "late_lie=many", "more blocks" },
    { "hello_again=1", "nonsense" }, { "short_words=1", "nonsense" },
    { "unknown_words=1", "nonsense" },
    { "other_version=1", "another version" }, { "die=1", "died" },
    { "stall=1,hang=1", "no sample" },
    { "scribble=1", "" }, { "scrawl=1", "" },
};
#define KINDS (sizeof kinds / sizeof *kinds)

static void what_goes_mad_is_ended_and_nothing_before_it_lost(void **state)
{
    (void)state;
    static struct run run[KINDS];
    char args[96];

    for (size_t i = 0; i < KINDS; i++) {
        run[i].args = kinds[i][0];
        run[i].word = kinds[i][1];
        snprintf(args, sizeof args, "driver=fake,%s", run[i].args);
        run[i].s = open_it(args);
        assert_int_equal(pthread_create(&run[i].t, NULL, survive, &run[i]), 0);
    }
    for (size_t i = 0; i < KINDS; i++)
        pthread_join(run[i].t, NULL);
    for (size_t i = 0; i < KINDS; i++) {
        struct run *u = &run[i];
        // Twenty blocks were whole when it began.  What is scribbled over may hit those that wait,
        // and with a count that cannot be nobody knows which wait.
        bool whole = u->before >= 20 * BLOCK || !*u->word || strstr(u->word, "more blocks");
        if (u->fault[0] || !whole || !u->r.errors || u->r.overflows >> 62 ||
            strncmp(u->r.what, "back after", 10) || !strstr(u->r.what, u->word) ||
            u->r.lost != u->end - u->samples)
            fail_msg("%s: %s, %llu samples before, %llu errors, %llu lost, \"%s\"", u->args,
                     u->fault, (unsigned long long)u->before, (unsigned long long)u->r.errors,
                     (unsigned long long)u->r.lost, u->r.what);
        iq_close(u->s);
    }
}

// Words without end cost no samples.
static void floods_are_survived(void **state)
{
    (void)state;
    static const char *const floods[] = { "driver=fake,flood_words=1",
                                          "driver=fake,flood_errors=1" };

    for (unsigned i = 0; i < 2; i++) {
        struct iq_source *s = open_it(floods[i]);
        struct iq_radio r;
        uint64_t samples = 0, end = 0;
        while (samples < 200 * BLOCK) {
            struct iq_block *b = iq_next(s);
            assert_non_null(b);
            assert_int_equal(b->n0, end + b->lost);
            end = b->n0 + b->n;
            samples += b->n;
            iq_unref(b);
        }
        iq_radio(s, &r);
        assert_int_equal(r.restarts, 0);
        assert_true(memchr(r.what, 0, sizeof r.what) != NULL);
        iq_close(s);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--child"))
        play();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_mad_is_ended_and_nothing_before_it_lost),
        cmocka_unit_test(floods_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
