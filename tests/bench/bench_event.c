// SPDX-License-Identifier: GPL-3.0-or-later
// The demo's events without its daemons: seeds not used elsewhere, minutes each, nobody waiting.
//
//     seed -> scenes of the demo -> [child: 2.4 GHz] simulator -> dsp -> cls --.
//                                   [child: 5.8 GHz] simulator -> dsp -> cls --+-> right, missed,
//                                                                                  false, seconds
//
// What counts is a track with the verdict "drone": each one makes an alert (alertd/core_judge.c),
// so one that nobody in the event sent is a false alarm, wherever its family is told apart later.
// A track that has its name only after its first verdict is judged by the name it ends with.
//
//     SEEDS=A..B or one number   SECONDS=S of each   JOBS=N processes at a time   STEP=0..3 of the
//     demo's rates   TRACKS=1 all tracks told, for the reasons of a miss   BAND=2.4 or 5.8 alone
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/utc.h"
#include "classifier/classifier.h"
#include "hw/hw.h"
#include "tests/bench/daemons.h"

#define SIG_DIR   "classifier/sig"
#define SEED_LO   7001          // the demo's default is 1, tests use small ones
#define SEEDS     20
#define SEEDS_MOST 1000
#define SECONDS   600.0
#define TRACKS    512           // drone tracks of one capture
#define SAY_S     60.0          // of sample time between two words of a long capture
#define EARLY_S   0.1           // a sender cannot be heard before it begins, but for a block
#define JOBS_MOST 16

struct job {                    // one capture of one event
    struct demo_event e;
    unsigned device;
    double   length_s;
    bool     all;
};

struct heard {                  // what a child hands over
    bool     done, skipped;
    double   seconds, cpu_s;
    double   after_s[DEMO_ACTS];        // from the first signal to the first verdict; < 0: never
    unsigned tracks[DEMO_ACTS], wrong;
};

struct drone { char id[24]; double at_s; };     // when it first had the verdict

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_event: %s: %s\n", what, why);
    exit(2);
}

// ---- One capture, in the child ---------------------------------------------------------------

static const unsigned device_of[DEMO_ACTS] = { 0, 0, 1, 0 };

// at_s: of the first verdict.  A track may hold what was on its place before, a carrier leak say.
static int act_of(const struct demo_event *e, unsigned device, const struct track *t, double at_s)
{
    static const char *const family[DEMO_ACTS] = { NULL, "expresslrs", "analog-fpv", NULL };

    for (unsigned i = 0; i < DEMO_ACTS; i++) {
        bool him = family[i] ? !strcmp(t->family, family[i]) :
                               t->claimed && !strcmp(t->claimed_serial, e->act[i].sign);
        if (him && device_of[i] == device && at_s > e->act[i].start_s - EARLY_S)
            return (int)i;
    }
    return -1;
}

static void say_track(FILE *f, const struct job *j, const char *what, double at_s,
                      const struct track *t)
{
    fprintf(f, "  seed %llu, %s GHz: %s %s (%s) at %.2f s, first %.2f, last %.2f: %llu bursts, "
            "%llu decodes, %.3f to %.3f MHz, %.1f dB, p %.2f, confidence %.2f\n",
            (unsigned long long)j->e.seed, j->device ? "5.8" : "2.4", what, t->family,
            t->link ? t->link : "no mode", at_s, t->first_s, t->last_s,
            (unsigned long long)t->bursts, (unsigned long long)t->decodes, t->freq_lo_hz / 1e6,
            t->freq_hi_hz / 1e6, t->snr_db, t->p_drone, t->confidence);
    for (unsigned i = 0; i < t->n_why; i++)
        fprintf(f, "      %s\n", t->why[i]);
}

