// SPDX-License-Identifier: GPL-3.0-or-later
// The whole sensor as tyto-sensord runs it (all decoders on, two workers, ticks, tracks), without
// daemons and without the simulator's cost: a scene is rendered to a file first, by a process of
// its own, and played from there by another, so that nobody's memory is counted but the sensor's.
//
//     render --> file ==mmap==> played at once:  cost, by stage
//                               played live:     a ring like a radio's, which loses when it is full
//
// Resident is what is private to the sensor at the end of a live run (RssAnon): pools, rings of
// cells, tools of the workers.  The radio's ring comes on top and is named beside it.  Growth is
// over the cost of the same noise alone, with the exponent of a power law fitted to it.
//
// SENSOR=cost, SENSOR=live or SENSOR=growth measures one only; PLANS=FILE takes transforms as
// measured.
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "classifier/classifier.h"
#include "dsp/plans.h"
#include "hw/hw.h"
#include "tests/bench/played.h"

#define SIG_DIR "classifier/sig"

enum stage { SOURCE, FRONT, CORR, ARBITER, WORKER, STAGES };
static const char *const stage_name[STAGES] = { "tyto-source", "tyto-front", "tyto-corr",
                                                "tyto-arbiter", "tyto-worker" };

// What a process tells its parent.
struct told {
    double   seconds, cpu_s, wall_s, track_s, stage_s[STAGES], resident_mb;
    uint64_t samples, lost, bursts, left_out;
};

static struct told *told_of(struct scene *s) { return s->told; }

// ---- The sensor ------------------------------------------------------------------------------

// Processor time of each stage's threads so far; those that have ended keep what they had.
static void stages_look(struct told *t)
{
    double s[STAGES] = { 0 };
    DIR *d = opendir("/proc/self/task");
    char path[64], name[64];

    for (struct dirent *e; d && (e = readdir(d));) {
        unsigned long long ns = 0;
        snprintf(path, sizeof path, "/proc/self/task/%.20s/comm", e->d_name);
        FILE *f = fopen(path, "r");
        bool named = f && fscanf(f, "%63s", name) == 1;
        if (f)
            fclose(f);
        snprintf(path, sizeof path, "/proc/self/task/%.20s/schedstat", e->d_name);
        f = named ? fopen(path, "r") : NULL;
        bool known = f && fscanf(f, "%llu", &ns) == 1;
        if (f)
            fclose(f);
        for (int k = 0; known && k < STAGES; k++)
            if (!strncmp(name, stage_name[k], strlen(stage_name[k])))
                s[k] += (double)ns * 1e-9;
    }
    if (d)
        closedir(d);
    for (int k = 0; k < STAGES; k++)
        t->stage_s[k] = fmax(t->stage_s[k], s[k]);
}

// The last look was a little before the end: what is missing is shared out.
static void stages_whole(struct told *t)
{
    double sum = 0;

    for (int k = 0; k < STAGES; k++)
        sum += t->stage_s[k];
    for (int k = 0; k < STAGES && sum > 0; k++)
        t->stage_s[k] *= (t->cpu_s - t->track_s) / sum;
}

static double resident_mb(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[200];
    double kb = NAN;

    while (f && fgets(line, sizeof line, f))
        sscanf(line, "RssAnon: %lf", &kb);
    if (f)
        fclose(f);
    return kb / 1024;
}

static void on_psd(const struct psd_frame *f, void *arg)
{
    struct told *t = arg;
    t->resident_mb = fmax(t->resident_mb, resident_mb());
    (void)f;
}

static void listen_to(struct dsp *d, struct cls *c, struct told *t, double rate_hz)
{
    static struct decode helped;
    uint64_t looked = 0;
    struct finding *f;

    while ((f = dsp_next(d))) {
        (void)cls_push(c, f, &helped);
        while (cls_changed(c))
            ;
        bool told = !f->reject && (f->part == BURST_WHOLE || f->part == BURST_RUN_END);
        t->bursts += told;
        t->left_out += !f->ahead && f->hyp && (f->flags & BURST_NO_SAMPLES);
        if ((double)(f->tick - looked) > 0.05 * rate_hz) {
            looked = f->tick;
            stages_look(t);
        }
        finding_free(f);
    }
    cls_finish(c);
}

static void hear(struct scene *s, bool live)
{
    struct told *t = s->told;
    struct iq_source *src;
    struct cls *c;
    char why[IQ_WHY], said[PLANS_WHY];
    struct radio r;
    struct src_driver drv = radio_open(&r, s, live);

    *t = (struct told){ 0 };
    if (getenv("PLANS") && plans_load(getenv("PLANS"), said) < 0)
        die(said);
    if (src_open(&src, &drv, "the scene", false, DSP_POOL_BLOCKS, why) < 0 ||
        cls_new(&c, &(struct cls_cfg){ .sig_dir = SIG_DIR, .droneid = DRONEID_DECODE }, why) < 0)
        die(why);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = src, .droneid = DRONEID_DECODE,
        .threads = 2, .ticks = true, .on_psd = on_psd, .arg = t });
    if (!d)
        die("no memory");
    // Behind what is done once, such as planning.
    double cpu = now_s(CLOCK_PROCESS_CPUTIME_ID), wall = now_s(CLOCK_MONOTONIC);
    double own = now_s(CLOCK_THREAD_CPUTIME_ID);
    listen_to(d, c, t, s->rate_hz);
    t->wall_s = now_s(CLOCK_MONOTONIC) - wall;
    t->cpu_s = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    t->track_s = now_s(CLOCK_THREAD_CPUTIME_ID) - own;
    stages_whole(t);
    t->resident_mb = fmax(t->resident_mb, resident_mb());
    t->samples = iq_counts(src)->samples;
    t->lost = iq_counts(src)->lost;
    t->seconds = (double)(t->samples + t->lost) / s->rate_hz;
}

