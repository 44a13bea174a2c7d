// SPDX-License-Identifier: GPL-3.0-or-later
// The doctor's look at radios: on the bus (ids and rights), as SoapySDR lists them (drivers), and
// at work (rate and loss, through the very path that the sensor uses).
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/utc.h"
#include "classifier/doctor.h"
#include "classifier/sensord.h"
#include "hw/hw.h"
#include "sdr/sdr.h"

#define DEVICES_MAX 8
#define MODULE_RATE_HZ 15.36e6  // of driver=tyto's built-in scene

// ---- On the bus ------------------------------------------------------------------------------

// One line of a file under sys/name; "" where there is none.
static void attribute(const char *sys, const char *name, const char *key, char ret[16])
{
    char path[PATH_MAX];

    ret[0] = 0;
    snprintf(path, sizeof path, "%.3000s/%.255s/%s", sys, name, key);
    FILE *f = fopen(path, "re");
    if (f && !fgets(ret, 16, f))
        ret[0] = 0;
    if (f)
        fclose(f);
    ret[strcspn(ret, "\n")] = 0;
}

static bool profile_of_id(const char *id, struct hw_profile *ret)
{
    char why[HW_WHY];

    for (size_t i = 0; hw_profile_name(i); i++)
        if (!hw_profile_load(ret, hw_profile_name(i), why) && strstr(ret->udev, id))
            return true;
    return false;
}

static void look_at(struct doctor *d, const char *sys, const char *dev, const char *name)
{
    char vendor[16], product[16], bus[16], number[16], id[40], node[PATH_MAX];
    struct hw_profile p;

    attribute(sys, name, "idVendor", vendor);
    attribute(sys, name, "idProduct", product);
    snprintf(id, sizeof id, "%s:%s", vendor, product);
    if (strlen(id) != 9 || !profile_of_id(id, &p))
        return;
    attribute(sys, name, "busnum", bus);
    attribute(sys, name, "devnum", number);
    snprintf(node, sizeof node, "%.3000s/%03d/%03d", dev, (int)strtol(bus, NULL, 10),
             (int)strtol(number, NULL, 10));
    if (!access(node, R_OK | W_OK))
        doctor_say(d, DOCTOR_OK, NULL, "%s (%s) is plugged in, and this user may open it", p.title,
                   id);
    else
        doctor_say(d, DOCTOR_WRONG, "install the udev rules (60-tyto.rules), join the group "
                   "tyto-radio, plug it in again", "%s (%s): this user may not open %.300s: %s",
                   p.title, id, node, strerror(errno));
}

void doctor_usb(struct doctor *d, const char *sys, const char *dev)
{
    struct dirent **e = NULL;
    int n = scandir(sys, &e, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        if (e[i]->d_name[0] != '.')
            look_at(d, sys, dev, e[i]->d_name);
        free(e[i]);
    }
    free(e);
}

// ---- As SoapySDR lists them ------------------------------------------------------------------

// Starts tyto-radio --list [args]; its standard output, or NULL.
static FILE *list_start(const struct doctor *d, pid_t *ret_pid)
{
    char dir[PATH_MAX], program[PATH_MAX + 16], path[PATH_MAX];
    int fd[2];

    if (hw_program_dir(dir, sizeof dir) < 0 || pipe2(fd, O_CLOEXEC))
        return NULL;
    snprintf(program, sizeof program, "%s/tyto-radio", dir);
    snprintf(path, sizeof path, "SOAPY_SDR_PLUGIN_PATH=%.4000s",
             d->plugin_path ? d->plugin_path : "");
    char *argv[] = { program, "--list", (char *)d->device, NULL };
    char *env[] = { d->plugin_path ? path : NULL, NULL };
    posix_spawn_file_actions_t a;
    posix_spawn_file_actions_init(&a);
    posix_spawn_file_actions_adddup2(&a, fd[1], 1);
    posix_spawn_file_actions_addopen(&a, 2, "/dev/null", O_WRONLY, 0);
    int r = posix_spawn(ret_pid, program, &a, NULL, argv, env);
    posix_spawn_file_actions_destroy(&a);
    close(fd[1]);
    FILE *f = r ? NULL : fdopen(fd[0], "r");
    if (!f)
        close(fd[0]);
    return f;
}

