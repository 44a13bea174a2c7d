// SPDX-License-Identifier: GPL-3.0-or-later
// Where profiles are: a file of that path, or NAME.yaml in <program>/../share/tyto/profiles.
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/profile.h"

#define BYTES_MAX 65536         // ours have 1500
#define NAMES_MAX 64

static int folder(char *dir, size_t size)
{
    char program[PATH_MAX];
    int r = hw_program_dir(program, sizeof program);

    if (r < 0)
        return r;
    r = snprintf(dir, size, "%s/../share/tyto/profiles", program);
    return r < (int)size ? 0 : -ENAMETOOLONG;
}

static int load_path(struct hw_profile *ret, const char *path, char why[HW_WHY])
{
    FILE *f = fopen(path, "rbe");
    char *text = f ? malloc(BYTES_MAX + 1) : NULL;
    size_t n = text ? fread(text, 1, BYTES_MAX + 1, f) : 0;
    int err = !f ? -errno : !text ? -ENOMEM : ferror(f) ? -EIO : n > BYTES_MAX ? -EFBIG : 0;

    if (err)
        snprintf(why, HW_WHY, "%.300s: %s; expected a radio profile", path, strerror(-err));
    else
        err = hw_profile_parse(ret, text, n, path, why);
    free(text);
    if (f)
        fclose(f);
    return err;
}

static bool is_name(const char *s)
{
    return *s && strlen(s) < 32 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(s);
}

int hw_profile_load(struct hw_profile *ret, const char *name, char why[HW_WHY])
{
    char dir[PATH_MAX], path[PATH_MAX + 64];

    if (!is_name(name))
        return load_path(ret, name, why);
    int r = folder(dir, sizeof dir);
    if (r < 0) {
        snprintf(why, HW_WHY, "profile %s: cannot tell where the program is: %s", name,
                 strerror(-r));
        return r;
    }
    snprintf(path, sizeof path, "%s/%s.yaml", dir, name);
    return load_path(ret, path, why);
}

// All there are, read once.
static struct known { char name[32], driver[32]; } known[NAMES_MAX];
static size_t n_known;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int is_profile(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 5 && n < 32 && e->d_name[0] != '.' && !strcmp(e->d_name + n - 5, ".yaml");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void know(void)
{
    char dir[PATH_MAX], why[HW_WHY];
    struct dirent **e = NULL;
    int n = folder(dir, sizeof dir) < 0 ? 0 : scandir(dir, &e, is_profile, by_name);

    for (int i = 0; i < n; i++) {
        struct known *k = &known[n_known];
        struct hw_profile p;
        snprintf(k->name, sizeof k->name, "%.*s", (int)strlen(e[i]->d_name) - 5, e[i]->d_name);
        // One that cannot be read is listed, so that whoever loads it is told why.
        bool fine = is_name(k->name) && hw_profile_load(&p, k->name, why) == 0;
        snprintf(k->driver, sizeof k->driver, "%s", fine ? p.driver : "");
        n_known += n_known + 1 < NAMES_MAX;
        free(e[i]);
    }
    free(e);
}

const char *hw_profile_name(size_t i)
{
    pthread_once(&once, know);
    return i < n_known ? known[i].name : NULL;
}

const char *hw_profile_for_driver(const char *driver)
{
    pthread_once(&once, know);
    for (size_t i = 0; i < n_known; i++)
        if (!strcmp(known[i].driver, driver))
            return known[i].name;
    return NULL;
}
