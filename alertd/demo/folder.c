// SPDX-License-Identifier: GPL-3.0-or-later
// The demo's folder.  Who runs a demo holds a lock on its folder (the kernel lets go of it however
// the demo ends), so that the next one can tell a dead demo's folder from a running one's.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alertd/demo/demo.h"

#define DEPTH 16                // descriptors nftw may hold
#define ROOM_MB 64              // the post's store and the sensor's spool take a tenth of it

#define NAME "tyto-demo-"

// Room for the longest name beside it in a Unix socket's 108 bytes and in the configurations, and
// nothing in it that ends a word there or in a device's arguments.
static const char *base_dir(void)
{
    const char *base = getenv("TMPDIR");
    base = base && *base ? base : "/tmp";
    return strlen(base) > DEMO_PATH - 100 || strpbrk(base, "',\n") ? "/tmp" : base;
}

// The descriptor that holds the lock, until the end of this process; -EWOULDBLOCK or -ENOENT: it is
// another's, or gone; otherwise there are no locks there.
static int folder_lock(const char *dir, struct stat *ret)
{
    struct stat now;
    int r, fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, ret) || lstat(dir, &now))
        r = -errno;
    else
        r = now.st_dev == ret->st_dev && now.st_ino == ret->st_ino ? fd : -ENOENT;
    if (r < 0)
        close(fd);
    return r;
}

int demo_folder_make(char ret[DEMO_PATH], char why[DEMO_WHY])
{
    const char *base = base_dir();
    struct statvfs fs;
    struct stat st;
    unsigned long free_mb = statvfs(base, &fs) ? ROOM_MB :
                            (unsigned long)((double)fs.f_bavail * (double)fs.f_frsize / 1e6);
    if (free_mb < ROOM_MB) {
        snprintf(why, DEMO_WHY, "%s: only %lu MB are left there and the demo needs %d: make room, "
                 "or name another folder with TMPDIR", base, free_mb, ROOM_MB);
        return -ENOSPC;
    }
    for (int i = 0; i < 10; i++) {
        snprintf(ret, DEMO_PATH, "%s/" NAME "XX" "XX" "XX", base);
        if (!mkdtemp(ret))
            break;
        int r = folder_lock(ret, &st);  // another demo that begins may take it for a leftover
        if (r != -EWOULDBLOCK && r != -ENOENT)
            return 0;
        errno = EBUSY;
    }
    snprintf(why, DEMO_WHY, "%s: %s; a folder for temporary files was expected (TMPDIR)", base,
             strerror(errno));
    return -errno;
}

static uid_t to_uid;

static int give_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return lchown(path, to_uid, (gid_t)-1);
}

void demo_folder_give(const char *dir, uid_t uid)
{
    to_uid = uid;
    if (uid != (uid_t)-1)
        nftw(dir, give_one, DEPTH, FTW_PHYS);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path) && errno != ENOENT ? -1 : 0;
}

static void remove_all(const char *dir)
{
    // Children of a daemon may still be writing their last: once more if something was left.
    for (int i = 0; i < 3 && nftw(dir, remove_one, DEPTH, FTW_DEPTH | FTW_PHYS | FTW_MOUNT); i++)
        usleep(100000);
}

void demo_folder_remove(const char *dir)
{
    struct stat st;
    if (lstat(dir, &st))
        return;
    if (geteuid() || !st.st_uid) {
        remove_all(dir);
        return;
    }
    // What another may write to, root does not walk through: names there may change under its feet.
    pid_t pid = fork();
    if (!pid) {
        if (!demo_become(st.st_uid))
            remove_all(dir);
        _exit(0);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
    (void)!rmdir(dir);                  // where that other may not
}

// ---- What dead ones left ------------------------------------------------------------------------

// Runs something in it?  A demo of before there were locks, or what still ends of a killed one.
static bool in_use(const char *dir)
{
    char path[300], at[DEMO_PATH];
    size_t len = strlen(dir);
    bool found = false;
    DIR *d = opendir("/proc");
    for (struct dirent *e; d && !found && (e = readdir(d));) {
        snprintf(path, sizeof path, "/proc/%.255s/cwd", e->d_name);
        ssize_t n = *e->d_name >= '1' && *e->d_name <= '9' ? readlink(path, at, sizeof at) : -1;
        found = n >= (ssize_t)len && !memcmp(at, dir, len);
    }
    if (d)
        closedir(d);
    return found;
}

static bool is_mine(const struct stat *st)
{
    const struct passwd *pw = geteuid() ? NULL : getpwnam("nobody");
    return S_ISDIR(st->st_mode) && (st->st_uid == geteuid() || (pw && st->st_uid == pw->pw_uid));
}

unsigned demo_folder_sweep(char ret_one[DEMO_PATH])
{
    char path[DEMO_PATH];
    struct stat st;
    unsigned n = 0;
    DIR *d = opendir(base_dir());
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strncmp(e->d_name, NAME, strlen(NAME)) || strlen(e->d_name) != strlen(NAME) + 6)
            continue;
        snprintf(path, sizeof path, "%.300s/%.40s", base_dir(), e->d_name);
        if (lstat(path, &st) || !is_mine(&st))
            continue;
        int fd = folder_lock(path, &st);
        if (fd < 0)
            continue;
        if (is_mine(&st) && !in_use(path)) {
            demo_folder_remove(path);
            if (lstat(path, &st)) {
                snprintf(ret_one, DEMO_PATH, "%s", path);
                n++;
            }
        }
        close(fd);
    }
    if (d)
        closedir(d);
    return n;
}
