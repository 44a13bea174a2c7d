// SPDX-License-Identifier: GPL-3.0-or-later
// Raw recordings: every format from files and pipes, and every way in which they can be bad.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "base/rng.h"
#include "sdr/sdr.h"
#include "tests/unit/sdr_files.h"

// Everything a source gives, as floats, with the lengths of its blocks.
struct all {
    float complex   *z;
    size_t           n, blocks;
    uint32_t         len[64], flags;
    struct iq_counts counts;
    struct iq_info   info;
};

static struct all read_all(const struct iq_file_cfg *cfg)
{
    struct all a = { .z = malloc(200000 * sizeof *a.z) };
    struct iq_source *s = NULL;
    struct iq_block *b;
    char why[IQ_WHY] = "";

    if (iq_open_file(&s, cfg, why) < 0)
        fail_msg("%s", why);
    a.info = iq_info(s);
    for (; (b = iq_next(s)); iq_unref(b)) {
        assert_int_equal(b->n0, a.n);
        iq_to_cf32(b, 0, b->n, a.z + a.n);
        a.len[a.blocks++ % 64] = b->n;
        a.n += b->n;
        a.flags |= b->flags;
    }
    a.counts = *iq_counts(s);
    iq_close(s);
    return a;
}

#define BYTES 40003                 // of noise; no multiple of a sample

static const uint8_t *noise(void)
{
    static uint8_t p[BYTES];
    struct rng r;

    rng_init(&r, 7);
    for (size_t i = 0; i < BYTES; i++)
        p[i] = (uint8_t)rng_u64(&r);
    return p;
}

// What value k of the bytes is, by the book.
static float value(enum iq_format f, const uint8_t *p, size_t k)
{
    double d;
    float x;

    switch (f) {
    case IQ_CF32: memcpy(&x, p + 4 * k, 4); break;
    case IQ_CF64: memcpy(&d, p + 8 * k, 8); x = (float)d; break;
    case IQ_CI16: return (float)(int16_t)(p[2 * k] | p[2 * k + 1] << 8) / 32768;
    case IQ_CI8:  return (float)(int8_t)p[k] / 128;
    default:      return ((float)p[k] - 127.5f) / 128;
    }
    return fabsf(x) <= 1e9f ? x : 0;    // absurd and NaN count as 0
}

static void check(const struct all *a, enum iq_format f, const uint8_t *p, size_t bytes)
{
    size_t size = iq_format_bytes(f), absurd = 0;

    assert_int_equal(a->n, bytes / size);
    assert_int_equal(a->counts.samples, bytes / size);
    assert_int_equal(a->counts.trailing_bytes, bytes % size);
    assert_string_equal(a->counts.fault, "");
    assert_int_equal(a->info.format, f == IQ_CF64 ? IQ_CF32 : f);
    for (size_t i = 0; i < a->n; i++) {
        float want[2] = { value(f, p, 2 * i), value(f, p, 2 * i + 1) };
        assert_true(crealf(a->z[i]) == want[0] && cimagf(a->z[i]) == want[1]);
        absurd += (f == IQ_CF32 || f == IQ_CF64) ? (want[0] == 0) + (want[1] == 0) : 0;
    }
    // A double may also be too small for a float and become 0: those are not counted.
    if (f == IQ_CF32)
        assert_int_equal(a->counts.nonfinite, absurd);
    if (f == IQ_CF32 || f == IQ_CF64)
        assert_true(a->flags & IQ_NONFINITE);
}

static void reads_every_format_whatever_the_suffix(void **state)
{
    (void)state;
    put("x.wav", noise(), BYTES);
    for (int f = 0; f < IQ_FORMATS; f++) {
        struct iq_file_cfg cfg = { .path = "x.wav", .format = iq_format_name((enum iq_format)f),
                                   .rate_hz = 1e6, .freq_hz = 868e6, .freq_given = true };
        struct all a = read_all(&cfg);
        check(&a, (enum iq_format)f, noise(), BYTES);
        assert_int_equal(a.info.total, BYTES / iq_format_bytes((enum iq_format)f));
        assert_int_equal(a.info.origin, IQ_RECORDING);
        assert_true(a.info.centre_hz == 868e6 && a.info.rate_hz == 1e6);
        free(a.z);
    }
    unlink("x.wav");
}

// ---- Pipes ----------------------------------------------------------------------------------

struct feed { int fd; size_t chunk; struct rng rng; };

