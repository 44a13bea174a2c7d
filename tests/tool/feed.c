// SPDX-License-Identifier: GPL-3.0-or-later
// Copies a file to standard output in pieces of 1 to MAX bytes, each written by itself, so that the
// reader's reads end anywhere:  feed FILE SEED [MAX, else 4097]
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/rng.h"

int main(int argc, char **argv)
{
    static char buf[1 << 20];
    int fd = argc > 2 ? open(argv[1], O_RDONLY) : -1;
    uint32_t max = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 4097;
    struct rng r;

    if (fd < 0 || !max || max > sizeof buf) {
        fputs("usage: feed FILE SEED [MAX]\n", stderr);
        return 2;
    }
    rng_init(&r, strtoull(argv[2], NULL, 10));
    for (;;) {
        // Small pieces often: half of them below 64 bytes.
        uint32_t most = rng_below(&r, 2) && max > 64 ? 64 : max;
        ssize_t n = read(fd, buf, 1 + rng_below(&r, most));
        if (n <= 0)
            return n < 0;
        if (write(STDOUT_FILENO, buf, (size_t)n) != n)      // a pipe takes up to 4096 in one
            return 1;
    }
}
