// SPDX-License-Identifier: GPL-3.0-or-later
// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#include "classifier/wire/text.h"

#include <stdint.h>
#include <string.h>

// Bytes of the character at p, 0 where none is.
static unsigned char_len(const uint8_t *p, size_t left)
{
    uint8_t c = p[0];
    if (c >= 0x20 && c < 0x7f)
        return 1;
    unsigned n = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (!n || n > left)
        return 0;
    for (unsigned i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xc2 && p[1] < 0xa0) ||           // C1 controls
        (c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) ||
        (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

void text_mend(char *dst, size_t size, const void *src, size_t len)
{
    const uint8_t *p = src;
    size_t at = 0;

    for (size_t i = 0; i < len;) {
        unsigned n = char_len(p + i, len - i);
        const void *from = n ? (const void *)(p + i) : "\xef\xbf\xbd";
        size_t m = n ? n : 3;
        if (at + m >= size)
            break;
        memcpy(dst + at, from, m);
        at += m;
        i += n ? n : 1;
    }
    dst[at] = 0;
}

bool text_plain(const void *src, size_t len)
{
    const uint8_t *p = src;

    for (size_t i = 0; i < len; i++)
        if (p[i] < 0x20 || p[i] > 0x7e)
            return false;
    return true;
}
