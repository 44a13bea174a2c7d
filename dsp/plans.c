// SPDX-License-Identifier: GPL-3.0-or-later
// A file of plans is four lines of ours and FFTW's own text, which it calls wisdom:
//
//     tyto-plans 1
//     cpu AuthenticAMD 25 17 1 AMD EPYC ..
//     fftw fftw-3.3.10-sse2-avx-avx2
//     sum 0123456789abcdef                            of all that follows
//     (fftw-3.3.10 fftwf_wisdom #x.. ..
//
// What is measured is not a list that could fall behind the code: whole chains are made over an
// empty source, and whatever they plan is measured.
#include "dsp/plans.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fftw3.h>

#include "dsp/dsp.h"
#include "dsp/fft.h"
#include "hw/hw.h"

#define HEAD    512
#define SUM_HEX 16

static int refuse(char why[PLANS_WHY], const char *what)
{
    snprintf(why, PLANS_WHY, "%s; tyto doctor --tune measures again", what);
    return -EBADMSG;
}

// FNV-1a: against a half-written or spoilt file, not against people.
static uint64_t sum_of(const char *x, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)x[i]) * UINT64_C(0x100000001b3);
    return h;
}

// The line that begins with `key` must come next and say `value`.
static bool line_is(const char **at, const char *end, const char *key, const char *value)
{
    size_t k = strlen(key), v = strlen(value), left = (size_t)(end - *at);

    if (left < k + v + 1 || memcmp(*at, key, k) || memcmp(*at + k, value, v) ||
        (*at)[k + v] != '\n')
        return false;
    *at += k + v + 1;
    return true;
}

int plans_read(const char *text, size_t n, char why[PLANS_WHY])
{
    const char *at = text, *end = text + n;
    char cpu[HW_CPU_NAME], sum[SUM_HEX + 1];

    hw_cpu_name(cpu);
    if (!line_is(&at, end, "tyto-plans ", "1"))
        return refuse(why, "not a file of plans that this version knows");
    if (!line_is(&at, end, "cpu ", cpu))
        return refuse(why, "these plans were measured on another processor");
    if (!line_is(&at, end, "fftw ", fftwf_version))
        return refuse(why, "these plans were measured with another FFTW");
    size_t ours = sizeof "sum \n" - 1 + SUM_HEX, left = (size_t)(end - at);
    snprintf(sum, sizeof sum, "%016" PRIx64,
             left > ours ? sum_of(at + ours, left - ours) : 0);
    if (left <= ours || !line_is(&at, end, "sum ", sum))
        return refuse(why, "these plans are damaged");
    char *wisdom = strndup(at, (size_t)(end - at));
    if (!wisdom)
        return refuse(why, "not enough memory for these plans");
    int taken = fftwf_import_wisdom_from_string(wisdom);
    free(wisdom);
    if (taken) {
        dft_plans(DFT_KNOWN);
        return 0;
    }
    fftwf_forget_wisdom();
    return refuse(why, "FFTW does not know these plans");
}

int plans_load(const char *path, char why[PLANS_WHY])
{
    char *text = malloc(PLANS_MOST), what[PLANS_WHY];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = 0;
    size_t n = 0;
    struct stat st;

    if (fd < 0 || !text)
        r = fd < 0 ? -errno : -ENOMEM;
    else if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        r = -EINVAL;
    for (ssize_t got = 1; r == 0 && got > 0 && n < PLANS_MOST; n += got > 0 ? (size_t)got : 0)
        r = (got = read(fd, text + n, PLANS_MOST - n)) < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    if (r < 0)
        snprintf(why, PLANS_WHY, "%.300s: %s", path, strerror(-r));
    else if ((r = plans_read(text, n, what)) < 0)
        snprintf(why, PLANS_WHY, "%.300s: %.200s", path, what);
    free(text);
    return r;
}

// ---- Measuring -------------------------------------------------------------------------------

static int chain_made(double rate_hz, char why[PLANS_WHY])
{
    struct iq_file_cfg file = { .path = "/dev/null", .format = "ci16", .rate_hz = rate_hz,
                                .pool_blocks = DSP_POOL_BLOCKS };
    struct iq_source *src = NULL;
    char what[IQ_WHY];
    int r = iq_open_file(&src, &file, what);

    if (r < 0) {
        snprintf(why, PLANS_WHY, "%.0f Hz: %.300s", rate_hz, what);
        return r;
    }
    struct dsp *d = dsp_new(&(struct dsp_cfg){ .source = src, .threads = 1,
                                               .droneid = DRONEID_DECODE });
    if (!d)
        snprintf(why, PLANS_WHY, "not enough memory for %.0f samples a second", rate_hz);
    for (struct finding *f; d && (f = dsp_next(d));)
        finding_free(f);
    dsp_free(d);
    iq_close(src);
    return d ? 0 : -ENOMEM;
}

static int write_whole(int fd, const char *x, size_t n)
{
    while (n) {
        ssize_t did = write(fd, x, n);
        if (did < 0)
            return -errno;
        x += did;
        n -= (size_t)did;
    }
    return 0;
}

static int put(int fd, const char *wisdom)
{
    char cpu[HW_CPU_NAME], head[HEAD];
    size_t n = strlen(wisdom);

    hw_cpu_name(cpu);
    int m = snprintf(head, sizeof head, "tyto-plans 1\ncpu %s\nfftw %s\nsum %016" PRIx64 "\n", cpu,
                     fftwf_version, sum_of(wisdom, n));
    int r = write_whole(fd, head, (size_t)m);
    if (r == 0)
        r = write_whole(fd, wisdom, n);
    return r < 0 ? r : fsync(fd) ? -errno : 0;
}

static int measure(int fd, const double *rate_hz, unsigned n, char why[PLANS_WHY])
{
    int r = 0;

    fftwf_forget_wisdom();
    dft_plans(DFT_MEASURE);
    for (unsigned i = 0; r == 0 && i < n; i++)
        r = chain_made(rate_hz[i], why);
    dft_plans(DFT_ESTIMATE);
    char *wisdom = r == 0 ? fftwf_export_wisdom_to_string() : NULL;
    if (r == 0 && (r = wisdom ? put(fd, wisdom) : -ENOMEM) < 0)
        snprintf(why, PLANS_WHY, "the plans could not be written: %s", strerror(-r));
    free(wisdom);
    return r;
}

int plans_tune(const char *path, const double *rate_hz, unsigned n, char why[PLANS_WHY])
{
    char part[PATH_MAX];

    // Anyone may read it: the sensor is not who tunes.  What stands there of an earlier try, or was
    // put there by who else may write to the folder, is not written to.
    snprintf(part, sizeof part, "%s~", path);
    unlink(part);
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    int r = fd < 0 || fchmod(fd, 0644) ? -errno : 0;
    if (r < 0)
        snprintf(why, PLANS_WHY, "%.300s: %s", part, strerror(-r));
    else
        r = measure(fd, rate_hz, n, why);
    if (fd >= 0)
        close(fd);
    if (r == 0 && rename(part, path)) {
        r = -errno;
        snprintf(why, PLANS_WHY, "%.300s: %s", path, strerror(-r));
    }
    if (r < 0 && fd >= 0)
        unlink(part);
    return r;
}
