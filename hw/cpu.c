// SPDX-License-Identifier: GPL-3.0-or-later
// What the processor can do and where the program stands.
#include "hw/hw.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = { "plain", "v2", "v3", "v4" };

// x86-64 micro-architecture levels as the psABI defines them; the features named are those that
// the compiler may use at that level and that not all machines of the level below have.
static enum hw_isa probe(void)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return HW_ISA_X86_V4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
        return HW_ISA_X86_V3;
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt"))
        return HW_ISA_X86_V2;
#endif
    return HW_ISA_PLAIN;
}

enum hw_isa hw_isa(void)
{
    enum hw_isa best = probe();
    const char *want = getenv("TYTO_ISA");

    for (unsigned i = 0; want && i < best; i++)
        if (!strcmp(want, names[i]))
            return (enum hw_isa)i;
    return best;
}

const char *hw_isa_name(enum hw_isa isa) { return names[isa]; }

// Of the first processor; the kernel's names of these lines differ between machines.
static bool tells_model(const char *line)
{
    static const char *const keys[] = {
        "vendor_id", "cpu family", "model", "stepping", "model name",              // x86
        "CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision",   // Arm
    };
    size_t n = strcspn(line, "\t:");

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (n == strlen(keys[i]) && !memcmp(line, keys[i], n))
            return true;
    return false;
}

void hw_cpu_name(char ret[HW_CPU_NAME])
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    char line[4096];
    size_t n = 0;

    while (f && fgets(line, sizeof line, f) && line[0] != '\n') {
        const char *value = strchr(line, ':');
        if (!value || !tells_model(line))
            continue;
        value += 1 + strspn(value + 1, " ");
        int more = snprintf(ret + n, HW_CPU_NAME - n, "%s%.*s", n ? " " : "",
                            (int)strcspn(value, "\n"), value);
        n = n + (size_t)more < HW_CPU_NAME ? n + (size_t)more : HW_CPU_NAME - 1;
    }
    if (f)
        fclose(f);
    if (!n)
        snprintf(ret, HW_CPU_NAME, "unknown");
}

unsigned hw_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

// Ticks of the processors we may run on: unused ones and all.  False: not told.
static bool ticks_read(uint64_t *ret_idle, uint64_t *ret_all)
{
    unsigned long long t[8];
    unsigned cpu, n = 0;
    char line[512];
    cpu_set_t set;
    FILE *f = fopen("/proc/stat", "re");

    *ret_idle = *ret_all = 0;
    if (!f || sched_getaffinity(0, sizeof set, &set)) {
        if (f)
            fclose(f);
        return false;
    }
    while (fgets(line, sizeof line, f)) {       // user nice system idle iowait irq softirq steal
        if (sscanf(line, "cpu%u %llu %llu %llu %llu %llu %llu %llu %llu", &cpu, &t[0], &t[1], &t[2],
                   &t[3], &t[4], &t[5], &t[6], &t[7]) != 9 || cpu >= CPU_SETSIZE ||
            !CPU_ISSET(cpu, &set))
            continue;
        n++;
        *ret_idle += t[3] + t[4];
        for (int i = 0; i < 8; i++)
            *ret_all += t[i];
    }
    fclose(f);
    return n > 0;
}

double hw_cpus_idle(double seconds)
{
    uint64_t idle, all, idle2, all2;

    if (!ticks_read(&idle, &all))
        return -1;
    nanosleep(&(struct timespec){ (time_t)seconds,
                                  (long)((seconds - (double)(time_t)seconds) * 1e9) }, NULL);
    if (!ticks_read(&idle2, &all2) || all2 <= all)
        return -1;
    double share = (double)(idle2 - idle) / (double)(all2 - all);
    return hw_cpus() * (share < 0 ? 0 : share > 1 ? 1 : share);
}

// The kernel's own word is best; without /proc (a bare chroot) the name we were started by serves.
int hw_program_dir(char *dir, size_t size)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    if (n >= 0)
        path[n] = 0;
    else if (!realpath((const char *)getauxval(AT_EXECFN), path))
        return -errno;
    *strrchr(path, '/') = 0;
    if (strlen(path) >= size)
        return -ENAMETOOLONG;
    memcpy(dir, path, strlen(path) + 1);
    return 0;
}