static void *feeder(void *arg)
{
    struct feed *f = arg;
    const uint8_t *p = noise();

    for (size_t i = 0; i < BYTES; ) {
        size_t n = f->chunk ? f->chunk : 1 + rng_below(&f->rng, 5000);
        n = n < BYTES - i ? n : BYTES - i;
        i += (size_t)write(f->fd, p + i, n);
    }
    close(f->fd);
    return NULL;
}

// Standard input replaced by a pipe into which a thread writes; nonblock: as some parents leave it.
static struct all read_pipe(enum iq_format f, size_t chunk, bool nonblock)
{
    int fd[2], keep = dup(STDIN_FILENO);
    struct iq_file_cfg cfg = { .path = "-", .format = iq_format_name(f), .rate_hz = 2e6 };
    struct feed feed = { .chunk = chunk };
    pthread_t t;

    assert_int_equal(pipe(fd), 0);
    rng_init(&feed.rng, chunk);
    if (nonblock)
        fcntl(fd[0], F_SETFL, O_NONBLOCK);
    dup2(fd[0], STDIN_FILENO);
    close(fd[0]);
    feed.fd = fd[1];
    pthread_create(&t, NULL, feeder, &feed);
    struct all a = read_all(&cfg);
    pthread_join(t, NULL);
    dup2(keep, STDIN_FILENO);
    close(keep);
    return a;
}

static void read_sizes_change_nothing(void **state)
{
    (void)state;
    static const size_t chunks[] = { 61, 999, 4096, 65536, 0, 0 };  // 61: no sample size

    for (int f = 0; f < IQ_FORMATS; f++)
        for (unsigned i = 0; i < sizeof chunks / sizeof *chunks; i++) {
            struct all a = read_pipe((enum iq_format)f, chunks[i], i == 5);
            check(&a, (enum iq_format)f, noise(), BYTES);
            for (size_t b = 0; b + 1 < a.blocks; b++)
                assert_int_equal(a.len[b], 2048);
            assert_int_equal(a.info.total, 0);      // not known
            free(a.z);
        }
}

// ---- Bad input ------------------------------------------------------------------------------

static void short_recordings(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 20; bytes++)
        for (int f = 0; f < IQ_FORMATS; f++) {
            uint8_t p[20] = { 0 };
            put("short", p, bytes);
            struct iq_file_cfg cfg = { .path = "short", .rate_hz = 125e6,
                                       .format = iq_format_name((enum iq_format)f) };
            struct all a = read_all(&cfg);
            assert_int_equal(a.n, bytes / iq_format_bytes((enum iq_format)f));
            assert_int_equal(a.counts.trailing_bytes, bytes % iq_format_bytes((enum iq_format)f));
            assert_int_equal(a.blocks, a.n > 0);
            free(a.z);
        }
    unlink("short");
}

// cf64 beyond the range of float is absurd, not infinite.
static void huge_and_broken_numbers_become_zero(void **state)
{
    (void)state;
    double v[] = { 1e300, -1, NAN, INFINITY, 0.5, -1e9, 1.0001e9, 2 };
    put("d", v, sizeof v);
    struct all a = read_all(&(struct iq_file_cfg){ .path = "d", .format = "cf64",
                                                   .rate_hz = 1e6 });
    assert_int_equal(a.counts.nonfinite, 4);
    assert_true(a.flags == (IQ_NONFINITE | IQ_LAST));
    assert_true(a.z[0] == CMPLXF(0, -1) && a.z[1] == 0 && a.z[2] == CMPLXF(0.5f, -1e9f) &&
                a.z[3] == CMPLXF(0, 2));
    free(a.z);
    unlink("d");
}

