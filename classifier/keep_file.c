// SPDX-License-Identifier: GPL-3.0-or-later
// From a cut to a file that only the holder of a key can read.
//
//     floats --round--> ci16 in memory --the same chain as tyto analyze--> its bursts, line by line
//                          |                                                   |
//                          '--------> SigMF: samples, sha512 <-- annotations --'   keep_seal
//
// So that the findings in the file are byte for byte what `tyto analyze` makes of it later.
#include "classifier/keep_file.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sigmf.h"
#include "base/utc.h"
#include "classifier/runs.h"
#include "sdr/keep.h"

#define FINDINGS_MOST 4096
#define SUFFIX ".tyto"
#define PART   SUFFIX "~"       // while it is being written; after a power cut it stays
#define PART_S 60.0             // so long no write takes

static int16_t round_ci16(float v)
{
    return (int16_t)fmaxf(-32768, fminf(32767, roundf(v * 32768)));
}

static int16_t *to_ci16(const struct keep_cut *c)
{
    int16_t *y = malloc(c->n * 2 * sizeof *y);

    for (size_t i = 0; y && i < c->n; i++) {
        y[2 * i] = round_ci16(crealf(c->x[i]));
        y[2 * i + 1] = round_ci16(cimagf(c->x[i]));
    }
    return y;
}

// ---- What it holds ---------------------------------------------------------------------------

static void annotation(struct json *j, const struct keep_cut *c, struct finding *f)
{
    const struct fingerprint *p = &f->fp;
    double half = (meas_ok(p->bw_hz) ? p->bw_hz.v : 0) / 2;
    double dur = meas_ok(p->dur_s) ? p->dur_s.v : 0;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct json line;

    if (!out)
        return;
    f->origin = c->origin == IQ_SIMULATION ? IQ_SIMULATION : IQ_RECORDING;      // as SigMF's reader
    json_init(&line, out);
    line_burst(&line, f);
    if (fclose(out) || !n) {
        free(text);
        return;
    }
    text[n - 1] = 0;                            // its newline
    json_open(j, NULL, '{');
    json_int(j, "core:sample_start", llround(fmax(0, p->t_s.v * c->rate_hz)));
    json_int(j, "core:sample_count", llround(dur * c->rate_hz));
    json_num(j, "core:freq_lower_edge", p->freq_hz.v - half, 0);
    json_num(j, "core:freq_upper_edge", p->freq_hz.v + half, 0);
    json_str(j, "core:label", sig_kind_name(f->droneid.seen ? KIND_OFDM : p->kind));
    json_str(j, "tyto:finding", text);
    json_close(j);
    free(text);
}

// The chain over what is kept; its bursts as annotations, in the order in which they are told.
static int analyse(const struct keep_cfg *cfg, const struct keep_cut *c, int fd, struct json *j,
                   void (*pump)(void *), void *arg)
{
    char path[40], why[IQ_WHY];
    struct iq_source *src = NULL;
    struct runs *runs = calloc(1, sizeof *runs);
    struct finding *f, whole;
    unsigned told = 0;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int r = !runs ? -ENOMEM : iq_open_file(&src, &(struct iq_file_cfg){ .path = path,
        .format = "ci16", .rate_hz = c->rate_hz, .freq_hz = c->centre_hz, .freq_given = true,
        .pool_blocks = DSP_POOL_BLOCKS }, why);
    struct dsp *d = NULL;
    if (!r) {
        void *token = queue_pop(cfg->turn);
        d = dsp_new(&(struct dsp_cfg){ .source = src, .threads = 1, .droneid = cfg->droneid });
        queue_push(cfg->turn, token);
        r = d ? 0 : -ENOMEM;
    }
    while (!r && (f = dsp_next(d))) {
        if (!f->reject && runs_push(runs, f, &whole) && told++ < FINDINGS_MOST)
            annotation(j, c, &whole);
        finding_free(f);
        pump(arg);
    }
    while (!r && runs_drain(runs, &whole))
        annotation(j, c, &whole);
    dsp_free(d);
    iq_close(src);
    free(runs);
    return r;
}

static void global(struct json *j, const struct keep_want *w, const struct keep_cut *c,
                   const char *sha512)
{
    sigmf_global(j, &(struct sigmf_head){ .type = "ci16_le", .rate_hz = c->rate_hz,
        .program = "tyto sensord", .sha512 = sha512 });
    json_str(j, "tyto:origin", iq_origin_name(c->origin));
    json_num(j, "tyto:gain_db", c->gain_db, 3);
    json_str(j, "tyto:family", w->family);
    json_str(j, "tyto:verdict", w->verdict);
    json_str(j, "tyto:track", w->line);
    json_int(j, "tyto:taken_out", c->masked);
    json_close(j);
}

