// SPDX-License-Identifier: GPL-3.0-or-later
// tyto-analyze: a recording in, findings out (contract, section 2; man page tyto-analyze.1).
//
//     file -> [sdr] -> [dsp] -> finding -> decode, burst lines as they come
//                                   '----> [classifier] -> track lines at the end, then the summary
//
// The same chain as the live sensor, fed as fast as it takes it.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/version.h"
#include "classifier/args.h"
#include "classifier/classifier.h"
#include "classifier/crystal.h"
#include "classifier/out.h"
#include "classifier/runs.h"
#include "dsp/plans.h"
#include "hw/hw.h"

#define FREQ_MAX_HZ 300e9       // end of the radio spectrum as the ITU counts it
#define THREADS_MAX 64          // dsp.h

struct options {
    struct iq_file_cfg file;
    unsigned           threads;
    bool               json, bursts, recognise;
    const char        *policy, *profile, *plans;
};

static const char usage[] =
    "usage: tyto analyze [--format cf32|cf64|ci16|ci8|cu8] [--rate HZ] [--freq HZ] [--bursts]\n"
    "                    [--threads N] [--no-droneid-decode] [--policy FILE] [--profile NAME]\n"
    "                    [--plans FILE] [--json] FILE\n"
    "\n"
    "Finds what is on the air in a recording.  FILE is a SigMF pair (.sigmf-meta or\n"
    ".sigmf-data), or raw interleaved little-endian IQ (give --format and --rate);\n"
    "- is standard input.\n"
    "\n"
    "  --format F            sample format of raw IQ\n"
    "  --rate HZ             sample rate, 250000 to 125000000\n"
    "  --freq HZ             centre frequency, 0 to 300e9; raw IQ without it is centred on 0\n"
    "  --bursts              also report every transmission\n"
    "  --threads N           worker threads, 1 to 64 (default: processors); results are the same\n"
    "  --no-droneid-decode   recognise DroneID without reading what it says\n"
    "  --policy FILE         a further policy; what one of them forbids is not done\n"
    "  --profile NAME        of the radio that recorded it, or a file: clock and calibration\n"
    "  --plans FILE          measured transforms (tyto-doctor): last bits as a sensor's\n"
    "  --json                JSON Lines instead of words\n"
    "\n"
    "Exit: 0 done, 2 bad use or bad input (what came before the fault is reported).\n";

#define bad(...) log_refuse("tyto-analyze", __VA_ARGS__)

// One option; 0, or the exit code + 1 (so that --help can end with 0).
static int option(struct options *o, int c, const char *arg)
{
    double v;

    switch (c) {
    case 'f':
        if (iq_format_of(arg) < 0)
            return 1 + bad("--format: cf32, cf64, ci16, ci8 or cu8 was expected, not '%s'", arg);
        o->file.format = arg;
        return 0;
    case 'r':
        if (args_number(arg, IQ_RATE_MIN_HZ, IQ_RATE_MAX_HZ, &o->file.rate_hz) < 0)
            return 1 + bad("--rate: 250000 to 125000000 Hz was expected, not '%s'", arg);
        return 0;
    case 'q':
        if (args_number(arg, 0, FREQ_MAX_HZ, &o->file.freq_hz) < 0)
            return 1 + bad("--freq: 0 to 300e9 Hz was expected, not '%s'", arg);
        o->file.freq_given = true;
        return 0;
    case 't':
        if (args_number(arg, 1, THREADS_MAX, &v) < 0 || v != (unsigned)v)
            return 1 + bad("--threads: a whole number from 1 to 64 was expected, not '%s'", arg);
        o->threads = (unsigned)v;
        return 0;
    case 'b': o->bursts = true; return 0;
    case 'n': o->recognise = true; return 0;
    case 'p': o->policy = arg; return 0;
    case 'P': o->profile = arg; return 0;
    case 'l': o->plans = arg; return 0;
    case 'j': o->json = true; return 0;
    case 'h': fputs(usage, stdout); return 1;
    case 'v': puts("tyto-analyze " TYTO_VERSION); return 1;
    default:  return 1 + bad("%s", "see tyto analyze --help for what it takes");
    }
}

static int options_read(struct options *o, int argc, char **argv)
{
    static const struct option table[] = {
        { "format", required_argument, NULL, 'f' }, { "rate", required_argument, NULL, 'r' },
        { "freq", required_argument, NULL, 'q' },   { "threads", required_argument, NULL, 't' },
        { "bursts", no_argument, NULL, 'b' },       { "no-droneid-decode", no_argument, NULL, 'n' },
        { "policy", required_argument, NULL, 'p' }, { "profile", required_argument, NULL, 'P' },
        { "plans", required_argument, NULL, 'l' },
        { "json", no_argument, NULL, 'j' },         { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'v' },      { NULL, 0, NULL, 0 },
    };
    int c, r;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        if (c == '?')
            return 1 + bad("option '%s' is not known; see tyto analyze --help", argv[optind - 1]);
        if (c == ':')
            return 1 + bad("option '%s' needs a value; see tyto analyze --help", argv[optind - 1]);
        if ((r = option(o, c, optarg)))
            return r;
    }
    if (argc - optind != 1)
        return 1 + bad("one recording was expected (FILE, or - for standard input), %d were given",
                       argc - optind);
    o->file.path = argv[optind];
    return 0;
}

