// SPDX-License-Identifier: GPL-3.0-or-later
// A test program's own folder: made before its tests, gone behind them.  Include after cmocka.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tyto-test-%d", getpid());
    return mkdir(dir, 0700);
}

static int tear_down(void **state)
{
    char cmd[100];
    (void)state;
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

// Of a file in it; the last four stay.
static char *path_of(const char *name)
{
    static char path[4][128];
    static unsigned i;
    char *p = path[i++ % 4];
    snprintf(p, 128, "%s/%s", dir, name);
    return p;
}
