// SPDX-License-Identifier: GPL-3.0-or-later
// Frames by who sent them, as the sender says.
#include "classifier/claims.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *key_of(const struct decode *d)
{
    static const char *const key[] = { "serial", "session" };

    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < d->n_fields; i++)
            if (d->field[i].type == FIELD_STR && !strcmp(d->field[i].key, key[k]))
                return d->field[i].str;
    return "";
}

static struct claim *claim_new(struct claims *s)
{
    if (s->n == s->size && s->size < CLAIMS_MAX) {
        unsigned size = s->size ? 2 * s->size : 8;
        struct claim *c = realloc(s->c, size * sizeof *c);
        if (c) {
            s->c = c;
            s->size = size;
        }
    }
    return s->n < s->size ? &s->c[s->n++] : NULL;
}

void claims_add(struct claims *s, const struct decode *d)
{
    struct claim *c = NULL;

    for (unsigned i = 0; i < s->n && !c; i++)
        if (s->c[i].last.protocol == d->protocol && !strcmp(key_of(&s->c[i].last), key_of(d)))
            c = &s->c[i];
    if (!c) {
        c = claim_new(s);
        if (!c) {
            s->untold++;
            return;
        }
        *c = (struct claim){ .first_s = d->t_s.v };
    }
    c->frames++;
    c->first_s = fmin(c->first_s, d->t_s.v);
    if (c->frames == 1 || d->t_s.v >= c->last.t_s.v)
        c->last = *d;
}

void claims_free(struct claims *s)
{
    free(s->c);
    *s = (struct claims){ 0 };
}
