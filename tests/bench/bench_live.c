// SPDX-License-Identifier: GPL-3.0-or-later
// The live chain, with the real programs: a simulated radio, tyto-sensord, CURVE, tyto-alertd, its
// page over TLS, a client on the stream of events.
//
//     last sample of the first frame  ->  track message  ->  stored  ->  read by the client
//          (sample clock, UTC)           (its JSON line)   (log line)      (its own clock)
//
// Aircraft come on the air one after the other, each with a serial number of its own, so each
// makes one alert.  Lines are dated when this program reads them, the client's on a thread of its
// own, so all stages hold this program's own waiting for a processor too.  What of the first stage
// is waiting for samples, and not for processors, is counted separately.
//
// Then both radios at once with recordings of a busy band and of video: what is lost, and what it
// takes.  LIVE=latency, LIVE=wait or LIVE=rate measures one only.
#include <math.h>
#include <signal.h>
#include <stdatomic.h>

#include <jansson.h>

#include "sdr/sdr.h"
#include "tests/bench/daemons.h"
#include "tests/bench/live.h"
#include "tests/unit/alertd_client.h"

#define MOST      128           // aircraft
#define STAY_S    1.4           // of an aircraft: two or three frames
#define BURST_NS  643000        // 9 symbols (facts, droneid.md)

struct seen {                   // of one aircraft; 0: not yet
    int64_t end_ns, told_ns, stored_ns;
    _Atomic(int64_t) read_ns;
};

static struct seen seen[MOST];
static atomic_bool quit;

static int whose(const char *text)
{
    const char *at = strstr(text, "TYTOSIM");
    long uid = at ? strtol(at + 7, NULL, 10) : 0;
    return uid >= LIVE_UID && uid < LIVE_UID + MOST ? (int)(uid - LIVE_UID) : -1;
}

// ---- The client ------------------------------------------------------------------------------

static void sign_in(const struct daemons *d, char cookie[256])
{
    struct client c;
    struct answer a = { 0 };
    char head[300], body[200], set[256] = "";

    snprintf(body, sizeof body, "{\"token\":\"%s\"}", d->token);
    snprintf(head, sizeof head, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
             strlen(body));
    bool ok = client_open(&c, d->port, true) &&
              client_ask(&c, &a, false, "POST", "/api/v1/session", head, body);
    ok = ok && a.status == 200 && header_of(&a, "Set-Cookie", set, sizeof set);
    client_close(&c);
    free(a.body);
    if (!ok) {
        fprintf(stderr, "bench_live: cannot sign in (%d)\n", a.status);
        exit(2);
    }
    snprintf(cookie, 256, "%.*s", (int)strcspn(set, ";"), set);
}

static void *client_run(void *arg)
{
    const struct daemons *d = arg;
    static struct client c;
    static struct lines l;
    static struct event e;
    struct answer a;
    char cookie[256], head[300];

    sign_in(d, cookie);
    snprintf(head, sizeof head, "Cookie: %s\r\n", cookie);
    l = (struct lines){ .c = &c };
    if (!client_open(&c, d->port, true) ||
        !client_ask(&c, &a, true, "GET", "/api/v1/events", head, NULL) || a.status != 200) {
        fprintf(stderr, "bench_live: no stream of events\n");
        exit(2);
    }
    while (!atomic_load(&quit)) {
        if (!event_next(&l, &e, 500))
            continue;
        int64_t now = utc_now_ns();
        int i = strcmp(e.name, "alert") ? -1 : whose(e.data);
        if (i >= 0 && !atomic_load(&seen[i].read_ns))
            atomic_store(&seen[i].read_ns, now);
    }
    client_close(&c);
    return NULL;
}

// ---- From a burst to the screen --------------------------------------------------------------

static void sensor_line(const char *line, void *arg)
{
    int64_t now = utc_now_ns(), err;
    int i = whose(line);
    const char *t;

    (void)arg;
    if (i < 0)
        return;
    if (!strncmp(line, "{\"type\":\"decode\"", 16) && !seen[i].end_ns &&
        (t = strstr(line, "\"t\":\""))) {
        char text[40];
        snprintf(text, sizeof text, "%.*s", (int)strcspn(t + 5, "\""), t + 5);
        if (utc_parse(text, &seen[i].end_ns, &err) == 0)
            seen[i].end_ns += BURST_NS;
    }
    if (!strncmp(line, "{\"type\":\"track\"", 15) && !seen[i].told_ns)
        seen[i].told_ns = now;
}

