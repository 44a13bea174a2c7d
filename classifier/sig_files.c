// SPDX-License-Identifier: GPL-3.0-or-later
// The folder of signature files: where it is, and all of it read in order of name.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classifier/sig.h"
#include "hw/hw.h"

static int load_file(struct sig **ret, const char *dir, const char *name, char why[IQ_WHY])
{
    char path[4096];
    int r = -ENOMEM;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    char *txt = f ? malloc(SIG_FILE_MAX + 1) : NULL;
    if (!f || !txt) {
        r = f ? -ENOMEM : -errno;
        snprintf(why, IQ_WHY, "%.300s: %s; a readable signature file was expected", path,
                 strerror(-r));
    } else {
        size_t n = fread(txt, 1, SIG_FILE_MAX + 1, f);
        if (n > SIG_FILE_MAX) {
            r = -EFBIG;
            snprintf(why, IQ_WHY, "%.300s: longer than %d bytes; one family was expected", path,
                     SIG_FILE_MAX);
        } else {
            r = sig_parse(ret, name, txt, n, why);
        }
    }
    free(txt);
    if (f)
        fclose(f);
    return r;
}

static int is_yaml(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 5 && e->d_name[0] != '.' && !strcmp(e->d_name + n - 5, ".yaml");
}

// strcmp order, whatever the locale says: file order decides ties.
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add(struct sigs *s, const char *dir, const char *name, char why[IQ_WHY])
{
    struct sig *one;

    if (s->n == SIG_MAX) {
        snprintf(why, IQ_WHY, "%.300s: more than %d signature files", dir, SIG_MAX);
        return -E2BIG;
    }
    int r = load_file(&one, dir, name, why);
    if (r < 0)
        return r;
    if (sigs_find(s, one->family)) {
        snprintf(why, IQ_WHY, "%.63s:1: family %.31s has a file already (%.63s)", name, one->family,
                 sigs_find(s, one->family)->file);
        sig_free(one);
        return -EEXIST;
    }
    s->sig[s->n++] = one;
    return 0;
}

int sigs_load(struct sigs *ret, const char *dir, char why[IQ_WHY])
{
    struct sigs s = { .n = 0 };
    struct dirent **e;
    int r = 0, n = scandir(dir, &e, is_yaml, by_name);

    if (n <= 0) {
        r = n < 0 ? -errno : -ENOENT;
        if (n == 0)
            free(e);
        snprintf(why, IQ_WHY, "%.300s: %s; a folder of signature files (*.yaml) was expected", dir,
                 n < 0 ? strerror(-r) : "no signature file");
        return r;
    }
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = add(&s, dir, e[i]->d_name, why);
        free(e[i]);
    }
    free(e);
    if (r < 0) {
        sigs_free(&s);
        return r;
    }
    *ret = s;
    return 0;
}

void sigs_free(struct sigs *s)
{
    for (unsigned i = 0; i < s->n; i++)
        sig_free(s->sig[i]);
    s->n = 0;
}

const struct sig *sigs_find(const struct sigs *s, const char *family)
{
    for (unsigned i = 0; i < s->n; i++)
        if (!strcmp(s->sig[i]->family, family))
            return s->sig[i];
    return NULL;
}

int sigs_dir(char *ret, size_t size, const char *dir)
{
    const char *env = getenv("TYTO_SIG_DIR");
    char prog[3000];
    int n, r;

    if (dir || (env && env[0])) {
        n = snprintf(ret, size, "%s", dir ? dir : env);
    } else {
        if ((r = hw_program_dir(prog, sizeof prog)) < 0)
            return r;
        n = snprintf(ret, size, "%s/../share/tyto/sig", prog);
    }
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}