static void changed(struct cls *c, double now_s, struct drone *drone, unsigned *n)
{
    const struct track *t;

    while ((t = cls_changed(c))) {
        unsigned i = 0;
        while (i < *n && strcmp(drone[i].id, t->id))
            i++;
        if (t->verdict != VERDICT_DRONE || i < *n || *n == TRACKS)
            continue;
        snprintf(drone[i].id, sizeof drone[i].id, "%s", t->id);
        drone[(*n)++].at_s = fmax(now_s, t->last_s);     // told with a burst, or at a tick
    }
}

// Tracks at the end; a verdict that was taken back has called somebody all the same.
static void judge(struct cls *c, const struct job *j, const struct drone *drone, unsigned n,
                  struct heard *h, FILE *f)
{
    const struct track *t;

    for (size_t k = 0; (t = cls_track(c, k)); k++) {
        unsigned i = 0;
        while (i < n && strcmp(drone[i].id, t->id))
            i++;
        int who = i < n ? act_of(&j->e, j->device, t, drone[i].at_s) : -2;
        if (who == -1) {
            h->wrong++;
            say_track(f, j, "FALSE", drone[i].at_s, t);
        } else if (who >= 0) {
            double after = drone[i].at_s - j->e.act[who].start_s;
            if (h->after_s[who] < 0 || after < h->after_s[who])
                h->after_s[who] = after;
            h->tracks[who]++;
        }
        if (j->all && who != -1)
            say_track(f, j, who < 0 ? "told" : "right", i < n ? drone[i].at_s : NAN, t);
    }
}

static char *scene(const struct job *j)
{
    static char text[8192], out[8192];
    char dir[DEMO_PATH], path[DEMO_PATH + 40], why[DEMO_WHY];
    static const char endless[] = "duration_s: 0\n";

    if (demo_folder_make(dir, why) < 0 || demo_event_write(&j->e, dir, why) < 0)
        die("scene", why);
    snprintf(path, sizeof path, "%s/event-%s.yaml", dir, j->device ? "5g8" : "2g4");
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[n] = 0;
    char *at = strstr(text, endless);
    if (!at)
        die(path, "not the scene that was expected");
    fclose(f);
    demo_folder_remove(dir);
    snprintf(out, sizeof out, "%.*sduration_s: %.3f\n%s", (int)(at - text), text, j->length_s,
             at + sizeof endless - 1);
    return out;
}

static void hear(const struct job *j, struct heard *h, FILE *f)
{
    static struct drone drone[TRACKS];
    struct iq_source *src;
    struct finding *x;
    struct decode helped;
    struct cls *c;
    char why[IQ_WHY];
    unsigned n = 0;
    double say_s = SAY_S, now_s = 0;

    if (iq_open_sim(&src, &(struct iq_sim_cfg){ .text = scene(j),
                    .pool_blocks = DSP_POOL_BLOCKS }, why) < 0 ||
        cls_new(&c, &(struct cls_cfg){ .sig_dir = SIG_DIR, .droneid = DRONEID_DECODE }, why) < 0)
        die("start", why);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = src, .droneid = DRONEID_DECODE,
                                               .threads = 1 });
    if (!d)
        die("start", "no memory");
    int64_t began = mono_now_ns();
    while ((x = dsp_next(d))) {
        cls_push(c, x, &helped);
        now_s = x->rate_hz > 0 ? (double)x->tick / x->rate_hz : now_s;
        finding_free(x);
        changed(c, now_s, drone, &n);
        if (now_s >= say_s) {
            fprintf(stderr, "  seed %llu, %s GHz: %.0f of %.0f s, %.2f of real time\n",
                    (unsigned long long)j->e.seed, j->device ? "5.8" : "2.4", now_s, j->length_s,
                    now_s / ((double)(mono_now_ns() - began) * 1e-9));
            say_s += SAY_S;
        }
    }
    cls_finish(c);
    changed(c, j->length_s, drone, &n);
    judge(c, j, drone, n, h, f);
    dsp_free(d);
    h->seconds = (double)iq_counts(src)->samples / iq_info(src).rate_hz;
    h->cpu_s = usage_of(getpid()).cpu_s;
    h->done = true;
    iq_close(src);
    cls_free(c);
}

