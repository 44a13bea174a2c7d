// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a path and as each header that is read: no way past the checks, no way out of them.
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alertd/web_body.h"
#include "alertd/web_route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void host(const char *s)
{
    char name[HEAD_HOST];
    bool address;

    if (head_host(s, name, &address))
        return;
    size_t n = strlen(name);
    assert(n >= 1 && n < HEAD_HOST);
    for (size_t i = 0; i < n; i++)
        assert(!(name[i] >= 'A' && name[i] <= 'Z') && !strchr("/@ \t[]%", name[i]));
}

static void path(const char *s)
{
    const char *method[] = { "GET", "HEAD", "POST", "DELETE" }, *allow = NULL;
    struct route r;

    for (int i = 0; i < 4; i++) {
        int e = route_of(method[i], s, &r, &allow);
        assert(!e || allow || e == -ENOENT);
        assert(e || r.kind != ROUTE_ACT || (r.alert[0] && !strchr(r.alert, '/')));
        assert(e || route_open(&r) || route_may(&r, ROLE_VIEWER) || r.kind != ROUTE_ACT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *s = malloc(size + 1), token[HEAD_TOKEN], user[48], password[160];
    uint64_t n;

    assert(s);
    memcpy(s, data, size);
    s[size] = '\0';
    host(s);
    path(s);
    assert(!head_origin(s, "a", false) || !strcasecmp(s, "https://a"));
    if (!head_cookie(s, "t", token))
        assert(strlen(token) == HEAD_TOKEN - 1 && strstr(s, token));
    if (!head_basic(s, user, password))
        assert(strlen(user) < 48 && strlen(password) < 160);
    assert(head_number(s, &n) || n <= INT64_MAX);
    assert(!head_key(s) || (*s && strlen(s) < 64));
    (void)head_is_json(s);
    (void)head_etag(s, "\"0123\"");
    free(s);
    return 0;
}
