// SPDX-License-Identifier: GPL-3.0-or-later
// The picture of the world: what a snapshot and a resumed stream tell, and that its memory is
// bounded whoever stands still in it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alertd/web_world.h"
#include "tests/unit/alertd_client.h"

static struct world w;
static uint64_t place;

static int begin(void **state) { (void)state; world_init(&w, 1); return 0; }
static int end(void **state) { (void)state; world_done(&w); return 0; }

static void add(uint64_t n, const char *id, const char *json)
{
    assert_int_equal(world_add(&w, change_of(n, CHANGE_TRACK, id, json)), 0);
}

static void gone(uint64_t n, const char *id)
{
    struct change *c = change_of(n, CHANGE_TRACK, id, "{}");
    c->gone = true;
    world_add(&w, c);
}

// All that a walk tells, as "json json ".
static void walk(struct item **at, bool snapshot, char ret[256])
{
    struct item *i;

    *ret = '\0';
    while ((i = world_next(&w, *at, snapshot, CHANGE_KINDS))) {
        *at = i;
        size_t n = strlen(ret);
        snprintf(ret + n, 256 - n, "%s%s ", i->c->gone ? "-" : "", i->c->gone ? i->c->id :
                 i->c->json);
    }
}

static void tells_the_newest_or_all(void **state)
{
    (void)state;
    struct item *a = NULL, *b;
    char text[256];

    add(1, "A", "a1"), add(2, "B", "b1"), add(3, "A", "a2"), add(4, "C", "c1"), gone(5, "B");
    walk(&a, true, text);
    assert_string_equal(text, "a2 c1 ");
    add(6, "A", "a3");
    walk(&a, false, text);              // on from the snapshot's end: all that came since
    assert_string_equal(text, "-B a3 ");
    assert_int_equal(world_resume(&w, 0, &b, &place), 0);
    walk(&b, false, text);
    assert_string_equal(text, "a1 b1 a2 c1 -B a3 ");
    world_unpin(&w, b);
    assert_int_equal(world_resume(&w, 4, &b, &place), 0);
    walk(&b, false, text);
    assert_string_equal(text, "-B a3 ");
    world_unpin(&w, b);
    assert_int_equal(world_resume(&w, 6, &b, &place), 0);
    walk(&b, false, text);
    assert_string_equal(text, "");
    world_unpin(&w, b);
    assert_int_equal(world_resume(&w, 7, &b, &place), -ESTALE);
    assert_null(world_find(&w, CHANGE_TRACK, "B"));
    assert_string_equal(world_find(&w, CHANGE_TRACK, "A")->json, "a3");
    world_unpin(&w, a);
}

// What changes while a snapshot is read is met at its end, once.
static void snapshot_of_a_moving_world(void **state)
{
    (void)state;
    struct item *at = NULL;
    char text[256];

    w.window_max = 2;
    add(1, "A", "a1"), add(2, "B", "b1"), add(3, "C", "c1"), add(4, "D", "d1");
    at = world_next(&w, NULL, true, CHANGE_KINDS);
    assert_string_equal(at->c->json, "a1");
    add(5, "A", "a2"), add(6, "B", "b2"), add(7, "A", "a3"), gone(8, "D"), add(9, "E", "e1");
    walk(&at, true, text);
    assert_string_equal(text, "c1 b2 a3 e1 ");
    world_unpin(&w, at);
}

static size_t items(void)
{
    size_t n = 0;
    for (struct item *i = w.head; i; i = i->next)
        n++;
    return n;
}