// ---- Children --------------------------------------------------------------------------------

struct child { pid_t pid; FILE *out; };

static struct child child_start(const struct job *j)
{
    struct child c = { .out = tmpfile() };      // what it says, read when it has ended

    if (!c.out)
        die("child", "no temporary file is to be had: set TMPDIR");
    fflush(NULL);
    c.pid = fork();
    if (c.pid < 0)
        die("child", "no process is to be had");
    if (c.pid)
        return c;
    struct heard h = { .after_s = { -1, -1, -1, -1 } };
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    hear(j, &h, f);
    fclose(f);
    bool ok = fwrite(&h, sizeof h, 1, c.out) == 1 && fwrite(text, 1, len, c.out) == len &&
              !fflush(c.out);
    _exit(!ok);
}

// What a child found; its lines are kept for below the table.
static struct heard child_read(struct child *c, FILE *lines)
{
    struct heard h = { 0 };
    char buf[4096];
    size_t n;

    rewind(c->out);
    if (fread(&h, sizeof h, 1, c->out) != 1)
        h.done = false;
    while (h.done && (n = fread(buf, 1, sizeof buf, c->out)))
        fwrite(buf, 1, n, lines);
    fclose(c->out);
    c->pid = 0;
    return h;
}

// ---- The table -------------------------------------------------------------------------------

struct whole {
    double   seconds, cpu_s, length_s, step;
    unsigned right, missed, wrong, failed, jobs;
    int      band;                      // 0 or 1 alone; -1 both
    bool     all;
    double   after_s[SEEDS_MOST * DEMO_ACTS];
    FILE    *lines;
};

static void row(struct whole *w, const struct demo_event *e, const struct heard h[2])
{
    bool done = (h[0].done || h[0].skipped) && (h[1].done || h[1].skipped);

    printf("| %llu |", (unsigned long long)e->seed);
    for (unsigned i = 0; i < DEMO_ACTS; i++) {
        const struct heard *x = &h[device_of[i]];
        if (!x->done) {
            printf(" %s |", x->skipped ? "not run" : "failed");
        } else if (e->act[i].start_s > w->length_s - 1) {
            printf(" not on the air |");
        } else if (x->after_s[i] < 0) {
            printf(" MISSED (%.1f dB) |", e->snr_db[i]);
            w->missed++;
        } else {
            printf(" %.2f%s |", x->after_s[i], x->tracks[i] > 1 ? " +" : "");
            w->after_s[w->right++] = x->after_s[i];
        }
    }
    printf(" %u | %.2f |\n", h[0].wrong + h[1].wrong,
           done ? (h[0].cpu_s + h[1].cpu_s) / w->length_s : 0);
    fflush(stdout);
    w->failed += !done;
    w->wrong += h[0].wrong + h[1].wrong;
    if (done)
        w->seconds += w->length_s;
}

// Upper end of the mean of a Poisson count at 95 %: chi-squared of 2k + 2 by Wilson and Hilferty,
// within 1 %; 3 for none.
static double count_below(unsigned k)
{
    double n = k + 1.0, c = 1 - 1 / (9 * n) + 1.645 / (3 * sqrt(n));
    return k ? n * c * c * c : 3;
}

static void close_table(struct whole *w)
{
    double h = w->seconds / 3600;

    qsort(w->after_s, w->right, sizeof w->after_s[0], usage_by_size);
    printf("\nSeconds from its first signal to the verdict; + more than one track.  Cores: "
           "processor time over the event's, simulator included.\n\n%u right, %u missed",
           w->right, w->missed);
    if (w->right)
        printf(" (after %.2f s in the median, %.2f s at most)", w->after_s[w->right / 2],
               w->after_s[w->right - 1]);
    printf("; %u false drones in %.3f h of events", w->wrong, h);
    if (h > 0)
        printf(", %.2f an hour, below %.1f an hour at 95 %%", w->wrong / h,
               count_below(w->wrong) / h);
    printf("%s.\n", w->failed ? "; SOME FAILED" : "");
    rewind(w->lines);
    for (int c; (c = fgetc(w->lines)) != EOF;)
        putchar(c);
}

