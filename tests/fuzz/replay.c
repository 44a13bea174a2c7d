// SPDX-License-Identifier: GPL-3.0-or-later
// Runs a fuzz target without a fuzzer: once on no bytes at all, then on every file of the
// directories named, in order of name.  `make check` replays the corpora so, with any compiler.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file_run(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rb");

    if (!f || fstat(fileno(f), &st)) {
        perror(path);
        return -1;
    }
    // Exactly as large as the file, so that the address sanitizer sees the first byte too many.
    size_t n = (size_t)st.st_size;
    uint8_t *p = malloc(n ? n : 1);
    int bad = !p || fread(p, 1, n, f) != n;
    fclose(f);
    if (bad)
        fprintf(stderr, "%s: cannot be read whole\n", path);
    else
        LLVMFuzzerTestOneInput(p, n);
    free(p);
    return bad ? -1 : 0;
}

static int is_plain(const struct dirent *e) { return e->d_name[0] != '.'; }

static int dir_run(const char *dir)
{
    struct dirent **list;
    int n = scandir(dir, &list, is_plain, alphasort), bad = n < 1;

    if (n < 1)
        fprintf(stderr, "%s: no corpus there\n", dir);
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name);
        printf("%s\n", path);
        bad |= file_run(path) < 0;
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return bad;
}

int main(int argc, char **argv)
{
    int bad = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);   // so that the log names the input that crashed
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        bad |= dir_run(argv[i]);
    return bad;
}
