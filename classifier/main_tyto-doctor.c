// SPDX-License-Identifier: GPL-3.0-or-later
// tyto-doctor: what is wrong on this machine, and the mend (man page tyto-doctor.1).
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/version.h"
#include "classifier/doctor.h"
#include "classifier/sensord.h"

static const char usage[] =
    "usage: tyto doctor [OPTIONS] [CHECK...]\n"
    "\n"
    "Looks at this machine as a sensor needs it and says for each trouble what to do.\n"
    "Without CHECK: all of them.\n"
    "\n"
    "      --config FILE   sensord's configuration (default /etc/tyto/sensord.yaml)\n"
    "      --keys DIR      where the keys are (default: as configured, or /etc/tyto/keys)\n"
    "      --spool DIR     where events wait (default: as configured, or /var/lib/tyto)\n"
    "      --device ARGS   measure this radio, not those configured or found:\n"
    "                      driver=rtlsdr,serial=00000001\n"
    "      --rate HZ       at this rate\n"
    "      --freq HZ       at this frequency\n"
    "      --seconds S     for so long (default 10)\n"
    "      --plugins DIR   where SoapySDR's driver modules are (default: its own folder)\n"
    "      --gpsd PORT     of gpsd on this machine (default 2947)\n"
    "      --tune          measure this machine's transforms into the spool's folder, for\n"
    "                      the sensor's next start: a minute or more of one processor,\n"
    "                      with nothing else running; then only the checks named\n"
    "      --json          JSON Lines\n"
    "  -h, --help          show this\n"
    "\n"
    "Exit: 0 all is well, 1 something is wrong, 2 bad use.\n"
    "\n"
    "Checks:\n";

static struct json out;

static void tell_json(void *arg, const char *check, enum doctor_state s, const char *what,
                      const char *mend)
{
    (void)arg;
    json_begin(&out);
    json_str(&out, "type", "check");
    json_str(&out, "check", check);
    json_str(&out, "state", doctor_state_name(s));
    json_str(&out, "what", what);
    json_str(&out, "mend", mend);
    json_end(&out);
    fflush(stdout);
}

static void tell_people(void *arg, const char *check, enum doctor_state s, const char *what,
                        const char *mend)
{
    (void)arg;
    printf("%-6s %-10s %s\n", s == DOCTOR_WRONG ? "WRONG" : doctor_state_name(s), check, what);
    if (mend)
        printf("%17s  -> %s\n", "", mend);
    fflush(stdout);
}

static int help(void)
{
    fputs(usage, stdout);
    for (const struct doctor_check *c = doctor_checks; c->name; c++)
        printf("  %-10s %s\n", c->name, c->about);
    return fflush(stdout) ? 2 : 0;
}

static int bad(const char *what, const char *arg)
{
    fprintf(stderr, "tyto-doctor: %s \"%.100s\"; tyto doctor --help shows the use\n", what, arg);
    return 2;
}

static bool number(const char *s, double lo, double hi, double *ret)
{
    char *end;
    *ret = strtod(s, &end);
    return end > s && !*end && *ret >= lo && *ret <= hi;
}

static const struct doctor_check *check_named(const char *name)
{
    const struct doctor_check *c = doctor_checks;
    while (c->name && strcmp(c->name, name))
        c++;
    return c->name ? c : NULL;
}

// 0, or what to exit with (-1: help was given).
static int options(struct doctor *d, bool *ret_json, int argc, char **argv)
{
    static const struct option longs[] = {
        { "config", 1, NULL, 'c' }, { "keys", 1, NULL, 'k' }, { "spool", 1, NULL, 's' },
        { "device", 1, NULL, 'd' }, { "rate", 1, NULL, 'r' }, { "freq", 1, NULL, 'f' },
        { "seconds", 1, NULL, 't' }, { "plugins", 1, NULL, 'p' }, { "gpsd", 1, NULL, 'g' },
        { "tune", 0, NULL, 'T' }, { "json", 0, NULL, 'j' }, { "help", 0, NULL, 'h' },
        { "version", 0, NULL, 'v' },
        { NULL, 0, NULL, 0 },
    };
    int o;

    opterr = 0;
    while ((o = getopt_long(argc, argv, "h", longs, NULL)) >= 0) {
        bool ok = true;
        switch (o) {
        case 'c': d->config = optarg; break;
        case 'k': d->keys = optarg; break;
        case 's': d->spool = optarg; break;
        case 'd': d->device = optarg; break;
        case 'p': d->plugin_path = optarg; break;
        case 'g': d->gps_port = optarg; break;
        case 'r': ok = number(optarg, 0.25e6, 125e6, &d->rate_hz); break;
        case 'f': ok = number(optarg, 1, 300e9, &d->freq_hz); break;
        case 't': ok = number(optarg, 0.1, 3600, &d->seconds); break;
        case 'T': d->tune = true; break;
        case 'j': *ret_json = true; break;
        case 'v': printf("tyto-doctor %s\n", TYTO_VERSION); return -1;
        case 'h': return help() ? 2 : -1;
        default:  return bad("no such option, or no value to it:", argv[optind - 1]);
        }
        if (!ok)
            return bad("a number out of range:", optarg);
    }
    for (int i = optind; i < argc; i++)
        if (!check_named(argv[i]))
            return bad("there is no check", argv[i]);
    return 0;
}

int main(int argc, char **argv)
{
    static struct sensord_cfg cfg;
    char why[SENSORD_WHY];
    struct doctor d = { .config = "/etc/tyto/sensord.yaml", .seconds = 10, .tell = tell_people };
    bool json = false;
    int r = options(&d, &json, argc, argv);

    if (r)
        return r < 0 ? 0 : r;
    if (json)
        d.tell = tell_json;
    json_init(&out, stdout);
    bool tuned = d.tune;
    (void)doctor_read(&d, &cfg, why);       // what is wrong with it, the check "config" tells
    if (d.tune)
        doctor_run(&d, check_named("plans"));
    d.tune = false;
    for (const struct doctor_check *c = doctor_checks; c->name && optind == argc && !tuned; c++)
        doctor_run(&d, c);
    for (int i = optind; i < argc; i++)
        doctor_run(&d, check_named(argv[i]));
    if (!json)
        printf("\n%u ok, %u notes, %u wrong\n", d.count[DOCTOR_OK], d.count[DOCTOR_NOTE],
               d.count[DOCTOR_WRONG]);
    if (fflush(stdout) || ferror(stdout)) {
        fputs("tyto-doctor: standard output cannot be written\n", stderr);
        return 2;
    }
    return d.count[DOCTOR_WRONG] ? 1 : 0;
}
