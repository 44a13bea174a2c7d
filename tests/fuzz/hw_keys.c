// SPDX-License-Identifier: GPL-3.0-or-later
// What keys are read from: text of a key, a time, the file of a peer (in any bytes).
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utc.h"
#include "hw/keys_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/tyto-fuzz-" "XX" "XX" "XX", peers[40], file[48];

static void done(void)
{
    unlink(file);
    rmdir(peers);
    rmdir(dir);
}

static void text(const uint8_t *data, size_t size)
{
    char *s = malloc(size + 1), again[KEYS_Z85], when[UTC_LEN];
    uint8_t raw[32];
    int64_t ns, err, same;

    assert(s);
    memcpy(s, data, size);
    s[size] = 0;
    if (keys_raw(s, raw) == 0) {
        z85_encode(raw, again);
        assert(!strcmp(s, again));
    }
    if (utc_parse(s, &ns, &err) == 0) {
        utc_format(when, ns, 9);
        assert(err >= 1 && utc_parse(when, &same, &err) == 0 && same == ns);
    }
    free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct keys_peer *p = NULL;
    char why[KEYS_WHY] = "";
    uint8_t raw[32];

    text(data, size);
    if (!file[0]) {
        assert(mkdtemp(dir));
        snprintf(peers, sizeof peers, "%s/peers", dir);
        snprintf(file, sizeof file, "%s/a.key", peers);
        assert(mkdir(peers, 0700) == 0);
        atexit(done);
    }
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    int n = keys_peers(dir, &p, why);
    assert(n < 0 ? why[0] && strlen(why) < KEYS_WHY : n == 1);
    if (n == 1)
        assert(!strcmp(p->name, "a") && keys_raw(p->z85, raw) == 0 && keys_trustworthy(raw));
    free(p);
    return 0;
}
