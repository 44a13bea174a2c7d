// SPDX-License-Identifier: GPL-3.0-or-later
// Files of keys: read only what nobody else can have read or put there, written whole or not at
// all.
//
//     .NAME.new  --write, fsync-->  rename  -->  NAME  --fsync of the directory
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/why.h"
#include "hw/keys_priv.h"

int keys_fail(char why[KEYS_WHY], int err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, KEYS_WHY, fmt, ap);
    va_end(ap);
    return -err;
}

static bool ours(uid_t owner) { return owner == geteuid() || geteuid() == 0; }

static int dir_check(int fd, const char *path, char why[KEYS_WHY])
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return keys_fail(why, errno, "%.200s: %s", path, why_error(errno));
    if (!ours(st.st_uid))
        return keys_fail(why, EPERM, "%.200s belongs to another user (%u); a directory of this "
                         "user's (%u) was expected", path, st.st_uid, geteuid());
    if (st.st_mode & 077)
        return keys_fail(why, EPERM, "%.200s can be entered by others (mode %03o); mode 700 was "
                         "expected: chmod 700 it", path, st.st_mode & 0777);
    return 0;
}

// A descriptor to directory name below at, checked and locked.
static int dir_at(int at, const char *name, const char *path, bool make, char why[KEYS_WHY])
{
    struct stat parent;

    if (make && mkdirat(at, name, 0700) == 0) {
        // Root who sets up a daemon's keys: they belong to whom the directory above belongs.
        if (at != AT_FDCWD && geteuid() == 0 && fstat(at, &parent) == 0 &&
            fchownat(at, name, parent.st_uid, parent.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
            return keys_fail(why, errno, "%.200s: %s", path, why_error(errno));
    } else if (make && errno != EEXIST) {
        return keys_fail(why, errno, "%.200s: %s; its parent must be there and writable", path,
                         why_error(errno));
    }
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return keys_fail(why, errno, "%.200s: %s", path,
                         errno == ENOTDIR || errno == ELOOP ? "a plain directory was expected, no "
                         "link and no file" : why_error(errno));
    int r = dir_check(fd, path, why);
    if (r == 0 && flock(fd, LOCK_EX) < 0)
        r = keys_fail(why, errno, "%.200s: cannot be locked: %s", path, why_error(errno));
    if (r < 0)
        close(fd);
    return r < 0 ? r : fd;
}

int keys_dir_open(const char *dir, bool make, char why[KEYS_WHY])
{
    if (!dir || !dir[0])
        return keys_fail(why, EINVAL, "a directory for the keys was expected");
    return dir_at(AT_FDCWD, dir, dir, make, why);
}

int keys_dir_sub(int dir, const char *path, const char *name, bool make, char why[KEYS_WHY])
{
    char whole[300];

    snprintf(whole, sizeof whole, "%.200s/%.60s", path, name);
    return dir_at(dir, name, whole, make, why);
}

static int file_check(int dir, int fd, const char *path, const char *name, char why[KEYS_WHY])
{
    struct stat st, above;

    if (fstat(fd, &st) < 0 || fstat(dir, &above) < 0)
        return keys_fail(why, errno, "%.200s/%.60s: %s", path, name, why_error(errno));
    if (!S_ISREG(st.st_mode))
        return keys_fail(why, EPERM, "%.200s/%.60s is no plain file", path, name);
    if (!ours(st.st_uid) && st.st_uid != above.st_uid)
        return keys_fail(why, EPERM, "%.200s/%.60s belongs to another user (%u)", path, name,
                         st.st_uid);
    if (st.st_mode & 077)
        return keys_fail(why, EPERM, "%.200s/%.60s can be read by others (mode %03o); mode 600 was "
                         "expected: if it was ever readable, make a new key", path, name,
                         st.st_mode & 0777);
    if (st.st_size > KEYS_LINE)
        return keys_fail(why, EFBIG, "%.200s/%.60s: longer than a key's file", path, name);
    return 0;
}

int keys_file_read(int dir, const char *path, const char *name, char ret[KEYS_LINE + 1],
                   char why[KEYS_WHY])
{
    // Non-blocking: a pipe put there must not hang us before it is refused.
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return keys_fail(why, errno, "%.200s/%.60s: %s", path, name,
                         errno == ELOOP ? "a plain file was expected, no link" : why_error(errno));
    int r = file_check(dir, fd, path, name, why);
    ssize_t n = r < 0 ? 0 : read(fd, ret, KEYS_LINE);
    if (n < 0)
        r = keys_fail(why, errno, "%.200s/%.60s: %s", path, name, why_error(errno));
    close(fd);
    if (r < 0)
        return r;
    ret[n] = 0;
    return (int)n;
}

static int file_fill(int dir, const char *tmp, const char *text)
{
    struct stat above;
    size_t n = strlen(text);
    int err = 0;

    unlinkat(dir, tmp, 0);              // what a crash left
    int fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (geteuid() == 0 && fstat(dir, &above) == 0 && fchown(fd, above.st_uid, above.st_gid) < 0)
        err = errno;
    errno = ENOSPC;                     // what a short write means
    if (!err && (write(fd, text, n) != (ssize_t)n || fchmod(fd, 0600) < 0 || fsync(fd) < 0))
        err = errno;
    if (close(fd) < 0 && !err)
        err = errno;
    return -err;
}

int keys_file_write(int dir, const char *path, const char *name, const char *text, bool replace,
                    char why[KEYS_WHY])
{
    char tmp[80];

    snprintf(tmp, sizeof tmp, ".%.60s.new", name);
    int r = file_fill(dir, tmp, text);
    if (r == 0 && renameat2(dir, tmp, dir, name, replace ? 0 : RENAME_NOREPLACE) < 0)
        r = -errno;
    if (r == 0 && fsync(dir) < 0)
        r = -errno;
    if (r < 0) {
        unlinkat(dir, tmp, 0);
        return keys_fail(why, -r, "%.200s/%.60s: %s", path, name, why_error(r));
    }
    return 0;
}
