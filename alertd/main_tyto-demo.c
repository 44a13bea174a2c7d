// SPDX-License-Identifier: GPL-3.0-or-later
// tyto-demo: the whole chain on one machine, on a simulated event (man page tyto-demo.1).
//
//     driver=tyto (2.4 GHz) --.
//     driver=tyto (5.8 GHz) --+-- tyto-sensord --CURVE--> tyto-alertd --> page, and lines here
//
// Real daemons with real keys, as separate processes in a temporary folder; only the radios are
// simulated.  Ctrl-C ends and removes everything at any moment.
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include "alertd/demo/demo.h"
#include "base/log.h"
#include "base/utc.h"
#include "base/version.h"
#include "hw/hw.h"

#define SETTLE_S  8             // losses of the start do not count
#define LOSS_TIMES 2            // so often in a row: the machine cannot keep up
#define NEED_S    6             // on the air for so long, an act can be asked of the sensor
#define LAST_S    3             // for what daemons say while they end
#define LEAST_CPUS 1.0          // free; the lowest rates take 1.2 to 2, and push others aside

enum { POST, SENSOR, PROCS };

struct demo {
    struct demo_event event;
    struct demo_tally tally;
    struct demo_proc  proc[PROCS];
    struct keys_own   post;
    uid_t    uid;
    unsigned step;              // of the rates
    double   seconds;           // 0: until somebody ends it
    int64_t  began_ns;          // the sensor's start
    char     dir[DEMO_PATH], bin[DEMO_PATH - 40], modules[DEMO_PATH];
    char     endpoint[128], url[320];
    struct demo_watch watch;    // since the sensor's start
    bool     slower, failed, quit;
    char     last_error[DEMO_WHY - 40];
};

static const char usage[] =
    "usage: tyto demo [--seed N] [--seconds S] [--step N]\n"
    "\n"
    "The whole chain on this machine, on a simulated event: two simulated radios, a sensor, a\n"
    "command post with its page.  Prints the alerts and a link to sign in to the page.  Ctrl-C\n"
    "ends it and leaves nothing behind.\n"
    "\n"
    "  --seed N      another event of the same kind (default 1)\n"
    "  --seconds S   end after S seconds, and say what was found and what was not\n"
    "  --step N      start N steps below the full rate of 20 MS/s a radio (0 to 3; default by\n"
    "                the processors that are free); it goes down by itself where it must\n"
    "\n"
    "Exit: 0 ended, with --seconds all found and no false alarm; 1 otherwise; 2 bad use.\n";

#define bad(...) log_refuse("tyto-demo", __VA_ARGS__)

static double event_s(const struct demo *d)
{
    return d->began_ns ? (double)(mono_now_ns() - d->began_ns) * 1e-9 : 0;
}

// ---- What the daemons say --------------------------------------------------------------------

static void from_post(const char *line, void *arg)
{
    struct demo *d = arg;
    sscanf(line, "sensors %127s", d->endpoint);
    sscanf(line, "link %319s", d->url);
}

static void from_post_log(const char *line, void *arg)
{
    struct demo *d = arg;
    const char *text = !strncmp(line, "tyto-alertd: ", 13) ? line + 13 : line;
    if (d->slower)
        return;                 // about the sensor that is being restarted
    int who = demo_tally_line(&d->tally, &d->event, line, event_s(d));
    snprintf(d->last_error, sizeof d->last_error, "%s", text);
    if (who >= 0)
        printf("%5.0f s  %s   <- %s\n", event_s(d), text, d->event.act[who].who);
    else if (d->url[0])
        printf("%5.0f s  %s%s\n", event_s(d), text, who == -1 ? "   <- nobody: a false alarm" : "");
    fflush(stdout);
}

static void from_sensor(const char *line, void *arg)
{
    struct demo *d = arg;
    json_t *j = json_loads(line, 0, NULL);
    const char *type = json_string_value(json_object_get(j, "type"));
    if (type && !strcmp(type, "health"))
        demo_weigh(&d->watch, d->event.rate_hz, json_object_get(j, "radios"),
                   event_s(d) < SETTLE_S);
    if (d->watch.bad_rounds >= LOSS_TIMES && d->step + 1 < DEMO_STEPS)
        d->slower = true;
    json_decref(j);
}