static double clock_s(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Everything one finding leads to.
static void tell(struct out *o, struct runs *runs, struct cls *c, const struct finding *f,
                 struct out_summary *s)
{
    struct finding whole;
    struct decode helped;

    if (!f->reject && runs_push(runs, f, &whole)) {
        s->bursts++;
        crystal_burst(cls_crystal(c), &whole);
        out_burst(o, &whole);
    }
    for (unsigned i = 0; i < f->n_decode; i++) {
        s->decodes++;
        helped = f->decode[i];
        crystal_decode(cls_crystal(c), &helped);
        out_decode(o, &helped, f->origin);
    }
    if (cls_push(c, f, &helped) > 0) {
        s->decodes++;
        crystal_decode(cls_crystal(c), &helped);
        out_decode(o, &helped, f->origin);
    }
}

static void tell_end(struct out *o, struct runs *runs, struct cls *c, struct out_summary *s)
{
    struct finding whole;

    while (runs_drain(runs, &whole)) {
        s->bursts++;
        crystal_burst(cls_crystal(c), &whole);
        out_burst(o, &whole);
    }
    cls_finish(c);
    out_tracks(o, c, &s->tracks);
}

static int analyze(const struct options *opt, struct iq_source *src, struct cls *c, struct dsp *d,
                   struct runs *runs)
{
    double wall0 = clock_s(CLOCK_MONOTONIC);
    struct out_summary s = { 0 };
    struct finding *f;
    struct out o;

    out_init(&o, stdout, opt->json, opt->bursts);
    while ((f = dsp_next(d))) {
        tell(&o, runs, c, f, &s);
        finding_free(f);
    }
    tell_end(&o, runs, c, &s);
    s.unclassified = cls_counts(c)->unclassified;
    s.untold = dsp_counts(d)->cand_dropped;
    s.counts = iq_counts(src);
    s.self = dsp_counts(d)->self;
    s.crystal = cls_crystal(c)->now;
    memcpy(s.products, dsp_counts(d)->products, sizeof s.products);
    s.seconds = (double)(s.counts->samples + s.counts->lost) / iq_info(src).rate_hz;
    s.wall_s = clock_s(CLOCK_MONOTONIC) - wall0;
    s.cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    out_summary(&o, &s);
    int r = out_end(&o);
    if (r < 0)
        return bad("standard output: %s; all results were expected to fit there", strerror(-r));
    return s.counts->fault[0] ? bad("%s", s.counts->fault) : 0;
}

// What was asked for, or less where a policy allows no more: said once on standard error.
static int droneid_allowed(const struct options *o, enum droneid_mode *ret, char why[IQ_WHY])
{
    static const enum droneid_mode modes[] = { DRONEID_OFF, DRONEID_RECOGNISE, DRONEID_DECODE };
    char where[HW_WHERE];
    int most = hw_policy_droneid(o->policy, where, why);
    int want = o->recognise ? HW_DRONEID_RECOGNISE : HW_DRONEID_DECODE;

    if (most < 0)
        return most;
    *ret = modes[want < most ? want : most];
    if (most < want)
        fprintf(stderr, "tyto-analyze: note: %s allows of DroneID: %s\n", where,
                hw_droneid_name((enum hw_droneid)most));
    return 0;
}

int main(int argc, char **argv)
{
    struct options opt = { 0 };
    struct iq_source *src = NULL;
    struct cls *c = NULL;
    struct dsp *d = NULL;
    struct runs *runs = calloc(1, sizeof *runs);
    char why[IQ_WHY];

    int r = options_read(&opt, argc, argv);
    if (r) {
        free(runs);
        return r - 1;
    }
    enum droneid_mode mode;
    struct hw_profile radio;
    if (droneid_allowed(&opt, &mode, why) < 0 ||
        (opt.profile && hw_profile_load(&radio, opt.profile, why) < 0) ||
        (opt.plans && plans_load(opt.plans, why) < 0) ||
        iq_open_file(&src, &opt.file, why) < 0 ||
        cls_new(&c, &(struct cls_cfg){ .droneid = mode }, why) < 0)
        r = bad("%s", why);
    else if (!runs || !(d = dsp_new(&(struct dsp_cfg){ .source = src, .threads = opt.threads,
                                                       .profile = opt.profile ? &radio : NULL,
                                                       .droneid = mode })))
        r = bad("%s", "there is not enough memory for this sample rate");
    else
        r = analyze(&opt, src, c, d, runs);
    dsp_free(d);
    cls_free(c);
    iq_close(src);
    free(runs);
    return r;
}
