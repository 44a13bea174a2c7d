// SPDX-License-Identifier: GPL-3.0-or-later
// Who looks: a one-time link gives a session, which is kept in a file for its owner alone.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alertd/watch.h"

static void make_dirs(char *path)
{
    for (char *p = path + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        mkdir(path, 0700);
        *p = '/';
    }
}

int watch_session_find(struct watch_session *s, const struct watch_post *p, const char *file,
                       char why[WATCH_WHY])
{
    const char *home = getenv("HOME");
    if (file)
        snprintf(s->path, sizeof s->path, "%s", file);
    else if (home && *home == '/')
        snprintf(s->path, sizeof s->path, "%.200s/.local/state/tyto/session-%.60s-%s", home,
                 p->host, p->port);
    else
        return snprintf(why, WATCH_WHY, "there is no home folder to keep the session in; name a "
                        "file with --session"), -EINVAL;
    return 0;
}

// Somebody else's file, or one that others can read, is no secret of ours.
int watch_session_read(struct watch_session *s, char why[WATCH_WHY])
{
    struct stat st;
    ssize_t n = -1;
    int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    s->cookie[0] = 0;
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        !(st.st_mode & 077))
        n = read(fd, s->cookie, sizeof s->cookie - 1);
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return snprintf(why, WATCH_WHY, "%.200s must be a file of yours alone: chmod 600", s->path),
               -EINVAL;
    s->cookie[n] = 0;
    s->cookie[strcspn(s->cookie, "\r\n")] = 0;     // it goes into a request's head
    return 0;
}

static int session_write(struct watch_session *s, char why[WATCH_WHY])
{
    make_dirs(s->path);
    unlink(s->path);
    int fd = open(s->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t n = strlen(s->cookie);
    bool ok = fd >= 0 && write(fd, s->cookie, n) == (ssize_t)n && write(fd, "\n", 1) == 1;
    int err = errno;
    if (fd >= 0)
        close(fd);
    return ok ? 0 : (snprintf(why, WATCH_WHY, "%.200s: %s", s->path, strerror(err)), -EIO);
}

int watch_session_link(struct watch_session *s, const struct watch_post *p, char why[WATCH_WHY])
{
    struct http *h;
    struct http_answer a;
    char body[200];
    int r = http_open(&h, p, why);
    if (r < 0)
        return r;
    snprintf(body, sizeof body, "{\"token\":\"%s\"}", p->token);
    r = http_ask(h, "POST", "/api/v1/session", "", body, &a);
    http_close(h);
    if (r < 0)
        return snprintf(why, WATCH_WHY, "%.100s does not answer as a command post", p->host), -EIO;
    if (a.status != 200 || !a.cookie[0])
        return snprintf(why, WATCH_WHY, "the link is not valid: it is too old or was used. "
                        "`tyto user link NAME` prints another"), -EACCES;
    snprintf(s->cookie, sizeof s->cookie, "%s", a.cookie);
    return session_write(s, why);
}
