// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/daemons.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utc.h"
#include "hw/hw.h"

#define WAIT_S 20

static void die(struct daemons *d, const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    daemons_end(d);
    exit(2);
}

static FILE *create(struct daemons *d, const char *name)
{
    char path[DEMO_PATH + 40];
    snprintf(path, sizeof path, "%s/%s", d->dir, name);
    FILE *f = fopen(path, "w");
    if (!f)
        die(d, path, "cannot be written");
    return f;
}

static void keys(struct daemons *d)
{
    char post[DEMO_PATH + 16], sensor[DEMO_PATH + 16], why[KEYS_WHY];
    struct keys_own own;

    snprintf(post, sizeof post, "%s/post-keys", d->dir);
    snprintf(sensor, sizeof sensor, "%s/sensor-keys", d->dir);
    if (keys_make(post, why) || keys_load(post, &d->post, why) || keys_make(sensor, why) ||
        keys_load(sensor, &own, why) || keys_enrol(post, "bench", own.public_z85, why))
        die(d, "keys", why);
    keys_wipe(&own);
}

static void post_line(const char *line, void *arg)
{
    struct daemons *d = arg;
    const char *at;

    sscanf(line, "sensors %127s", d->endpoint);
    if (!strncmp(line, "link ", 5) && (at = strstr(line, "#token="))) {
        snprintf(d->token, sizeof d->token, "%.100s", at + 7);
        at = strstr(line + 12, ":");
        d->port = at ? (unsigned)strtoul(at + 1, NULL, 10) : 443;
    }
}

static void start(struct daemons *d, unsigned which, const char *program, char *const more[])
{
    char path[DEMO_PATH], why[DEMO_WHY];
    char *argv[8] = { path };

    snprintf(path, sizeof path, "%s/bin/%s", d->build, program);
    for (unsigned i = 0; i < 6 && more[i]; i++)
        argv[i + 1] = more[i];
    if (demo_start(&d->proc[which], (uid_t)-1, d->dir, argv, why) < 0)
        die(d, program, why);
}

void daemons_begin(struct daemons *d)
{
    char why[DEMO_WHY], bin[DEMO_PATH - 60];

    *d = (struct daemons){ .proc = { { .fd = { -1, -1 } }, { .fd = { -1, -1 } } } };
    if (hw_program_dir(bin, sizeof bin) < 0 || demo_folder_make(d->dir, why) < 0)
        die(d, "start", "no temporary folder is to be had: set TMPDIR");
    snprintf(d->build, sizeof d->build, "%s/..", bin);
    keys(d);
    FILE *f = create(d, "alertd.yaml");
    fprintf(f, "site: bench\nkeys_dir: post-keys\ndata_dir: post-data\nbind: tcp://127.0.0.1:*\n"
               "exercise: yes\n"
               "web: { host: 127.0.0.1, port: 8443, tls: yes, name: localhost }\n");
    fclose(f);
    start(d, DAEMON_POST, "tyto-alertd",
          (char *[]){ "--next-port", "--link", "duty", "alertd.yaml", NULL });
    int64_t until = mono_now_ns() + WAIT_S * INT64_C(1000000000);
    while (!d->token[0] && mono_now_ns() < until) {
        struct pollfd p = { .fd = d->proc[DAEMON_POST].fd[0], .events = POLLIN };
        poll(&p, 1, 100);
        demo_lines(&d->proc[DAEMON_POST], 0, post_line, d);
    }
    if (!d->token[0] || !d->endpoint[0])
        die(d, "tyto-alertd", "did not come up");
}

void daemons_sensor(struct daemons *d, const char *radios)
{
    FILE *f = create(d, "sensord.yaml");

    fprintf(f, "name: bench\nproduction: no\nkeys_dir: sensor-keys\n"
               "post: { endpoint: '%s', key: '%s' }\nspool: { dir: spool, max_mb: 16, max_h: 1 }\n"
               "droneid: decode\nlegal_basis: a measurement on simulated signals\n"
               "plugin_path: %s/soapy\nradios:\n%s",
            d->endpoint, d->post.public_z85, d->build, radios);
    fclose(f);
    start(d, DAEMON_SENSOR, "tyto-sensord", (char *[]){ "--json", "sensord.yaml", NULL });
}

void daemons_end(struct daemons *d)
{
    demo_stop(d->proc, DAEMONS);
    if (d->dir[0])
        demo_folder_remove(d->dir);
    keys_wipe(&d->post);
}

// ---- What processes take ---------------------------------------------------------------------

static bool slurp(const char *path, char *ret, size_t size)
{
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(ret, 1, size - 1, f) : 0;
    ret[n] = 0;
    if (f)
        fclose(f);
    return n > 0;
}

// /proc/.../stat: "PID (NAME) STATE PPID ..."; fields 14 and 15 are ticks in user and kernel.
static bool stat_of(const char *path, char name[32], long *ret_parent, double *ret_cpu_s)
{
    char text[1024];
    unsigned long user = 0, kernel = 0;
    char *from, *to;

    if (!slurp(path, text, sizeof text) || !(from = strchr(text, '(')) ||
        !(to = strrchr(text, ')')))
        return false;
    snprintf(name, 32, "%.*s", (int)(to - from - 1), from + 1);
    if (sscanf(to + 1, " %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", ret_parent, &user,
               &kernel) != 3)
        return false;
    *ret_cpu_s = (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
    return true;
}

struct usage usage_of(pid_t pid)
{
    struct usage u = { 0 };
    char path[64], text[4096], name[32];
    long parent;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    stat_of(path, name, &parent, &u.cpu_s);
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    const char *at = slurp(path, text, sizeof text) ? strstr(text, "VmHWM:") : NULL;
    u.rss_mb = at ? strtod(at + 6, NULL) / 1024 : 0;
    return u;
}

double usage_machine_s(void)
{
    char text[4096];
    double v[8] = { 0 };

    if (slurp("/proc/stat", text, sizeof text))
        sscanf(text, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3], &v[4],
               &v[5], &v[6], &v[7]);
    return (v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) / (double)sysconf(_SC_CLK_TCK);
}

unsigned usage_children(pid_t pid, pid_t *ret, unsigned most)
{
    DIR *dir = opendir("/proc");
    struct dirent *e;
    unsigned n = 0;

    while (dir && n < most && (e = readdir(dir))) {
        char path[300], name[32];
        long parent;
        double cpu;
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && stat_of(path, name, &parent, &cpu) &&
            parent == (long)pid)
            ret[n++] = (pid_t)strtol(e->d_name, NULL, 10);
    }
    if (dir)
        closedir(dir);
    return n;
}

void usage_threads(pid_t pid, void (*fn)(const char *name, double cpu_s, void *arg), void *arg)
{
    char path[400], name[32];
    long parent;
    double cpu;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    struct dirent *e;
    while (dir && (e = readdir(dir))) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/stat", (int)pid, e->d_name);
        if (e->d_name[0] != '.' && stat_of(path, name, &parent, &cpu))
            fn(name, cpu, arg);
    }
    if (dir)
        closedir(dir);
}

int usage_by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
