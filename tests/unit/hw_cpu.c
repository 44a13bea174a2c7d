// SPDX-License-Identifier: GPL-3.0-or-later
// The box: the environment can lower the instruction set, never raise it; programs find themselves.
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/hw.h"

static enum hw_isa isa_under(const char *want)
{
    setenv("TYTO_ISA", want, 1);
    enum hw_isa isa = hw_isa();
    unsetenv("TYTO_ISA");
    return isa;
}

static void isa_only_goes_down(void **state)
{
    (void)state;
    unsetenv("TYTO_ISA");
    enum hw_isa best = hw_isa();

    for (enum hw_isa i = HW_ISA_PLAIN; i <= HW_ISA_X86_V4; i++)
        assert_int_equal(isa_under(hw_isa_name(i)), i < best ? i : best);
    assert_int_equal(isa_under("nonsense"), best);
    assert_int_equal(isa_under(""), best);
}

static void there_is_a_processor(void **state)
{
    (void)state;
    assert_in_range(hw_cpus(), 1, 100000);
}

static atomic_bool done;

static void *spin(void *arg)
{
    while (!atomic_load(&done))
        ;
    return arg;
}

static void a_busy_processor_is_not_idle(void **state)
{
    (void)state;
    pthread_t t[64];
    unsigned n = hw_cpus() < 64 ? hw_cpus() : 64;
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(pthread_create(&t[i], NULL, spin, NULL), 0);
    double idle = hw_cpus_idle(0.3);
    atomic_store(&done, true);
    for (unsigned i = 0; i < n; i++)
        pthread_join(t[i], NULL);
    if (idle < 0)
        skip();                         // no /proc
    // Others may take what we would: less then, never more.
    if (!(idle <= 0.7 * hw_cpus()))
        fail_msg("%g of %u idle, and all were kept busy", idle, hw_cpus());
}

static void program_finds_itself(void **state)
{
    (void)state;
    char dir[PATH_MAX], path[PATH_MAX + 16];

    assert_int_equal(hw_program_dir(dir, sizeof dir), 0);
    assert_int_equal(dir[0], '/');
    snprintf(path, sizeof path, "%s/hw_cpu", dir);      // this very test
    assert_int_equal(access(path, X_OK), 0);
}

static void a_short_buffer_is_refused(void **state)
{
    (void)state;
    char dir[PATH_MAX], small[PATH_MAX] = "kept";

    assert_int_equal(hw_program_dir(dir, sizeof dir), 0);
    assert_int_equal(hw_program_dir(small, strlen(dir)), -ENAMETOOLONG);
    assert_string_equal(small, "kept");                 // written on success only
    assert_int_equal(hw_program_dir(small, strlen(dir) + 1), 0);
    assert_string_equal(small, dir);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(isa_only_goes_down),
        cmocka_unit_test(there_is_a_processor),
        cmocka_unit_test(a_busy_processor_is_not_idle),
        cmocka_unit_test(program_finds_itself),
        cmocka_unit_test(a_short_buffer_is_refused),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