static void who_stands_still_costs_one_item(void **state)
{
    (void)state;
    struct item *slow, *at;
    char text[256];

    w.window_max = 10;
    add(1, "A", "x"), add(2, "B", "x");
    assert_int_equal(world_resume(&w, 1, &slow, &place), 0);
    for (uint64_t n = 3; n < 1000; n++)
        add(n, n & 1 ? "A" : "B", "y");
    assert_true(world_behind(&w, place));
    assert_int_equal(items(), 11);
    world_unpin(&w, slow);
    assert_int_equal(items(), 10);
    assert_int_equal(world_resume(&w, 988, &at, &place), -ESTALE);
    assert_int_equal(world_resume(&w, 989, &at, &place), 0);
    assert_false(world_behind(&w, place));
    walk(&at, false, text);
    assert_string_equal(text, "y y y y y y y y y y ");
    world_unpin(&w, at);
}

// Everything that was is gone and forgotten: who saw the last of it has missed nothing.
static void an_empty_world_is_no_loss(void **state)
{
    (void)state;
    struct item *at;
    char text[256];

    w.window_max = 1;
    add(1, "A", "a"), gone(2, "A"), add(3, "B", "b"), gone(4, "B"), gone(5, "B");
    w.window_max = 0;
    gone(6, "B");
    assert_int_equal(items(), 0);
    w.window_max = 2;
    assert_int_equal(world_resume(&w, 6, &at, &place), 0);
    add(7, "C", "c");
    assert_false(world_behind(&w, place));
    walk(&at, false, text);
    assert_string_equal(text, "c ");
    world_unpin(&w, at);
}

static void bytes_bound_the_window_too(void **state)
{
    (void)state;
    static char big[1000];

    memset(big, 'j', sizeof big - 1);
    w.window_bytes_max = 5000;
    for (uint64_t n = 1; n < 100; n++)
        add(n, "A", big);
    assert_true(items() <= 6);
}

static void too_many_things(void **state)
{
    (void)state;
    char id[20];

    w.things_max = 100;
    w.window_max = 4;
    for (uint64_t n = 1; n <= 1000; n++) {
        snprintf(id, sizeof id, "T%d", (int)n);
        add(n, id, "x");
    }
    assert_int_equal(w.things[CHANGE_TRACK], 100);
    assert_int_equal(w.evicted, 900);
    assert_int_equal(items(), 100);
    assert_null(world_find(&w, CHANGE_TRACK, "T900"));
    assert_non_null(world_find(&w, CHANGE_TRACK, "T901"));
}

// A number that came before, or none: told, counted, and not to be resumed from.
static void numbers_out_of_order(void **state)
{
    (void)state;
    struct item *at;
    char text[256];

    add(5, "A", "a"), add(5, "B", "b"), add(0, "C", "c"), add(4, "D", "d"), add(6, "E", "e");
    assert_int_equal(w.refused, 3);
    assert_int_equal(w.last_n, 6);
    assert_int_equal(world_resume(&w, 4, &at, &place), 0);
    walk(&at, false, text);
    assert_string_equal(text, "a b c d e ");
    world_unpin(&w, at);
}

static void starts_from_a_store(void **state)
{
    (void)state;
    struct change *c[] = { change_of(9, CHANGE_TRACK, "A", "a"),
                           change_of(4, CHANGE_ZONE, "B", "b") };
    struct item *at = NULL;
    char text[256];

    world_start(&w, c, 2, 12);
    walk(&at, true, text);
    assert_string_equal(text, "b a ");
    world_unpin(&w, at);
    assert_int_equal(world_resume(&w, 11, &at, &place), -ESTALE);
    assert_int_equal(world_resume(&w, 12, &at, &place), 0);
    add(13, "A", "a2");
    assert_false(world_behind(&w, place));
    walk(&at, false, text);
    assert_string_equal(text, "a2 ");
    world_unpin(&w, at);
}

#define WITH(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest t[] = {
        WITH(tells_the_newest_or_all), WITH(snapshot_of_a_moving_world),
        WITH(who_stands_still_costs_one_item), WITH(an_empty_world_is_no_loss),
        WITH(bytes_bound_the_window_too),
        WITH(too_many_things), WITH(numbers_out_of_order), WITH(starts_from_a_store),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