static void post_log(const char *line, void *arg)
{
    int i = whose(line);
    (void)arg;
    if (i >= 0 && !seen[i].stored_ns)
        seen[i].stored_ns = utc_now_ns();
}

static void nothing(const char *line, void *arg) { (void)line, (void)arg; }

static void listen_to(struct daemons *d, int ms, void (*sensor)(const char *, void *), void *arg)
{
    struct pollfd p[4];
    for (unsigned i = 0; i < 4; i++)
        p[i] = (struct pollfd){ .fd = d->proc[i / 2].fd[i % 2], .events = POLLIN };
    poll(p, 4, ms);
    if (p[2].revents)
        demo_lines(&d->proc[DAEMON_SENSOR], 0, sensor, arg);
    if (p[1].revents)
        demo_lines(&d->proc[DAEMON_POST], 1, post_log, NULL);
    if (p[0].revents)
        demo_lines(&d->proc[DAEMON_POST], 0, nothing, NULL);
    if (p[3].revents)
        demo_lines(&d->proc[DAEMON_SENSOR], 1, nothing, NULL);
}

static void render(const struct daemons *d, const char *name, const char *text)
{
    char path[DEMO_PATH + 40], why[IQ_WHY];
    snprintf(path, sizeof path, "%s/%s.sigmf-meta", d->dir, name);
    if (iq_sim_write(&(struct iq_sim_cfg){ .text = text }, path, NULL, NULL, why) < 0) {
        fprintf(stderr, "bench_live: %s\n", why);
        exit(2);
    }
    sync();                             // else the post's commits wait until all that is written
}

// Least, median, 99th percentile and most of what was measured, in ms.
static void put(double *ms, unsigned n)
{
    qsort(ms, n, sizeof *ms, usage_by_size);
    if (n)
        printf(" %.1f / %.1f / %.1f / %.1f |", ms[0], ms[n / 2], ms[(n * 99 - 1) / 100], ms[n - 1]);
    else
        printf(" - |");
}

static void row(const char *name, unsigned aircraft, double others)
{
    double ms[4][MOST];
    unsigned n = 0, decoded = 0;

    for (unsigned i = 0; i < aircraft; i++) {
        const struct seen *s = &seen[i];
        int64_t read_ns = atomic_load(&s->read_ns);
        decoded += s->end_ns != 0;
        if (!s->end_ns || !s->told_ns || !s->stored_ns || !read_ns)
            continue;
        ms[0][n] = (double)(read_ns - s->end_ns) * 1e-6;
        ms[1][n] = (double)(s->told_ns - s->end_ns) * 1e-6;
        ms[2][n] = (double)(s->stored_ns - s->told_ns) * 1e-6;
        ms[3][n++] = (double)(read_ns - s->stored_ns) * 1e-6;
    }
    printf("| %s | %u | %u | %u |", name, aircraft, decoded, n);
    for (unsigned k = 0; k < 4; k++)
        put(ms[k], n);
    printf(" %.1f |\n", others);
    fflush(stdout);
}

static void latency(const char *name, unsigned n, bool crowd)
{
    struct daemons d;
    char radios[DEMO_PATH + 300], *text = NULL;
    double length_s = LIVE_BEGIN_S + n * LIVE_STEP_S + STAY_S;
    size_t len = 0;
    pthread_t client;

    memset(seen, 0, sizeof seen);
    atomic_store(&quit, false);
    FILE *f = open_memstream(&text, &len);
    live_scene(f, n, crowd, length_s, STAY_S);
    fclose(f);
    daemons_begin(&d);
    render(&d, "scene", text);          // before: a simulator beside them takes a processor
    free(text);
    assert(!pthread_create(&client, NULL, client_run, &d));
    snprintf(radios, sizeof radios, "  - { name: one, profile: tyto, args: 'driver=tyto,"
             "file=%s/scene.sigmf-meta', rate_hz: %.0f, centre_hz: %.0f }\n", d.dir, LIVE_RATE_HZ,
             LIVE_CENTRE_HZ);
    daemons_sensor(&d, radios);
    int64_t t0 = mono_now_ns();
    double busy = usage_machine_s();
    while ((double)(mono_now_ns() - t0) * 1e-9 < length_s)
        listen_to(&d, 100, sensor_line, NULL);
    // What others take of the machine: part of every figure above.
    double others = (usage_machine_s() - busy) / length_s;
    pid_t child[8];
    unsigned children = usage_children(d.proc[DAEMON_SENSOR].pid, child, 8);
    for (unsigned i = 0; i < DAEMONS; i++)
        others -= usage_of(d.proc[i].pid).cpu_s / length_s;
    for (unsigned i = 0; i < children; i++)
        others -= usage_of(child[i]).cpu_s / length_s;
    atomic_store(&quit, true);
    pthread_join(client, NULL);
    daemons_end(&d);
    row(name, n, fmax(others, 0));
}