static void from_sensor_log(const char *line, void *arg)
{
    struct demo *d = arg;
    snprintf(d->last_error, sizeof d->last_error, "%s", line);
}

// ---- Start -----------------------------------------------------------------------------------

static int keys(struct demo *d, char why[DEMO_WHY])
{
    char post[DEMO_PATH + 16], sensor[DEMO_PATH + 16];
    struct keys_own own;
    snprintf(post, sizeof post, "%s/post-keys", d->dir);
    snprintf(sensor, sizeof sensor, "%s/sensor-keys", d->dir);
    int r = keys_make(post, why);
    if (!r)
        r = keys_load(post, &d->post, why);
    if (!r)
        r = keys_make(sensor, why);
    if (!r)
        r = keys_load(sensor, &own, why);
    if (!r)
        r = keys_enrol(post, "tower", own.public_z85, why);
    keys_wipe(&own);
    return r;
}

static int start(struct demo *d, unsigned which, char *const argv[], char why[DEMO_WHY])
{
    char path[DEMO_PATH];
    snprintf(path, sizeof path, "%s/%s", d->bin, argv[0]);
    char *full[8] = { path };
    for (unsigned i = 1; argv[i] && i < 7; i++)
        full[i] = argv[i];
    demo_folder_give(d->dir, d->uid);
    return demo_start(&d->proc[which], d->uid, d->dir, full, why);
}

static int start_sensor(struct demo *d, char why[DEMO_WHY])
{
    char *argv[] = { "tyto-sensord", "--json", "sensord.yaml", NULL };
    demo_event_rate(&d->event, d->step);
    int r = demo_event_write(&d->event, d->dir, why);
    if (!r)
        r = demo_sensor_write(&d->event, d->dir, d->endpoint, d->post.public_z85,
                              d->modules[0] ? d->modules : NULL, why);
    d->watch = (struct demo_watch){ 0 };
    d->began_ns = mono_now_ns();
    return r ? r : start(d, SENSOR, argv, why);
}

static void say_event(const struct demo *d)
{
    const struct demo_event *e = &d->event;
    printf("SIMULATION: nothing of this is on the air.  Event %llu, %.4g and %.4g MS/s:\n",
           (unsigned long long)e->seed, e->rate_hz[0] * 1e-6, e->rate_hz[1] * 1e-6);
    printf("    0 s  a crowd's Wi-Fi and Bluetooth at 2.4 GHz\n");
    for (unsigned i = 0; i < DEMO_ACTS; i++)
        printf("%5.0f s  %s\n", e->act[i].start_s, e->act[i].who);
    fflush(stdout);
}

static void say_page(const struct demo *d)
{
    unsigned port = 443;
    const char *colon = strrchr(d->url, ':');
    if (colon)
        port = (unsigned)strtoul(colon + 1, NULL, 10);
    printf("\nThe page, good for one sign-in within ten minutes (its certificate was made here; "
           "the browser will ask):\n    %s\nfrom another machine, first:\n"
           "    ssh -L %u:localhost:%u "
           "THIS-MACHINE\n\nAlerts as they come, with the seconds of the event:\n",
           d->url, port, port);
    fflush(stdout);
}

// ---- Run -------------------------------------------------------------------------------------

static void slow_down(struct demo *d, char why[DEMO_WHY])
{
    demo_stop(&d->proc[SENSOR], 1);
    d->step++;
    d->slower = false;
    demo_event_rate(&d->event, d->step);
    printf("This machine cannot keep up: samples are lost.  Again from the start with less:\n");
    say_event(d);
    if (start_sensor(d, why) < 0)
        d->failed = true;
}

