// SPDX-License-Identifier: GPL-3.0-or-later
// tyto-sensord: from the radios to the command post (man page tyto-sensord.1).
//
// It listens on nothing but, where configured, a local Unix socket; it connects out.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <poll.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utc.h"
#include "base/version.h"
#include "classifier/sensord.h"

#define STEP_MS     100
#define WHAT_S      60.0        // a radio that runs is spoken of so often at most
#define SPOOL_S     10.0        // one that was killed holds its spool until the kernel let it go
#define DRAIN_S     1.0         // for the chains, and
#define DRAIN_PUB_S 0.5         // for the link: ended within 2 s of SIGTERM
// A fault must not take the machine with it: two radios at 20 MS/s need below 1 GB, eight at
// 125 MS/s what this leaves.
#define MEMORY_MAX  (UINT64_C(8) << 30)

struct options { const char *file; bool check, exercise, lines; };

static const char usage[] =
    "usage: tyto-sensord [--check] [--exercise] [--json] FILE\n"
    "\n"
    "Hears drone links with the radios that FILE names and tells the command post.\n"
    "\n"
    "  --check      only read FILE, say what is wrong with it, and end\n"
    "  --exercise   run a production sensor on simulations and recordings too\n"
    "  --json       also write each event as a JSON line on standard output\n"
    "\n"
    "Exit: 0 ended by a signal or the end of all recordings, 2 bad use or a fault.\n";

__attribute__((format(printf, 1, 2))) static int bad(const char *fmt, ...)
{
    char text[700];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log_say(LOG_ERROR, "%s", text);
    return 2;
}

// 0, or the exit code + 1.
static int options_read(struct options *o, int argc, char **argv)
{
    static const struct option table[] = {
        { "check", no_argument, NULL, 'c' }, { "exercise", no_argument, NULL, 'x' },
        { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 },
    };
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":", table, NULL)) != -1)
        switch (c) {
        case 'c': o->check = true; break;
        case 'x': o->exercise = true; break;
        case 'j': o->lines = true; break;
        case 'h': fputs(usage, stdout); return 1;
        case 'v': puts("tyto-sensord " TYTO_VERSION); return 1;
        default:  return 1 + bad("option '%s' is not known; see tyto-sensord --help",
                                 argv[optind - 1]);
        }
    if (argc - optind != 1)
        return 1 + bad("one configuration (FILE) was expected, %d were given", argc - optind);
    o->file = argv[optind];
    return 0;
}

