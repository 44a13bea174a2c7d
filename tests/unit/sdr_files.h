// SPDX-License-Identifier: GPL-3.0-or-later
// For tests that need files: a folder of their own, gone afterwards; they run inside it.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char files_home[4096], files_dir[64];    // where the test was started; its folder

static inline int files_make(void **state)
{
    (void)state;
    int n = snprintf(files_dir, sizeof files_dir - 7, "/tmp/tyto-test-");
    memset(files_dir + n, 'X', 6);              // mkdtemp wants these
    return getcwd(files_home, sizeof files_home) && mkdtemp(files_dir) ? chdir(files_dir) : -1;
}

// Fails when a test left something behind.
static inline int files_drop(void **state)
{
    (void)state;
    return chdir(files_home) || rmdir(files_dir) ? -1 : 0;
}

static inline void put(const char *name, const void *p, size_t n)
{
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline void put_text(const char *name, const char *s) { put(name, s, strlen(s)); }
