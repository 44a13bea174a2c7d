// SPDX-License-Identifier: GPL-3.0-or-later
// tyto-alertd: the command post's daemon.
//
//     configuration -> keys -> store -> handler, bind, proof -> page -> READY=1 -> loop
//
// Ends on SIGTERM or SIGINT: what the store has is finished, the rest comes again from the sensors.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "alertd/loop.h"
#include "base/log.h"
#include "base/utc.h"
#include "base/version.h"
#include "hw/hw.h"

static const char usage[] =
    "usage: tyto-alertd [options] [CONFIGURATION]\n"
    "\n"
    "The command post: hears sensors, keeps alerts, serves the page.  The configuration is\n"
    "/etc/tyto/alertd.yaml where none is named (docs/alertd.yaml is an example).\n"
    "\n"
    "  --check        read the configuration, say what is wrong with it, and end\n"
    "  --exercise     accept recordings and simulations, under a banner\n"
    "  --next-port    where the page's port is taken, use the next free one\n"
    "  --link USER    print a one-time sign-in link for USER (a supervisor) once it is up\n"
    "  --no-page      no page: sensors and the store only\n"
    "  --version      print the version\n"
    "\n"
    "Exit: 0 ended by a signal, 1 could not start or go on, 2 bad use, bad configuration\n"
    "or a database of a newer release.\n";

static int bad(const char *what)
{
    fprintf(stderr, "tyto-alertd: %s\n", what);
    return 2;
}

// systemd's notification is one datagram to a Unix socket named in the environment.
static void notify(const char *state)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    if (!name || strlen(name) >= sizeof a.sun_path)
        return;
    memcpy(a.sun_path, name, strlen(name));
    if (*name == '@')
        a.sun_path[0] = 0;      // the abstract name space
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&a,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));
    close(fd);
}

static void on_ready(void *arg, const char *endpoint, const char *url, const char *link)
{
    (void)arg;
    printf("sensors %s\n", endpoint);
    if (*url)
        printf("page %s\n", url);
    if (*link)
        printf("link %s\n", link);
    fflush(stdout);
    notify("READY=1");
}

// A few times a second while the loop goes round; systemd wants to hear it every WATCHDOG_USEC.
static void on_alive(void *arg)
{
    int64_t *last_ns = arg;
    if (mono_now_ns() - *last_ns < INT64_C(1000000000))
        return;
    *last_ns = mono_now_ns();
    notify("WATCHDOG=1");
}

// A descriptor a sensor, and a few a browser: as many as this process may have.  With fewer than
// FILES_FEW those who only knock and those who may come in are in each other's way (ingest_conn.c).
#define FILES_FEW 1024
static void more_files(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r))
        return;
    r.rlim_cur = r.rlim_max > 65536 ? 65536 : r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    if (r.rlim_cur < FILES_FEW)
        log_say(LOG_WARN, "only %llu files may be open at once (ulimit -n): with many browsers and "
                "sensors some will be refused; give it %d or more", (unsigned long long)r.rlim_cur,
                FILES_FEW);
}

static int signals(void)
{
    sigset_t set;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);   // a file that may not grow is an error of write, not the end
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);     // threads inherit it: all signals come here
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static int run(struct alertd_cfg *cfg, struct loop_cfg *l)
{
    char why[ALERTD_WHY] = "", key_why[KEYS_WHY];
    struct keys_own own;
    struct words *words = NULL;
    int64_t alive_ns = 0;
    if (keys_load(cfg->keys_dir, &own, key_why) < 0)
        return bad(key_why);
    if (words_load(&words, cfg->page_dir, "en", why) < 0)
        log_say(LOG_WARN, "the log has keys instead of words: %s", why);
    l->cfg = cfg;
    l->own = &own;
    l->words = words;
    l->stop_fd = signals();
    l->ready = on_ready;
    l->alive = on_alive;
    l->arg = &alive_ns;
    more_files();
    umask(077);
    int r = loop_run(l, why);
    if (r == -EUCLEAN) {        // the database proved to be damaged: begun anew, it is set aside
        log_say(LOG_ERROR, "%s", why);
        r = loop_run(l, why);
    }
    notify("STOPPING=1");
    if (r == -ENOTSUP)
        bad(why);
    else if (r < 0)
        log_say(LOG_ERROR, "%s", *why ? why : strerror(-r));
    words_free(words);
    keys_wipe(&own);
    close(l->stop_fd);
    return r == -ENOTSUP ? 2 : r < 0 ? 1 : 0;
}

// Where the page lies: the build's share folder, or the source tree's beside it.
static void find_page(struct alertd_cfg *cfg)
{
    char dir[200];
    if (cfg->page_dir[0] || hw_program_dir(dir, sizeof dir) < 0)
        return;
    snprintf(cfg->page_dir, sizeof cfg->page_dir, "%s/../share/tyto/page", dir);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "check", no_argument, NULL, 'c' }, { "exercise", no_argument, NULL, 'e' },
        { "next-port", no_argument, NULL, 'n' }, { "link", required_argument, NULL, 'l' },
        { "no-page", no_argument, NULL, 'p' }, { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 } };
    static struct alertd_cfg cfg;
    struct loop_cfg l = { .next_port = false };
    char why[ALERTD_WHY];
    bool check = false, exercise = false;
    int o;

    log_name("tyto-alertd");
    while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1)
        switch (o) {
        case 'c': check = true; break;
        case 'e': exercise = true; break;
        case 'n': l.next_port = true; break;
        case 'l': l.link_user = optarg; break;
        case 'p': l.no_web = true; break;
        case 'h': fputs(usage, stdout); return 0;
        case 'v': puts("tyto-alertd " TYTO_VERSION); return 0;
        default: fputs("Try 'tyto-alertd --help'.\n", stderr); return 2;
        }
    if (argc - optind > 1)
        return bad("one configuration was expected; try --help");
    if (alertd_cfg_load(&cfg, optind < argc ? argv[optind] : "/etc/tyto/alertd.yaml", why) < 0)
        return bad(why);
    cfg.exercise = cfg.exercise || exercise;
    find_page(&cfg);
    return check ? 0 : run(&cfg, &l);
}
