// SPDX-License-Identifier: GPL-3.0-or-later
// The queue: order, both behaviours when full, and that closing drains and never loses the last.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "base/queue.h"

static void *item(uintptr_t n) { return (void *)n; }

static void keeps_order_round_the_ring(void **state)
{
    (void)state;
    struct queue *q = queue_new(3, QUEUE_REFUSE);

    for (uintptr_t i = 1; i < 20; i++) {
        assert_int_equal(queue_push(q, item(2 * i)), 0);
        assert_int_equal(queue_push(q, item(2 * i + 1)), 0);
        assert_ptr_equal(queue_pop(q), item(2 * i));
        assert_ptr_equal(queue_pop(q), item(2 * i + 1));
    }
    queue_free(q);
}

static void refuses_when_full(void **state)
{
    (void)state;
    struct queue *q = queue_new(2, QUEUE_REFUSE);

    assert_int_equal(queue_push(q, item(1)), 0);
    assert_int_equal(queue_push(q, item(2)), 0);
    assert_int_equal(queue_push(q, item(3)), -EAGAIN);
    assert_ptr_equal(queue_pop(q), item(1));
    assert_int_equal(queue_push(q, item(4)), 0);
    assert_ptr_equal(queue_pop(q), item(2));
    assert_ptr_equal(queue_pop(q), item(4));
    queue_free(q);
}

static void close_drains(void **state)
{
    (void)state;
    struct queue *q = queue_new(4, QUEUE_WAIT);

    queue_push(q, item(1));
    queue_push(q, item(2));
    queue_close(q);
    queue_close(q);             // twice is once
    assert_int_equal(queue_push(q, item(3)), -EPIPE);
    assert_ptr_equal(queue_pop(q), item(1));
    assert_ptr_equal(queue_pop(q), item(2));
    assert_null(queue_pop(q));
    assert_null(queue_pop(q));
    queue_free(q);
    queue_free(NULL);
}

static int readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    return poll(&p, 1, 0);
}

static void tells_those_who_poll(void **state)
{
    (void)state;
    struct queue *q = queue_new(2, QUEUE_REFUSE);

    queue_push(q, item(1));
    int fd = queue_fd(q);                       // made late: what waits already counts
    assert_true(fd >= 0);
    assert_int_equal(queue_fd(q), fd);
    assert_int_equal(readable(fd), 1);
    assert_ptr_equal(queue_try_pop(q), item(1));
    assert_null(queue_try_pop(q));
    assert_int_equal(readable(fd), 0);
    queue_push(q, item(2));
    assert_int_equal(readable(fd), 1);
    queue_close(q);
    assert_false(queue_ended(q));
    assert_ptr_equal(queue_try_pop(q), item(2));
    assert_null(queue_try_pop(q));
    assert_int_equal(readable(fd), 1);          // the end stays to be seen
    assert_true(queue_ended(q));
    queue_free(q);
}

#define MANY 20000u

static void *produce(void *q)
{
    for (uintptr_t i = 1; i <= MANY; i++)
        if (queue_push(q, item(i)))
            return item(1);
    queue_close(q);
    return NULL;
}

// One item of room, so that both sides wait on each other all the time.
static void waits_and_loses_nothing(void **state)
{
    (void)state;
    struct queue *q = queue_new(1, QUEUE_WAIT);
    pthread_t t;
    void *failed, *p;
    uintptr_t next = 1;

    assert_int_equal(pthread_create(&t, NULL, produce, q), 0);
    while ((p = queue_pop(q)))
        assert_ptr_equal(p, item(next++));
    assert_int_equal(next, MANY + 1);
    pthread_join(t, &failed);
    assert_null(failed);
    queue_free(q);
}

static void *push_one(void *q) { return item((uintptr_t)-queue_push(q, item(2))); }

// Whether the push waits already or comes after the close: it comes back and still owns the item.
static void close_frees_a_waiting_push(void **state)
{
    (void)state;
    struct queue *q = queue_new(1, QUEUE_WAIT);
    pthread_t t;
    void *r;

    queue_push(q, item(1));
    assert_int_equal(pthread_create(&t, NULL, push_one, q), 0);
    queue_close(q);
    pthread_join(t, &r);
    assert_ptr_equal(r, item(EPIPE));
    assert_ptr_equal(queue_pop(q), item(1));
    assert_null(queue_pop(q));
    queue_free(q);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(keeps_order_round_the_ring),
        cmocka_unit_test(refuses_when_full),
        cmocka_unit_test(close_drains), cmocka_unit_test(tells_those_who_poll),
        cmocka_unit_test(waits_and_loses_nothing),
        cmocka_unit_test(close_frees_a_waiting_push),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
