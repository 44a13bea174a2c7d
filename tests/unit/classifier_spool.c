// SPDX-License-Identifier: GPL-3.0-or-later
// The spool: sealed, in order, bounded, and sound after a torn write, damage and a foreign key.
#include "tests/unit/spool_made.h"

static void keeps_order_over_starts(void **state)
{
    (void)state;
    struct wire_held held[SPOOL_BOOTS];
    struct spool *s = opened(1, 0, 0);
    uint64_t got;

    for (uint64_t i = 0; i < 100; i++)
        add(s, i, 1000 * S);
    spool_free(s);
    s = opened(2, 0, 0);
    add(s, 0, 1000 * S);
    assert_int_equal(spool_boots(s, held), 2);
    assert_true(held[0].boot == 2 && held[1].boot == 1 && held[1].first == 0 &&
                held[1].last == 99);
    for (uint64_t i = 0; i < 100; i++)
        is_there(s, 1, i);
    is_there(s, 1, 3);                  // and back
    assert_int_equal(spool_read(s, 1, 100, buf, sizeof buf, &got), -ENOENT);
    is_there(s, 2, 0);
    spool_ack(s, 1, 50);                // a segment goes when all of it is acknowledged
    is_there(s, 1, 50);
    spool_ack(s, 1, 100);
    assert_int_equal(spool_boots(s, held), 1);
    assert_int_equal(spool_lost_total(s), 0);
    spool_free(s);
}

static void one_sensor_a_spool(void **state)
{
    (void)state;
    struct spool *s = opened(1, 0, 0), *other;
    struct spool_cfg c = { .dir = dir, .boot = 2 };
    struct stat st;

    assert_int_equal(spool_new(&other, &c, why), -EBUSY);
    stat(dir, &st);
    assert_int_equal(st.st_mode & 0777, 0700);
    add(s, 0, 1000 * S);
    stat(segment(0), &st);
    assert_int_equal(st.st_mode & 0777, 0600);
    spool_free(s);
}

static void a_torn_tail_is_cut_off(void **state)
{
    (void)state;
    struct wire_held held[SPOOL_BOOTS];
    struct stat st;

    for (unsigned cut = 1; cut < 800; cut += 133) {
        struct spool *s = opened(10 + cut, 0, 0);
        for (uint64_t i = 0; i < 10; i++)
            add(s, i, 1000 * S);
        spool_free(s);
        char *path = segment(0);
        stat(path, &st);
        assert_int_equal(truncate(path, st.st_size - cut), 0);
        s = opened(5000, 0, 0);
        assert_int_equal(spool_boots(s, held), 1);
        unsigned left = cut <= 772 ? 9 : 8;     // a record is 24 + 748 bytes
        assert_int_equal(held[0].last, left - 1);
        is_there(s, 10 + cut, left - 1);
        spool_ack(s, 10 + cut, left);
        spool_free(s);
    }
}

static void damage_loses_what_it_hit_and_says_so(void **state)
{
    (void)state;
    struct spool *s = opened(1, 1 << 20, 0);    // segments of 64 kB: 84 messages
    struct wire_span lost;
    uint64_t got;

    for (uint64_t i = 0; i < 200; i++)
        add(s, i, 1000 * S);
    spool_free(s);
    int fd = open(segment(0), O_RDWR);
    assert_int_equal(pwrite(fd, "\xff\xff", 2, 64 + 40 * 772 + 300), 2);
    close(fd);
    s = opened(2, 1 << 20, 0);
    is_there(s, 1, 39);
    assert_true(spool_read(s, 1, 40, buf, sizeof buf, &got) > 0);
    assert_int_equal(got, 41);                  // one message, no more
    assert_int_equal(spool_lost_total(s), 0);   // told by who asks for it
    spool_free(s);
    fd = open(segment(0), O_RDWR);
    assert_int_equal(pwrite(fd, "\xff\xff", 2, 64 + 40 * 772), 2);
    close(fd);
    s = opened(2, 1 << 20, 0);                  // its head: the next is found by its magic
    is_there(s, 1, 39);
    assert_true(spool_read(s, 1, 40, buf, sizeof buf, &got) > 0);
    assert_int_equal(got, 41);
    assert_int_equal(spool_found(s).damaged, 1);
    spool_free(s);
    assert_int_equal(truncate(segment(0), 64 + 40 * 772), 0);
    s = opened(2, 1 << 20, 0);                  // cut short: the next segment's number tells
    assert_true(spool_read(s, 1, 40, buf, sizeof buf, &got) > 0);
    assert_in_range(got, 80, 90);
    assert_true(spool_lost(s, 0, &lost));
    assert_true(lost.boot == 1 && lost.from == 40 && lost.to == got - 1);
    assert_int_equal(spool_lost_by(s, SPOOL_DAMAGED), got - 40);
    is_there(s, 1, 199);
    spool_ack(s, 1, got);
    assert_false(spool_lost(s, 0, &lost));
    spool_free(s);
}