static void hear_all(struct scene *s) { hear(s, false); }
static void hear_live(struct scene *s) { hear(s, true); }

// ---- Tables ----------------------------------------------------------------------------------

static void row_cost(const char *name, const struct scene *s)
{
    const struct told *t = s->told;
    double per = 1 / t->seconds;

    printf("| %s | %.2f | %.2f | %.2f | %.1f |", name, s->rate_hz / 1e6, t->cpu_s * per,
           t->wall_s * per, s->rate_hz * t->seconds / t->wall_s / 1e6);
    for (int k = 0; k < STAGES; k++)
        printf(" %.3f |", t->stage_s[k] * per);
    printf(" %.3f | %.0f |\n", t->track_s * per, (double)t->bursts * per);
}

static void row_live(const char *name, const struct scene *s)
{
    const struct told *t = s->told;
    double ring_mb, ring_s = radio_ring_s(s->rate_hz, &ring_mb);

    printf("| %s | %.2f | %.2f | %.2f | %.1f | %llu of %llu | %.1f | %.2f s, %.0f |\n", name,
           s->rate_hz / 1e6, t->seconds, t->cpu_s / t->seconds,
           1e3 * (double)t->lost / s->rate_hz, (unsigned long long)t->left_out,
           (unsigned long long)t->bursts, t->resident_mb,
           ring_s, ring_mb);
}

typedef void make_scene(struct scene *s, double rate_hz, double length_s);

static void table(struct scene *s, bool live, double length_s)
{
    static const double rate_hz[] = { 20e6, 61.44e6, 100e6 };
    static const struct { const char *name; make_scene *make; } kind[] = {
        { "noise", scene_noise }, { "busy", scene_busy } };

    printf("\n%s\n", live ?
           "Live, two workers:\n\n| scene | MS/s | s | cores | ms lost | bursts left out | "
           "resident MB | radio's ring, MB |\n|---|---|---|---|---|---|---|---|" :
           "At once, two workers; cores in all and of each stage:\n\n| scene | MS/s | cores | "
           "wall s per s | MS/s reached | source | front | correlators | arbiter | workers | "
           "tracks | bursts/s |\n|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < 3; i++) {
            kind[k].make(s, rate_hz[i], length_s);
            scene_make(s);
            apart(live ? hear_live : hear_all, s);
            (live ? row_live : row_cost)(kind[k].name, s);
            close(s->fd);
        }
}

// Rows of rising n (packets a second, or emitters), and the exponent of what they add to noise.
static void growth(struct scene *s, const char *of, bool emitters, double length_s)
{
    static const unsigned many[2][4] = { { 100, 400, 1600, 6400 }, { 4, 8, 16, 32 } };
    double sx = 0, sy = 0, sxx = 0, sxy = 0, n = 0;

    scene_noise(s, 20e6, length_s);
    scene_make(s);
    apart(hear_all, s);
    close(s->fd);
    double noise = told_of(s)->cpu_s / told_of(s)->seconds;
    printf("\n| %s | cores over noise (%.3f) | found/s |\n|---|---|---|\n", of, noise);
    for (unsigned i = 0; i < 4; i++) {
        scene_packets(s, 20e6, length_s, emitters ? many[1][i] : 16,
                      emitters ? 800 : many[0][i]);
        scene_make(s);
        apart(hear_all, s);
        close(s->fd);
        double more = told_of(s)->cpu_s / told_of(s)->seconds - noise;
        printf("| %u | %.3f | %.0f |\n", many[emitters][i], more,
               (double)told_of(s)->bursts / told_of(s)->seconds);
        if (!(more > 0))
            continue;
        double x = log(many[emitters][i]), y = log(more);
        n++, sx += x, sy += y, sxx += x * x, sxy += x * y;
    }
    if (n > 1)
        printf("\nCost grows as %s^%.2f.\n", of, (n * sxy - sx * sy) / (n * sxx - sx * sx));
}

int main(void)
{
    const char *quick = getenv("QUICK"), *only = getenv("SENSOR");
    bool short_run = quick && *quick;
    struct scene *s = calloc(1, sizeof *s);

    if (!s)
        die("no memory");
    s->told = mmap(NULL, sizeof(struct told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                   -1, 0);
    if (s->told == MAP_FAILED)
        die("no memory");
    printf("%s kernels; transforms %s.\n", hw_isa_name(hw_isa()),
           getenv("PLANS") ? "as measured" : "estimated");
    if (!only || !strcmp(only, "cost"))
        table(s, false, short_run ? 0.15 : 1);
    if (!only || !strcmp(only, "live"))
        table(s, true, short_run ? 0.3 : 2);
    if (!only || !strcmp(only, "growth")) {
        growth(s, "packets a second", false, short_run ? 0.3 : 2);
        growth(s, "emitters", true, short_run ? 0.3 : 2);
    }
    return 0;
}
