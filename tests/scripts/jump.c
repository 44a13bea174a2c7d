// SPDX-License-Identifier: GPL-3.0-or-later
// Put before a program with LD_PRELOAD: its wall clock is off by the seconds that the file JUMP
// holds, read anew at each look, so that a test can let the clock jump under a running daemon.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(id, t);
    const char *path = getenv("JUMP");
    FILE *f = id == CLOCK_REALTIME && path ? fopen(path, "r") : NULL;
    if (f) {
        long s = 0;
        if (fscanf(f, "%ld", &s) == 1)
            t->tv_sec += s;
        fclose(f);
    }
    return r;
}