static void size_is_bounded_oldest_first(void **state)
{
    (void)state;
    struct spool *s = opened(1, 1 << 20, 0);
    struct wire_span lost;
    uint64_t got;

    for (uint64_t i = 0; i < 5000; i++) {
        add(s, i, 1000 * S);
        assert_true(spool_bytes(s) <= (1 << 20));
    }
    assert_true(spool_lost(s, 0, &lost) && lost.from == 0);
    assert_false(spool_lost(s, 1, &lost));      // one span that grows
    assert_true(spool_lost(s, 0, &lost));
    assert_true(spool_read(s, 1, 0, buf, sizeof buf, &got) > 0);
    assert_int_equal(got, lost.to + 1);
    assert_int_equal(spool_lost_total(s), lost.to + 1);
    is_there(s, 1, 4999);
    spool_free(s);
}

static void age_is_bounded_and_no_clock_is_believed_at_once(void **state)
{
    (void)state;
    struct wire_held held[SPOOL_BOOTS];
    struct spool *s = opened(1, 0, 0);

    add(s, 0, 1000 * S);
    spool_tick(s, 8000 * S);
    assert_int_equal(spool_boots(s, held), 1);
    spool_tick(s, 8201 * S);                    // 7200 s and a little
    assert_int_equal(spool_boots(s, held), 0);
    assert_int_equal(spool_lost_total(s), 1);
    add(s, 1, 8201 * S);
    spool_free(s);
    // A start at which the clock says the year 2200, or 1970: what is there gets its hour.
    s = opened(2, 0, INT64_C(7258118400) * S);
    assert_int_equal(spool_boots(s, held), 1);
    spool_tick(s, 1000 * S + 3500 * S);
    assert_int_equal(spool_boots(s, held), 1);
    spool_tick(s, 1000 * S + 3700 * S);
    assert_int_equal(spool_boots(s, held), 0);
    spool_free(s);
}

static void for_another_post_is_for_nobody(void **state)
{
    (void)state;
    struct wire_held held[SPOOL_BOOTS];
    struct spool *s = opened(1, 0, 0);

    add(s, 0, 1000 * S);
    spool_free(s);
    pk[0] ^= 1;
    s = opened(2, 0, 0);
    assert_int_equal(spool_boots(s, held), 0);
    assert_int_equal(spool_found(s).foreign, 1);
    assert_non_null(strstr(segment(0), ".seg.bad"));    // kept for who looks into it
    spool_free(s);
    s = opened(3, 0, 0);
    assert_int_equal(spool_found(s).foreign, 0);        // told once
    spool_free(s);
}

static void many_starts_without_a_link(void **state)
{
    (void)state;
    struct wire_held held[SPOOL_BOOTS];
    struct spool *s;

    for (uint64_t boot = 1; boot < 100; boot++) {
        s = opened(boot, 0, 0);
        add(s, 0, 1000 * S);
        spool_free(s);
    }
    s = opened(100, 0, 0);
    assert_in_range(spool_boots(s, held), 50, SPOOL_BOOTS - 1);
    assert_int_equal(held[0].boot, 99);
    spool_free(s);
}

static void links_and_pipes_are_not_followed(void **state)
{
    (void)state;
    struct wire_held held[SPOOL_BOOTS];
    char path[160];
    struct spool *s = opened(1, 0, 0);

    spool_free(s);
    snprintf(path, sizeof path, "%s/00000001-0000000000000009.seg", dir);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/00000002-0000000000000009.seg", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    s = opened(2, 0, 0);
    assert_int_equal(spool_boots(s, held), 0);
    add(s, 0, 1000 * S);
    is_there(s, 2, 0);
    spool_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_order_over_starts, start, stop),
        cmocka_unit_test_setup_teardown(one_sensor_a_spool, start, stop),
        cmocka_unit_test_setup_teardown(a_torn_tail_is_cut_off, start, stop),
        cmocka_unit_test_setup_teardown(damage_loses_what_it_hit_and_says_so, start, stop),
        cmocka_unit_test_setup_teardown(size_is_bounded_oldest_first, start, stop),
        cmocka_unit_test_setup_teardown(age_is_bounded_and_no_clock_is_believed_at_once, start,
                                        stop),
        cmocka_unit_test_setup_teardown(for_another_post_is_for_nobody, start, stop),
        cmocka_unit_test_setup_teardown(many_starts_without_a_link, start, stop),
        cmocka_unit_test_setup_teardown(links_and_pipes_are_not_followed, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
