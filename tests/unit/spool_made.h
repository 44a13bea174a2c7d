// SPDX-License-Identifier: GPL-3.0-or-later
// A spool in a folder of its own, for tests of it.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "classifier/spool.h"

#define S INT64_C(1000000000)
static char dir[64], why[SPOOL_WHY];
static uint8_t pk[32], sk[32], mac[32], buf[WIRE_MAX], plain[WIRE_MAX];
static unsigned starts;

static int start(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tyto-spool-%d-%u", getpid(), ++starts);
    return sodium_init() < 0 || crypto_box_keypair(pk, sk);
}

static int stop(void **state)
{
    (void)state;
    char cmd[100];
    snprintf(cmd, sizeof cmd, "rm -rf %.60s", dir);
    return system(cmd);
}

static struct spool *opened(uint64_t boot, uint64_t max_bytes, int64_t now_ns)
{
    struct spool_cfg c = { .dir = dir, .max_bytes = max_bytes, .max_s = 7200, .boot = boot,
                           .now_ns = now_ns, .mono_ns = 1000 * S };
    struct spool *s = NULL;

    memcpy(c.post, pk, 32);
    memcpy(c.mac, mac, 32);
    if (spool_new(&s, &c, why) < 0)
        fail_msg("%s", why);
    return s;
}

static void add(struct spool *s, uint64_t seq, int64_t mono_ns)
{
    int n = snprintf((char *)buf, 800, "message %llu of this boot; ", (unsigned long long)seq);
    memset(buf + n, 'x', (size_t)(700 - n));
    assert_int_equal(spool_add(s, seq, buf, 700, mono_ns), 0);
}

// The message seq of boot is there and opens with the post's key only.
static void is_there(struct spool *s, uint64_t boot, uint64_t seq)
{
    uint64_t got;
    int n = spool_read(s, boot, seq, buf, sizeof buf, &got);

    assert_int_equal(n, 700 + crypto_box_SEALBYTES);
    assert_int_equal(got, seq);
    assert_null(memmem(buf, (size_t)n, "message", 7));
    assert_int_equal(crypto_box_seal_open(plain, buf, (size_t)n, pk, sk), 0);
    assert_int_equal(strtoull((char *)plain + 8, NULL, 10), seq);
}

static char *segment(unsigned i)
{
    static char path[400];
    struct dirent **e;
    int n = scandir(dir, &e, NULL, alphasort);
    unsigned k = 0;

    path[0] = 0;
    for (int j = 0; j < n; j++) {
        if (strstr(e[j]->d_name, ".seg") && k++ == i)
            snprintf(path, sizeof path, "%s/%s", dir, e[j]->d_name);
        free(e[j]);
    }
    free(e);
    return path;
}