static void refuses(const struct iq_file_cfg *cfg, int err, const char *part)
{
    struct iq_source *s = NULL;
    char why[IQ_WHY] = "";

    assert_int_equal(iq_open_file(&s, cfg, why), err);
    assert_null(s);
    if (!strstr(why, part))
        fail_msg("\"%s\" does not say \"%s\"", why, part);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    char name[5000];

    put("x", "abcdefgh", 8);
    refuses(&(struct iq_file_cfg){ .path = "none", .format = "ci8", .rate_hz = 1e6 }, -ENOENT,
            "none: No such file");
    refuses(&(struct iq_file_cfg){ .path = "none" }, -ENOENT, "none: No such file");
    refuses(&(struct iq_file_cfg){ .path = ".", .format = "ci8", .rate_hz = 1e6 }, -EISDIR,
            ".: is a directory, expected a recording");
    refuses(&(struct iq_file_cfg){ .path = "x", .rate_hz = 1e6 }, -EINVAL, "x: how are its");
    refuses(&(struct iq_file_cfg){ .path = "-", .rate_hz = 1e6 }, -EINVAL, "standard input: how");
    refuses(&(struct iq_file_cfg){ .path = "x", .rate_hz = 1e6 }, -EINVAL, "--format cf32, cf64");
    refuses(&(struct iq_file_cfg){ .path = "x", .format = "ci8" }, -EINVAL, "--rate in Hz");
    refuses(&(struct iq_file_cfg){ .path = "x", .format = "s16", .rate_hz = 1e6 }, -EINVAL,
            "--format s16: expected cf32");
    refuses(&(struct iq_file_cfg){ .path = "x", .format = "ci8", .rate_hz = -2e6 }, -EINVAL,
            "-2e+06 Hz is out of range");
    refuses(&(struct iq_file_cfg){ .path = "x", .format = "ci8", .rate_hz = NAN }, -EINVAL,
            "out of range, expected 250000");
    refuses(&(struct iq_file_cfg){ .path = "x", .format = "ci8", .rate_hz = 2e8 }, -EINVAL,
            "to 125000000");
    refuses(&(struct iq_file_cfg){ .path = "x", .format = "ci8", .rate_hz = 1e6, .freq_hz = -1,
            .freq_given = true }, -EINVAL, "--freq -1: expected 0 to");
    refuses(&(struct iq_file_cfg){ .path = "x", .format = "ci8", .rate_hz = 1e6, .freq_hz = NAN,
            .freq_given = true }, -EINVAL, "--freq");
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = 0;
    refuses(&(struct iq_file_cfg){ .path = name, .format = "ci8", .rate_hz = 1e6 },
            -ENAMETOOLONG, "the name is too long");
    name[3000] = 0;                         // a legal length, but each part is too long
    refuses(&(struct iq_file_cfg){ .path = name, .format = "ci8", .rate_hz = 1e6 },
            -ENAMETOOLONG, "aaa: File name too long");
    int keep = dup(STDIN_FILENO);
    close(STDIN_FILENO);
    refuses(&(struct iq_file_cfg){ .path = "-", .format = "ci8", .rate_hz = 1e6 }, -EBADF,
            "standard input: Bad file descriptor");
    dup2(keep, STDIN_FILENO);
    close(keep);
    if (geteuid()) {                        // root may read everything
        chmod("x", 0);
        refuses(&(struct iq_file_cfg){ .path = "x", .format = "ci8", .rate_hz = 1e6 }, -EACCES,
                "x: Permission denied");
    }
    unlink("x");
}

// Reading /proc/self/mem at 0 fails with EIO: a disk that breaks, without a disk.
static void read_error_is_told(void **state)
{
    (void)state;
    if (access("/proc/self/mem", R_OK))
        skip();
    struct all a = read_all(&(struct iq_file_cfg){ .path = "/proc/self/mem", .format = "ci8",
                                                   .rate_hz = 1e6 });
    assert_int_equal(a.n, 0);
    assert_string_equal(a.counts.fault,
                        "/proc/self/mem: reading failed behind byte 0: Input/output error");
    free(a.z);
}

// Paced: the last block is not out before its last sample would have been received.  Only the
// lower bound is tested: nothing can be said of how long a busy machine takes.
static void pace_is_never_faster_than_real_time(void **state)
{
    (void)state;
    struct timespec t0, t1;
    static uint8_t p[2 * 10000];

    put("p", p, sizeof p);
    clock_gettime(CLOCK_MONOTONIC, &t0);
    struct all a = read_all(&(struct iq_file_cfg){ .path = "p", .format = "cu8", .rate_hz = 250e3,
                                                   .paced = true });
    clock_gettime(CLOCK_MONOTONIC, &t1);
    double s = (double)(t1.tv_sec - t0.tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0.tv_nsec);
    assert_true(s >= 10000 / 250e3);
    assert_int_equal(a.n, 10000);
    free(a.z);
    unlink("p");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_format_whatever_the_suffix),
        cmocka_unit_test(read_sizes_change_nothing),
        cmocka_unit_test(short_recordings),
        cmocka_unit_test(huge_and_broken_numbers_become_zero),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(read_error_is_told),
        cmocka_unit_test(pace_is_never_faster_than_real_time),
    };
    return cmocka_run_group_tests(tests, files_make, files_drop);
}
