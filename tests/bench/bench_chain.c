// SPDX-License-Identifier: GPL-3.0-or-later
// The whole chain, all decoders on: what a second of samples costs, from noise to a dense band, and
// what the recordings by others give.
//
// A scene is rendered to a file first, so that only the sensor's own work is timed.  "share" is
// processor time over the length of the samples: real time on two cores needs less than 2, and
// less than 1 in wall time with two workers.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "classifier/classifier.h"
#include "hw/hw.h"

#define SIG_DIR  "classifier/sig"
#define CAPTURES "../shared/captures"
#define TEXT 4096

struct heard {
    double   seconds, wall_s, cpu_s;
    unsigned bursts, decodes, drones;
    char     families[256];             // of drone tracks
};

static double now_s(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *why)
{
    fprintf(stderr, "bench_chain: %s\n", why);
    exit(2);
}

static void tracks(const struct cls *c, struct heard *h)
{
    const struct track *t;
    for (size_t i = 0; (t = cls_track(c, i)); i++) {
        if (t->verdict != VERDICT_DRONE)
            continue;
        size_t used = strlen(h->families);
        snprintf(h->families + used, sizeof h->families - used, "%s%s", used ? " " : "", t->family);
        h->drones++;
    }
}

static struct heard hear(const char *path)
{
    struct heard h = { 0 };
    struct iq_source *src;
    struct cls *c;
    char why[IQ_WHY];

    if (iq_open_file(&src, &(struct iq_file_cfg){ .path = path, .pool_blocks = DSP_POOL_BLOCKS },
                     why) < 0 ||
        cls_new(&c, &(struct cls_cfg){ .sig_dir = SIG_DIR, .droneid = DRONEID_DECODE }, why) < 0)
        die(why);
    double wall = now_s(CLOCK_MONOTONIC), cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = src, .droneid = DRONEID_DECODE,
                                               .threads = 2 });
    struct finding *f;
    if (!d)
        die("no memory");
    while ((f = dsp_next(d))) {
        struct decode helped;
        h.decodes += f->n_decode + (unsigned)cls_push(c, f, &helped);
        h.bursts += !f->reject && (f->part == BURST_WHOLE || f->part == BURST_RUN_END);
        finding_free(f);
    }
    cls_finish(c);
    h.wall_s = now_s(CLOCK_MONOTONIC) - wall;
    h.cpu_s = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    tracks(c, &h);
    dsp_free(d);
    h.seconds = (double)iq_counts(src)->samples / iq_info(src).rate_hz;
    iq_close(src);
    cls_free(c);
    return h;
}

static void print_cost(const char *name, double rate_hz, const struct heard *h)
{
    printf("| %s | %.2f | %.2f | %.2f | %.2f | %.0f | %s |\n", name, rate_hz / 1e6,
           h->cpu_s / h->seconds, h->wall_s / h->seconds, rate_hz * h->seconds / h->wall_s / 1e6,
           h->bursts / h->seconds, h->families[0] ? h->families : "-");
}

// Renders a scene into a folder of its own under $TMPDIR and hears it.
static void scene(const char *name, const struct iq_sim_cfg *cfg, double rate_hz)
{
    char dir[256], meta[300], data[300], why[IQ_WHY];
    const char *tmp = getenv("TMPDIR");

    snprintf(dir, sizeof dir, "%s/tyto-bench-XX" "XX" "XX", tmp ? tmp : P_tmpdir);
    if (!mkdtemp(dir))
        die("cannot make a folder for the scene: set TMPDIR");
    snprintf(meta, sizeof meta, "%s/s.sigmf-meta", dir);
    snprintf(data, sizeof data, "%s/s.sigmf-data", dir);
    if (iq_sim_write(cfg, meta, NULL, NULL, why) < 0)
        die(why);
    struct heard h = hear(meta);
    print_cost(name, rate_hz, &h);
    unlink(meta);
    unlink(data);
    rmdir(dir);
}

static void noise(double rate_hz, double length_s)
{
    char text[TEXT];
    snprintf(text, sizeof text, "name: noise\nrate_hz: %.0f\ncentre_hz: 2437e6\n"
             "duration_s: %g\nseed: 3\nreceiver:\n  noise_dbfs_hz: -125\n", rate_hz, length_s);
    scene("noise", &(struct iq_sim_cfg){ .text = text }, rate_hz);
}

static int meta_only(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    return dot && !strcmp(dot, ".sigmf-meta");
}

static void recordings(void)
{
    struct dirent **e;
    int n = scandir(CAPTURES, &e, meta_only, alphasort);

    printf("\nRecordings by others:\n\n");
    if (n < 0) {
        printf("not here (%s): skipped\n", CAPTURES);
        return;
    }
    printf("| recording | ms | bursts | frames read | drone tracks |\n|---|---|---|---|---|\n");
    for (int i = 0; i < n; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", CAPTURES, e[i]->d_name);
        struct heard h = hear(path);
        *strrchr(e[i]->d_name, '.') = 0;
        printf("| %s | %.1f | %u | %u | %s |\n", e[i]->d_name, h.seconds * 1e3, h.bursts, h.decodes,
               h.families[0] ? h.families : "-");
        free(e[i]);
    }
    free(e);
}

int main(void)
{
    const char *quick = getenv("QUICK");
    double s = quick && *quick ? 0.5 : 2;

    printf("Two workers, %s kernels.\n\n", hw_isa_name(hw_isa()));
    printf("| scene | MS/s | cores | wall s per s | MS/s reached | bursts/s | drone tracks |\n"
           "|---|---|---|---|---|---|---|\n");
    noise(20e6, s);
    noise(30.72e6, s);
    noise(61.44e6, s / 2);
    scene("event.yaml", &(struct iq_sim_cfg){ .path = "docs/scenes/event.yaml" }, 30.72e6);
    scene("quiet.yaml", &(struct iq_sim_cfg){ .path = "docs/scenes/quiet.yaml" }, 30.72e6);
    recordings();
    return 0;
}
