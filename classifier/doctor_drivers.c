// SPDX-License-Identifier: GPL-3.0-or-later
// The doctor's look for radios: on the bus (ids and rights), and as SoapySDR lists them (drivers).
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "classifier/doctor.h"
#include "classifier/sensord.h"
#include "hw/hw.h"

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
static FILE *list_start(const struct doctor *d, const char *args, pid_t *ret_pid)
{
    char dir[PATH_MAX], program[PATH_MAX + 16], path[PATH_MAX];
    int fd[2];

    if (hw_program_dir(dir, sizeof dir) < 0 || pipe2(fd, O_CLOEXEC))
        return NULL;
    snprintf(program, sizeof program, "%s/tyto-radio", dir);
    snprintf(path, sizeof path, "SOAPY_SDR_PLUGIN_PATH=%.4000s",
             d->plugin_path ? d->plugin_path : "");
    char *argv[] = { program, "--list", (char *)args, NULL };
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

bool doctor_value(const char *line, const char *key, char *ret, size_t size)
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

    if (!doctor_value(line, "driver", driver, driver_size) || !*driver || strchr(driver, ','))
        return false;
    bool has = doctor_value(line, "serial", serial, sizeof serial) && *serial &&
               !strchr(serial, ',');
    int n = snprintf(args, args_size, "driver=%s%s%s", driver, has ? ",serial=" : "",
                     has ? serial : "");
    return n > 0 && (size_t)n < args_size;
}

bool doctor_list(const struct doctor *d, const char *wanted, struct doctor_found *ret)
{
    char line[2048];
    pid_t pid;
    FILE *f = list_start(d, wanted, &pid);

    ret->n = 0;
    if (!f)
        return false;
    while (fgets(line, sizeof line, f)) {
        unsigned i = ret->n;
        if (i < DOCTOR_RADIOS && doctor_args(line, ret->driver[i], sizeof ret->driver[i],
                                           ret->args[i], sizeof ret->args[i]))
            ret->n++;
    }
    fclose(f);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return true;
}

static bool list_or_say(struct doctor *d, const char *wanted, struct doctor_found *ret)
{
    if (doctor_list(d, wanted, ret))
        return true;
    doctor_say(d, DOCTOR_WRONG, "install Tyto whole: tyto-radio belongs beside tyto-doctor",
               "tyto-radio cannot be started");
    return false;
}

static void say_found(struct doctor *d, const char *driver, const char *args)
{
    bool known = hw_profile_for_driver(driver) != NULL;

    doctor_say(d, known ? DOCTOR_OK : DOCTOR_NOTE,
               known ? NULL : "write one (docs/RADIOS.md), or give rate and gain yourself",
               "SoapySDR finds %s%s", args, known ? "" : "; there is no profile for it");
}

// Those that the configuration names: modules and remote radios are listed only when asked for.
// How many are configured; -1: nothing can be listed at all.
static int list_configured(struct doctor *d)
{
    bool runs = d->cfg && d->cfg->endpoint[0] && doctor_told(d);
    struct doctor_found all;
    int n = 0;

    for (unsigned i = 0; d->cfg && i < d->cfg->n_radios; i++) {
        const struct sensord_radio *r = &d->cfg->radio[i];
        if (r->kind != RADIO_LIVE)
            continue;
        n++;
        if (!list_or_say(d, r->args, &all))
            return -1;
        if (all.n)
            doctor_say(d, DOCTOR_OK, NULL, "%s: SoapySDR finds %s", r->name, r->args);
        else if (runs)
            doctor_say(d, DOCTOR_NOTE, "the check \"radio\" asks the sensor; or stop it to list "
                       "the radio", "%s: SoapySDR lists no %s while the running sensor holds it",
                       r->name, r->args);
        else
            doctor_say(d, DOCTOR_WRONG, "is it plugged in, is its driver installed (docs/RADIOS.md "
                       "names the package), is the serial right?",
                       "%s: SoapySDR finds no %s", r->name, r->args);
    }
    return n;
}

void doctor_drivers(struct doctor *d)
{
    struct doctor_found all;
    unsigned before = d->count[DOCTOR_OK] + d->count[DOCTOR_WRONG];

    doctor_usb(d, "/sys/bus/usb/devices", "/dev/bus/usb");
    bool plugged = d->count[DOCTOR_OK] + d->count[DOCTOR_WRONG] > before;
    int configured = d->device ? 0 : list_configured(d);
    if (configured < 0 || !list_or_say(d, d->device, &all))
        return;
    for (unsigned i = 0; i < all.n; i++)
        say_found(d, all.driver[i], all.args[i]);
    if (all.n || configured)
        return;
    if (d->device)
        doctor_say(d, DOCTOR_WRONG, "is it plugged in, is its driver installed? SoapySDRUtil "
                   "--find lists what is there", "SoapySDR finds no %s", d->device);
    else if (plugged)
        doctor_say(d, DOCTOR_WRONG, "apt-get install its driver, docs/RADIOS.md names the package; "
                   "then SoapySDRUtil --find", "a radio is plugged in, but no driver finds it");
    else if (d->cfg)
        doctor_say(d, DOCTOR_NOTE, NULL, "no radio, and the configuration names none: it plays "
                   "scenes and recordings");
    else
        doctor_say(d, DOCTOR_WRONG, "plug one in (lsusb shows whether the machine sees it), or "
                   "name it with --device or in a configuration: modules and radios over "
                   "the network are not found by themselves", "no radio");
}
