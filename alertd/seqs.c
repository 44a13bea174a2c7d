// SPDX-License-Identifier: GPL-3.0-or-later
#include "alertd/seqs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool seqs_has(const struct seqs *s, uint64_t seq)
{
    if (seq < s->next)
        return true;
    for (unsigned i = 0; i < s->n; i++)
        if (seq >= s->span[i].from && seq <= s->span[i].to)
            return true;
    return false;
}

static void drop(struct seqs *s, unsigned i)
{
    memmove(&s->span[i], &s->span[i + 1], (s->n - i - 1) * sizeof s->span[0]);
    s->n--;
}

// Spans that touch `next` are no longer ahead.
static void settle(struct seqs *s)
{
    while (s->n && s->span[0].from <= s->next) {
        if (s->span[0].to >= s->next)
            s->next = s->span[0].to + 1;
        drop(s, 0);
    }
}

enum seqs_result seqs_add(struct seqs *s, uint64_t from, uint64_t to)
{
    unsigned i = 0;
    if (from > to || to == UINT64_MAX)      // to + 1 must be a number
        return SEQS_NO_ROOM;
    if (from < s->next)
        from = s->next;
    if (from > to)
        return SEQS_SEEN;
    while (i < s->n && s->span[i].to + 1 < from)
        i++;
    if (i < s->n && s->span[i].from <= from && s->span[i].to >= to)
        return SEQS_SEEN;
    // Everything from i on that it touches melts into it.
    while (i < s->n && s->span[i].from <= to + 1) {
        from = s->span[i].from < from ? s->span[i].from : from;
        to = s->span[i].to > to ? s->span[i].to : to;
        drop(s, i);
    }
    if (from == s->next) {
        s->next = to + 1;
        settle(s);
        return SEQS_NEW;
    }
    if (s->n == SEQS_SPANS)
        return SEQS_NO_ROOM;
    memmove(&s->span[i + 1], &s->span[i], (s->n - i) * sizeof s->span[0]);
    s->span[i] = (struct seqs_span){ from, to };
    s->n++;
    return SEQS_NEW;
}

void seqs_text(const struct seqs *s, char ret[SEQS_TEXT])
{
    int n = snprintf(ret, SEQS_TEXT, "%" PRIu64 " %" PRIu64, s->next, s->lost);
    for (unsigned i = 0; i < s->n; i++)
        n += snprintf(ret + n, SEQS_TEXT - (size_t)n, " %" PRIu64 "-%" PRIu64, s->span[i].from,
                      s->span[i].to);
}

int seqs_parse(struct seqs *ret, const char *text)
{
    struct seqs s = { .boot = ret->boot };
    uint64_t from, to;
    int at = 0, n = 0;
    if (sscanf(text, "%" SCNu64 " %" SCNu64 "%n", &s.next, &s.lost, &at) != 2)
        return -EINVAL;
    for (; sscanf(text + at, " %" SCNu64 "-%" SCNu64 "%n", &from, &to, &n) == 2; at += n)
        if (seqs_add(&s, from, to) == SEQS_NO_ROOM)
            return -EINVAL;
    if (text[at])
        return -EINVAL;
    s.durable = s.next;
    *ret = s;
    return 0;
}
