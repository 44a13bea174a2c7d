// SPDX-License-Identifier: GPL-3.0-or-later
// Recordings: raw interleaved IQ in a file or on standard input, and SigMF pairs.
//
// What a path means:
//     -                   standard input, raw
//     X.sigmf-meta        SigMF; its data is core:dataset, or X.sigmf-data
//     X.sigmf-data        SigMF when X.sigmf-meta is there, else raw
//     anything else       raw; SigMF where format or rate is not given and PATH.sigmf-meta is there
//
// Reads may end anywhere; bytes of a sample that is not whole yet wait in `carry`:
//
//     read 1 |IQ IQ IQ I|   read 2 |Q IQ IQ|      carry holds the "I" between the two
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/why.h"
#include "sdr/src/sigmf.h"
#include "sdr/src/source.h"

#define META ".sigmf-meta"
#define DATA ".sigmf-data"

struct file {
    int           fd;
    int           stop_fd;      // readable once stopped; -1: reads of regular files never wait
    int           err;          // errno of the read that failed
    bool          own;          // close it in the end: not standard input
    char          name[SRC_NAME];   // for sentences
    size_t        size;         // bytes a sample
    unsigned char carry[16];
    size_t        carried;
    uint64_t      pos;          // samples delivered
    struct sigmf  meta;         // raw: no captures
    size_t        capture;      // next mark
    double        centre_hz, gain_db;   // now
    double        moved_hz;     // what the user says of it, less what the first capture says
};

