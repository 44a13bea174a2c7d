// SPDX-License-Identifier: GPL-3.0-or-later
// Starting, hearing and ending tyto-radio.
//
// posix_spawn and nothing of fork: the parent has threads.  The child gets an empty environment but
// for what is named here, four descriptors and no other, and a ring that nobody can shrink under
// the reader (sealed): a driver that truncated it would otherwise kill the whole sensor.
#include "sdr/radio/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// Where the kernel shows radios on USB and PCI.  Sound cards, terminals and files are none.
static const char *const devices[] = { "/dev/bus/usb/", "/dev/xtrx", "/dev/lime", "/dev/litepcie",
                                       "/dev/usb/" };

void child_init(struct child *c)
{
    *c = (struct child){ .socket_fd = -1, .wake_fd = -1, .error_fd = -1 };
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int make_ring(struct child *c, const struct ring_shape *shape, int *ret_fd)
{
    int fd = memfd_create("tyto-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    if (ftruncate(fd, (off_t)shape->bytes) ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
        return -errno;
    void *p = mmap(NULL, shape->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return -errno;
    c->memory = p;
    c->bytes = shape->bytes;
    return 0;
}

struct ends { int memory, socket, error; };     // what the child gets

static int make_ends(struct child *c, const struct ring_shape *shape, struct ends *e)
{
    int pair[2], pipe_fd[2], r = make_ring(c, shape, &e->memory);

    if (r < 0)
        return r;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return -errno;
    c->socket_fd = pair[0];
    e->socket = pair[1];
    // Neither end waits: a driver that talks without end must not hang on a full pipe.
    if (pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK))
        return -errno;
    c->error_fd = pipe_fd[0];
    e->error = pipe_fd[1];
    c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return c->wake_fd < 0 ? -errno : 0;
}

// Descriptors first to numbers above all of them, so that none is overwritten before it was copied.
static int arrange(posix_spawn_file_actions_t *a, const struct child *c, const struct ends *e)
{
    const int from[] = { e->error, e->memory, e->socket, c->wake_fd };
    static const int to[] = { STDERR_FILENO, TALK_MEMORY_FD, TALK_SOCKET_FD, TALK_WAKE_FD };
    int above = TALK_END_FD, r = posix_spawn_file_actions_init(a);

    for (int i = 0; i < 4; i++)
        above = from[i] < above ? above : from[i] + 1;
    for (int i = 0; !r && i < 4; i++)
        r = posix_spawn_file_actions_adddup2(a, from[i], above + i);
    if (!r)
        r = posix_spawn_file_actions_addopen(a, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!r)
        r = posix_spawn_file_actions_addopen(a, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    for (int i = 0; !r && i < 4; i++)
        r = posix_spawn_file_actions_adddup2(a, above + i, to[i]);
    return r ? r : posix_spawn_file_actions_addclosefrom_np(a, TALK_END_FD);
}

// Signals as a fresh program has them: a daemon may block or ignore some.
static int attributes(posix_spawnattr_t *at)
{
    sigset_t none, all;
    int r = posix_spawnattr_init(at);

    sigemptyset(&none);
    sigfillset(&all);
    if (!r)
        r = posix_spawnattr_setsigmask(at, &none);
    if (!r)
        r = posix_spawnattr_setsigdefault(at, &all);
    // A process group of its own: Ctrl-C in a terminal is for the parent, who ends the child.
    if (!r)
        r = posix_spawnattr_setpgroup(at, 0);
    return r ? r : posix_spawnattr_setflags(at, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETPGROUP);
}

static int spawn(struct child *c, const char *program, const char *plugin_path,
                 const struct ends *e)
{
    char plugins[PATH_MAX + 32], *env[] = { "LC_ALL=C", "HOME=/nonexistent", plugins, NULL };
    char *argv[] = { "tyto-radio", "--child", NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;

    snprintf(plugins, sizeof plugins, "SOAPY_SDR_PLUGIN_PATH=%s", plugin_path ? plugin_path : "");
    if (!plugin_path)
        env[2] = NULL;
    int r = arrange(&actions, c, e), r2 = attributes(&attr);
    if (!r && !r2)
        r = posix_spawn(&c->pid, program, &actions, &attr, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return -(r ? r : r2);
}

int child_start(struct child *c, const char *program, const char *plugin_path,
                const struct talk_ask *ask, const struct ring_shape *shape)
{
    struct ends e = { -1, -1, -1 };

    child_init(c);
    int r = make_ends(c, shape, &e);
    if (!r)
        r = spawn(c, program, plugin_path, &e);
    if (!r)
        r = child_ask(c, ask);
    close_fd(&e.memory);
    close_fd(&e.socket);
    close_fd(&e.error);
    if (r) {
        child_kill(c);
        return r;
    }
    return 0;
}

int child_ask(struct child *c, const struct talk_ask *ask)
{
    ssize_t n = send(c->socket_fd, ask, sizeof *ask, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? -errno : 0;
}

static void end_text(char *s, size_t size)
{
    s[size - 1] = 0;
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = ' ';
}

static bool hello_is_sane(struct talk_hello *h)
{
    end_text(h->driver, sizeof h->driver);
    end_text(h->origin, sizeof h->origin);
    end_text(h->device, sizeof h->device);
    end_text(h->antenna, sizeof h->antenna);
    return h->format < IQ_FORMATS && h->format != IQ_CF64 &&
           h->rate_hz >= IQ_RATE_MIN_HZ && h->rate_hz <= IQ_RATE_MAX_HZ &&
           h->centre_hz >= 0 && h->centre_hz <= 300e9 && fabs(h->gain_db) < 1000 &&
           h->bandwidth_hz >= 0 && h->bandwidth_hz <= 1e12;
}

int child_hear(struct child *c, union talk *ret)
{
    ssize_t n = recv(c->socket_fd, ret, sizeof *ret, MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
    if (n == 0)
        return -EPIPE;
    if (n >= 8 && talk_version(ret->kind) != TALK_VERSION && talk_version(ret->kind) < 0x100 &&
        talk_version(ret->kind))
        return -EPROTO;
    if (n == sizeof ret->hello && ret->kind == TALK_HELLO)
        return hello_is_sane(&ret->hello) ? 1 : -EBADMSG;
    if (n == sizeof ret->say && (ret->kind == TALK_SAY || ret->kind == TALK_FAIL)) {
        end_text(ret->say.text, sizeof ret->say.text);
        return 1;
    }
    return -EBADMSG;
}

void child_mutter(struct child *c, char *last, size_t size)
{
    char text[4096];
    ssize_t n = read(c->error_fd, text, sizeof text - 1);   // the rest next time

    if (n <= 0)
        return;
    while (n && text[n - 1] == '\n')
        n--;
    text[n] = 0;
    const char *line = memrchr(text, '\n', (size_t)n);
    snprintf(last, size, "%s", line ? line + 1 : text);
    end_text(last, size);
}

bool child_holds_device(const struct child *c)
{
    char dir[64], path[320], to[256];
    bool found = false;

    snprintf(dir, sizeof dir, "/proc/%ld/fd", (long)c->pid);
    DIR *d = opendir(dir);
    for (struct dirent *e; d && !found && (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        ssize_t n = readlink(path, to, sizeof to - 1);
        to[n > 0 ? n : 0] = 0;
        for (unsigned i = 0; i < sizeof devices / sizeof *devices; i++)
            found |= !strncmp(to, devices[i], strlen(devices[i]));
    }
    if (d)
        closedir(d);
    return found;
}

bool child_is_gone(struct child *c)
{
    if (!c->pid)
        return true;
    pid_t r = waitpid(c->pid, NULL, WNOHANG);
    if (r == c->pid || (r < 0 && errno == ECHILD))
        c->pid = 0;
    return !c->pid;
}

bool child_kill(struct child *c)
{
    if (c->pid)
        kill(c->pid, SIGKILL);
    c->killed = c->pid != 0;
    close_fd(&c->socket_fd);
    close_fd(&c->wake_fd);
    close_fd(&c->error_fd);
    if (c->memory)
        munmap(c->memory, c->bytes);
    c->memory = NULL;
    return child_is_gone(c);
}
