// SPDX-License-Identifier: GPL-3.0-or-later
// Who keeps the system's clock, and how well.
//
//     chronyd      asked over its own protocol (hw/chrony.h): source, bound, age
//     timesyncd    touches a file each time it has set the clock
//     anybody      tells the kernel, which keeps a bound (adjtimex)
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>

#include "base/utc.h"
#include "hw/chrony.h"
#include "hw/hw.h"

#define TOLD_S   60.0           // what chronyd said holds so long
#define DRIFT    15e-6          // and its bound grows so fast (NTP's own allowance)
#define ASK_MS   50
#define DOCTOR_MS 200

// What hw_clock_ask heard.  Each word is whole by itself; a mix of two answers a few seconds apart
// is as true as either.
static _Atomic int64_t told_ns, told_err_ns, told_age_ns;
static _Atomic int told;        // 0 nothing, or enum
enum { TOLD_UNSYNC = 1, TOLD_NTP, TOLD_GNSS };

// Seconds since systemd-timesyncd last set the clock; -1: not it, or not yet.
static double timesyncd_age_s(void)
{
    struct stat st;

    if (stat("/run/systemd/timesync/synchronized", &st))
        return -1;
    return fmax((double)(utc_now_ns() / 1000000000 - st.st_mtim.tv_sec), 0);
}

void hw_clock_ask(void)
{
    struct chrony c;

    if (chrony_read(&c, CHRONY_PORT, ASK_MS) < 0) {
        atomic_store(&told, 0);
        return;
    }
    atomic_store(&told_err_ns, (int64_t)(c.err_s * 1e9));
    atomic_store(&told_age_ns, c.age_s < 0 ? -1 : (int64_t)(c.age_s * 1e9));
    atomic_store(&told_ns, mono_now_ns());
    atomic_store(&told, !c.synchronised ? TOLD_UNSYNC : c.gnss ? TOLD_GNSS : TOLD_NTP);
}

// Whether chronyd said something lately, and it into *ret.
static bool from_chrony(struct hw_clock *ret)
{
    int t = atomic_load(&told);
    int64_t since_ns = mono_now_ns() - atomic_load(&told_ns), age_ns = atomic_load(&told_age_ns);

    if (!t || (double)since_ns > TOLD_S * 1e9)
        return false;
    ret->locked = t != TOLD_UNSYNC;
    if (!ret->locked)
        return true;
    snprintf(ret->source, sizeof ret->source, "%s", t == TOLD_GNSS ? "gnss" : "ntp");
    ret->err_ns = atomic_load(&told_err_ns) + (int64_t)(DRIFT * (double)since_ns);
    ret->age_s = age_ns < 0 ? -1 : (double)(age_ns + since_ns) * 1e-9;
    return true;
}

// The kernel keeps what its disciplining program tells it, and lets the bound grow by 500 ppm from
// then on; past 16 s it calls the clock unsynchronised.
void hw_clock_read(struct hw_clock *ret)
{
    struct timex t = { .modes = 0 };
    int state = adjtimex(&t);

    *ret = (struct hw_clock){ .source = "none", .age_s = -1, .err_ns = INT64_MAX };
    if (state >= 0)
        ret->err_ns = (int64_t)t.maxerror * 1000;
    if (from_chrony(ret) || state < 0)
        return;
    ret->locked = state != TIME_ERROR && !(t.status & STA_UNSYNC);
    if (!ret->locked)
        return;
    snprintf(ret->source, sizeof ret->source, "%s", t.status & STA_PPSSIGNAL ? "gnss" : "ntp");
    ret->age_s = timesyncd_age_s();
}

// ---- For who looks after the machine ---------------------------------------------------------

long hw_process(const char *name)
{
    DIR *d = opendir("/proc");
    char path[300], comm[32];
    size_t n = strnlen(name, 15);       // the kernel keeps no more of it
    long lowest = 0;

    for (struct dirent *e; d && (e = readdir(d));) {
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        snprintf(path, sizeof path, "/proc/%.200s/comm", e->d_name);
        FILE *f = fopen(path, "re");
        bool got = f && fgets(comm, sizeof comm, f);
        if (f)
            fclose(f);
        long pid = strtol(e->d_name, NULL, 10);
        if (got && !strncmp(comm, name, n) && comm[n] == '\n' && (!lowest || pid < lowest))
            lowest = pid;
    }
    if (d)
        closedir(d);
    return lowest;
}

void hw_keepers_read(struct hw_keepers *ret)
{
    struct timex t = { .modes = 0 };
    int state = adjtimex(&t);
    struct chrony c;

    *ret = (struct hw_keepers){ .kernel = state >= 0 && state != TIME_ERROR &&
                                          !(t.status & STA_UNSYNC),
                                .chrony = hw_process("chronyd") != 0,
                                .timesyncd = hw_process("systemd-timesyncd") != 0,
                                .timesyncd_age_s = timesyncd_age_s() };
    if (chrony_read(&c, CHRONY_PORT, DOCTOR_MS) < 0)
        return;
    ret->chrony = ret->chrony_answers = true;
    ret->chrony_synchronised = c.synchronised;
    ret->chrony_gnss = c.gnss;
    ret->chrony_stratum = c.stratum;
    ret->chrony_err_s = c.err_s;
    ret->chrony_age_s = c.age_s;
    memcpy(ret->chrony_source, c.source, sizeof c.source);
}