// Bytes, 0 at the end or once stopped, -errno.  What may wait (a pipe, a terminal) is asked first
// whether it would, together with the stop.
static ssize_t read_bytes(const struct file *f, void *dst, size_t n)
{
    for (;;) {
        struct pollfd p[] = { { .fd = f->fd, .events = POLLIN },
                              { .fd = f->stop_fd, .events = POLLIN } };
        if (f->stop_fd >= 0 && poll(p, 2, -1) >= 0 && p[1].revents)
            return 0;
        ssize_t r = read(f->fd, dst, n);
        if (r >= 0)
            return r;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
}

static int64_t file_read(void *state, void *dst, size_t n)
{
    struct file *f = state;
    uint64_t border = UINT64_MAX;
    size_t have = f->carried;

    if (f->capture < f->meta.captures)
        border = f->meta.capture[f->capture].start;
    n = n < border - f->pos ? n : (size_t)(border - f->pos);
    memcpy(dst, f->carry, have);
    while (have < f->size) {                    // until one sample is whole
        ssize_t r = read_bytes(f, (char *)dst + have, n * f->size - have);
        if (r <= 0) {
            f->err = (int)-r;
            f->carried = have;
            return r;
        }
        have += (size_t)r;
        memcpy(f->carry, (char *)dst + have / f->size * f->size, have % f->size);
    }
    f->carried = have % f->size;
    f->pos += have / f->size;
    return (int64_t)(have / f->size);
}

static bool file_mark(void *state, struct src_mark *ret)
{
    struct file *f = state;
    struct src_mark m = { 0 };
    size_t was = f->capture;

    for (; f->capture < f->meta.captures; f->capture++) {
        const struct sigmf_capture *c = &f->meta.capture[f->capture];
        if (c->start != f->pos)
            break;
        m.lost += c->lost;
        m.utc_ns = c->utc_ns;
        m.utc_err_ns = c->utc_err_ns;
        if (fabs(c->freq_hz + f->moved_hz - f->centre_hz) >= 1) {       // and not NaN
            m.tuned = true;
            m.centre_hz = f->centre_hz = c->freq_hz + f->moved_hz;
        }
        if (fabs(c->gain_db - f->gain_db) > 0) {
            m.gained = true;
            m.gain_db = f->gain_db = c->gain_db;
        }
    }
    *ret = m;
    return f->capture > was;
}

static void file_ended(void *state, struct iq_counts *c)
{
    struct file *f = state;

    c->trailing_bytes = (uint32_t)f->carried;
    if (f->err)
        src_why(c->fault, 0, "%s: reading failed behind byte %llu: %s", f->name,
                (unsigned long long)(f->pos * f->size + f->carried), strerror(f->err));
    else if (f->pos < f->meta.reach)
        src_why(c->fault, 0, "%s: the data ends at sample %llu, its metadata reaches to %llu",
                f->name, (unsigned long long)f->pos, (unsigned long long)f->meta.reach);
}

static void file_stop(void *state)
{
    struct file *f = state;
    ssize_t r = f->stop_fd >= 0 ? write(f->stop_fd, &(uint64_t){ 1 }, 8) : 0;
    (void)r;                                    // full: it has been told already
}

static void file_close(void *state)
{
    struct file *f = state;

    if (f->stop_fd >= 0)
        close(f->stop_fd);

    if (f->own)
        close(f->fd);
    sigmf_done(&f->meta);
    free(f);
}

static const struct src_ops file_ops = {
    .read = file_read, .mark = file_mark, .ended = file_ended, .stop = file_stop,
    .close = file_close,
};

// Opens the samples and makes sure that they can be read; "-" is standard input.
static int open_data(struct file *f, const char *path, struct stat *ret_st, char why[IQ_WHY])
{
    char shown[SRC_NAME];
    const char *name = src_name(shown, path);

    f->own = strcmp(path, "-");
    f->fd = f->own ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    snprintf(f->name, sizeof f->name, "%s", name);
    if (f->fd < 0 || fstat(f->fd, ret_st)) {
        int err = errno;
        f->own &= f->fd >= 0;
        return src_why(why, -err, "%s: %s", name, why_error(err));
    }
    if (S_ISDIR(ret_st->st_mode))
        return src_why(why, -EISDIR, "%s: is a directory, expected a recording", name);
    if (!S_ISREG(ret_st->st_mode) && (f->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
        return src_why(why, -errno, "%s: %s", name, why_error(errno));
    return 0;
}

// Takes meta (freed on failure too).
static int open_samples(struct iq_source **ret_src, const char *path, struct sigmf *meta,
                        const struct iq_file_cfg *cfg, char why[IQ_WHY])
{
    struct stat st = { 0 };
    struct file *f = calloc(1, sizeof *f);

    if (!f) {
        sigmf_done(meta);
        return src_why(why, -ENOMEM, "no memory");
    }
    f->stop_fd = -1;
    f->size = iq_format_bytes(meta->format);
    f->meta = *meta;
    int r = open_data(f, path, &st, why);
    if (r < 0) {
        file_close(f);
        return r;
    }
    struct src_driver d = {
        .ops = &file_ops, .state = f, .format = meta->format, .origin = meta->origin,
        .rate_hz = meta->rate_hz, .centre_hz = cfg->freq_given ? cfg->freq_hz : meta->centre_hz,
        .gain_db = meta->gain_db,
        .total = S_ISREG(st.st_mode) ? (uint64_t)st.st_size / f->size : 0,
    };
    f->centre_hz = d.centre_hz;
    f->gain_db = d.gain_db;
    f->moved_hz = d.centre_hz - meta->centre_hz;
    r = src_open(ret_src, &d, f->name, cfg->paced, cfg->pool_blocks, why);
    if (r < 0)
        file_close(f);
    return r;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), e = strlen(end);
    return n > e && !strcmp(s + n - e, end);
}

static bool exists(const char *path) { return !access(path, F_OK); }

static int open_raw(struct iq_source **ret_src, const struct iq_file_cfg *cfg, char why[IQ_WHY])
{
    struct sigmf m = { .origin = IQ_RECORDING, .rate_hz = cfg->rate_hz };
    char shown[SRC_NAME];
    const char *name = src_name(shown, cfg->path);

    if (strcmp(cfg->path, "-") && !exists(cfg->path))
        return src_why(why, -errno, "%s: %s", name, why_error(errno));
    if (ends_with(cfg->path, ".sigmf") && (!cfg->format || !cfg->rate_hz))
        return src_why(why, -EINVAL, "%s: SigMF archives are not read; unpack it with tar and give "
                       "its .sigmf-meta", name);
    if (!cfg->format)
        return src_why(why, -EINVAL, "%s: how are its samples stored? raw IQ needs --format cf32, "
                       "cf64, ci16, ci8 or cu8", name);
    if (!cfg->rate_hz)
        return src_why(why, -EINVAL, "%s: how fast was it sampled? raw IQ needs --rate in Hz, "
                       "%.9g to %.9g", name, IQ_RATE_MIN_HZ, IQ_RATE_MAX_HZ);
    m.format = (enum iq_format)iq_format_of(cfg->format);
    return open_samples(ret_src, cfg->path, &m, cfg, why);
}

// What the user says must not contradict the file.
static int agree(const struct sigmf *m, const char *name, const struct iq_file_cfg *cfg,
                 char why[IQ_WHY])
{
    if (cfg->format && iq_format_of(cfg->format) != (int)m->format)
        return src_why(why, -EINVAL, "%s: the metadata says %s, --format says %s", name,
                       iq_format_name(m->format), cfg->format);
    if (cfg->rate_hz && !(fabs(cfg->rate_hz - m->rate_hz) <= 1e-9 * m->rate_hz))
        return src_why(why, -EINVAL, "%s: the metadata says %.10g Hz, --rate says %.10g Hz", name,
                       m->rate_hz, cfg->rate_hz);
    return 0;
}

static bool join(char path[PATH_MAX], const char *a, size_t a_len, const char *b)
{
    int n = snprintf(path, PATH_MAX, "%.*s%s", (int)a_len, a, b);
    return n >= 0 && n < PATH_MAX;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// data: the path the user gave, or NULL: the one the metadata names.
static int open_sigmf(struct iq_source **ret_src, const char *meta, const char *data,
                      const struct iq_file_cfg *cfg, char why[IQ_WHY])
{
    char path[PATH_MAX], a[SRC_NAME], b[SRC_NAME];
    struct sigmf m;
    int r = sigmf_load(&m, meta, why);

    if (r < 0)
        return r;
    bool fits = m.dataset[0] ? join(path, meta, (size_t)(base_name(meta) - meta), m.dataset)
                             : join(path, meta, strlen(meta) - strlen(META), DATA);
    if (!fits)
        r = src_why(why, -ENAMETOOLONG, "%s: the name of its data is too long",
                    src_name(a, meta));
    else if (data && m.dataset[0] && strcmp(base_name(data), base_name(m.dataset)))
        r = src_why(why, -EINVAL, "%s: its metadata %s belongs to %.80s", src_name(a, data),
                    src_name(b, meta), m.dataset);
    else
        r = agree(&m, src_name(a, meta), cfg, why);
    if (r < 0) {
        sigmf_done(&m);
        return r;
    }
    return open_samples(ret_src, data ? data : path, &m, cfg, why);
}

int iq_open_file(struct iq_source **ret_src, const struct iq_file_cfg *cfg, char why[IQ_WHY])
{
    const char *p = cfg->path;
    bool told = cfg->format && cfg->rate_hz;
    char meta[PATH_MAX];

    if (cfg->format && iq_format_of(cfg->format) < 0)
        return src_why(why, -EINVAL, "--format %.32s: expected cf32, cf64, ci16, ci8 or cu8",
                       cfg->format);
    if (cfg->freq_given && !(cfg->freq_hz >= 0 && cfg->freq_hz <= 300e9))
        return src_why(why, -EINVAL, "--freq %g: expected 0 to 300e9 Hz", cfg->freq_hz);
    if (strlen(p) + strlen(META) >= PATH_MAX)
        return src_why(why, -ENAMETOOLONG, "%s: the name is too long",
                       src_name(meta, p));
    if (ends_with(p, META))
        return open_sigmf(ret_src, p, NULL, cfg, why);
    if (ends_with(p, DATA)) {
        join(meta, p, strlen(p) - strlen(DATA), META);
        if (exists(meta) || !told)
            return open_sigmf(ret_src, meta, p, cfg, why);
    } else if (!told && strcmp(p, "-")) {
        join(meta, p, strlen(p), META);
        if (exists(meta))
            return open_sigmf(ret_src, meta, exists(p) ? p : NULL, cfg, why);
    }
    return open_raw(ret_src, cfg, why);
}
