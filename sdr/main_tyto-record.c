// SPDX-License-Identifier: GPL-3.0-or-later
// tyto record: a radio, a scene or a recording to SigMF, with checksum, bounded by time and size.
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utc.h"
#include "hw/hw.h"
#include "hw/keys.h"
#include "sdr/keep.h"
#include "sdr/record/meta.h"
#include "sdr/record/policy.h"

static const char usage[] =
    "usage: tyto record --args ARGS --rate HZ --freq HZ [options] -o OUT.sigmf-meta\n"
    "       tyto record --scene FILE [options] -o OUT.sigmf-meta\n"
    "       tyto record --file FILE [options] -o OUT.sigmf-meta\n"
    "       tyto record --verify FILE\n"
    "       tyto record --open FILE --keys DIR -o OUT.sigmf-meta\n"
    "\n"
    "Writes samples to SigMF with a checksum, one capture for each gap, until a bound, the end or\n"
    "Ctrl-C.  What was written can always be read.\n"
    "\n"
    "  -o, --output FILE     where to write; the name ends in .sigmf-meta\n"
    "      --args ARGS       a radio, as SoapySDR names it: driver=rtlsdr\n"
    "      --profile NAME    what is known of this model; else found by its driver\n"
    "      --rate HZ         sample rate\n"
    "      --freq HZ         centre\n"
    "      --gain DB         instead of the profile's\n"
    "      --antenna NAME    instead of the driver's first\n"
    "      --ppm X           crystal correction\n"
    "      --plugins DIR     where further drivers lie\n"
    "      --scene FILE      the simulator, as fast as it goes\n"
    "      --file FILE       another recording; raw ones need --format and --rate\n"
    "      --format F        cf32, cf64, ci16, ci8 or cu8\n"
    "      --seconds S       stop after so much\n"
    "      --bytes N         stop after so many bytes of samples; else where 5 % of the disk are\n"
    "                        left\n"
    "      --note TEXT       goes with the recording as its description\n"
    "      --policy FILE     a further policy: only what both allow is recorded\n"
    "      --verify FILE     hold a recording against its checksum: exit 1 where it differs\n"
    "      --open FILE       what a sensor kept of an alarm, sealed to the key in --keys: exit 1\n"
    "                        where it is not what was sealed, or sealed to another\n"
    "      --keys DIR        of who may open it, as tyto keys make left it\n"
    "  -h, --help            show this\n";

struct options {
    const char *out, *args, *profile, *antenna, *plugins, *scene, *file, *format, *note, *policy;
    const char *verify, *open, *keys;
    double rate_hz, freq_hz, gain_db, ppm, seconds;
    uint64_t bytes;
    bool freq_given;
};

static int bad(const char *what)
{
    fprintf(stderr, "tyto-record: %s; tyto record --help shows the use\n", what);
    return 2;
}

static int told(const char *why, int code)
{
    fprintf(stderr, "tyto-record: %s\n", why);
    return code;
}

static bool number(const char *s, double lo, double hi, double *ret)
{
    char *end;
    double v = strtod(s, &end);

    if (end == s || *end || !(v >= lo && v <= hi))
        return false;
    *ret = v;
    return true;
}

// ---- Where samples come from -----------------------------------------------------------------

// Only what every policy there is allows; applies to radios, not to what is no radio.
static int ask_policies(struct options *o)
{
    const char *paths[] = { POLICY_PATH, o->policy };
    char why[IQ_WHY];

    for (int i = 0; i < 2; i++) {
        struct policy p = { 0 };
        if (paths[i] && policy_load(&p, paths[i], why))
            return told(why, 2);
        if (i && paths[i] && !p.exists)
            return bad("the file of --policy is not there");
        if (policy_allows(&p, o->freq_hz, o->rate_hz, &o->seconds, &o->bytes, why))
            return told(why, 2);
    }
    return 0;
}

static void driver_of(const char *args, char *ret, size_t size)
{
    const char *at = strstr(args, "driver=");
    snprintf(ret, size, "%.*s", at ? (int)strcspn(at + 7, ", ") : 0, at ? at + 7 : "");
}

static int open_radio(struct iq_source **ret_src, struct options *o, char why[IQ_WHY])
{
    struct iq_live_cfg c = { .name = "radio", .args = o->args, .rate_hz = o->rate_hz,
                             .centre_hz = o->freq_hz, .gain_db = o->gain_db, .ppm = o->ppm,
                             .antenna = o->antenna, .plugin_path = o->plugins };
    struct hw_profile profile;
    char driver[32];

    driver_of(o->args, driver, sizeof driver);
    const char *name = o->profile ? o->profile : hw_profile_for_driver(driver);
    if (name) {
        int r = hw_profile_load(&profile, name, why);
        if (r)
            return r;
        c.profile = &profile;
    }
    return iq_open_live(ret_src, &c, why);
}

