// SPDX-License-Identifier: GPL-3.0-or-later
// The doctor's table, and what it looks at in the box itself; radios are in doctor_radio.c.
#include "classifier/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "classifier/sensord.h"
#include "hw/hw.h"
#include "hw/keys.h"

#define KEYS_DIR  "/etc/tyto/keys"      // as tyto-keys
#define SENSOR_USER "tyto-sensor"       // of the unit

const char *doctor_state_name(enum doctor_state s)
{
    static const char *const names[] = { "ok", "note", "wrong" };
    return names[s];
}

void doctor_say(struct doctor *d, enum doctor_state s, const char *mend, const char *fmt, ...)
{
    char what[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    for (char *c = what; *c; c++)       // drivers' words may hold anything
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    d->count[s]++;
    d->tell(d->arg, d->check, s, what, mend);
}

void doctor_run(struct doctor *d, const struct doctor_check *c)
{
    d->check = c->name;
    c->run(d);
}

int doctor_read(struct doctor *d, struct sensord_cfg *into, char why[SENSORD_WHY])
{
    int r = sensord_cfg_load(into, d->config, why);

    if (r < 0)
        return r;
    d->cfg = into;
    if (!d->keys)
        d->keys = into->keys_dir;
    if (!d->spool && into->spool_dir[0])
        d->spool = into->spool_dir;
    if (!d->plugin_path && into->plugin_path[0])
        d->plugin_path = into->plugin_path;
    return 0;
}

static void check_configuration(struct doctor *d)
{
    static struct sensord_cfg again;        // too large for the stack
    char why[SENSORD_WHY];

    if (!d->cfg && doctor_read(d, &again, why) < 0)
        doctor_say(d, DOCTOR_WRONG, "docs/sensord.yaml shows one; tyto-sensord --check reads it",
                   "%s", why);
    else
        doctor_say(d, DOCTOR_OK, NULL, "%s: \"%s\", %u radio%s", d->config, d->cfg->name,
                   d->cfg->n_radios, d->cfg->n_radios == 1 ? "" : "s");
    if (d->cfg && !d->cfg->production)
        doctor_say(d, DOCTOR_NOTE, "production: yes, on a sensor at work",
                   "production is off: simulations and recordings are let through");
}

static void check_processor(struct doctor *d)
{
    double memory_gb = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) * 1e-9;
    double hot_c = hw_temperature_c();

    doctor_say(d, hw_cpus() < 2 ? DOCTOR_NOTE : DOCTOR_OK, hw_cpus() < 2 ?
               "20 MS/s want two processors; ask for less" : NULL,
               "%u processors, %s kernels, %.1f GB of memory", hw_cpus(), hw_isa_name(hw_isa()),
               memory_gb);
    if (hot_c > 90)             // where common processors begin to slow down
        doctor_say(d, DOCTOR_WRONG, "air or shade: hot processors slow down and lose samples",
                   "%.0f degrees at the hottest place", hot_c);
}

static void check_keys(struct doctor *d)
{
    struct keys_own own;
    struct keys_peer *peers = NULL;
    char why[KEYS_WHY] = "", mend[600];
    const char *dir = d->keys ? d->keys : KEYS_DIR;

    snprintf(mend, sizeof mend, "tyto keys make --dir %s", dir);
    if (keys_load(dir, &own, why) < 0) {
        doctor_say(d, DOCTOR_WRONG, mend, "%s", why);
        return;
    }
    keys_wipe(&own);
    int n = keys_peers(dir, &peers, why);
    free(peers);
    if (n < 0)
        doctor_say(d, DOCTOR_WRONG, "mend what the sentence names", "%s", why);
    else if (!n && d->cfg && d->cfg->post_key[0])
        doctor_say(d, DOCTOR_OK, NULL, "a key of its own, and the post's in the configuration");
    else if (!n)
        doctor_say(d, DOCTOR_WRONG, "tyto keys enrol NAME KEY, with the post's public key",
                   "a key of its own, but it knows no other machine");
    else
        doctor_say(d, DOCTOR_OK, NULL, "a key of its own, and of %d other machine%s", n,
                   n > 1 ? "s" : "");
}

// May who runs the sensor write there?  Root may everywhere, and is not who runs it.
static void check_owner(struct doctor *d, const char *path)
{
    const struct passwd *user = getpwnam(SENSOR_USER);
    struct stat st;

    if (geteuid() && access(path, W_OK | X_OK))
        doctor_say(d, DOCTOR_WRONG, "give it to the user who runs the sensor (chown), or run "
                   "tyto doctor as that user", "this user may not write to %s: %s", path,
                   strerror(errno));
    else if (!geteuid() && user && !stat(path, &st) && st.st_uid != user->pw_uid &&
             !access("/run/systemd/system", F_OK))
        doctor_say(d, DOCTOR_WRONG, "chown -R " SENSOR_USER ": that folder, or another one in the "
                   "configuration", "%s is not the user's who runs the sensor (" SENSOR_USER ")",
                   path);
}