static void one_round(struct demo *d, int stop_fd, char why[DEMO_WHY])
{
    struct pollfd p[] = { { .fd = stop_fd, .events = POLLIN },
        { .fd = d->proc[POST].fd[0], .events = POLLIN },
        { .fd = d->proc[POST].fd[1], .events = POLLIN },
        { .fd = d->proc[SENSOR].fd[0], .events = POLLIN },
        { .fd = d->proc[SENSOR].fd[1], .events = POLLIN } };
    static void (*const take[])(const char *, void *) = { from_post, from_post_log, from_sensor,
                                                          from_sensor_log };
    int status;
    poll(p, sizeof p / sizeof *p, 200);
    d->quit = p[0].revents != 0;
    for (unsigned i = 0; i < 4; i++)
        if (p[i + 1].revents)
            demo_lines(&d->proc[i / 2], i % 2, take[i], d);
    for (unsigned i = 0; i < PROCS && !d->quit; i++)
        if (demo_gone(&d->proc[i], &status)) {
            demo_lines(&d->proc[i], 1, take[2 * i + 1], d);
            snprintf(why, DEMO_WHY, "the %s ended: %s", i ? "sensor" : "command post",
                     d->last_error);
            d->failed = true;
        }
    if (!d->began_ns && d->url[0] && d->endpoint[0] && !d->failed) {
        say_page(d);
        d->failed = start_sensor(d, why) < 0;
    }
    if (d->slower && !d->quit && !d->failed)
        slow_down(d, why);
}

static int verdict(const struct demo *d)
{
    const struct demo_watch *w = &d->watch;
    unsigned found = 0;
    for (unsigned i = 0; i < DEMO_ACTS; i++) {
        const struct demo_act *a = &d->event.act[i];
        found += d->tally.called[i];
        if (d->tally.called[i])
            printf("found   %s, %.1f s after its first signal\n", a->who, d->tally.after_s[i]);
        else if (w->heard_s[a->device] < a->start_s + NEED_S)
            printf("unheard %s: its radio heard %.1f s of the event, and it begins at %.0f s\n",
                   a->who, w->heard_s[a->device], a->start_s);
        else
            printf("MISSED  %s\n", a->who);
    }
    printf("%u of %d found, %u false alarms, ", found, DEMO_ACTS, d->tally.wrong);
    if (w->samples + w->lost > 0)
        printf("heard %.0f and %.0f s, samples lost: %.3f %%\n", w->heard_s[0], w->heard_s[1],
               100 * w->lost / (w->samples + w->lost));
    else
        printf("nothing heard: no radio gave a sample within %.0f s; this machine is too busy\n",
               event_s(d));
    return found == DEMO_ACTS && !d->tally.wrong ? 0 : 1;
}

// The sensor first, and what both still have to say: its last health tells how much it heard.
static void last_words(struct demo *d)
{
    int64_t end_ns = mono_now_ns() + LAST_S * INT64_C(1000000000);
    struct demo_proc *s = &d->proc[SENSOR], *p = &d->proc[POST];
    if (!s->pid)
        return;
    kill(s->pid, SIGTERM);
    while (s->fd[0] >= 0 && mono_now_ns() < end_ns) {
        poll(&(struct pollfd){ .fd = s->fd[0], .events = POLLIN }, 1, 100);
        demo_lines(s, 0, from_sensor, d);
        demo_lines(s, 1, from_sensor_log, d);
        demo_lines(p, 1, from_post_log, d);
    }
}

static void end(struct demo *d)
{
    pid_t one;
    if (!d->quit && !d->failed)
        last_words(d);
    demo_stop(d->proc, PROCS);
    unsigned left = demo_orphans(&one);
    if (left)
        fprintf(stderr, "tyto-demo: %u process%s of it still run%s, such as %ld\n", left,
                left > 1 ? "es" : "", left > 1 ? "" : "s", (long)one);
    demo_folder_remove(d->dir);
    keys_wipe(&d->post);
}

