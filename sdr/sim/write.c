// SPDX-License-Identifier: GPL-3.0-or-later
// A whole scene to SigMF: samples to STEM.sigmf-data, truth as annotations to STEM.sigmf-meta.
//
// Everything goes to files with .part behind the name that are renamed at the end, the data first:
// who sees the metadata sees all.  Annotations are spooled as they become known, each one line
// of JSON, and copied in order of start at the end, so a scene of hours needs no memory for them.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sigmf.h"
#include "base/why.h"
#include "sdr/sim/engine.h"
#include "sdr/src/source.h"

#define SUFFIX     ".sigmf-meta"
#define PATH       4096
#define CHUNK      65536            // samples a write

struct line { uint64_t order; long at, len; };

struct writer {
    const struct scene *scene;
    uint64_t     seed;
    struct sim  *sim;
    char         meta[PATH], data[PATH], meta_part[PATH], data_part[PATH];
    FILE        *spool;             // annotations, in the order of their ends
    struct line *line;
    size_t       n, cap;
    bool         heard[SCENE_EMITTERS];
    char        *why;
};

static int fault(struct writer *w, const char *path, int err, const char *what)
{
    snprintf(w->why, IQ_WHY, "%.300s: %s: %s", path, what, why_error(err));
    return err;
}

static int last_error(void) { return errno ? -errno : -EIO; }

static void annotation(struct json *j, const struct scene *s, const struct iq_truth *t)
{
    uint64_t first = (uint64_t)ceil(t->t_s * s->rate_hz - 1e-6);
    double count = fmin(round(t->dur_s * s->rate_hz), (double)s->samples - (double)first);
    json_begin(j);
    json_int(j, "core:sample_start", (int64_t)first);
    json_int(j, "core:sample_count", (int64_t)fmax(count, 1));
    json_num(j, "core:freq_lower_edge", t->freq_hz - t->bw_hz / 2, 3);
    json_num(j, "core:freq_upper_edge", t->freq_hz + t->bw_hz / 2, 3);
    json_str(j, "core:label", t->family);
    json_str(j, "tyto:emitter", t->emitter);
    json_str(j, "tyto:link", t->link[0] ? t->link : NULL);
    if (t->snr_db < 900)
        json_num(j, "tyto:snr_db", t->snr_db, 3);
    else
        json_nil(j, "tyto:snr_db");
    json_num(j, "tyto:level_dbfs", t->level_dbfs, 3);
    json_num(j, "tyto:t_s", t->t_s, 12);
    json_num(j, "tyto:dur_s", t->dur_s, 12);
    json_str(j, "tyto:exactness", t->bit_exact ? "bit-exact" : "statistical");
    if (t->payload_len)
        json_hex(j, "tyto:payload", t->payload, t->payload_len);
    json_end(j);
}

// The truth's name is the emitter's, or that of its copy, NAME/2.
static void mark_heard(struct writer *w, const char *name)
{
    for (unsigned i = 0; i < w->scene->n_emitters; i++) {
        size_t len = strlen(w->scene->emitter[i].name);
        if (!strncmp(name, w->scene->emitter[i].name, len) && (!name[len] || name[len] == '/'))
            w->heard[i] = true;
    }
}

static void note_unheard(struct writer *w)
{
    for (unsigned i = 0; i < w->scene->n_emitters; i++)
        if (!w->heard[i]) {
            snprintf(w->why, IQ_WHY, "nothing of emitter %u (%s) falls into the capture, %.9g to "
                     "%.9g MHz for %.9g s", i + 1, w->scene->emitter[i].name,
                     (w->scene->centre_hz - w->scene->rate_hz / 2) / 1e6,
                     (w->scene->centre_hz + w->scene->rate_hz / 2) / 1e6,
                     (double)w->scene->samples / w->scene->rate_hz);
            return;
        }
}

static int on_truth(uint64_t order, const struct iq_truth *t, void *arg)
{
    struct writer *w = arg;
    struct json j;
    if (w->n == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 256;
        struct line *p = realloc(w->line, cap * sizeof *p);
        if (!p)
            return fault(w, w->meta, -ENOMEM, "no memory for the annotations");
        w->line = p;
        w->cap = cap;
    }
    mark_heard(w, t->emitter);
    long at = ftell(w->spool);
    json_init(&j, w->spool);
    annotation(&j, w->scene, t);
    if (at < 0 || json_error(&j))
        return fault(w, w->meta, at < 0 ? last_error() : json_error(&j),
                     "annotations cannot be spooled to the temporary folder");
    w->line[w->n++] = (struct line){ order, at, ftell(w->spool) - at - 1 };  // without newline
    return 0;
}

static int write_data(struct writer *w, void (*progress)(double, void *), void *arg)
{
    size_t size = w->scene->format == IQ_CI16 ? 4 : 8;
    char *buf = malloc(CHUNK * size);
    FILE *f = fopen(w->data_part, "wb");
    int err = !buf ? -ENOMEM : !f ? last_error() : 0;
    int64_t got = 0;
    for (uint64_t n = 0; !err && (got = sim_read(w->sim, buf, CHUNK)) > 0; n += (uint64_t)got) {
        if (fwrite(buf, size, (size_t)got, f) != (size_t)got)
            err = last_error();
        else
            err = sim_truth_take(w->sim, on_truth, w);
        if (progress)
            progress((double)n / (double)w->scene->samples, arg);
    }
    free(buf);
    if (!err && got < 0)
        err = (int)got;
    if (f && (fflush(f) || fsync(fileno(f))) && !err)
        err = last_error();
    if (f && fclose(f) && !err)
        err = last_error();
    return err && !w->why[0] ? fault(w, w->data, err, "samples cannot be written") : err;
}

