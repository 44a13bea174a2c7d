// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a request's body, with any set of keys allowed: an object or a sentence.
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "alertd/web_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The first byte chooses the keys.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct body b;
    char why[BODY_WHY] = "";
    unsigned allowed = size ? data[0] & 127u : 0;
    allowed |= allowed & BODY_TEXT ? BODY_NAME | BODY_UNTIL : 0;
    int r = body_parse((const char *)data + (size > 0), size - (size > 0), allowed, &b, why);

    assert(r ? r == -EINVAL && why[0] : !why[0]);
    if (r)
        return 0;
    assert(!(b.has & ~allowed));
    assert(!(b.has & BODY_REV) == !b.rev);
    const char *s[] = { b.text, b.reason, b.token, b.user, b.password, b.old,
                        b.name, b.until };
    const size_t max[] = { sizeof b.text, sizeof b.reason, sizeof b.token, sizeof b.user,
                           sizeof b.password, sizeof b.old, sizeof b.name, sizeof b.until };
    for (int i = 0; i < 8; i++) {
        assert(memchr(s[i], 0, max[i]));
        for (const char *c = s[i]; *c; c++)
            assert((unsigned char)*c >= 32 || (!i && strchr("\n\r\t", *c)));
    }
    return 0;
}
