// SPDX-License-Identifier: GPL-3.0-or-later
// Who is trusted: one file a peer.  The file is the trust; taking it away is revoking.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utc.h"
#include "hw/keys_priv.h"

#define SUFFIX ".key"

static bool name_ok(const char *s)
{
    size_t n = strnlen(s, KEYS_NAME);
    return n >= 1 && n < KEYS_NAME && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")] == 0;
}

static int name_check(const char *name, char why[KEYS_WHY])
{
    return name_ok(name) ? 0 : keys_fail(why, EINVAL, "a name of 1 to %d small letters, digits and "
                                         "dashes was expected, not '%.60s'", KEYS_NAME - 1, name);
}

// File name of a peer, and back.
static void file_of(const char *name, char ret[KEYS_NAME + 8])
{
    snprintf(ret, KEYS_NAME + 8, "%s" SUFFIX, name);
}

static bool name_of(const char *file, char ret[KEYS_NAME])
{
    size_t n = strlen(file), s = strlen(SUFFIX);

    if (n <= s || n - s >= KEYS_NAME || strcmp(file + n - s, SUFFIX))
        return false;
    memcpy(ret, file, n - s);
    ret[n - s] = 0;
    return name_ok(ret);
}

// DIR/peers in *ret_path; its descriptor, or -errno.
static int peers_open(const char *dir, bool make, char ret_path[KEYS_WHY], char why[KEYS_WHY])
{
    int top = keys_dir_open(dir, make, why);

    if (top < 0)
        return top;
    snprintf(ret_path, KEYS_WHY, "%.190s/peers", dir);
    int fd = keys_dir_sub(top, dir, "peers", make, why);
    close(top);
    return fd;
}

static int peer_read(int fd, const char *path, const char *file, struct keys_peer *ret,
                     char why[KEYS_WHY])
{
    char text[KEYS_LINE + 1];
    uint8_t raw[32];
    int64_t err;
    int r = keys_file_read(fd, path, file, text, why);

    if (r < 0)
        return r;
    char *nl = strchr(text, '\n'), *when = nl ? nl + 1 : text + r;
    if (nl)
        *nl = 0;
    when[strcspn(when, "\n")] = 0;
    if (z85_decode(text, raw) < 0 || !keys_trustworthy(raw))
        return keys_fail(why, EINVAL, "%.200s/%.60s:1: a public key of 40 characters was expected",
                         path, file);
    if (utc_parse(when, &ret->since_ns, &err) < 0)
        return keys_fail(why, EINVAL, "%.200s/%.60s:2: a time like 2026-01-02T03:04:05Z was "
                         "expected", path, file);
    z85_encode(raw, ret->z85);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct keys_peer *)a)->name, ((const struct keys_peer *)b)->name);
}

// All peers of an open directory into p[KEYS_PEERS]; how many.
static int peers_read(int fd, const char *path, struct keys_peer *p, char why[KEYS_WHY])
{
    int own = dup(fd), n = 0, r = 0;
    DIR *d = own < 0 ? NULL : fdopendir(own);
    struct dirent *e;

    if (!d) {
        r = keys_fail(why, errno, "%.200s: %s", path, strerror(errno));
        if (own >= 0)
            close(own);
        return r;
    }
    rewinddir(d);
    while (r == 0 && (e = readdir(d))) {
        struct keys_peer one;
        if (!name_of(e->d_name, one.name))
            continue;
        r = peer_read(fd, path, e->d_name, &one, why);
        if (r == -ENOENT)               // revoked just now
            r = 0;
        else if (r == 0 && n == KEYS_PEERS)
            r = keys_fail(why, E2BIG, "%.200s: more than %d peers", path, KEYS_PEERS);
        else if (r == 0)
            p[n++] = one;
    }
    closedir(d);
    if (r < 0)
        return r;
    qsort(p, (size_t)n, sizeof *p, by_name);
    return n;
}

int keys_peers(const char *dir, struct keys_peer **ret, char why[KEYS_WHY])
{
    char path[KEYS_WHY];
    struct keys_peer *p = calloc(KEYS_PEERS, sizeof *p);
    int fd = peers_open(dir, false, path, why), n = 0;

    if (!p)
        n = keys_fail(why, ENOMEM, "there is not enough memory for the list of peers");
    else if (fd >= 0)
        n = peers_read(fd, path, p, why);
    else if (fd != -ENOENT || access(dir, F_OK) < 0)
        n = fd;                         // no peers yet is no fault; no directory of keys is one
    if (fd >= 0)
        close(fd);
    if (n < 0)
        free(p);
    else
        *ret = p;
    return n;
}

// May the key come under this name?  1: it is there already.
static int enrol_check(int fd, const char *path, const char *name, const char *z85,
                       char why[KEYS_WHY])
{
    struct keys_peer *p = calloc(KEYS_PEERS, sizeof *p);
    int n = p ? peers_read(fd, path, p, why) : keys_fail(why, ENOMEM, "not enough memory"), r = 0;

    for (int i = 0; i < n && r == 0; i++) {
        bool same_name = !strcmp(p[i].name, name), same_key = !strcmp(p[i].z85, z85);
        if (same_name && same_key)
            r = 1;
        else if (same_name)
            r = keys_fail(why, EEXIST, "%s is enrolled with another key; revoke it first", name);
        else if (same_key)
            r = keys_fail(why, EEXIST, "this key is enrolled as %s already", p[i].name);
    }
    if (n == KEYS_PEERS && r == 0)
        r = keys_fail(why, E2BIG, "%.200s: %d peers are the most", path, KEYS_PEERS);
    free(p);
    return n < 0 ? n : r;
}

int keys_enrol(const char *dir, const char *name, const char *z85, char why[KEYS_WHY])
{
    char path[KEYS_WHY], file[KEYS_NAME + 8], when[UTC_LEN], text[KEYS_LINE];
    char own[KEYS_Z85], unused[KEYS_WHY];
    uint8_t raw[32];

    if (name_check(name, why) < 0)
        return -EINVAL;
    if (z85_decode(z85, raw) < 0 || !keys_trustworthy(raw))
        return keys_fail(why, EINVAL, "this is no public key; the 40 characters that tyto keys "
                         "show prints were expected");
    if (keys_public(dir, own, unused) == 0 && !strcmp(own, z85))
        return keys_fail(why, EINVAL, "this is this machine's own public key; the other side's was "
                         "expected");
    int fd = peers_open(dir, true, path, why);
    if (fd < 0)
        return fd;
    int r = enrol_check(fd, path, name, z85, why);
    if (r == 0) {
        utc_format(when, utc_now_ns(), 0);
        snprintf(text, sizeof text, "%s\n%s\n", z85, when);
        file_of(name, file);
        r = keys_file_write(fd, path, file, text, false, why);
    }
    close(fd);
    return r < 0 ? r : 0;
}

int keys_revoke(const char *dir, const char *name, char why[KEYS_WHY])
{
    char path[KEYS_WHY], file[KEYS_NAME + 8];
    int r = 0;

    if (name_check(name, why) < 0)
        return -EINVAL;
    int fd = peers_open(dir, false, path, why);
    if (fd < 0)
        return fd;
    file_of(name, file);
    if (unlinkat(fd, file, 0) < 0)
        r = errno == ENOENT ? keys_fail(why, ENOENT, "nobody is enrolled as %s", name)
                            : keys_fail(why, errno, "%.200s/%s: %s", path, file, strerror(errno));
    else if (fsync(fd) < 0)
        r = keys_fail(why, errno, "%.200s: %s", path, strerror(errno));
    close(fd);
    return r;
}
