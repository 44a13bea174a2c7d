// SPDX-License-Identifier: GPL-3.0-or-later
// Lists of words, names of links and hex strings as scenes give them.
#include "sdr/tx/args.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DIVIDERS " ,\t\n"

// The next word at *p: its start and length, 0 at the end.
static size_t word_next(const char **p)
{
    *p += strspn(*p, DIVIDERS);
    return strcspn(*p, DIVIDERS);
}

static bool same(const char *a, size_t n, const char *b)
{
    return strlen(b) == n && !strncasecmp(a, b, n);
}

bool words_have(const char *list, const char *word)
{
    size_t n;
    for (const char *p = list ? list : ""; (n = word_next(&p)); p += n)
        if (same(p, n, word))
            return true;
    return false;
}

static bool is_known(const char *p, size_t n, const char *const *known)
{
    for (; *known; known++)
        if (same(p, n, *known))
            return true;
    return false;
}

bool words_known(const char *model, const char *list, const char *const *known, char why[IQ_WHY])
{
    size_t n;
    for (const char *p = list ? list : ""; (n = word_next(&p)); p += n) {
        if (is_known(p, n, known))
            continue;
        int at = snprintf(why, IQ_WHY, "%s: variant \"%.*s\" is none of", model,
                          (int)(n < 40 ? n : 40), p);
        for (; *known && at < IQ_WHY; known++)
            at += snprintf(why + at, (size_t)(IQ_WHY - at), " %s", *known);
        return false;
    }
    return true;
}

static size_t without_domain(const char *s)
{
    const char *b = strchr(s, '[');
    size_t n = b ? (size_t)(b - s) : strlen(s);
    while (n && s[n - 1] == ' ')
        n--;
    return n;
}

bool link_is(const char *full, const char *given)
{
    size_t n = without_domain(full);
    return n == without_domain(given) && !strncasecmp(full, given, n);
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *p = strchr(digits, tolower((unsigned char)c));
    return c && p ? (int)(p - digits) : -1;
}

int hex_bytes(const char *hex, uint8_t *out, size_t room)
{
    size_t digits = 0;
    for (; *hex; hex++) {
        if (isspace((unsigned char)*hex))
            continue;
        int v = hex_digit(*hex);
        if (v < 0 || digits / 2 >= room)
            return -EINVAL;
        out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] << 4 | v : v);
        digits++;
    }
    return digits % 2 ? -EINVAL : (int)(digits / 2);
}

double args_until(const struct tx_args *a) { return a->until_s > 0 ? a->until_s : INFINITY; }

bool args_has_freq(const struct tx_args *a)
{
    return isfinite(a->freq_hz) && (a->freq_hz > 0 || a->freq_hz < 0 ||
                                    (a->capture_lo_hz < 0 && a->capture_hi_hz > 0));
}

bool args_need_freq(const char *model, const struct tx_args *a, char why[IQ_WHY])
{
    if (args_has_freq(a))
        return true;
    snprintf(why, IQ_WHY, "%s: freq_hz is missing, expected the centre of its channel", model);
    return false;
}

bool args_seen(const struct tx_args *a, double freq_hz, double bw_hz)
{
    return !(a->capture_hi_hz > a->capture_lo_hz) ||
           (freq_hz + bw_hz / 2 > a->capture_lo_hz && freq_hz - bw_hz / 2 < a->capture_hi_hz);
}
