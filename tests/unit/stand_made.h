// SPDX-License-Identifier: GPL-3.0-or-later
// Complex noise of power noise^2, to which a test adds signals, and the standing detectors over it.
// Include after cmocka.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "dsp/stand/stand_in.h"

struct scene {
    struct rng        rng;
    double            rate, centre;
    size_t            n;
    float complex    *x;
    struct stand     *stand;
    struct stand_list list;
};

static void scene_new(struct scene *s, uint64_t seed, double rate, double centre, double seconds,
                      double noise)
{
    memset(s, 0, sizeof *s);
    rng_init(&s->rng, seed);
    s->rate = rate;
    s->centre = centre;
    s->n = (size_t)(seconds * rate);
    s->x = malloc(s->n * sizeof *s->x);
    for (size_t i = 0; i < s->n; i++)
        s->x[i] = (float)noise * rng_cnormal(&s->rng);
    s->stand = stand_new(rate, centre);
    assert_non_null(s->stand);
}

static void scene_free(struct scene *s)
{
    stand_free(s->stand);
    free(s->x);
}

// Blocks of `step` samples.
static void scene_run(struct scene *s, size_t step)
{
    s->list.n = 0;
    for (size_t at = 0; at < s->n; at += step) {
        size_t n = s->n - at < step ? s->n - at : step;
        struct iq_block b = { .n0 = at, .n = (uint32_t)n, .rate_hz = s->rate,
                              .centre_hz = s->centre, .format = IQ_CF32, .data = s->x + at };
        stand_block(s->stand, &b, &s->list);
    }
    stand_flush(s->stand, &s->list);
}

// What the detectors tell of one of the recordings; its rate in Hz, or 0 where it is not there.
static inline double scene_recorded(const char *name, struct stand_list *list)
{
    char path[128], why[IQ_WHY];
    struct iq_source *src;
    snprintf(path, sizeof path, "../shared/captures/%s.sigmf-meta", name);
    if (iq_open_file(&src, &(struct iq_file_cfg){ .path = path }, why) < 0) {
        printf("%s: not there, skipped\n", name);
        return 0;
    }
    struct iq_info info = iq_info(src);
    struct stand *s = stand_new(info.rate_hz, info.centre_hz);
    list->n = 0;
    for (struct iq_block *b; (b = iq_next(src)); iq_unref(b))
        stand_block(s, b, list);
    stand_flush(s, list);
    stand_free(s);
    iq_close(src);
    return info.rate_hz;
}