// ---- All -------------------------------------------------------------------------------------

static void run(struct whole *w, unsigned long long lo, unsigned n)
{
    struct child child[JOBS_MOST] = { 0 };
    struct heard (*heard)[2] = calloc(n, sizeof *heard);
    unsigned of[JOBS_MOST], *left = calloc(n, sizeof *left), begun = 0, ended = 0, told = 0;
    struct demo_event *e = calloc(n, sizeof *e);

    if (!heard || !left || !e)
        die("start", "no memory");
    for (unsigned i = 0; i < n; i++) {
        demo_event_make(&e[i], lo + i);
        demo_event_rate(&e[i], (unsigned)w->step);
        left[i] = 2;
    }
    while (ended < 2 * n) {
        for (unsigned k = 0; k < w->jobs && begun < 2 * n; k++)
            if (w->band >= 0 && (int)(begun % 2) != w->band) {
                heard[begun / 2][begun % 2].skipped = true;
                left[begun++ / 2]--;
                ended++;
                k--;
            } else if (!child[k].pid) {
                struct job j = { .e = e[begun / 2], .device = begun % 2, .length_s = w->length_s,
                                 .all = w->all };
                of[k] = begun++;
                child[k] = child_start(&j);
            }
        int status;
        pid_t pid = wait(&status);          // -1 where only skipped ones were left
        for (unsigned k = 0; k < w->jobs; k++)
            if (child[k].pid && child[k].pid == pid) {
                heard[of[k] / 2][of[k] % 2] = child_read(&child[k], w->lines);
                left[of[k] / 2]--;
                ended++;
            }
        for (; told < n && !left[told]; told++)
            row(w, &e[told], heard[told]);
    }
    free(heard);
    free(left);
    free(e);
}

static double asked(const char *name, double def, double lo, double hi)
{
    const char *s = getenv(name);
    double v = s && *s ? strtod(s, NULL) : def;
    if (!(v >= lo && v <= hi))
        die(name, "out of range");
    return v;
}

int main(void)
{
    const char *quick = getenv("QUICK"), *seeds = getenv("SEEDS");
    bool q = quick && *quick;
    unsigned long long lo = SEED_LO, hi;
    static struct whole w;

    hi = lo + (q ? 3 : SEEDS) - 1;
    if (seeds && *seeds && sscanf(seeds, "%llu..%llu", &lo, &hi) == 1)
        hi = lo;
    if (hi < lo || hi - lo >= SEEDS_MOST)
        die("SEEDS", "A..B was expected");
    w.length_s = asked("SECONDS", q ? 25 : SECONDS, 1, 86400);
    w.jobs = (unsigned)asked("JOBS", hw_cpus() < 2 ? 1 : 2, 1, JOBS_MOST);
    w.step = asked("STEP", 0, 0, DEMO_STEPS - 1);
    w.all = asked("TRACKS", 0, 0, 1) > 0;
    double ghz = asked("BAND", 0, 0, 5.8);
    w.band = ghz == 0 ? -1 : ghz > 5;
    w.lines = tmpfile();
    if (!w.lines)
        die("start", "no temporary folder is to be had: set TMPDIR");
    struct demo_event e;
    demo_event_rate(&e, (unsigned)w.step);
    printf("Seeds %llu to %llu, %.0f s each, %.4g and %.4g MS/s, no daemons, %u processes.\n\n"
           "| seed | police drone | racer's control | racer's picture | intruder | false | cores "
           "|\n"
           "|---|---|---|---|---|---|---|\n", lo, hi, w.length_s, e.rate_hz[0] / 1e6,
           e.rate_hz[1] / 1e6, w.jobs);
    run(&w, lo, (unsigned)(hi - lo + 1));
    close_table(&w);
    return 0;
}