// The value of key in "key=value, key=value", up to the next ", word=".
static bool value_of(const char *line, const char *key, char *ret, size_t size)
{
    size_t n = strlen(key);

    for (const char *p = line; p; p = strstr(p, ", "), p = p ? p + 2 : NULL) {
        if (strncmp(p, key, n) || p[n] != '=')
            continue;
        const char *end = p + n + 1, *at = end;
        while ((end = strstr(end, ", ")) && !memchr(end, '=', strcspn(end + 2, ",") + 2))
            end += 2;
        size_t len = end ? (size_t)(end - at) : strcspn(at, "\n");
        if (len >= size)
            return false;
        memcpy(ret, at, len);
        ret[len] = 0;
        return true;
    }
    return false;
}

bool doctor_args(const char *line, char *driver, size_t driver_size, char *args, size_t args_size)
{
    char serial[128];

    if (!value_of(line, "driver", driver, driver_size) || !*driver || strchr(driver, ','))
        return false;
    bool has = value_of(line, "serial", serial, sizeof serial) && *serial && !strchr(serial, ',');
    int n = snprintf(args, args_size, "driver=%s%s%s", driver, has ? ",serial=" : "",
                     has ? serial : "");
    return n > 0 && (size_t)n < args_size;
}

struct found { unsigned n; char driver[DEVICES_MAX][64], args[DEVICES_MAX][512]; };

// False: the program could not be asked.
static bool list_read(const struct doctor *d, struct found *ret)
{
    char line[2048];
    pid_t pid;
    FILE *f = list_start(d, &pid);

    ret->n = 0;
    if (!f)
        return false;
    while (fgets(line, sizeof line, f)) {
        unsigned i = ret->n;
        if (i < DEVICES_MAX && doctor_args(line, ret->driver[i], sizeof ret->driver[i],
                                           ret->args[i], sizeof ret->args[i]))
            ret->n++;
    }
    fclose(f);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return true;
}

void doctor_drivers(struct doctor *d)
{
    struct found all;
    unsigned before = d->count[DOCTOR_OK] + d->count[DOCTOR_WRONG];

    doctor_usb(d, "/sys/bus/usb/devices", "/dev/bus/usb");
    bool plugged = d->count[DOCTOR_OK] + d->count[DOCTOR_WRONG] > before;
    if (!list_read(d, &all)) {
        doctor_say(d, DOCTOR_WRONG, "install Tyto whole: tyto-radio belongs beside tyto-doctor",
                   "tyto-radio cannot be started");
        return;
    }
    for (unsigned i = 0; i < all.n; i++) {
        bool known = hw_profile_for_driver(all.driver[i]) != NULL;
        doctor_say(d, known ? DOCTOR_OK : DOCTOR_NOTE,
                   known ? NULL : "write one (docs/RADIOS.md), or give rate and gain yourself",
                   "SoapySDR finds %s%s", all.args[i], known ? "" : "; there is no profile for it");
    }
    if (!all.n && plugged)
        doctor_say(d, DOCTOR_WRONG, "apt-get install its driver, docs/RADIOS.md names the package; "
                   "then SoapySDRUtil --find", "a radio is plugged in, but no driver finds it");
    else if (!all.n)
        doctor_say(d, DOCTOR_WRONG, "plug one in; lsusb shows whether the machine sees it",
                   "no radio");
}

// ---- At work ---------------------------------------------------------------------------------

static void judge(struct doctor *d, const char *args, const struct iq_radio *r, double rate_hz,
                  double seconds)
{
    double all = rate_hz * seconds, share = all > 0 ? (double)r->lost / all : 0;
    // Crystals are within 100 ppm; a thousandth is not the crystal, 20 ms is the scheduler.
    bool fast = fabs(r->rate_measured_hz / rate_hz - 1) < 1e-3 + 0.02 / seconds;

    if (r->restarts || r->errors)
        doctor_say(d, DOCTOR_WRONG, "another cable or port, without a hub; a stronger supply",
                   "%s: it broke off and was started again: %s", args, r->what);
    if (r->lost)
        doctor_say(d, DOCTOR_WRONG, "a lower rate, a USB 3 port of its own, fewer programs beside",
                   "%s: %.3g %% of the samples lost in %.0f s, %llu overflows", args, 100 * share,
                   seconds, (unsigned long long)r->overflows);
    if (!fast && !r->restarts)
        doctor_say(d, DOCTOR_WRONG, "a lower rate: the radio or this machine does not keep up",
                   "%s: %.6g MS/s arrive of %.6g", args, r->rate_measured_hz / 1e6, rate_hz / 1e6);
    if (!r->lost && !r->restarts && fast)
        doctor_say(d, DOCTOR_OK, NULL, "%s: %.6g MS/s for %.0f s, nothing lost%s", args,
                   r->rate_measured_hz / 1e6, seconds,
                   r->hardware_time ? ", sample clock" : "");
    if (r->time_jumps)
        doctor_say(d, DOCTOR_NOTE, "newer firmware, or a profile with hardware_time: false",
                   "%s: its time stamps jumped %llu times", args,
                   (unsigned long long)r->time_jumps);
}

