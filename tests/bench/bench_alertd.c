// SPDX-License-Identifier: GPL-3.0-or-later
// The command post's numbers: durable rows, messages with CURVE through the real daemon to their
// acknowledgement, a thousand sensors joining and speaking at once, restart with a full database.
// With arguments, only those of: rows burst many restart.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "alertd/store.h"
#include "base/utc.h"
#include "hw/hw.h"
#include "hw/keys.h"

#define UNITS 1000

extern char **environ;

struct unit {
    struct keys_own own;
    void    *socket;
    bool     resumed;
    uint64_t n, acked;
    int64_t  sent_ns[64];
};

static struct unit unit[UNITS];
static char dir[200], post_key[KEYS_Z85], endpoint[128];
static void *ctx;
static float *delay_ms;
static size_t n_delay, n_again;

static double now_s(void) { return (double)mono_now_ns() / 1e9; }

static void die(const char *what)
{
    fprintf(stderr, "bench_alertd: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void make_post(unsigned n)
{
    char path[256], why[KEYS_WHY] = "", name[16];
    snprintf(path, sizeof path, "%s/keys", dir);
    if (keys_make(path, why) < 0 || keys_public(path, post_key, why) < 0)
        die(why);
    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof name, "s%u", i);
        zmq_curve_keypair(unit[i].own.public_z85, unit[i].own.secret_z85);
        // The first as people do; the rest as files: enrolling syncs the disk and reads the whole
        // list each time, half a minute for a thousand.
        if (i == 0 && keys_enrol(path, name, unit[i].own.public_z85, why) < 0)
            die(why);
        snprintf(path, sizeof path, "%s/keys/peers/s%u.key", dir, i);
        int fd = i ? open(path, O_WRONLY | O_CREAT | O_EXCL, 0600) : -1;
        if (i && (fd < 0 || dprintf(fd, "%s\n2026-01-01T00:00:00Z\n", unit[i].own.public_z85) < 0))
            die(path);
        if (fd >= 0)
            close(fd);
    }
    snprintf(path, sizeof path, "%s/post.yaml", dir);
    FILE *f = fopen(path, "w");
    if (!f)
        die(path);
    fputs("keys_dir: keys\ndata_dir: data\nbind: tcp://127.0.0.1:*\n", f);
    fclose(f);
}

static pid_t start_post(void)
{
    char bin[300], cfg[256], line[200] = "";
    int out[2];
    pid_t pid;
    if (hw_program_dir(bin, 200) < 0 || pipe(out) < 0)
        die("start");
    strncat(bin, "/../bin/tyto-alertd", 50);
    snprintf(cfg, sizeof cfg, "%s/post.yaml", dir);
    char *argv[] = { bin, (char *)(uintptr_t)"--no-page", cfg, NULL };
    posix_spawn_file_actions_t fa;
    fcntl(out[0], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, out[1], 1);
    posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&pid, bin, &fa, NULL, argv, environ))
        die(bin);
    posix_spawn_file_actions_destroy(&fa);
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    if (!fgets(line, sizeof line, f) || sscanf(line, "sensors %127s", endpoint) != 1)
        die("the post did not start");
    fclose(f);
    return pid;
}