static int run(struct demo *d, int stop_fd)
{
    char why[DEMO_WHY] = "", program[DEMO_PATH], left[DEMO_PATH];
    unsigned swept = demo_folder_sweep(left);
    if (demo_folder_make(d->dir, why) < 0)
        return bad("%s", why);
    snprintf(program, sizeof program, "%s/tyto-sensord", d->bin);
    demo_adopt();
    d->uid = demo_user(program, d->dir);
    int r = keys(d, why);
    if (!r)
        r = demo_event_write(&d->event, d->dir, why);
    if (!r) {
        say_event(d);
        if (swept)
            printf("(Removed what a killed demo had left: %s%s.)\n", left,
                   swept > 1 ? " and others" : "");
        if (!geteuid() && d->uid == (uid_t)-1)
            printf("(The daemons keep root's rights: nobody else may read these programs.)\n");
        r = start(d, POST, (char *[]){ "tyto-alertd", "--next-port", "--link", "guest",
                                       "alertd.yaml", NULL }, why);
    }
    d->failed = r < 0;
    while (!d->failed && !d->quit && !(d->seconds > 0 && event_s(d) >= d->seconds))
        one_round(d, stop_fd, why);
    end(d);
    if (d->failed)
        return bad("%s", why), 1;
    printf("%s", d->quit ? "\nEnded; nothing is left behind.\n" : "");
    return d->quit ? 0 : verdict(d);
}

// ---- Options ---------------------------------------------------------------------------------

static int number(const char *name, const char *text, double hi, double *ret)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= 0 && v <= hi))
        return bad("--%s: a number from 0 to %.0f was expected, not '%s'", name, hi, text);
    *ret = v;
    return 0;
}

static int options_read(struct demo *d, double *seed, int argc, char **argv)
{
    static const struct option table[] = {
        { "seed", required_argument, NULL, 's' }, { "seconds", required_argument, NULL, 't' },
        { "step", required_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 } };
    double step = DEMO_STEPS;
    int c, r = 0;
    opterr = 0;
    while (!r && (c = getopt_long(argc, argv, ":h", table, NULL)) != -1)
        switch (c) {
        case 's': r = number("seed", optarg, 9007199254740992.0, seed); break;
        case 't': r = number("seconds", optarg, 1e6, &d->seconds); break;
        case 'r': r = number("step", optarg, DEMO_STEPS - 1, &step); break;
        case 'h': fputs(usage, stdout); return 1;
        case 'v': puts("tyto-demo " TYTO_VERSION); return 1;
        default:  r = bad("option '%s' is not known or lacks its value; see tyto demo --help",
                          argv[optind - 1]);
        }
    d->step = (unsigned)step;
    if (!r && optind < argc)
        r = bad("nothing more was expected than options, not '%s'; see tyto demo --help",
                argv[optind]);
    return r ? r + 1 : 0;
}

// The module lies beside the programs in a build, and in SoapySDR's own folder when installed.
static void find_modules(struct demo *d)
{
    snprintf(d->modules, sizeof d->modules, "%.300s/../soapy", d->bin);
    if (access(d->modules, X_OK))
        d->modules[0] = 0;
}

// By what other programs leave: to begin too high costs a start anew.
static void choose_step(struct demo *d)
{
    double free = hw_cpus_idle(0.5);
    unsigned quiet = demo_step(hw_cpus());
    d->step = free < 0 ? quiet : demo_step(free);
    if (d->step > quiet || (free >= 0 && free < LEAST_CPUS))
        printf("Other programs leave %.1f of %u processors: begins with less than the most%s.\n",
               free, hw_cpus(), free < LEAST_CPUS ? ", and may lose samples and miss drones" : "");
}

int main(int argc, char **argv)
{
    static struct demo d;
    double seed = 1;
    d.step = DEMO_STEPS;                // not given
    int r = options_read(&d, &seed, argc, argv);
    if (r)
        return r - 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (hw_program_dir(d.bin, sizeof d.bin) < 0)
        return bad("the folder of the programs cannot be found");
    find_modules(&d);
    if (d.step == DEMO_STEPS)
        choose_step(&d);
    demo_event_make(&d.event, (uint64_t)seed);
    demo_event_rate(&d.event, d.step);
    return run(&d, demo_signals());
}