// systemd's notify protocol: a datagram to the socket it names.
static void notify(const char *text)
{
    const char *at = getenv("NOTIFY_SOCKET");
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    if (!at || (at[0] != '/' && at[0] != '@') || strlen(at) >= sizeof a.sun_path)
        return;
    size_t n = strlen(at);
    memcpy(a.sun_path, at, n);
    if (at[0] == '@')
        a.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    // Nobody to tell if that fails: systemd then acts as if we had not.
    (void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&a,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    close(fd);
}

static double watchdog_s(void)
{
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

    if (!us || (pid && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    return strtod(us, NULL) * 1e-6 / 2;
}

static void limits_set(void)
{
    struct rlimit core = { 0, 0 };

    setrlimit(RLIMIT_CORE, &core);
    prctl(PR_SET_DUMPABLE, 0);          // nor a debugger of another process at the keys
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__   // they map terabytes
    struct rlimit r;
    if (getrlimit(RLIMIT_AS, &r) == 0 && (r.rlim_cur == RLIM_INFINITY || r.rlim_cur > MEMORY_MAX)) {
        r.rlim_cur = MEMORY_MAX;
        setrlimit(RLIMIT_AS, &r);
    }
#endif
}

// ---- The whole -------------------------------------------------------------------------------

struct sensord {
    struct sensord_cfg cfg;
    struct options     opt;
    struct tell        tell;
    struct health      health;
    struct queue      *turn;
    struct chain      *chain[WIRE_RADIOS];
    unsigned           started;
    _Atomic bool       broken;
    struct link_told   link;
    struct place_told  place;
    int64_t            link_ns;         // when the link began to be looked for
    int                told_state[WIRE_RADIOS];
    char               told_what[WIRE_RADIOS][160];
    int64_t            told_ns[WIRE_RADIOS];
    bool               told_refused[WIRE_RADIOS];
};

// Waits for the spool of a sensor that is just ending, unless told to end.
static int link_make(struct sensord *s, const struct pub_cfg *p, char why[SENSORD_WHY])
{
    int64_t until = mono_now_ns() + (int64_t)(SPOOL_S * 1e9);
    bool told = false;
    sigset_t waiting;
    int r;

    while ((r = pub_new(&s->tell.pub, p, why)) == -EBUSY && mono_now_ns() < until) {
        if (!told)
            log_say(LOG_NOTE, "%s; waiting up to %.0f s for it to end", why, SPOOL_S);
        told = true;
        if (!sigpending(&waiting) && (sigismember(&waiting, SIGTERM) == 1 ||
                                      sigismember(&waiting, SIGINT) == 1))
            break;
        poll(NULL, 0, STEP_MS);
    }
    return r;
}

static int link_start(struct sensord *s)
{
    struct pub_cfg p = { .name = s->cfg.name, .spool_bytes = (uint64_t)s->cfg.spool_bytes,
                         .spool_s = s->cfg.spool_s, .spool_dir = s->cfg.spool_dir,
                         .endpoint = s->cfg.endpoint[0] ? s->cfg.endpoint : NULL,
                         .local = s->cfg.local[0] ? s->cfg.local : NULL };
    char why[SENSORD_WHY];
    int r = 0;

    if (!p.endpoint && !p.local)
        return 0;
    if (p.endpoint) {
        memcpy(p.post_z85, s->cfg.post_key, KEYS_Z85);
        r = keys_load(s->cfg.keys_dir, &p.own, why);
    }
    s->link_ns = mono_now_ns();
    if (r == 0)
        r = link_make(s, &p, why);
    keys_wipe(&p.own);
    return r < 0 ? bad("%s", why) : 0;
}

static int chains_make(struct sensord *s)
{
    char why[SENSORD_WHY];

    if (!(s->turn = queue_new(1, QUEUE_WAIT)) || queue_push(s->turn, s))
        return bad("not enough memory");
    for (unsigned i = 0; i < s->cfg.n_radios; i++) {
        const struct sensord_radio *r = &s->cfg.radio[i];
        enum iq_origin known = r->kind == RADIO_SCENE ? IQ_SIMULATION :
                               r->kind == RADIO_FILE ? IQ_RECORDING : IQ_LIVE;
        if (sensord_origin_ok(&s->cfg, r->name, known, s->opt.exercise, why) < 0 ||
            chain_new(&s->chain[i], &s->cfg, i, &s->tell, s->turn, s->opt.exercise, why) < 0)
            return bad("%s", why);
    }
    for (; s->started < s->cfg.n_radios; s->started++)
        if (chain_start(s->chain[s->started]) < 0)
            return bad("no thread could be started");
    return 0;
}

static void words_log(struct sensord *s)
{
    double now_s = (double)(mono_now_ns() - s->link_ns) * 1e-9;
    char text[LINK_TEXT];
    struct pub_stats p;
    int level = place_words(&s->place, s->health.gps, now_s, text);

    if (level)
        log_say((enum log_level)level, "%s", text);
    if (!s->tell.pub || !s->cfg.endpoint[0])
        return;
    pub_stats(s->tell.pub, &p);
    while ((level = link_words(&s->link, &p, &s->cfg, now_s, text)))
        log_say((enum log_level)level, "%s", text);
}

// A change of state at once; of a radio that runs, a new sentence once a minute at most.
static bool radio_news(struct sensord *s, unsigned i, const struct wire_radio *w)
{
    int now = s->chain[i]->state_told;
    int64_t now_ns = mono_now_ns();
    bool changed = now != s->told_state[i], other = strcmp(w->what, s->told_what[i]) != 0;

    if (!changed && !(other && w->what[0] &&
                      now_ns - s->told_ns[i] > (int64_t)(WHAT_S * 1e9)))
        return false;
    s->told_state[i] = now;
    s->told_ns[i] = now_ns;
    memcpy(s->told_what[i], w->what, sizeof w->what);
    return true;
}

static void radios_log(struct sensord *s)
{
    for (unsigned i = 0; i < s->cfg.n_radios; i++) {
        const struct wire_radio *w = &s->health.msg.health.radio[i];
        if (s->health.msg.head.kind != WIRE_HEALTH || !radio_news(s, i, w))
            continue;
        int now = s->told_state[i];
        bool well = (now == RADIO_RUNNING || now == RADIO_STARTING) && !w->what[0];
        log_say(well ? LOG_INFO : LOG_WARN, "%s: %s%s%s", w->name, w->state,
                w->what[0] ? ": " : "", w->what);
    }
}

// What ends the program: 0 goes on, 1 a signal or the end of everything, 2 a fault.
static int over(struct sensord *s, int signals)
{
    struct signalfd_siginfo info;
    unsigned ended = 0;
    int refused = 0;

    while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGHUP)
            return 1;
        log_say(LOG_NOTE, "SIGHUP is ignored: restart to read %s anew", s->opt.file);
    }
    if (atomic_load(&s->broken))
        return bad("standard output is gone");
    for (unsigned i = 0; i < s->cfg.n_radios; i++) {
        struct chain *c = s->chain[i];
        if (atomic_load(&c->refused) && !s->told_refused[i]) {
            s->told_refused[i] = true;
            refused = bad("%s", c->why);
        }
        if (atomic_load(&c->forbidden))
            return 2;
        ended += atomic_load(&c->ended);
        refused = s->told_refused[i] ? 2 : refused;
    }
    // One that cannot be used does not end the others' watch; its state tells of it.
    return ended < s->cfg.n_radios ? 0 : refused ? refused : 1;
}

static int run(struct sensord *s, int signals)
{
    double feed_s = watchdog_s(), fed_s = 0;
    int r;

    notify("READY=1\nSTATUS=listening");
    while (!(r = over(s, signals))) {
        int64_t now = mono_now_ns();
        bool well = health_work(&s->health, now, false);
        if (feed_s > 0 && well && (double)now * 1e-9 - fed_s >= feed_s) {
            notify("WATCHDOG=1");
            fed_s = (double)now * 1e-9;
        }
        words_log(s);
        radios_log(s);
        poll(&(struct pollfd){ .fd = signals, .events = POLLIN }, 1, STEP_MS);
    }
    notify("STOPPING=1");
    return r == 1 ? 0 : r;
}

// Stops the chains; true when all have ended in time.
static bool chains_stop(struct sensord *s)
{
    int64_t until = mono_now_ns() + (int64_t)(DRAIN_S * 1e9);
    unsigned left = s->started;

    for (unsigned i = 0; i < s->started; i++)
        chain_stop(s->chain[i]);
    while (left && mono_now_ns() < until) {
        left = 0;
        for (unsigned i = 0; i < s->started; i++)
            left += !atomic_load(&s->chain[i]->ended);
        if (left)
            poll(NULL, 0, 5);
    }
    for (unsigned i = 0; !left && i < s->started; i++)
        pthread_join(s->chain[i]->thread, NULL);
    return !left;
}

static void end(struct sensord *s, int code)
{
    bool clean = chains_stop(s);

    if (clean && s->started == s->cfg.n_radios && code == 0)
        health_work(&s->health, mono_now_ns(), true);   // how it was at the end
    if (s->cfg.endpoint[0] && s->tell.pub)
        tell_health_end(s->cfg.spool_dir);
    if (!clean) {
        // A driver or a decoder that does not let go, and may still speak: nothing is taken from
        // under it.  The publisher goes on meanwhile; what it cannot send is on the disk.
        poll(NULL, 0, (int)(DRAIN_PUB_S * 1000));
        _exit(code);
    }
    pub_free(s->tell.pub, DRAIN_PUB_S);
    s->tell.pub = NULL;
    for (unsigned i = 0; i < WIRE_RADIOS; i++)
        chain_free(s->chain[i]);
    if (s->turn)
        queue_try_pop(s->turn);
    queue_free(s->turn);
    hw_gps_free(s->health.gps);
}

static int start(struct sensord *s)
{
    char text[LINK_TEXT];
    int level = plans_words(&s->cfg, text);

    s->health = (struct health){ .cfg = &s->cfg, .tell = &s->tell, .chain = s->chain };
    s->health.start_ns = s->health.ledger_ns = mono_now_ns();
    s->tell = (struct tell){ .lines = s->opt.lines, .broken = &s->broken };
    memset(s->told_state, -1, sizeof s->told_state);
    if (s->cfg.gpsd_host[0])
        s->health.gps = hw_gps_new(s->cfg.gpsd_host, s->cfg.gpsd_port);
    hw_clock_ask();
    if (level)
        log_say((enum log_level)level, "%s", text);
    return link_start(s) || chains_make(s) ? 2 : 0;
}

int main(int argc, char **argv)
{
    static struct sensord s;
    char why[SENSORD_WHY];
    sigset_t set;

    log_name("tyto-sensord");
    int r = options_read(&s.opt, argc, argv);
    if (r)
        return r - 1;
    if (sensord_cfg_load(&s.cfg, s.opt.file, why) < 0)
        return bad("%s", why);
    if (s.opt.check)
        return 0;
    log_name(s.cfg.name);
    limits_set();
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);     // before any thread is
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0)
        return bad("signals: %s", strerror(errno));
    r = start(&s);
    if (r == 0)
        r = run(&s, signals);
    end(&s, r);
    return r;
}
