// SPDX-License-Identifier: GPL-3.0-or-later
// What the box tells about itself: its disk, memory, processor and heat.
#include <errno.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/utc.h"
#include "hw/hw.h"

int64_t hw_disk_free(const char *path)
{
    struct statvfs v;

    if (statvfs(path, &v))
        return -errno;
    return (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

double hw_cpu_share(int64_t state[2])
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    int64_t cpu = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec, now = mono_now_ns();
    double share = state[1] && now > state[1] ? (double)(cpu - state[0]) / (double)(now - state[1])
                                              : 0;
    state[0] = cpu;
    state[1] = now;
    return share;
}

int64_t hw_rss_bytes(void)
{
    long long all = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f && fscanf(f, "%lld %lld", &all, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * sysconf(_SC_PAGESIZE);
}

// Thousandths of a degree in a file; NAN: not readable, or no temperature.
static double degrees_of(const char *path)
{
    int milli;
    FILE *f = fopen(path, "re");
    bool ok = f && fscanf(f, "%7d", &milli) == 1 && milli > -60000 && milli < 250000;

    if (f)
        fclose(f);
    return ok ? milli * 1e-3 : NAN;
}

double hw_temperature_c(void)
{
    double hottest = NAN;
    glob_t g;

    if (glob("/sys/class/thermal/thermal_zone*/temp", 0, NULL, &g))
        return NAN;
    for (size_t i = 0; i < g.gl_pathc; i++)
        hottest = fmax(hottest, degrees_of(g.gl_pathv[i]));
    globfree(&g);
    return hottest;
}