static void global(struct json *j, const struct writer *w)
{
    const struct scene *s = w->scene;
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)w->seed);
    sigmf_global(j, &(struct sigmf_head){ .type = s->format == IQ_CI16 ? "ci16_le" : "cf32_le",
        .rate_hz = s->rate_hz, .program = "tyto sim",
        .description = s->name[0] ? s->name : NULL });
    json_str(j, "tyto:origin", "simulation");
    json_str(j, "tyto:seed", seed);
    json_num(j, "tyto:noise_dbfs_hz", s->rx.noise_dbfs_hz, 3);
    json_close(j);
}

static int by_order(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static int copy_lines(struct writer *w, FILE *out)
{
    char buf[4096];             // an annotation is under 2 kB: 256 payload bytes, short names
    if (w->n)                   // without a transmission there is no table to sort
        qsort(w->line, w->n, sizeof *w->line, by_order);
    for (size_t i = 0; i < w->n; i++) {
        const struct line *l = &w->line[i];
        if (fseek(w->spool, l->at, SEEK_SET) || l->len > (long)sizeof buf ||
            fread(buf, 1, (size_t)l->len, w->spool) != (size_t)l->len)
            return last_error();
        if (fputs(i ? ",\n" : "\n", out) < 0 ||
            fwrite(buf, 1, (size_t)l->len, out) != (size_t)l->len)
            return last_error();
    }
    return 0;
}

static int write_meta(struct writer *w)
{
    const struct scene *s = w->scene;
    struct json j;
    FILE *f = fopen(w->meta_part, "wb");
    if (!f)
        return fault(w, w->meta, last_error(), "cannot be written");
    json_init(&j, f);
    json_begin(&j);
    global(&j, w);
    json_open(&j, "captures", '[');
    json_open(&j, NULL, '{');
    json_int(&j, "core:sample_start", 0);
    json_num(&j, "core:frequency", s->centre_hz, 6);
    if (s->utc[0])
        json_str(&j, "core:datetime", s->utc);
    json_close(&j);
    json_close(&j);
    json_open(&j, "annotations", '[');
    int err = copy_lines(w, f);
    json_close(&j);
    json_end(&j);
    if (!err)
        err = json_error(&j);
    if ((fflush(f) || fsync(fileno(f))) && !err)
        err = last_error();
    if (fclose(f) && !err)
        err = last_error();
    return err ? fault(w, w->meta, err, "annotations cannot be written") : 0;
}

// STEM.sigmf-meta gives the four names.
static int name_files(struct writer *w, const char *out)
{
    size_t n = strlen(out), s = strlen(SUFFIX);
    if (n <= s || strcmp(out + n - s, SUFFIX) || n + 16 > PATH) {
        snprintf(w->why, IQ_WHY, "%.300s: expected an output name that ends in " SUFFIX, out);
        return -EINVAL;
    }
    snprintf(w->meta, PATH, "%s", out);
    snprintf(w->data, PATH, "%.*s.sigmf-data", (int)(n - s), out);
    snprintf(w->meta_part, PATH, "%.4000s.part", w->meta);
    snprintf(w->data_part, PATH, "%.4000s.part", w->data);
    return 0;
}

static int write_all(struct writer *w, void (*progress)(double, void *), void *arg)
{
    w->spool = tmpfile();
    if (!w->spool)
        return fault(w, w->meta, last_error(), "no temporary file for the annotations");
    int err = write_data(w, progress, arg);
    if (!err)
        err = write_meta(w);
    if (!err && rename(w->data_part, w->data))
        err = fault(w, w->data, last_error(), "cannot be put in place");
    if (!err && rename(w->meta_part, w->meta))
        err = fault(w, w->meta, last_error(), "cannot be put in place");
    if (err) {
        unlink(w->data_part);
        unlink(w->meta_part);
    }
    fclose(w->spool);
    free(w->line);
    return err;
}

int iq_sim_write(const struct iq_sim_cfg *cfg, const char *out,
                 void (*progress)(double fraction, void *arg), void *arg, char why[IQ_WHY])
{
    struct writer *w = calloc(1, sizeof *w);
    struct scene *s = NULL;
    if (!w) {
        snprintf(why, IQ_WHY, "out of memory");
        return -ENOMEM;
    }
    w->why = why;
    why[0] = 0;
    int err = name_files(w, out);
    if (!err)
        err = scene_load(&s, cfg->path, cfg->text, why);
    if (!err && s->endless)
        err = src_why(why, -EINVAL, "%.150s: duration_s is 0, which is without end and for a live "
                      "receiver only; expected a length", cfg->path ? cfg->path : "scene");
    if (!err) {
        w->scene = s;
        w->seed = cfg->seed_given ? cfg->seed : s->seed;
        err = sim_new(&w->sim, s, w->seed, why);
    }
    if (!err)
        err = write_all(w, progress, arg);
    if (!err)
        note_unheard(w);
    sim_free(w->sim);
    scene_free(s);
    free(w);
    return err;
}
