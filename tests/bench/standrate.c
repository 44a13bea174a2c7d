// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/standrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dsp/burst.h"
#include "dsp/front/front.h"

#define BLOCK   16384
#define BEGIN_S 0.3             // the rings of cells (0.1 s) are full three times over

struct run {
    struct front     *front;
    struct standing  *standing;
    struct front_out *out;
    struct cand_list *list;
    double            rate_hz, front_s, corr_s;
    const int16_t    *x;
    size_t            n, blocks;
    unsigned          found;
};

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double resident_mb(void)
{
    unsigned long all = 0, here = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f && fscanf(f, "%lu %lu", &all, &here) != 2)
        here = 0;
    if (f)
        fclose(f);
    return (double)here * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

// Both over the same block, one after the other, as the caches of one core meet them.
static void blocks(struct run *r, size_t many, bool front, bool corr)
{
    for (size_t i = 0; i < many; i++, r->blocks++) {
        size_t at = r->blocks * BLOCK;
        struct iq_block b = { .n0 = at, .n = BLOCK, .format = IQ_CI16, .rate_hz = r->rate_hz,
                              .data = r->x + 2 * (at % r->n) };
        double t0 = cpu_s();
        if (front)
            front_block(r->front, &b, r->out);
        double t1 = cpu_s();
        if (corr)
            standing_block(r->standing, &b, r->list);
        r->found += front ? r->out->list.n : 0;
        r->front_s += t1 - t0;
        r->corr_s += cpu_s() - t1;
        r->list->n = 0;
    }
}

static bool run(struct run *r, double seconds, struct standrate *ret)
{
    struct iq_info info = { .rate_hz = r->rate_hz, .format = IQ_CI16, .block_len = BLOCK };
    size_t begin = (size_t)(BEGIN_S * r->rate_hz / BLOCK) + 1;
    size_t many = (size_t)(seconds * r->rate_hz / BLOCK) + 1;
    double t0 = cpu_s(), m0 = resident_mb(), each = BLOCK / r->rate_hz;

    r->out = calloc(1, sizeof *r->out);
    r->list = calloc(1, sizeof *r->list);
    r->front = front_new(&info);
    if (!r->out || !r->list || !r->front)
        return false;
    blocks(r, begin, true, false);
    double m1 = resident_mb();
    r->standing = standing_new(&info, true);
    if (!r->standing)
        return false;
    blocks(r, begin, false, true);
    double t1 = cpu_s(), m2 = resident_mb();
    r->blocks = begin;          // each goes on where it was
    r->front_s = r->corr_s = 0;
    r->found = 0;
    blocks(r, many, true, true);
    ret->front_s = r->front_s / ((double)many * each);
    ret->corr_s = r->corr_s / ((double)many * each);
    ret->start_s = t1 - t0 - (double)begin * each * (ret->front_s + ret->corr_s);
    ret->front_mb = m1 - m0;
    ret->corr_mb = m2 - m1;
    ret->found = r->found;
    return true;
}

bool standrate_run(double rate_hz, double seconds, const int16_t *x, size_t n,
                   struct standrate *ret)
{
    struct run r = { .rate_hz = rate_hz, .x = x, .n = n };
    int ends[2], status = 1;

    if (pipe(ends))
        return false;
    fflush(stdout);
    pid_t pid = fork();
    if (!pid)                   // memory that earlier runs left free would not be counted
        _exit(!run(&r, seconds, ret) || write(ends[1], ret, sizeof *ret) != sizeof *ret);
    close(ends[1]);
    bool ok = pid > 0 && read(ends[0], ret, sizeof *ret) == sizeof *ret;
    close(ends[0]);
    return pid > 0 && waitpid(pid, &status, 0) == pid && ok && !status;
}
