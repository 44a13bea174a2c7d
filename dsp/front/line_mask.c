// SPDX-License-Identifier: GPL-3.0-or-later
// The floor with lines (see line.h): a copy of it, raised where they stand, made again when either
// changes.
#include <stdlib.h>
#include <string.h>

#include "dsp/front/line.h"

#define SHOWN       0.3f        // of the floor: what a line adds to a channel that counts

struct line_mask {
    struct grid g;
    float       factor;
    float      *slow, *fast, *inverse_slow, *inverse_fast;
    uint64_t    of, solved, version;    // window + 1 and solution it was made for
};

struct line_mask *line_mask_new(const struct grid *g, float factor)
{
    struct line_mask *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->g = *g;
    m->factor = factor;
    m->slow = calloc(g->slow_n, sizeof *m->slow);
    m->inverse_slow = calloc(g->slow_n, sizeof *m->slow);
    m->fast = calloc(g->fast_n, sizeof *m->fast);
    m->inverse_fast = calloc(g->fast_n, sizeof *m->fast);
    if (!m->slow || !m->inverse_slow || !m->fast || !m->inverse_fast) {
        line_mask_free(m);
        return NULL;
    }
    return m;
}

void line_mask_free(struct line_mask *m)
{
    if (!m)
        return;
    free(m->slow);
    free(m->inverse_slow);
    free(m->fast);
    free(m->inverse_fast);
    free(m);
}

static void raise(float *x, float *inverse, int k, float by)
{
    if (by <= SHOWN * x[k])
        return;
    x[k] += by;
    inverse[k] = 1 / x[k];
}

struct floor_view line_mask_at(struct line_mask *m, const struct lines *l,
                               const struct noise_floor *f, uint64_t row)
{
    const struct line_set *set = lines_at(l, row);
    struct floor_view v = floor_now(f);
    uint64_t window = row / FLOOR_WINDOW + 1;

    if (!set->n)
        return v;
    if (m->of != window || m->solved != floor_solved(f) || m->version != lines_version(l)) {
        memcpy(m->slow, v.slow, m->g.slow_n * sizeof *m->slow);
        memcpy(m->inverse_slow, v.inverse_slow, m->g.slow_n * sizeof *m->slow);
        memcpy(m->fast, v.fast, m->g.fast_n * sizeof *m->fast);
        memcpy(m->inverse_fast, v.inverse_fast, m->g.fast_n * sizeof *m->fast);
        for (unsigned i = 0; i < set->n; i++) {
            const struct line_span *s = &set->s[i];
            for (int j = -LINE_REACH; j <= LINE_REACH; j++)
                raise(m->slow, m->inverse_slow, s->k + j, m->factor * s->slow[j + LINE_REACH]);
            for (int j = -LINE_FAST; j <= LINE_FAST; j++)
                if (s->c + j >= 0 && s->c + j < (int)m->g.fast_n)
                    raise(m->fast, m->inverse_fast, s->c + j, m->factor * s->fast[j + LINE_FAST]);
        }
        m->of = window;
        m->solved = floor_solved(f);
        m->version = lines_version(l);
    }
    return (struct floor_view){ .slow = m->slow, .fast = m->fast, .inverse_slow = m->inverse_slow,
                                .inverse_fast = m->inverse_fast, .least = v.least };
}