static int open_source(struct iq_source **ret_src, struct options *o, char why[IQ_WHY])
{
    if (o->args)
        return open_radio(ret_src, o, why);
    if (o->scene)
        return iq_open_sim(ret_src, &(struct iq_sim_cfg){ .path = o->scene }, why);
    return iq_open_file(ret_src, &(struct iq_file_cfg){
        .path = o->file, .format = o->format, .rate_hz = o->rate_hz, .freq_hz = o->freq_hz,
        .freq_given = o->freq_given }, why);
}

// ---- Ctrl-C ----------------------------------------------------------------------------------

struct watcher { sigset_t set; struct iq_source *src; };

static void *watch_signals(void *arg)
{
    struct watcher *w = arg;
    int sig;

    sigwait(&w->set, &sig);
    iq_stop(w->src);
    return NULL;
}

// ---- Progress --------------------------------------------------------------------------------

// On a terminal one line that changes; elsewhere a line now and then.
#define SHOW_TTY_NS  200000000
#define SHOW_FILE_NS INT64_C(10000000000)
struct shown { bool tty; int64_t last_ns; struct iq_source *src; };

static void show(double seconds, uint64_t bytes, void *arg)
{
    struct shown *s = arg;
    struct iq_radio r;
    int64_t now_ns = mono_now_ns();

    if (now_ns - s->last_ns < (s->tty ? SHOW_TTY_NS : SHOW_FILE_NS))
        return;
    s->last_ns = now_ns;
    iq_radio(s->src, &r);
    fprintf(stderr, s->tty ? "\r%.1f s, %.1f MB, %llu samples lost %.60s\033[K" :
            "tyto-record: so far %.1f s, %.1f MB, %llu samples lost %.60s\n", seconds,
            (double)bytes / 1e6, (unsigned long long)r.lost, r.what);
}

static void say_done(const struct iq_recorded *d)
{
    if (!d->data[0])
        return;
    fprintf(stderr, "tyto-record: %s: %llu samples, %.6g s, %llu lost in %u gap%s", d->data,
            (unsigned long long)d->samples, d->seconds, (unsigned long long)d->lost,
            d->captures ? d->captures - 1 : 0, d->captures == 2 ? "" : "s");
    if (d->sha512[0])
        fprintf(stderr, ", sha512 %s", d->sha512);
    fputc('\n', stderr);
}

static int record(struct options *o)
{
    struct iq_source *src = NULL;
    char why[IQ_WHY] = "";
    struct watcher w;
    pthread_t thread;

    sigemptyset(&w.set);
    sigaddset(&w.set, SIGINT);
    sigaddset(&w.set, SIGTERM);
    sigaddset(&w.set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &w.set, NULL);
    signal(SIGXFSZ, SIG_IGN);           // a file at its limit is like a full disk
    if (open_source(&src, o, why))
        return told(why, 2);
    struct iq_recorded done = { 0 };
    struct iq_record_cfg c = { .ret = &done, .out = o->out, .max_bytes = o->bytes,
                               .max_s = o->seconds, .description = o->note };
    struct shown s = { .tty = isatty(STDERR_FILENO), .src = src, .last_ns = mono_now_ns() };
    struct iq_radio radio;
    iq_radio(src, &radio);
    c.hardware = radio.device[0] ? radio.device : NULL;
    w.src = src;
    bool watched = !pthread_create(&thread, NULL, watch_signals, &w);
    int r = iq_record(src, &c, show, &s, why);
    if (watched) {
        pthread_kill(thread, SIGTERM);
        pthread_join(thread, NULL);
    }
    if (s.tty)
        fputs("\r\033[K", stderr);
    const struct iq_counts *n = iq_counts(src);
    iq_radio(src, &radio);
    if (r < 0 || why[0])
        told(why, 0);
    else if (n->fault[0]) {
        told(n->fault, 0);
        r = -EIO;
    }
    if (radio.lost || radio.restarts)
        fprintf(stderr, "tyto-record: %llu samples were lost, the radio was restarted %llu times%s"
                "%s\n", (unsigned long long)radio.lost, (unsigned long long)radio.restarts,
                radio.what[0] ? ": " : "", radio.what);
    say_done(&done);
    iq_close(src);
    return r < 0 ? 2 : 0;
}

// ---- Options ---------------------------------------------------------------------------------

enum { ARGS = 256, PROFILE, RATE, FREQ, GAIN, ANTENNA, PPM, PLUGINS, SCENE, FILE_, FORMAT, SECONDS,
       BYTES, NOTE, POLICY, VERIFY, OPEN, KEYS };

