// SPDX-License-Identifier: GPL-3.0-or-later
// A source to SigMF.
//
//     OUT.sigmf-data      grows                                         |cut to whole samples
//     OUT.sigmf-meta      of the first capture ... again every few s ...|with the checksum
//     OUT.sigmf-meta.part space held free for the last of these, so that a full disk still ends
//                         in a recording that can be read
//
// The checksum runs along with what was really written.  A machine that loses its power leaves data
// and metadata that lacks only the checksum and the last seconds' gaps.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/why.h"
#include "sdr/record/meta.h"
#include "sdr/src/source.h"

#define META         ".sigmf-meta"
#define CAPTURES_MAX 50000      // 150 bytes each: metadata stays below what sigmf.h reads
#define HELD_BYTES   65536      // for metadata of some 400 captures when nothing else is left
#define FREE_SHARE   0.05       // of the disk, left to the rest of the machine
#define CHECK_BYTES  (64u << 20)    // how often free space is looked at
#define REFRESH_S    5.0
#define GAIN_DB      0.001      // what is written of it

struct writer {
    const struct iq_record_cfg *cfg;
    char     meta[PATH_MAX], data[PATH_MAX], part[PATH_MAX], name[SRC_NAME];
    int      data_fd;
    struct iq_info info;
    double   gain_db;
    size_t   size;              // bytes a sample
    uint64_t samples, most;     // written; at most
    uint64_t first, last, checked;  // stream index of the first, behind the last; bytes at a check
    double   refreshed_s;
    struct record_capture *capture;
    size_t   captures, cap;
    crypto_hash_sha512_state sha;
    bool     full;              // the disk: a bound, not a fault
    char    *why;
};

static int fault(struct writer *w, int err, const char *what)
{
    return src_why(w->why, err, "%s: %s: %s", w->name, what, why_error(err));
}

static int name_files(struct writer *w)
{
    const char *out = w->cfg->out;
    size_t n = strlen(out), s = strlen(META);

    src_name(w->name, out);
    if (n <= s || strcmp(out + n - s, META) || n + 16 > PATH_MAX)
        return src_why(w->why, -EINVAL, "%s: expected an output name that ends in " META, w->name);
    memcpy(w->meta, out, n + 1);
    snprintf(w->data, PATH_MAX, "%.*s.sigmf-data", (int)(n - s), out);
    snprintf(w->part, PATH_MAX, "%.*s.part", (int)n, out);
    return 0;
}

static double free_share(const struct writer *w)
{
    struct statvfs v;
    if (fstatvfs(w->data_fd, &v) || !v.f_blocks)
        return 1;
    return (double)v.f_bavail / (double)v.f_blocks;
}

static int open_files(struct writer *w)
{
    if (!access(w->meta, F_OK) || !access(w->data, F_OK))
        return fault(w, -EEXIST, "there is a recording of this name already");
    w->data_fd = open(w->data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (w->data_fd < 0)
        return fault(w, -errno, "samples cannot be written");
    if (!w->cfg->max_bytes && free_share(w) < FREE_SHARE) {
        close(w->data_fd);
        unlink(w->data);
        return fault(w, -ENOSPC, "less than 5 % of the disk is free");
    }
    return 0;
}

// The metadata as it now stands, through the part file, which keeps its space where `hold`.
static int put_meta(struct writer *w, const char *sha512, bool hold)
{
    struct record_meta m = {
        .info = w->info, .description = w->cfg->description, .hardware = w->cfg->hardware,
        .gain_db = w->gain_db, .capture = w->capture, .captures = w->captures, .sha512 = sha512,
    };
    int fd = open(w->part, O_WRONLY | O_CREAT | O_CLOEXEC, 0640), r;
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (!f) {
        r = -errno;
        if (fd >= 0)
            close(fd);
        return r;
    }
    r = record_write_meta(f, &m);
    off_t len = ftello(f);
    // Only the last is waited for: a radio does not wait while a disk is busy.
    if (!r && (ftruncate(fd, len) || (!hold && fsync(fd))))
        r = -errno;
    if (fclose(f) && !r)
        r = -errno;
    if (!r && rename(w->part, w->meta))
        r = -errno;
    if (!r && hold && (fd = open(w->part, O_WRONLY | O_CREAT | O_CLOEXEC, 0640)) >= 0) {
        r = posix_fallocate(fd, 0, HELD_BYTES);
        (void)r;                                // no room left: then the disk is nearly full
        r = 0;
        close(fd);
    }
    return r;
}

// Where the stream is not what it was one sample before: a gap, a retune, another gain, the start.
static int add_capture(struct writer *w, const struct iq_block *b)
{
    if (w->captures == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 64;
        void *p = realloc(w->capture, cap * sizeof *w->capture);
        if (!p)
            return -ENOMEM;
        w->capture = p;
        w->cap = cap;
    }
    if (!w->captures)
        w->first = b->n0;
    w->capture[w->captures++] = (struct record_capture){
        .start = w->samples, .index = b->n0 - w->first, .utc_ns = b->utc_ns,
        .utc_err_ns = b->utc_err_ns, .centre_hz = b->centre_hz, .gain_db = b->gain_db,
    };
    return 0;
}

static bool is_new_capture(const struct writer *w, const struct iq_block *b)
{
    return !w->captures || b->n0 != w->last ||
           fabs(b->centre_hz - w->capture[w->captures - 1].centre_hz) >= 1 ||
           fabs(b->gain_db - w->capture[w->captures - 1].gain_db) >= GAIN_DB;
}

// All of n bytes, or as many as the disk takes; how many, *ret_err says why not more.
static size_t write_all(int fd, const char *p, size_t n, int *ret_err)
{
    size_t done = 0;

    while (done < n) {
        ssize_t r = write(fd, p + done, n - done);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0) {
            *ret_err = r ? -errno : -ENOSPC;
            break;
        }
        done += (size_t)r;
    }
    return done;
}

