// SPDX-License-Identifier: GPL-3.0-or-later
// A client of gpsd in a thread of its own.
//
//     connect --> ?WATCH --> lines --> place, as atomic words under a sequence number
//        ^                     | closed, nonsense, unreachable
//        '--- wait 1 .. 30 s <-'         free: an eventfd ends any wait
//
// Readers never wait for the thread: they copy the words until the sequence number was even and
// the same before and after.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/utc.h"
#include "hw/gps.h"
#include "hw/gpsd.h"

#define WATCH "?WATCH={\"enable\":true,\"json\":true};\n"
#define BAD_ROW 20              // so many senseless lines in a row: this is no gpsd
#define CONNECT_MS 5000

struct fix {
    double  lat_deg, lon_deg, alt_m, err_m;
    int64_t at_ns;                          // CLOCK_MONOTONIC when it came
    double  off_s;
    uint64_t satellites;
};
#define WORDS (sizeof(struct fix) / sizeof(uint64_t))

struct hw_gps {
    char          host[128], port[16];
    int           stop_fd;
    pthread_t     thread;
    struct gpsd   gpsd;                     // the thread's
    struct fix    good;                     // the last one believed
    atomic_uint   seq;                      // odd: being written
    _Atomic uint64_t word[WORDS];
    atomic_bool   known;
    _Atomic uint64_t bad, connects, refused;
    atomic_int    why;                      // enum gpsd_refusal
};

static void publish(struct hw_gps *g)
{
    uint64_t w[WORDS];

    memcpy(w, &g->good, sizeof w);
    atomic_fetch_add(&g->seq, 1);
    for (size_t i = 0; i < WORDS; i++)
        atomic_store(&g->word[i], w[i]);
    atomic_fetch_add(&g->seq, 1);
    atomic_store(&g->known, true);
}

// Waits for fd (or time); false: to be ended.  *ret_ready: fd has something.
static bool wait_fd(const struct hw_gps *g, int fd, short events, int ms, bool *ret_ready)
{
    struct pollfd p[2] = { { .fd = g->stop_fd, .events = POLLIN }, { .fd = fd, .events = events } };
    int r = poll(p, 2, ms);

    *ret_ready = r > 0 && p[1].revents;
    return !(r > 0 && p[0].revents);
}

// A connected socket or -1.
static int dial(const struct hw_gps *g, const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    int err = 0;
    socklen_t n = sizeof err;
    bool ready = true;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
    if (connect(fd, a->ai_addr, a->ai_addrlen)) {
        ready = errno == EINPROGRESS;
        if (ready)
            wait_fd(g, fd, POLLOUT, CONNECT_MS, &ready);
    }
    if (!ready || getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) || err ||
        send(fd, WATCH, strlen(WATCH), MSG_NOSIGNAL) != (ssize_t)strlen(WATCH)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int connect_any(const struct hw_gps *g)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
    int fd = -1;

    if (getaddrinfo(g->host, g->port, &hints, &list))
        return -1;
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = dial(g, a);
    freeaddrinfo(list);
    return fd;
}

static void take(struct hw_gps *g)
{
    struct gpsd *d = &g->gpsd;
    int64_t utc_ns = utc_now_ns(), mono_ns = mono_now_ns();
    struct hw_clock c;

    hw_clock_read(&c);
    gpsd_judge(d, utc_ns, c.locked);
    if (d->news)
        g->good = (struct fix){ d->lat_deg, d->lon_deg, d->alt_m, d->err_m, mono_ns,
                                d->fix_ns ? (double)(utc_ns - d->fix_ns) * 1e-9 : NAN, 0 };
    if (d->news || (g->good.at_ns && g->good.satellites != d->satellites)) {
        g->good.satellites = d->satellites;
        publish(g);
    }
    d->news = false;
    atomic_store(&g->bad, d->bad);
    atomic_store(&g->refused, d->refused);
    atomic_store(&g->why, (int)d->why);
}

// Until the peer closes, talks nonsense, or we are to end (false).
static bool listen_to(struct hw_gps *g, int fd)
{
    struct gpsd *d = &g->gpsd;
    char buf[4096];

    for (bool ready; wait_fd(g, fd, POLLIN, -1, &ready);) {
        ssize_t n = ready ? recv(fd, buf, sizeof buf, 0) : -1;
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return true;
        if (n < 0)
            continue;
        gpsd_feed(d, buf, (size_t)n);
        take(g);
        if (d->bad_row >= BAD_ROW)
            return true;
    }
    return false;
}

static void *gps_run(void *arg)
{
    struct hw_gps *g = arg;
    int wait_ms = 1000;
    bool ready;

    pthread_setname_np(pthread_self(), "tyto-gps");
    do {
        int fd = connect_any(g);
        uint64_t lines = g->gpsd.lines - g->gpsd.bad;
        if (fd >= 0) {
            atomic_fetch_add(&g->connects, 1);
            bool on = listen_to(g, fd);
            close(fd);
            g->gpsd.n = g->gpsd.bad_row = 0;
            g->gpsd.skipping = false;
            g->gpsd.skipped = 0;
            if (!on)
                break;
        }
        // One that spoke sense may have been restarted; others are asked ever less often.
        bool sense = g->gpsd.lines - g->gpsd.bad > lines;
        wait_ms = sense ? 1000 : wait_ms < 16000 ? 2 * wait_ms : 30000;
    } while (wait_fd(g, -1, 0, wait_ms, &ready));
    return NULL;
}

struct hw_gps *hw_gps_new(const char *host, const char *port)
{
    struct hw_gps *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    snprintf(g->host, sizeof g->host, "%s", host ? host : "127.0.0.1");
    snprintf(g->port, sizeof g->port, "%s", port ? port : "2947");
    g->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (g->stop_fd < 0 || pthread_create(&g->thread, NULL, gps_run, g)) {
        if (g->stop_fd >= 0)
            close(g->stop_fd);
        free(g);
        return NULL;
    }
    return g;
}

void hw_gps_read(struct hw_gps *g, struct hw_place *ret)
{
    struct fix f;
    uint64_t w[WORDS];
    unsigned before;

    *ret = (struct hw_place){ .source = "none", .alt_m = NAN, .clock_off_s = NAN };
    if (!atomic_load(&g->known))
        return;
    do {
        before = atomic_load(&g->seq);
        for (size_t i = 0; i < WORDS; i++)
            w[i] = atomic_load(&g->word[i]);
    } while (before % 2 || before != atomic_load(&g->seq));
    memcpy(&f, w, sizeof f);
    *ret = (struct hw_place){ .known = true, .source = "gpsd", .lat_deg = f.lat_deg,
                              .lon_deg = f.lon_deg, .alt_m = f.alt_m, .err_m = f.err_m,
                              .age_s = (double)(mono_now_ns() - f.at_ns) * 1e-9,
                              .satellites = (unsigned)f.satellites, .clock_off_s = f.off_s };
}

uint64_t hw_gps_bad(const struct hw_gps *g)      { return atomic_load(&g->bad); }
uint64_t hw_gps_connects(const struct hw_gps *g) { return atomic_load(&g->connects); }

uint64_t hw_gps_refused(const struct hw_gps *g, const char **ret_why)
{
    *ret_why = gpsd_refusal_words((enum gpsd_refusal)atomic_load(&g->why));
    return atomic_load(&g->refused);
}

void hw_gps_free(struct hw_gps *g)
{
    if (!g)
        return;
    (void)!write(g->stop_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
    pthread_join(g->thread, NULL);
    close(g->stop_fd);
    free(g);
}
