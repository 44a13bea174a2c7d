// SPDX-License-Identifier: GPL-3.0-or-later
// Is a recording still what was recorded?
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdr/record/meta.h"
#include "sdr/src/sigmf.h"
#include "sdr/src/source.h"

#define META  ".sigmf-meta"
#define DATA  ".sigmf-data"
#define CHUNK (1u << 20)

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), e = strlen(end);
    return n > e && !strcmp(s + n - e, end);
}

// Of the data file, in hex; 0 or -errno.
static int hash_file(const char *path, char hex[129])
{
    unsigned char hash[crypto_hash_sha512_BYTES], *buf = malloc(CHUNK);
    crypto_hash_sha512_state sha;
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = fd < 0 ? errno : buf ? 0 : ENOMEM;
    ssize_t n = 0;

    crypto_hash_sha512_init(&sha);
    while (!err && ((n = read(fd, buf, CHUNK)) > 0 || (n < 0 && errno == EINTR)))
        if (n > 0)
            crypto_hash_sha512_update(&sha, buf, (size_t)n);
    if (!err && n < 0)
        err = errno;
    crypto_hash_sha512_final(&sha, hash);
    sodium_bin2hex(hex, 129, hash, sizeof hash);
    if (fd >= 0)
        close(fd);
    free(buf);
    return -err;
}

int record_verify(const char *path, char why[IQ_WHY])
{
    char meta[PATH_MAX], data[PATH_MAX], shown[SRC_NAME], hex[129];
    struct sigmf m;
    size_t n = strlen(path), s = strlen(DATA);

    if (n + 16 > PATH_MAX || (!ends_with(path, META) && !ends_with(path, DATA)))
        return src_why(why, -EINVAL, "%s: expected the name of a SigMF recording, .sigmf-meta or "
                       ".sigmf-data", src_name(shown, path));
    snprintf(meta, sizeof meta, "%.*s" META, (int)(n - s), path);    // both suffixes are as long
    int r = sigmf_load(&m, meta, why);
    if (r < 0)
        return r;
    snprintf(data, sizeof data, "%.*s" DATA, (int)(n - s), path);
    if (m.dataset[0]) {
        const char *slash = strrchr(meta, '/');
        snprintf(data, sizeof data, "%.*s%s", slash ? (int)(slash + 1 - meta) : 0, meta, m.dataset);
    }
    sigmf_done(&m);
    if (!m.sha512[0])
        return src_why(why, -ENODATA, "%s: carries no core:sha512 to check against",
                       src_name(shown, meta));
    if ((r = hash_file(data, hex)) < 0)
        return src_why(why, r, "%s: %s", src_name(shown, data), strerror(-r));
    if (!strcmp(hex, m.sha512))
        return 0;
    src_why(why, 0, "%s: its checksum is not the one in its metadata: it was changed or cut after "
            "it was recorded", src_name(shown, data));
    return 1;
}