// Samples of one block; 1: go on, 0: a bound is reached, -errno.
static int put_block(struct writer *w, const struct iq_block *b)
{
    uint64_t n = b->n < w->most - w->samples ? b->n : w->most - w->samples;
    int err = 0;

    if (!n || (w->captures == CAPTURES_MAX && is_new_capture(w, b)))
        return 0;
    if (is_new_capture(w, b) && add_capture(w, b))
        return fault(w, -ENOMEM, "the gaps cannot be kept");
    size_t done = write_all(w->data_fd, b->data, n * w->size, &err);
    if (done % w->size) {                       // half a sample: cut off again
        done -= done % w->size;
        if (ftruncate(w->data_fd, (off_t)(w->samples * w->size + done)))
            err = -errno;
    }
    crypto_hash_sha512_update(&w->sha, b->data, done);
    w->samples += done / w->size;
    w->last = b->n0 + done / w->size;
    if (err == -ENOSPC || err == -EFBIG || err == -EDQUOT) {
        w->full = true;
        return 0;
    }
    return err ? fault(w, err, "samples cannot be written") : n == b->n;
}

// Between blocks: does the disk still have room, is the metadata still about right?
static int look_around(struct writer *w)
{
    uint64_t bytes = w->samples * w->size;
    double t_s = (double)w->samples / w->info.rate_hz;

    if (!w->cfg->max_bytes && bytes - w->checked >= CHECK_BYTES) {
        w->checked = bytes;
        if (free_share(w) < FREE_SHARE) {
            w->full = true;
            return 0;
        }
    }
    if (t_s - w->refreshed_s >= REFRESH_S) {
        w->refreshed_s = t_s;
        put_meta(w, NULL, true);                // the last one counts
    }
    return 1;
}

static int copy(struct writer *w, struct iq_source *s,
                void (*progress)(double, uint64_t, void *), void *arg)
{
    struct iq_block *b;
    int r = 1;

    while (r > 0 && w->samples < w->most && (b = iq_next(s))) {
        if (!w->captures)
            w->gain_db = b->gain_db;        // each capture has its own
        r = put_block(w, b);
        if (r >= 0 && w->captures == 1 && w->samples == b->n)
            put_meta(w, NULL, true);
        iq_unref(b);
        if (r > 0)
            r = look_around(w);
        if (progress)
            progress((double)w->samples / w->info.rate_hz, w->samples * w->size, arg);
    }
    return r < 0 ? r : 0;
}

static int finish(struct writer *w)
{
    unsigned char hash[crypto_hash_sha512_BYTES];
    char hex[2 * sizeof hash + 1];

    crypto_hash_sha512_final(&w->sha, hash);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    struct iq_recorded *ret = w->cfg->ret;
    int r = fsync(w->data_fd) ? -errno : 0;
    if (close(w->data_fd) && !r)
        r = -errno;
    if (!r || r == -ENOSPC)
        r = put_meta(w, hex, false);
    unlink(w->part);
    if (ret) {
        *ret = (struct iq_recorded){ .samples = w->samples, .captures = (unsigned)w->captures,
                                     .lost = w->last - w->first - w->samples,
                                     .seconds = (double)w->samples / w->info.rate_hz };
        snprintf(ret->data, sizeof ret->data, "%.255s", w->data);
        snprintf(ret->sha512, sizeof ret->sha512, "%s", r ? "" : hex);
    }
    if (r)
        return fault(w, r, "the metadata cannot be written");
    if (w->full)
        src_why(w->why, 0, "%s: the disk is full behind %.3f s; what was written can be read",
                w->name, (double)w->samples / w->info.rate_hz);
    else if (w->captures == CAPTURES_MAX)
        src_why(w->why, 0, "%s: ended after %d gaps, retunes or changes of gain",
                w->name, CAPTURES_MAX);
    return 0;
}

static uint64_t most_samples(const struct writer *w)
{
    double by_time = w->cfg->max_s > 0 ? ceil(w->cfg->max_s * w->info.rate_hz - 1e-6) : 9e18;
    uint64_t by_bytes = w->cfg->max_bytes ? w->cfg->max_bytes / w->size : UINT64_MAX / 16;
    return by_time < (double)by_bytes ? (uint64_t)by_time : by_bytes;
}

int iq_record(struct iq_source *s, const struct iq_record_cfg *cfg,
              void (*progress)(double seconds, uint64_t bytes, void *arg), void *arg,
              char why[IQ_WHY])
{
    struct writer *w = calloc(1, sizeof *w);

    if (!w || sodium_init() < 0) {
        free(w);
        return src_why(why, -ENOMEM, "no memory");
    }
    why[0] = 0;
    w->cfg = cfg;
    w->why = why;
    w->info = iq_info(s);
    w->size = iq_format_bytes(w->info.format);
    w->most = most_samples(w);
    crypto_hash_sha512_init(&w->sha);
    int r = name_files(w);
    if (!r)
        r = open_files(w);
    if (!r) {
        r = copy(w, s, progress, arg);
        int r2 = finish(w);                     // also behind a fault: what is there can be read
        r = r ? r : r2;
    }
    free(w->capture);
    free(w);
    return r;
}