// ---- Twenty million samples a second, twice --------------------------------------------------

#define RATE2 20e6

// What a health message says, and what the processes had taken by then.
struct moment {
    double samples[2], lost[2], shed[2], at_s;
    double sensor_s, radios_s, post_s, machine_s, sensor_mb, radios_mb, post_mb;
};
struct span { const struct daemons *d; struct moment first, last; };

static void take(const struct daemons *d, struct moment *m)
{
    pid_t child[8], sensor = d->proc[DAEMON_SENSOR].pid;
    struct usage s = usage_of(sensor), p = usage_of(d->proc[DAEMON_POST].pid);
    unsigned n = usage_children(sensor, child, 8);

    m->at_s = (double)mono_now_ns() * 1e-9;
    m->machine_s = usage_machine_s();
    m->sensor_s = s.cpu_s;
    m->sensor_mb = s.rss_mb;
    m->post_s = p.cpu_s;
    m->post_mb = p.rss_mb;
    for (unsigned i = 0; i < n; i++) {
        struct usage u = usage_of(child[i]);
        m->radios_s += u.cpu_s;
        m->radios_mb += u.rss_mb;
    }
}

// Counting begins with the first message in which both radios run: programs start once a month.
static void health_line(const char *line, void *arg)
{
    struct span *x = arg;
    json_t *j = strncmp(line, "{\"type\":\"health\"", 16) ? NULL : json_loads(line, 0, NULL), *r;
    struct moment m = { 0 };
    size_t i;

    json_array_foreach(json_object_get(j, "radios"), i, r)
        if (i < 2) {
            m.samples[i] = json_number_value(json_object_get(r, "samples"));
            m.lost[i] = json_number_value(json_object_get(r, "lost"));
            m.shed[i] = json_number_value(json_object_get(r, "shed_bursts"));
        }
    json_decref(j);
    if (!(m.samples[0] > RATE2 && m.samples[1] > RATE2))
        return;
    take(x->d, &m);
    if (x->first.at_s == 0)
        x->first = m;
    x->last = m;
}

#define HEAD "rate_hz: 20e6\nduration_s: 3\nseed: 4\nreceiver: { noise_dbfs: -50, dc_dbfs: -60," \
             " iq_gain_db: 0.1, iq_phase_deg: 0.5, clock_ppm: 1.5, adc_bits: 12 }\n"

static const char busy_scene[] = "name: busy\ncentre_hz: 2444e6\n" HEAD "emitters:\n"
    "  - { name: drone, model: droneid, variant: real, uid: 4001, freq_hz: 2444.5e6, snr_db: 14 }\n"
    "  - { name: racer, model: elrs, mode: 250Hz, uid: 77, snr_db: 12 }\n"
    "  - { name: stage, model: wifi, freq_hz: 2437e6, duty: 0.3, snr_db: 18 }\n"
    "  - { name: phones, model: wifi, freq_hz: 2452e6, duty: 0.1, snr_db: 14, count: 2 }\n"
    "  - { name: headsets, model: bluetooth, duty: 0.3, snr_db: 14, count: 3 }\n"
    "  - { name: tags, model: ble, snr_db: 12, count: 5 }\n";
static const char video_scene[] = "name: video\ncentre_hz: 5800.2e6\n" HEAD "emitters:\n"
    "  - { name: picture, model: fmvideo, variant: pal, freq_hz: 5800e6, value: 12e6,"
    " snr_db: 14 }\n";

static void put_thread(const char *name, double cpu_s, void *arg)
{
    const double *length_s = arg;
    if (cpu_s / *length_s >= 0.02)
        printf("%s %.2f, ", name, cpu_s / *length_s);
}