static double rate_of(const struct hw_profile *p)
{
    if (!strcmp(p->driver, "tyto"))
        return MODULE_RATE_HZ;
    if (p->n_rates)
        return p->rates_hz[p->n_rates - 1];
    if (p->rate_sustained_hz.v > 0)
        return p->rate_sustained_hz.v;
    return p->rate_hi_hz.v < 20e6 ? p->rate_hi_hz.v : 20e6;     // what two processors analyse
}

static void measure_as(struct doctor *d, const char *name, const struct iq_live_cfg *cfg)
{
    char why[IQ_WHY];
    struct iq_source *s;
    struct iq_block *b;
    struct iq_radio r;

    if (iq_open_live(&s, cfg, why) < 0) {
        doctor_say(d, DOCTOR_WRONG, "what the sentence says", "%s", why);
        return;
    }
    int64_t start = mono_now_ns(), end = start + (int64_t)(d->seconds * 1e9);
    int64_t now = start, first = 0;
    uint64_t from = 0, to = 0;
    for (; now < end && (b = iq_next(s)); iq_unref(b)) {
        now = mono_now_ns();
        to = b->n0 + b->n;
        from = first ? from : to;
        first = first ? first : now;
    }
    iq_radio(s, &r);
    if (!(r.rate_measured_hz > 0) && now > first)       // too short for the source's own figure
        r.rate_measured_hz = (double)(to - from) / ((double)(now - first) * 1e-9);
    judge(d, name, &r, cfg->rate_hz, (double)(mono_now_ns() - start) * 1e-9);
    iq_close(s);
}

static void measure(struct doctor *d, const char *driver, const char *args)
{
    const char *name = hw_profile_for_driver(driver);
    char sentence[HW_WHY];
    struct hw_profile p;
    bool profiled = name && !hw_profile_load(&p, name, sentence);

    if (!profiled && !(d->rate_hz > 0)) {
        doctor_say(d, DOCTOR_NOTE, "--rate", "%s: no profile says at which rate to measure", args);
        return;
    }
    bool low = profiled && p.freq_hi_hz.v < 2.5e9;
    struct iq_live_cfg cfg = {
        .name = driver, .args = args, .profile = profiled ? &p : NULL, .gain_db = NAN,
        .rate_hz = d->rate_hz > 0 ? d->rate_hz : rate_of(&p), .plugin_path = d->plugin_path,
        .centre_hz = d->freq_hz > 0 ? d->freq_hz : low ? 868.3e6 : 2437e6,
    };
    measure_as(d, args, &cfg);
}

// As configured: rate, frequency, gain and antenna are the sensor's own.  False: no radio is.
static bool measure_configured(struct doctor *d)
{
    bool any = false;

    for (unsigned i = 0; d->cfg && i < d->cfg->n_radios; i++) {
        const struct sensord_radio *r = &d->cfg->radio[i];
        struct iq_live_cfg cfg = {
            .name = r->name, .args = r->args, .profile = r->profile[0] ? &r->hw : NULL,
            .rate_hz = r->rate_hz, .centre_hz = r->centre_hz, .gain_db = r->gain_db,
            .bandwidth_hz = r->bandwidth_hz, .ppm = r->ppm, .channel = r->channel,
            .antenna = r->antenna[0] ? r->antenna : NULL, .plugin_path = d->plugin_path,
        };
        if (r->kind != RADIO_LIVE)
            continue;
        measure_as(d, r->name, &cfg);
        any = true;
    }
    return any;
}

void doctor_radio(struct doctor *d)
{
    struct found all;
    char driver[64], args[512];

    if (d->device) {            // as it was given: it may hold more than a listing tells
        if (value_of(d->device, "driver", args, sizeof args))
            snprintf(driver, sizeof driver, "%.*s", (int)strcspn(args, ","), args);
        else
            driver[0] = 0;
        measure(d, driver, d->device);
        return;
    }
    if (measure_configured(d))
        return;
    if (!list_read(d, &all) || !all.n) {
        doctor_say(d, DOCTOR_NOTE, NULL, "no radio to measure");
        return;
    }
    for (unsigned i = 0; i < all.n; i++)
        measure(d, all.driver[i], all.args[i]);
}
