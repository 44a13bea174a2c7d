// SPDX-License-Identifier: GPL-3.0-or-later
// Reads the page into memory: some hundred kilobytes.  What is not a plain file of a known type is
// left out, so that an editor's back-up or a stray key file is never served.
#include "alertd/web_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct { const char *suffix, *type; } types[] = {
    { ".html", "text/html; charset=utf-8" }, { ".css", "text/css; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" }, { ".mjs", "text/javascript; charset=utf-8" },
    { ".json", "application/json" }, { ".webmanifest", "application/manifest+json" },
    { ".svg", "image/svg+xml" }, { ".png", "image/png" }, { ".ico", "image/x-icon" },
    { ".woff2", "font/woff2" }, { ".wav", "audio/wav" }, { ".txt", "text/plain; charset=utf-8" },
};

static const char *type_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (!strcmp(dot, types[i].suffix))
            return types[i].type;
    return NULL;
}

static bool name_ok(const char *s)
{
    return s[0] != '.' && strlen(s) < 64 &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               strlen(s);
}

static int read_all(int fd, size_t len, char *to)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, to + at, len - at);
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        at += (size_t)n;
    }
    return 0;
}

static void etag_of(struct web_file *f)
{
    unsigned char h[16];
    crypto_generichash(h, sizeof h, (const unsigned char *)f->data, f->len, NULL, 0);
    f->etag[0] = '"';
    sodium_bin2hex(f->etag + 1, 33, h, sizeof h);
    f->etag[33] = '"';
    f->etag[34] = '\0';
}

static int take_file(struct web_files *ret, int fd, const char *path, size_t len, char *why)
{
    struct web_file *more = realloc(ret->file, (ret->n + 1) * sizeof *more);

    if (!more)
        return snprintf(why, ALERTD_WHY, "%s: no memory", path), -ENOMEM;
    ret->file = more;
    struct web_file *f = &more[ret->n];
    *f = (struct web_file){ .type = type_of(path), .len = len, .data = malloc(len + 1) };
    snprintf(f->path, sizeof f->path, "%s", path);
    int r = f->data ? read_all(fd, len, f->data) : -ENOMEM;
    if (r < 0) {
        free(f->data);
        return snprintf(why, ALERTD_WHY, "%s: %s", path, strerror(-r)), r;
    }
    etag_of(f);
    ret->n++;
    return 0;
}

static int load_dir(struct web_files *ret, int dir_fd, const char *at, unsigned depth, char *why);

static int load_one(struct web_files *ret, int dir_fd, const char *at, const char *name,
                    unsigned depth, char *why)
{
    char path[128];
    struct stat st;

    if (!name_ok(name) || snprintf(path, sizeof path, "%s/%s", at, name) >= (int)sizeof path)
        return 0;
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        int r = fd >= 0 || errno != ELOOP ? -errno : 0;     // a link is no file of the page
        if (fd >= 0)
            close(fd);
        return r ? snprintf(why, ALERTD_WHY, "page file %s: %s", path, strerror(-r)), r : 0;
    }
    if (S_ISDIR(st.st_mode))
        return depth < 3 ? load_dir(ret, fd, path, depth + 1, why) : (close(fd), 0);
    int r = 0;
    if (S_ISREG(st.st_mode) && type_of(name)) {
        if (st.st_size > (off_t)FILE_BYTES || ret->n == FILE_COUNT)
            r = -EFBIG, snprintf(why, ALERTD_WHY, "page file %s: more than %u files or over %u "
                                 "bytes", path, FILE_COUNT, FILE_BYTES);
        else
            r = take_file(ret, fd, path, (size_t)st.st_size, why);
    }
    close(fd);
    return r;
}

// Takes dir_fd.
static int load_dir(struct web_files *ret, int dir_fd, const char *at, unsigned depth, char *why)
{
    DIR *d = fdopendir(dir_fd);
    int r = 0;

    if (!d) {
        close(dir_fd);
        return snprintf(why, ALERTD_WHY, "page folder %s: %s", at, strerror(errno)), -ENOMEM;
    }
    for (struct dirent *e; !r && (e = readdir(d));)
        r = load_one(ret, dirfd(d), at, e->d_name, depth, why);
    closedir(d);
    return r;
}

int files_load(struct web_files *ret, const char *dir, char why[ALERTD_WHY])
{
    struct web_files f = { 0 };
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        int e = errno;
        snprintf(why, ALERTD_WHY, "%s: the page's folder cannot be read: %s", dir, strerror(e));
        return -e;
    }
    int r = load_dir(&f, fd, "", 0, why);
    if (!r && !files_find(&f, "/")) {
        snprintf(why, ALERTD_WHY, "%s: the page's folder has no index.html", dir);
        r = -ENOENT;
    }
    if (r) {
        files_done(&f);
        return r;
    }
    *ret = f;
    return 0;
}

void files_done(struct web_files *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->file[i].data);
    free(f->file);
    *f = (struct web_files){ 0 };
}

const struct web_file *files_find(const struct web_files *f, const char *path)
{
    if (!strcmp(path, "/"))
        path = "/index.html";
    for (size_t i = 0; i < f->n; i++)
        if (!strcmp(f->file[i].path, path))
            return &f->file[i];
    return NULL;
}