// Spool and journal: a day of events takes tens of megabytes, a full disk loses evidence.
static void check_disk(struct doctor *d)
{
    char path[512];
    bool there;

    snprintf(path, sizeof path, "%s", d->spool ? d->spool : DOCTOR_SPOOL);
    there = !access(path, F_OK);
    for (char *end; access(path, F_OK) && (end = strrchr(path, '/'));)
        end[end == path && end[1]] = 0;                 // what is not there yet will be made
    int64_t left = hw_disk_free(path);
    if (left < 0)
        doctor_say(d, DOCTOR_WRONG, "give another folder with --spool", "%s: %s", path,
                   strerror((int)-left));
    else
        doctor_say(d, left < 1000000000 ? DOCTOR_WRONG : DOCTOR_OK,
                   left < 1000000000 ? "make room: at least 1 GB" : NULL, "%.1f GB free at %s",
                   (double)left * 1e-9, path);
    if (there)
        check_owner(d, path);
}

static int leave_network(void)
{
    return unshare(CLONE_NEWUSER | CLONE_NEWNET) && unshare(CLONE_NEWNET);
}

// All reading forbidden, then a file that anybody may read is tried.
static int leave_files(void)
{
    struct landlock_ruleset_attr a = { .handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE };
    long rules = syscall(SYS_landlock_create_ruleset, &a, sizeof a, 0);

    if (rules < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        syscall(SYS_landlock_restrict_self, rules, 0))
        return 1;
    return open("/proc/self/status", O_RDONLY | O_CLOEXEC) >= 0;
}

// In a child: what a driver's process does before it loads the driver.
static bool may(int (*leave)(void))
{
    int status = 1;
    pid_t pid = fork();

    if (!pid)
        _exit(leave());
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
}

static void check_sandbox(struct doctor *d)
{
    struct rlimit files;

    if (may(leave_network))
        doctor_say(d, DOCTOR_OK, NULL, "drivers can be kept off the network");
    else
        doctor_say(d, DOCTOR_WRONG, "sysctl kernel.unprivileged_userns_clone=1, and "
                   "user.max_user_namespaces above 0",
                   "no user name spaces: a driver would see the network");
    if (may(leave_files))
        doctor_say(d, DOCTOR_OK, NULL, "drivers can be kept off our files");
    else
        doctor_say(d, DOCTOR_NOTE, "a kernel with landlock (lsm=landlock,... on its command line)",
                   "no landlock: a driver could read what this user may");
    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < 1024)
        doctor_say(d, DOCTOR_WRONG, "ulimit -n 1024, or LimitNOFILE= in the unit",
                   "only %llu open files allowed", (unsigned long long)files.rlim_cur);
}

// What systemctl answers in one word to "is-WHAT"; "" nothing.
static void ask_systemd(const char *what, char ret[32])
{
    char line[96];

    snprintf(line, sizeof line, "systemctl is-%s tyto-sensord.service 2>/dev/null", what);
    FILE *f = popen(line, "re");
    if (!f || !fgets(ret, 32, f))
        ret[0] = 0;
    if (f)
        pclose(f);
    ret[strcspn(ret, "\n")] = 0;
}

static void check_unit(struct doctor *d, const char *path)
{
    char active[32] = "", enabled[32] = "";

    if (access("/run/systemd/system", F_OK)) {
        doctor_say(d, DOCTOR_NOTE, "start tyto-sensord by what starts programs here",
                   "%s is installed, and this machine runs no systemd", path);
        return;
    }
    ask_systemd("active", active);
    ask_systemd("enabled", enabled);
    bool well = !strcmp(active, "active");
    if (!strcmp(active, "failed"))
        doctor_say(d, DOCTOR_WRONG, "journalctl -u tyto-sensord says why", "the sensor's unit "
                   "failed");
    else
        doctor_say(d, well ? DOCTOR_OK : DOCTOR_NOTE, well ? NULL :
                   "systemctl start tyto-sensord", "%s: %s", path, active);
    if (!strcmp(enabled, "disabled"))
        doctor_say(d, DOCTOR_NOTE, "systemctl enable tyto-sensord", "the sensor does not start by "
                   "itself");
}

static void check_service(struct doctor *d)
{
    static const char *const where[] = {
        "/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
        "/lib/systemd/system",
    };
    char path[96];

    for (size_t i = 0; i < sizeof where / sizeof where[0]; i++) {
        snprintf(path, sizeof path, "%s/tyto-sensord.service", where[i]);
        if (!access(path, R_OK)) {
            check_unit(d, path);
            return;
        }
    }
    if (access("/run/systemd/system", F_OK))
        doctor_say(d, DOCTOR_NOTE, "start tyto-sensord by what starts programs here",
                   "this machine has no systemd");
    else
        doctor_say(d, DOCTOR_NOTE, "make install, then systemctl enable --now tyto-sensord",
                   "no unit tyto-sensord.service: the sensor does not start by itself");
}

const struct doctor_check doctor_checks[] = {
    { "config", "the sensor's configuration", check_configuration },
    { "processor", "processors, memory, heat", check_processor },
    { "plans", "transforms measured on this machine (--tune measures)", doctor_plans },
    { "clock", "who keeps the clock (chrony, timesyncd, gpsd), and how right it is", doctor_clock },
    { "place", "position from gpsd or the configuration", doctor_place },
    { "keys", "this machine's key and those it knows", check_keys },
    { "disk", "room for the spool", check_disk },
    { "sandbox", "what keeps drivers in", check_sandbox },
    { "service", "the systemd unit", check_service },
    { "drivers", "radios on the bus, their drivers and rights", doctor_drivers },
    { "radio", "rate and loss of each radio, measured", doctor_radio },
    { NULL, NULL, NULL },
};