static void put_rate(const struct span *x)
{
    const struct moment *a = &x->first, *b = &x->last;
    double s = b->at_s - a->at_s, heard_s = 0;

    for (unsigned i = 0; i < 2; i++) {
        double all = s * RATE2, lost = b->lost[i] - a->lost[i];
        heard_s += fmax(all - lost, 0) / RATE2;
        printf("| %s | %.1f | %.0f | %.4f | %.0f |\n", i ? "5.8 GHz, video" : "2.4 GHz, busy",
               all / 1e6, lost, 100 * lost / all, b->shed[i] - a->shed[i]);
    }
    double ours = b->sensor_s + b->radios_s + b->post_s - a->sensor_s - a->radios_s - a->post_s;
    printf("\nIn %.0f s, cores and MB at most: tyto-sensord %.2f, %.0f; the radios' two processes "
           "%.2f, %.0f (they play the recordings); tyto-alertd %.2f, %.0f; other work on the "
           "machine %.2f. tyto-sensord took %.2f s of a core for a second of both radios that was "
           "not lost.\n",
           s, (b->sensor_s - a->sensor_s) / s, b->sensor_mb, (b->radios_s - a->radios_s) / s,
           b->radios_mb, (b->post_s - a->post_s) / s, b->post_mb,
           fmax((b->machine_s - a->machine_s - ours) / s, 0),
           2 * (b->sensor_s - a->sensor_s) / fmax(heard_s, 1e-9));
}

static void rate(double length_s)
{
    static struct daemons d;
    struct span x = { .d = &d };
    char radios[2 * DEMO_PATH + 600];

    daemons_begin(&d);
    render(&d, "busy", busy_scene);
    render(&d, "video", video_scene);
    snprintf(radios, sizeof radios,
             "  - { name: busy, profile: tyto, args: 'driver=tyto,file=%s/busy.sigmf-meta,loop=1',"
             " rate_hz: 20e6, centre_hz: 2444e6 }\n"
             "  - { name: video, profile: tyto, args: 'driver=tyto,"
             "file=%s/video.sigmf-meta,loop=1', rate_hz: 20e6, centre_hz: 5800.2e6 }\n", d.dir,
             d.dir);
    daemons_sensor(&d, radios);
    int64_t t0 = mono_now_ns();
    while (x.last.at_s - x.first.at_s < length_s &&
           (double)(mono_now_ns() - t0) * 1e-9 < 2 * length_s + 20)
        listen_to(&d, 200, health_line, &x);
    if (x.last.at_s > x.first.at_s)
        put_rate(&x);
    else
        printf("\nThe radios did not run: this machine is too busy.\n");
    double whole_s = (double)(mono_now_ns() - t0) * 1e-9;
    printf("\nThe sensor's threads, cores from its start on: ");
    usage_threads(d.proc[DAEMON_SENSOR].pid, put_thread, &whole_s);
    printf("the rest less than 0.02 each.\n");
    daemons_end(&d);
}

int main(void)
{
    const char *quick = getenv("QUICK"), *only = getenv("LIVE");
    bool q = quick && *quick;
    unsigned n = q ? 14 : 108;

    signal(SIGPIPE, SIG_IGN);
    if (!only || !strcmp(only, "latency")) {
        printf("One radio of 12.5 MS/s (driver=tyto), first frame of each aircraft; least / "
               "median / 99 %% / most, in ms. Other work: cores that it took meanwhile.\n\n"
               "| band | aircraft | read | alerts | last sample to screen | to the track's "
               "message | to the commit | to the screen | other work |\n"
               "|---|---|---|---|---|---|---|---|---|\n");
        latency("aircraft alone", n, false);
        latency("with a crowd", n, true);
    }
    if (!only || !strcmp(only, "wait")) {
        printf("\nOf which waiting for later samples, ms of sample time, whatever the machine "
               "does:\n\n| band | frames | median | 99 %% | most |\n|---|---|---|---|---|\n");
        live_waiting("aircraft alone", false, q ? 8 : 24);
        live_waiting("with a crowd", true, q ? 8 : 24);
    }
    if (!only || !strcmp(only, "rate")) {
        printf("\nTwo radios of 20 MS/s that play recordings:\n\n"
               "| radio | million samples | lost | %% lost | bursts left out |\n"
               "|---|---|---|---|---|\n");
        rate(q ? 10 : 30);
    }
    return 0;
}
