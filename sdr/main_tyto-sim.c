// SPDX-License-Identifier: GPL-3.0-or-later
// tyto sim: a scene description in, IQ with ground truth out.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sdr/sim/tx.h"

static const char usage[] =
    "usage: tyto sim [--seed N] -o OUT.sigmf-meta SCENE\n"
    "       tyto sim --models\n"
    "\n"
    "Renders the YAML scene SCENE (docs/SCENES.md) to SigMF: OUT.sigmf-data holds the samples,\n"
    "OUT.sigmf-meta an annotation for each transmission.  Same scene and seed, same bytes.\n"
    "\n"
    "  -o, --output FILE  where to write; the name ends in .sigmf-meta\n"
    "      --seed N       random seed, instead of the scene's own\n"
    "      --models       list the transmitter models\n"
    "  -h, --help         show this\n";

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct shown { double start_s, last_s; };

// After two seconds of work, ten times a second.
static void show(double fraction, void *arg)
{
    struct shown *s = arg;
    double t = now_s();
    if (t - s->start_s < 2 || t - s->last_s < 0.1)
        return;
    s->last_s = t;
    fprintf(stderr, "\r%3.0f %%", 100 * fraction);
}

static int list_models(void)
{
    for (const struct tx_model *const *m = tx_models; *m; m++)
        printf("%-10s %-13s %-12s %s\n", (*m)->name, (*m)->family,
               (*m)->bit_exact ? "bit-exact" : "statistical", (*m)->about);
    if (!fflush(stdout) && !ferror(stdout))
        return 0;
    fprintf(stderr, "tyto-sim: standard output: %s\n", strerror(errno));
    return 2;
}

static int bad(const char *what)
{
    fprintf(stderr, "tyto-sim: %s; tyto sim --help shows the use\n", what);
    return 2;
}

static int parse_seed(const char *s, uint64_t *ret_seed)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 0);
    if (errno || end == s || *end || strchr(s, '-'))
        return -EINVAL;
    *ret_seed = v;
    return 0;
}

static int run(const struct iq_sim_cfg *cfg, const char *out)
{
    char why[IQ_WHY];
    struct shown shown = { .start_s = now_s() };
    int err = iq_sim_write(cfg, out, isatty(STDERR_FILENO) ? show : NULL, &shown, why);
    if (shown.last_s > 0)
        fputs("\r     \r", stderr);
    if (why[0])
        fprintf(stderr, "tyto-sim: %s%s\n", err < 0 ? "" : "note: ", why);
    return err < 0 ? 2 : 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "output", required_argument, NULL, 'o' }, { "seed", required_argument, NULL, 's' },
        { "models", no_argument, NULL, 'm' },       { "help", no_argument, NULL, 'h' },
        { 0 }
    };
    struct iq_sim_cfg cfg = { 0 };
    const char *out = NULL;
    int c;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
        if (c == 'h')
            return fputs(usage, stdout) < 0 || fflush(stdout) ? 2 : 0;
        if (c == 'm')
            return list_models();
        if (c == 'o')
            out = optarg;
        else if (c == 's' && !parse_seed(optarg, &cfg.seed))
            cfg.seed_given = true;
        else
            return bad(c == 's' ? "--seed expects a whole number from 0 to 2^64 - 1"
                                : "an option is not known or lacks its value");
    }
    if (!out)
        return bad("-o is missing, expected a name that ends in .sigmf-meta");
    if (optind != argc - 1)
        return bad(optind == argc ? "no scene given" : "more than one scene given");
    cfg.path = argv[optind];
    return run(&cfg, out);
}