static double end_post(pid_t pid)
{
    struct rusage r;
    int status;
    kill(pid, SIGTERM);
    wait4(pid, &status, 0, &r);
    return (double)r.ru_utime.tv_sec + (double)r.ru_stime.tv_sec +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

// ---- Sensors ----------------------------------------------------------------------------------

static void send_msg(struct unit *u, const struct wire_msg *m)
{
    static uint8_t buf[WIRE_MAX];
    int n = wire_pack(m, buf, sizeof buf);
    if (n > 0)
        zmq_send(u->socket, buf, (size_t)n, ZMQ_DONTWAIT);
}

static void join(struct unit *u)
{
    int zero = 0, many = 30000;
    u->socket = zmq_socket(ctx, ZMQ_DEALER);
    if (!u->socket)
        die("socket");
    zmq_setsockopt(u->socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(u->socket, ZMQ_SNDHWM, &many, sizeof many);
    zmq_setsockopt(u->socket, ZMQ_CURVE_SERVERKEY, post_key, KEYS_Z85);
    zmq_setsockopt(u->socket, ZMQ_CURVE_PUBLICKEY, u->own.public_z85, KEYS_Z85);
    zmq_setsockopt(u->socket, ZMQ_CURVE_SECRETKEY, u->own.secret_z85, KEYS_Z85);
    zmq_connect(u->socket, endpoint);
    struct wire_msg m = { .head = { .v = 1, .boot = 7, .kind = WIRE_HELLO },
                          .hello = { .v_lo = 1, .v_hi = 1, .n = 1, .held = { { 7, 0, 0 } } } };
    send_msg(u, &m);
}

// As a sensor with ten tracks that change: most messages change a track, few make one.
static void say(struct unit *u, uint64_t seq)
{
    int64_t t = utc_now_ns();
    struct wire_msg m = { .head = {
        .v = 1, .boot = 7, .stream = WIRE_STREAM_EVENT, .seq = seq, .t_ns = t, .mono_ns = t,
        .origin = "live", .kind = WIRE_TRACK,
        .clock = { .source = "gnss", .locked = true, .age_s = 1, .err_ns = 1000 } } };
    m.track = (struct wire_track){ .state = "named", .revision = (uint32_t)(seq / 10 + 1),
        .family = "wifi", .role = "unknown", .verdict = "not-drone", .p_drone = 0.02,
        .confidence = 0.98, .first_ns = t, .last_ns = t, .bursts = seq, .freq_lo_hz = 2.41e9,
        .freq_hi_hz = 2.43e9, .level_dbfs = -40, .snr_db = 12, .n_why = 2,
        .why = { "0.8 us short training field in 32 of 38 transmissions", "a second reason" } };
    if (seq % 10 == 0) {       // one of the ten is a drone's
        snprintf(m.track.family, sizeof m.track.family, "expresslrs");
        snprintf(m.track.role, sizeof m.track.role, "control");
        snprintf(m.track.verdict, sizeof m.track.verdict, "drone");
    }
    snprintf(m.track.id, sizeof m.track.id, "t%u", (unsigned)(seq % 10));
    send_msg(u, &m);
}

static void speak(struct unit *u)
{
    u->sent_ns[u->n % 64] = mono_now_ns();
    say(u, u->n++);
}

static void listen_to(struct unit *u)
{
    uint8_t buf[2048];
    struct wire_msg m;
    int len;
    while ((len = zmq_recv(u->socket, buf, sizeof buf, ZMQ_DONTWAIT)) > 0) {
        if (wire_unpack(&m, buf, (size_t)len) != WIRE_OK)
            continue;
        u->resumed = u->resumed || m.head.kind == WIRE_RESUME;
        if (m.head.kind != WIRE_ACK)
            continue;
        int64_t now = mono_now_ns();
        for (uint64_t k = u->acked; k <= m.span.to && k < u->n; k++)
            if (u->n - k < 64 && n_delay < UNITS * 200)
                delay_ms[n_delay++] = (float)((double)(now - u->sent_ns[k % 64]) / 1e6);
        if (m.span.to + 1 > u->acked)
            u->acked = m.span.to + 1;
    }
}

static bool all_acked(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (unit[i].acked < unit[i].n)
            return false;
    return true;
}

// As sensors do: what was not acknowledged for ten seconds is sent again.
static void finish(unsigned n, double until_s)
{
    double again_s = now_s() + 10;
    while (!all_acked(n) && now_s() < until_s) {
        for (unsigned i = 0; i < n; i++)
            listen_to(&unit[i]);
        usleep(1000);
        if (now_s() < again_s)
            continue;
        again_s = now_s() + 10;
        for (unsigned i = 0; i < n; i++)
            for (uint64_t k = unit[i].acked; k < unit[i].n; k++, n_again++)
                say(&unit[i], k);
    }
}

static void leave(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        zmq_close(unit[i].socket);
        unit[i].n = unit[i].acked = 0;
        unit[i].resumed = false;
    }
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// ---- The measurements -------------------------------------------------------------------------

static void bench_rows(struct store *s, unsigned per_batch, double seconds)
{
    uint8_t raw[300] = { 1 };
    static uint64_t seq;
    uint64_t rows = 0;
    double from = now_s();
    while (now_s() - from < seconds) {
        struct batch *b = batch_new();
        for (unsigned i = 0; i < per_batch; i++)
            batch_event(b, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1, seq++, 1, 1, 1, raw,
                        sizeof raw);
        if (store_commit(s, b) < 0)
            die(store_error(s));
        batch_free(b);
        rows += per_batch;
    }
    printf("%u rows of 300 bytes a commit: %.0f durable rows/s\n", per_batch,
           (double)rows / (now_s() - from));
}

static void bench_burst(unsigned units, unsigned each)
{
    pid_t pid = start_post();
    for (unsigned i = 0; i < units; i++)
        join(&unit[i]);
    double from = now_s();
    for (unsigned k = 0; k < each; k++)
        for (unsigned i = 0; i < units; i++)
            speak(&unit[i]);
    finish(units, from + 120);
    double took = now_s() - from;
    leave(units);
    double cpu = end_post(pid);
    printf("%u sensors, %u messages each as fast as they can, CURVE, stored, acknowledged: %.0f/s "
           "(%.1f s of the post's processor)\n", units, each, units * each / took, cpu);
}

// All handshakes at once, until each sensor was told from where to go on.
static double bench_join(unsigned units)
{
    double from = now_s();
    unsigned n = 0;
    for (unsigned i = 0; i < units; i++)
        join(&unit[i]);
    while (n < units && now_s() - from < 60) {
        n = 0;
        for (unsigned i = 0; i < units; i++) {
            listen_to(&unit[i]);
            n += unit[i].resumed;
        }
        usleep(1000);
    }
    printf("%u of %u sensors joined, heard and answered after %.2f s\n", n, units, now_s() - from);
    return now_s() - from;
}

static void bench_many(unsigned units, double seconds)
{
    pid_t pid = start_post();
    uint64_t sent = 0;
    double joined_s = bench_join(units);
    n_delay = n_again = 0;
    double from = now_s(), next = from;
    while (now_s() - from < seconds) {
        for (unsigned i = 0; i < units; i++) {
            // Each at its own time of the tenth of a second.
            while (now_s() < next + 0.1 * i / units) {
                for (unsigned k = 0; k < units; k++)
                    listen_to(&unit[k]);
                usleep(200);
            }
            speak(&unit[i]);
            sent++;
            listen_to(&unit[i]);
        }
        next += 0.1;
    }
    finish(units, now_s() + 60);
    bool all = all_acked(units);
    double took = now_s() - from;
    leave(units);
    double cpu = end_post(pid);
    qsort(delay_ms, n_delay, sizeof *delay_ms, by_value);
    printf("%u sensors at 10 messages/s each: %llu sent, %s, %.2f of a core; "
           "%zu sent again, sent to acknowledged %.1f ms median, %.1f ms 99 %%\n", units,
           (unsigned long long)sent, all ? "all acknowledged" : "NOT ALL ACKNOWLEDGED",
           cpu / (took + joined_s), n_again,
           n_delay ? delay_ms[n_delay / 2] : 0., n_delay ? delay_ms[n_delay * 99 / 100] : 0.);
}

static void bench_restart(struct store *s, uint64_t rows)
{
    uint8_t raw[150] = { 1 };
    for (uint64_t k = 0; k < rows; k += 10000) {
        struct batch *b = batch_new();
        for (uint64_t i = k; i < k + 10000; i++)
            batch_event(b, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", 2, i, utc_now_ns(), 1, 1,
                        raw, sizeof raw);
        if (store_commit(s, b) < 0)
            die(store_error(s));
        batch_free(b);
    }
    int64_t held = store_rows(s);
    store_close(s);
    double from = now_s();
    pid_t pid = start_post();
    printf("start to hearing sensors with %lld event rows: %.2f s\n", (long long)held,
           now_s() - from);
    end_post(pid);
}

static bool asked(int argc, char **argv, const char *what)
{
    bool found = argc < 2;
    for (int i = 1; i < argc; i++)
        found = found || !strcmp(argv[i], what);
    return found;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool quick = getenv("QUICK") && *getenv("QUICK");
    unsigned units = quick ? 200 : UNITS;
    const char *tmp = getenv("TMPDIR");
    char path[256], note[ALERTD_WHY], why[ALERTD_WHY];
    struct store *s = NULL;
    struct rlimit r;
    if (!getrlimit(RLIMIT_NOFILE, &r)) {
        r.rlim_cur = r.rlim_max > 65536 ? 65536 : r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
    snprintf(dir, sizeof dir, "%.150s/tyto-bench-%d", tmp ? tmp : "/tmp", (int)getpid());
    if (mkdir(dir, 0700) < 0 || !(delay_ms = calloc(UNITS * 200, sizeof *delay_ms)))
        die(dir);
    ctx = zmq_ctx_new();
    zmq_ctx_set(ctx, ZMQ_MAX_SOCKETS, 4 * UNITS);
    make_post(units);
    snprintf(path, sizeof path, "%s/data", dir);
    if (store_open(&s, path, note, why) < 0)
        die(why);
    for (unsigned i = 1; i <= 1000 && asked(argc, argv, "rows"); i *= i < 100 ? 100 : 10)
        bench_rows(s, i, quick ? 0.5 : 2);
    store_close(s);
    if (asked(argc, argv, "burst"))
        bench_burst(quick ? 20 : 50, quick ? 500 : 2000);
    if (asked(argc, argv, "many")) {
        bench_many(1, quick ? 3 : 10);
        bench_many(units, quick ? 3 : 10);
    }
    if (asked(argc, argv, "restart")) {
        if (store_open(&s, path, note, why) < 0)
            die(why);
        bench_restart(s, quick ? 100000 : 1000000);
    }
    snprintf(path, sizeof path, "rm -rf '%s'", dir);
    return system(path);
}
