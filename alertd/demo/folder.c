// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "alertd/demo/demo.h"

#define DEPTH 16                // descriptors nftw may hold
#define ROOM_MB 64              // the post's store and the sensor's spool take a tenth of it

int demo_folder_make(char ret[DEMO_PATH], char why[DEMO_WHY])
{
    const char *base = getenv("TMPDIR");
    base = base && *base ? base : "/tmp";
    // Room for the longest name beside it in a Unix socket's 108 bytes and in the configurations,
    // and nothing in it that ends a word there or in a device's arguments.
    if (strlen(base) > DEMO_PATH - 100 || strpbrk(base, "',\n"))
        base = "/tmp";
    struct statvfs fs;
    unsigned long free_mb = statvfs(base, &fs) ? ROOM_MB :
                            (unsigned long)((double)fs.f_bavail * (double)fs.f_frsize / 1e6);
    if (free_mb < ROOM_MB) {
        snprintf(why, DEMO_WHY, "%s: only %lu MB are left there and the demo needs %d: make room, "
                 "or name another folder with TMPDIR", base, free_mb, ROOM_MB);
        return -ENOSPC;
    }
    snprintf(ret, DEMO_PATH, "%s/tyto-demo-" "XX" "XX" "XX", base);
    if (mkdtemp(ret))
        return 0;
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

void demo_folder_remove(const char *dir)
{
    // Children of a daemon may still be writing their last: once more if something was left.
    for (int i = 0; i < 3 && nftw(dir, remove_one, DEPTH, FTW_DEPTH | FTW_PHYS | FTW_MOUNT); i++)
        usleep(100000);
}
