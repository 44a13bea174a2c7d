// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/played.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdr/radio/ring.h"

#define HEAD    "rate_hz: %.0f\ncentre_hz: 2440e6\nduration_s: %g\nseed: 5\n" \
                "receiver: {noise_dbfs_hz: -125, adc_bits: 12, clock_ppm: 1}\n"

double now_s(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void die(const char *why)
{
    fprintf(stderr, "bench_sensor: %s\n", why);
    exit(2);
}

void apart(void (*work)(struct scene *s), struct scene *s)
{
    int status = 0;

    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        work(s);
        fflush(stdout);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
        die("a measurement failed");
}

// ---- Scenes ----------------------------------------------------------------------------------

void scene_noise(struct scene *s, double rate_hz, double length_s)
{
    s->rate_hz = rate_hz;
    snprintf(s->text, PLAYED_TEXT, HEAD, rate_hz, length_s);
}

void scene_busy(struct scene *s, double rate_hz, double length_s)
{
    scene_noise(s, rate_hz, length_s);
    size_t n = strlen(s->text);
    snprintf(s->text + n, PLAYED_TEXT - n, "%s",
             "emitters:\n"
             "  - {model: droneid, variant: real, uid: 1, freq_hz: 2444.5e6, snr_db: 12,"
             " start_s: 0.02}\n"
             "  - {model: ocusync, mode: 10MHz, variant: both, value: 4, freq_hz: 2434.5e6,"
             " snr_db: 14}\n"
             "  - {model: elrs, mode: ELRS 2.4/250Hz LoRa, uid: 77, snr_db: 10}\n"
             "  - {model: wifi, freq_hz: 2437e6, duty: 0.3, uid: 6, snr_db: 20}\n"
             "  - {model: wifi, freq_hz: 2412e6, duty: 0.3, uid: 7, snr_db: 14}\n"
             "  - {model: wifi, freq_hz: 2462e6, duty: 0.3, uid: 8, snr_db: 16}\n"
             "  - {model: bluetooth, uid: 21, duty: 0.4, snr_db: 15, count: 4}\n"
             "  - {model: ble, uid: 31, snr_db: 12, count: 20}\n");
}

void scene_packets(struct scene *s, double rate_hz, double length_s, unsigned n, double per_s)
{
    scene_noise(s, rate_hz, length_s);
    for (unsigned i = 0; i < n; i++) {
        size_t at = strlen(s->text);
        snprintf(s->text + at, PLAYED_TEXT - at, "%s  - {model: fsk, mode: 100000/50000,"
                 " freq_hz: %.0f, snr_db: 15, duration_s: 0.001, period_s: %g, uid: %u}\n",
                 i ? "" : "emitters:\n",
                 2440e6 + ((i + 0.5) / n - 0.5) * 0.85 * rate_hz, n / per_s, i + 1);
    }
}

static void render(struct scene *s)
{
    struct iq_source *src;
    struct iq_block *b;
    char why[IQ_WHY];

    if (iq_open_sim(&src, &(struct iq_sim_cfg){ .text = s->text, .pool_blocks = 4 }, why) < 0)
        die(why);
    for (; (b = iq_next(src)); iq_unref(b)) {
        size_t n = b->n * iq_format_bytes(b->format), done = 0;
        if (b->format != IQ_CI16)
            die("a scene is expected in ci16");
        while (done < n) {
            ssize_t w = write(s->fd, (const char *)b->data + done, n - done);
            if (w <= 0)
                die("no room for the scene: set TMPDIR");
            done += (size_t)w;
        }
    }
    iq_close(src);
}

void scene_make(struct scene *s)
{
    char path[300];
    const char *tmp = getenv("TMPDIR");

    snprintf(path, sizeof path, "%s/tyto-sensor-XX" "XX" "XX", tmp ? tmp : P_tmpdir);
    s->fd = mkstemp(path);
    if (s->fd < 0)
        die("cannot make a file for the scene: set TMPDIR");
    unlink(path);
    apart(render, s);
}

// ---- The radio -------------------------------------------------------------------------------

static uint64_t arrived(const struct radio *r)
{
    double n = (now_s(CLOCK_MONOTONIC) - r->t0_s) * r->rate_hz;
    return n < 0 ? 0 : n < (double)r->n ? (uint64_t)n : r->n;
}

static bool radio_mark(void *state, struct src_mark *ret)
{
    struct radio *r = state;

    if (!r->live)
        return false;
    if (r->t0_s == 0)
        r->t0_s = now_s(CLOCK_MONOTONIC);
    uint64_t here = arrived(r);
    if (here - r->at > r->ring) {       // as the ring does: it drops until a quarter is free
        *ret = (struct src_mark){ .lost = here - r->at - r->ring * 3 / 4 };
        r->at += ret->lost;
        return true;
    }
    return false;
}

static int64_t radio_read(void *state, void *dst, size_t n)
{
    struct radio *r = state;

    n = n < r->n - r->at ? n : (size_t)(r->n - r->at);
    for (uint64_t want = r->at + n; r->live && arrived(r) < want;) {
        double left_s = (double)(want - arrived(r)) / r->rate_hz;
        nanosleep(&(struct timespec){ 0, (long)(left_s * 1e9) + 20000 }, NULL);
    }
    memcpy(dst, r->x + 2 * r->at, n * 4);
    r->at += n;
    return (int64_t)n;
}

static double radio_behind_s(void *state)
{
    const struct radio *r = state;
    return r->live ? (double)(arrived(r) - r->at) / r->rate_hz : 0;
}

static void radio_close(void *state) { (void)state; }

static const struct src_ops ops = { .read = radio_read, .mark = radio_mark, .close = radio_close,
                                    .behind_s = radio_behind_s };

struct src_driver radio_open(struct radio *r, const struct scene *s, bool live)
{
    size_t bytes = (size_t)lseek(s->fd, 0, SEEK_END);

    *r = (struct radio){ .n = bytes / 4, .rate_hz = s->rate_hz, .live = live,
                         .ring = (uint64_t)(radio_ring_s(s->rate_hz, NULL) * s->rate_hz) };
    r->x = mmap(NULL, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, s->fd, 0);
    if (r->x == MAP_FAILED)
        die("cannot map the scene");
    return (struct src_driver){ .ops = &ops, .state = r, .rate_hz = s->rate_hz, .format = IQ_CI16,
                                .centre_hz = PLAYED_MID_HZ, .origin = IQ_SIMULATION,
                                .endless = live };
}

double radio_ring_s(double rate_hz, double *ret_mb)
{
    struct ring_shape r = ring_shape(rate_hz, src_block_len(rate_hz));
    double samples = (double)r.slots * r.block_len;

    if (ret_mb)
        *ret_mb = samples * 4 / 1048576;
    return samples / rate_hz;
}
