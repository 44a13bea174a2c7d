// SPDX-License-Identifier: GPL-3.0-or-later
// The fan: same results in the same order for any number of threads, whoever is slow.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fan.h"

#define MANY 3000u

// Uneven work: item n costs between nothing and a few thousand steps.
static void *square(void *p, void *arg)
{
    uintptr_t n = (uintptr_t)p;
    volatile uintptr_t spin = (n * 2654435761u) % 4096;

    while (spin)
        spin--;
    return (void *)(n * n + (uintptr_t)arg);
}

static void *feed(void *f)
{
    for (uintptr_t i = 1; i <= MANY; i++)
        if (fan_push(f, (void *)i))
            abort();
    fan_close(f);
    return NULL;
}

static void order_for(unsigned threads, unsigned depth)
{
    struct fan *f = fan_new(threads, depth, QUEUE_WAIT, square, (void *)7);
    uintptr_t n = 0;
    pthread_t t;
    void *r;

    assert_non_null(f);
    assert_int_equal(pthread_create(&t, NULL, feed, f), 0);
    while ((r = fan_pop(f))) {
        n++;
        assert_true((uintptr_t)r == n * n + 7);
    }
    assert_int_equal(n, MANY);
    pthread_join(t, NULL);
    fan_free(f);
}

static void order_is_kept(void **state)
{
    (void)state;
    static const unsigned threads[] = { 1, 2, 3, 8 };
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        order_for(threads[i], 1);
        order_for(threads[i], 16);
    }
}

static void nothing_in_nothing_out(void **state)
{
    (void)state;
    struct fan *f = fan_new(4, 2, QUEUE_WAIT, square, NULL);
    fan_close(f);
    assert_null(fan_pop(f));
    fan_free(f);
    fan_free(NULL);
}

// A gate that the test opens: until then the worker stands in its item.
static struct queue *gate;
static void *stand(void *p, void *arg)
{
    (void)arg;
    queue_pop(gate);
    return p;
}

// A live fan whose worker is stuck refuses, and what it refused comes at its place when pushed
// again: order never stalls and nothing is lost unseen.
static void refused_item_keeps_its_place(void **state)
{
    (void)state;
    gate = queue_new(16, QUEUE_REFUSE);
    struct fan *f = fan_new(2, 1, QUEUE_REFUSE, stand, NULL);
    uintptr_t n = 0;

    while (!fan_push(f, (void *)(n + 1)))
        assert_true(++n <= 4);          // each worker holds one and has room for one
    assert_true(n >= 2);
    assert_int_equal(fan_push(f, (void *)(n + 1)), -EAGAIN);
    for (uintptr_t i = 0; i < 8; i++)
        queue_push(gate, (void *)1);
    for (uintptr_t i = 1; i <= n; i++)
        assert_ptr_equal(fan_pop(f), (void *)i);
    assert_int_equal(fan_push(f, (void *)(n + 1)), 0);
    assert_ptr_equal(fan_pop(f), (void *)(n + 1));
    fan_close(f);
    assert_null(fan_pop(f));
    fan_free(f);
    queue_close(gate);
    while (queue_pop(gate))
        ;
    queue_free(gate);
}

static void *name_of(void *p, void *arg)
{
    (void)p, (void)arg;
    char *name = calloc(1, 16);
    pthread_getname_np(pthread_self(), name, 16);
    return name;
}

static void threads_have_names(void **state)
{
    (void)state;
    struct fan *f = fan_new(2, 1, QUEUE_WAIT, name_of, NULL);
    char *a, *b;

    fan_push(f, f);
    fan_push(f, f);
    fan_close(f);
    a = fan_pop(f);
    b = fan_pop(f);
    assert_string_equal(a, "tyto-worker-0");
    assert_string_equal(b, "tyto-worker-1");
    free(a);
    free(b);
    fan_free(f);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(nothing_in_nothing_out),
        cmocka_unit_test(refused_item_keeps_its_place),
        cmocka_unit_test(threads_have_names),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