static const struct option long_options[] = {
    { "output", required_argument, NULL, 'o' },     { "args", required_argument, NULL, ARGS },
    { "profile", required_argument, NULL, PROFILE }, { "rate", required_argument, NULL, RATE },
    { "freq", required_argument, NULL, FREQ },      { "gain", required_argument, NULL, GAIN },
    { "antenna", required_argument, NULL, ANTENNA }, { "ppm", required_argument, NULL, PPM },
    { "plugins", required_argument, NULL, PLUGINS }, { "scene", required_argument, NULL, SCENE },
    { "file", required_argument, NULL, FILE_ },     { "format", required_argument, NULL, FORMAT },
    { "seconds", required_argument, NULL, SECONDS }, { "bytes", required_argument, NULL, BYTES },
    { "note", required_argument, NULL, NOTE },      { "policy", required_argument, NULL, POLICY },
    { "verify", required_argument, NULL, VERIFY },  { "open", required_argument, NULL, OPEN },
    { "keys", required_argument, NULL, KEYS },      { "help", no_argument, NULL, 'h' },
    { 0 }
};

// What is wrong with a value, or NULL.
static const char *take(struct options *o, int c, const char *v)
{
    double x = 0;

    switch (c) {
    case 'o':     o->out = v; return NULL;
    case ARGS:    o->args = v; return NULL;
    case PROFILE: o->profile = v; return NULL;
    case ANTENNA: o->antenna = v; return NULL;
    case PLUGINS: o->plugins = v; return NULL;
    case SCENE:   o->scene = v; return NULL;
    case FILE_:   o->file = v; return NULL;
    case FORMAT:  o->format = v; return NULL;
    case NOTE:    o->note = v; return NULL;
    case OPEN:    o->open = v; return NULL;
    case KEYS:    o->keys = v; return NULL;
    case POLICY:  o->policy = v; return NULL;
    case VERIFY:  o->verify = v; return NULL;
    case RATE:    return number(v, IQ_RATE_MIN_HZ, IQ_RATE_MAX_HZ, &o->rate_hz) ? NULL
                         : "--rate expects Hz, 0.25e6 to 125e6";
    case FREQ:    o->freq_given = true;
                  return number(v, 0, 300e9, &o->freq_hz) ? NULL : "--freq expects Hz, 0 to 300e9";
    case GAIN:    return number(v, -200, 200, &o->gain_db) ? NULL : "--gain expects dB";
    case PPM:     return number(v, -1000, 1000, &o->ppm) ? NULL : "--ppm expects -1000 to 1000";
    case SECONDS: return number(v, 1e-9, 1e9, &o->seconds) ? NULL
                         : "--seconds expects more than 0";
    case BYTES:   if (!number(v, 1, 1e18, &x))
                      return "--bytes expects more than 0";
                  o->bytes = (uint64_t)x;
                  return NULL;
    default:      return "an option is not known or lacks its value";
    }
}

// What a sensor kept, for who holds the key.
static int open_kept(const struct options *o)
{
    struct keys_own own;
    uint8_t pk[32], sk[32];
    char why[IQ_WHY];

    if (!o->keys || !o->out)
        return bad("--open needs --keys and -o");
    if (keys_load(o->keys, &own, why) < 0)
        return told(why, 2);
    int r = keys_raw(own.public_z85, pk) < 0 || keys_raw(own.secret_z85, sk) < 0 ? -EINVAL : 0;
    keys_wipe(&own);
    if (r < 0)
        return bad("the keys cannot be used");
    r = keep_open(o->open, pk, sk, o->out, why);
    explicit_bzero(sk, sizeof sk);
    return r ? told(why, r > 0 ? 1 : 2) : 0;
}

static int judge(struct options *o)
{
    if (!!o->args + !!o->scene + !!o->file != 1)
        return bad("what is to be recorded? expected one of --args, --scene and --file");
    if (!o->out)
        return bad("-o is missing, expected a name that ends in .sigmf-meta");
    if (o->args && (!o->rate_hz || !o->freq_given))
        return bad("a radio needs --rate and --freq");
    return o->args ? ask_policies(o) : 0;
}

int main(int argc, char **argv)
{
    struct options o = { .gain_db = NAN };
    char why[IQ_WHY];
    int c, r;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1) {
        if (c == 'h')
            return fputs(usage, stdout) < 0 || fflush(stdout) ? 2 : 0;
        const char *wrong = take(&o, c, optarg);
        if (wrong)
            return bad(wrong);
    }
    if (optind != argc)
        return bad("there is an argument without an option");
    if (o.verify) {
        r = record_verify(o.verify, why);
        if (r)
            return told(why, r == 1 ? 1 : 2);
        fprintf(stderr, "tyto-record: %s is as it was recorded: its checksum fits\n", o.verify);
        return 0;
    }
    if (o.open)
        return open_kept(&o);
    r = judge(&o);
    return r ? r : record(&o);
}
