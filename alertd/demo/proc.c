// SPDX-License-Identifier: GPL-3.0-or-later
// A daemon as a child: a process group of its own (Ctrl-C reaches the demo alone, which ends it in
// order), dead with the demo whatever happens to that, without root's rights.
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alertd/demo/demo.h"
#include "base/utc.h"

#define GRACE_S 3               // the daemons promise to end within 2
#define ORPHANS_S 10            // a radio's process on a busy machine, and some

int demo_signals(void)
{
    sigset_t set;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

int demo_become(uid_t uid)
{
    return uid == (uid_t)-1 || (!setgroups(0, NULL) && !setgid(uid) && !setuid(uid)) ? 0 : -1;
}

uid_t demo_user(const char *program, const char *dir)
{
    const struct passwd *pw = geteuid() ? NULL : getpwnam("nobody");
    int status = 1;
    if (!pw)
        return (uid_t)-1;
    uid_t uid = pw->pw_uid;
    pid_t pid = fork();
    if (!pid)
        _exit(chown(dir, uid, (gid_t)-1) || demo_become(uid) || access(program, X_OK) ||
              access(dir, W_OK | X_OK) ? 1 : 0);
    if (pid > 0 && waitpid(pid, &status, 0) == pid && !status)
        return uid;
    // In a radio's name space of its own not even root passes a folder of another's.
    (void)!chown(dir, geteuid(), (gid_t)-1);
    return (uid_t)-1;
}

static void run(uid_t uid, const char *dir, char *const argv[], const int out[2])
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    dup2(out[0], 1);
    dup2(out[1], 2);
    if (demo_become(uid) || chdir(dir)) {
        dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
        _exit(2);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);       // setuid cleared it
    unsetenv("JOURNAL_STREAM");             // lines are read by us
    unsetenv("NOTIFY_SOCKET");
    execv(argv[0], argv);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(2);
}

int demo_start(struct demo_proc *p, uid_t uid, const char *dir, char *const argv[],
               char why[DEMO_WHY])
{
    int a[2], b[2];
    *p = (struct demo_proc){ .fd = { -1, -1 } };
    if (pipe2(a, O_CLOEXEC) < 0 || pipe2(b, O_CLOEXEC) < 0) {
        snprintf(why, DEMO_WHY, "no pipe is to be had: %s", strerror(errno));
        return -errno;
    }
    p->pid = fork();
    if (!p->pid)
        run(uid, dir, argv, (int[]){ a[1], b[1] });
    close(a[1]);
    close(b[1]);
    if (p->pid < 0) {
        p->pid = 0;
        snprintf(why, DEMO_WHY, "%s cannot be started: %s", argv[0], strerror(errno));
        return -EAGAIN;
    }
    p->fd[0] = a[0];
    p->fd[1] = b[0];
    fcntl(a[0], F_SETFL, O_NONBLOCK);
    fcntl(b[0], F_SETFL, O_NONBLOCK);
    return 0;
}

void demo_lines(struct demo_proc *p, unsigned which, void (*fn)(const char *line, void *arg),
                void *arg)
{
    char *line = p->line[which];
    size_t *len = &p->len[which];
    while (p->fd[which] >= 0) {
        ssize_t n = read(p->fd[which], line + *len, sizeof p->line[0] - 1 - *len);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            close(p->fd[which]);
            p->fd[which] = -1;
        }
        if (n <= 0)
            return;
        *len += (size_t)n;
        line[*len] = 0;
        char *from = line;
        for (char *nl; (nl = strchr(from, '\n')); from = nl + 1) {
            *nl = 0;
            fn(from, arg);
        }
        *len -= (size_t)(from - line);
        memmove(line, from, *len);
        if (*len == sizeof p->line[0] - 1)
            *len = 0;                       // longer than any of ours: not for us
    }
}

bool demo_gone(struct demo_proc *p, int *ret_status)
{
    if (!p->pid || waitpid(p->pid, ret_status, WNOHANG) != p->pid)
        return false;
    p->pid = 0;
    return true;
}

void demo_stop(struct demo_proc *p, unsigned n)
{
    int64_t end_ns = mono_now_ns() + GRACE_S * INT64_C(1000000000);
    int status;
    for (unsigned i = 0; i < n; i++)
        if (p[i].pid)
            kill(p[i].pid, SIGTERM);
    for (unsigned i = 0; i < n; i++) {
        while (p[i].pid && !demo_gone(&p[i], &status) && mono_now_ns() < end_ns)
            usleep(20000);
        if (p[i].pid) {
            kill(-p[i].pid, SIGKILL);
            waitpid(p[i].pid, &status, 0);
            p[i].pid = 0;
        }
        for (unsigned k = 0; k < 2; k++)
            if (p[i].fd[k] >= 0)
                close(p[i].fd[k]);
        p[i].fd[0] = p[i].fd[1] = -1;
    }
}

void demo_adopt(void) { prctl(PR_SET_CHILD_SUBREAPER, 1); }

// Children there are, the dead ones not yet collected too; the lowest.
static unsigned children(pid_t *ret_one)
{
    char path[64];
    unsigned n = 0;
    int pid;
    snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
    FILE *f = fopen(path, "re");
    *ret_one = 0;
    while (f && fscanf(f, "%d", &pid) == 1) {
        *ret_one = n && *ret_one < pid ? *ret_one : pid;
        n++;
    }
    if (f)
        fclose(f);
    return n;
}

unsigned demo_orphans(pid_t *ret_one)
{
    int64_t end_ns = mono_now_ns() + ORPHANS_S * INT64_C(1000000000);
    int status;
    pid_t r = 0;
    while (mono_now_ns() < end_ns && (r = waitpid(-1, &status, WNOHANG)) >= 0)
        if (!r)
            usleep(20000);
    *ret_one = 0;
    return r < 0 ? 0 : children(ret_one);
}
