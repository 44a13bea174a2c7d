// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as the answer of a page to `tyto watch`, which comes in any portions: head and body, or
// an error, and an end.  The address it is given, too.
#include <assert.h>
#include <sys/socket.h>

#include "alertd/watch_http.c"          // struct http is nobody else's

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(const uint8_t *data, size_t size)
{
    struct http *h = calloc(1, sizeof *h);
    struct http_answer a = { 0 };
    char buf[37];
    size_t got = 0;
    ssize_t n = 0;
    int s[2];

    assert(h && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == 0);
    assert(size <= 65536 && send(s[1], data, size, 0) == (ssize_t)size);
    close(s[1]);
    h->fd = s[0];
    h->left = -1;
    if (read_head(h, &a) == 0)
        while ((n = http_read(h, buf, sizeof buf)) > 0) {
            assert((size_t)n <= sizeof buf && (got += (size_t)n) <= size);
        }
    assert(memchr(a.cookie, 0, sizeof a.cookie));
    http_close(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct watch_post p = { .port = "" };
    char why[WATCH_WHY] = "", *s = malloc(size + 1);

    if (!s || size > 65536)
        return free(s), 0;
    memcpy(s, data, size);
    s[size] = 0;
    if (watch_url(&p, s, why) == 0)
        assert(p.port[0] && (p.tls || loopback(p.host)));
    else
        assert(why[0]);
    (void)watch_pin_text(&p, s, why);
    free(s);
    answer(data, size);
    return 0;
}
