// SPDX-License-Identifier: GPL-3.0-or-later
// What a line may hold.  Names come from the air, from sensors and from people: some of them would
// steer a terminal, turn the writing round, or hide among what is not to be seen.
//
//     control characters             C0, C1, DEL
//     bidirectional controls         U+061C 200E 200F 202A..202E 2066..2069
//     what is not to be seen         zero widths, joiners, fillers, variation selectors, tags
//     line and paragraph separators, private use, what is no character, what is no UTF-8
//     more than three marks stacked on one letter: they reach into the lines above and below
//
// Each becomes a '?': a strange mark is the truth about a strange name.
#include <stdlib.h>

#include "alertd/words.h"

// First and last of what is never shown, in order: Unicode's Cc, Zl, Zp, Cs, Co, and all that has
// Default_Ignorable_Code_Point or is a format character (Cf).
static const struct { int32_t lo, hi; } hidden[] = {
    { 0x00, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f }, { 0x600, 0x605 },
    { 0x61c, 0x61c }, { 0x6dd, 0x6dd }, { 0x70f, 0x70f }, { 0x890, 0x891 }, { 0x8e2, 0x8e2 },
    { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f },
    { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xd800, 0xf8ff },
    { 0xfdd0, 0xfdef }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 },
    { 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd },
    { 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0x1fffe, 0x1ffff },
    { 0xe0000, 0x10ffff },
};
static const struct { int32_t lo, hi; } marks[] = {
    { 0x300, 0x36f }, { 0x483, 0x489 }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },
    { 0x20d0, 0x20ff }, { 0xfe20, 0xfe2f },
};
#define STACKED 3           // Vietnamese has two on a letter

int32_t words_rune(const char *at, int *ret_len)
{
    static const int32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *s = (const unsigned char *)at;
    int n = *s < 0x80 ? 1 : *s >> 5 == 6 ? 2 : *s >> 4 == 14 ? 3 : *s >> 3 == 30 ? 4 : 0;
    int32_t c = n == 1 ? *s : n ? *s & (0x7f >> n) : -1;

    for (int i = 1; i < n; i++) {
        if (s[i] >> 6 != 2) {
            n = 0;
            break;
        }
        c = c << 6 | (s[i] & 0x3f);
    }
    *ret_len = n ? n : 1;
    return n && c >= least[n] && c < 0x110000 && (c < 0xd800 || c > 0xdfff) ? c : -1;
}

static bool is_hidden(int32_t c)
{
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (c >= hidden[i].lo && c <= hidden[i].hi)
            return true;
    return false;
}

static bool is_mark(int32_t c)
{
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (c >= marks[i].lo && c <= marks[i].hi)
            return true;
    return false;
}

void words_plain(char *s)
{
    char *to = s;
    int stacked = 0;

    while (*s) {
        int len;
        int32_t c = words_rune(s, &len);
        stacked = is_mark(c) ? stacked + 1 : 0;
        if (c < 0 || is_hidden(c) || stacked > STACKED)
            *to++ = '?';
        else
            for (int i = 0; i < len; i++)
                *to++ = s[i];
        s += len;
    }
    *to = 0;
}
