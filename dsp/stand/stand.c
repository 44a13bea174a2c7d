// SPDX-License-Identifier: GPL-3.0-or-later
// All standing detectors on one forward transform.
#include "dsp/stand/stand.h"

#include <stdlib.h>

#include "dsp/stand/lora.h"
#include "dsp/stand/stand_in.h"
#include "dsp/stand/wide.h"

struct stand *stand_new(double rate_hz, double centre_hz)
{
    struct stand *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->wide = wide_new(rate_hz);
    if (!s->wide || lora_init(&s->lora, rate_hz, centre_hz, wide_points(s->wide))) {
        stand_free(s);
        return NULL;
    }
    return s;
}

void stand_free(struct stand *s)
{
    if (!s)
        return;
    wide_free(s->wide);
    lora_done(&s->lora);
    free(s);
}

static void told(void *arg, const struct wide_spec *spec)
{
    struct stand *s = arg;
    if (!spec->number)
        lora_restart(&s->lora, spec->at);
    lora_spec(&s->lora, spec, s->out);
}

static bool idle(const struct stand *s) { return !s->lora.groups; }

void stand_block(struct stand *s, const struct iq_block *b, struct stand_list *out)
{
    s->out = out;
    if (idle(s))
        return;
    if (wide_breaks(s->wide, b)) {
        wide_silence(s->wide, lora_lag(&s->lora), told, s);
        wide_restart(s->wide, b->n0);
    }
    wide_block(s->wide, b, told, s);
}

void stand_flush(struct stand *s, struct stand_list *out)
{
    s->out = out;
    if (!idle(s))
        wide_silence(s->wide, lora_lag(&s->lora), told, s);
}