static void capture(struct json *j, const struct keep_want *w, const struct keep_cut *c)
{
    char utc[UTC_LEN];

    utc_format(utc, w->utc_ns + llround((c->t0_s - w->t0_s) * 1e9), 6);
    json_open(j, "captures", '[');
    json_open(j, NULL, '{');
    json_int(j, "core:sample_start", 0);
    json_int(j, "core:global_index", (int64_t)c->n0);
    json_num(j, "core:frequency", c->centre_hz, 6);
    json_str(j, "core:datetime", utc);
    json_close(j);
    json_close(j);
}

static void hash(const int16_t *y, size_t bytes, char hex[129])
{
    unsigned char h[crypto_hash_sha512_BYTES];

    crypto_hash_sha512(h, (const unsigned char *)y, bytes);
    sodium_bin2hex(hex, 129, h, sizeof h);
}

// Times sort as names do.
static void name_of(const struct keep_cfg *cfg, const struct keep_want *w, char *ret, size_t size)
{
    char utc[UTC_LEN];

    utc_format(utc, w->utc_ns, 3);
    for (char *p = utc; *p; p++)
        *p = *p == ':' ? '.' : *p;
    snprintf(ret, size, "%s/%s-%s-%s-%02u" SUFFIX, cfg->dir, utc, cfg->radio, w->track, w->number);
    for (char *p = ret + strlen(cfg->dir) + 1; *p; p++)
        *p = *p == '/' || *p == ' ' ? '_' : *p;
}

int keep_file_write(const struct keep_cfg *cfg, const struct keep_want *w, struct keep_cut *c,
                    void (*pump)(void *arg), void *arg)
{
    char sha[129], path[400], why[IQ_WHY], *meta = NULL;
    size_t bytes = c->n * 2 * sizeof(int16_t), len = 0;
    int16_t *y = sodium_init() < 0 ? NULL : to_ci16(c);
    int fd = memfd_create("tyto-keep", MFD_CLOEXEC), r = 0;
    FILE *out = open_memstream(&meta, &len);
    struct json j;

    if (!y || !out || fd < 0)
        r = -ENOMEM;
    for (size_t done = 0; !r && done < bytes;) {
        ssize_t n = write(fd, (const char *)y + done, bytes - done);
        r = n > 0 ? 0 : -ENOMEM;
        done += n > 0 ? (size_t)n : 0;
    }
    if (!r) {
        hash(y, bytes, sha);
        json_init(&j, out);
        json_begin(&j);
        global(&j, w, c, sha);
        capture(&j, w, c);
        json_open(&j, "annotations", '[');
        r = analyse(cfg, c, fd, &j, pump, arg);
        json_close(&j);
        json_end(&j);
    }
    if (out && fclose(out) && !r)
        r = -ENOMEM;
    name_of(cfg, w, path, sizeof path);
    if (!r)
        r = keep_seal(path, cfg->key, meta, len, y, bytes, why);
    if (fd >= 0)
        close(fd);
    free(meta);
    free(y);
    return r;
}

// ---- Quota and age ---------------------------------------------------------------------------

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), s = strlen(end);
    return n > s && !strcmp(name + n - s, end);
}

static int ours(const struct dirent *e)
{
    return e->d_name[0] != '.' && (ends_in(e->d_name, SUFFIX) || ends_in(e->d_name, PART));
}

uint64_t keep_make_room(const struct keep_cfg *cfg)
{
    struct dirent **e = NULL;
    int n = scandir(cfg->dir, &e, ours, alphasort);
    double sum = 0, now_s = (double)utc_now_ns() / 1e9;
    uint64_t gone = 0;
    char path[600];
    struct stat st;

    for (int i = n - 1; i >= 0; i--) {          // the newest first
        snprintf(path, sizeof path, "%s/%s", cfg->dir, e[i]->d_name);
        if (stat(path, &st) == 0) {
            bool part = ends_in(path, PART);
            double age_s = now_s - (double)st.st_mtime;
            sum += part && age_s > PART_S && !unlink(path) ? 0 : (double)st.st_size;
            if (!part && (sum > cfg->max_bytes || age_s > cfg->max_s))
                gone += !unlink(path);
        }
        free(e[i]);
    }
    free(e);
    return gone;
}
