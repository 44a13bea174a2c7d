// SPDX-License-Identifier: GPL-3.0-or-later
// All standing detectors on one forward transform.
#include "dsp/stand/stand.h"

#include <stdlib.h>

#include "dsp/stand/lora.h"
#include "dsp/stand/stand_in.h"
#include "dsp/stand/wide.h"

#define LAST 2          // blocks: the one that is not full, and what filters hold back

struct stand *stand_new(double rate_hz, double centre_hz)
{
    struct stand *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->wide = wide_new(rate_hz);
    if (!s->wide || lora_init(&s->lora, rate_hz, wide_points(s->wide)) ||
        lora_tune(&s->lora, centre_hz) || ble_init(&s->ble, rate_hz, wide_points(s->wide)) ||
        ble_tune(&s->ble, centre_hz) || comb_init(&s->comb, rate_hz, wide_points(s->wide)) ||
        dsss_init(&s->dsss, rate_hz, wide_points(s->wide)) || dsss_tune(&s->dsss, centre_hz)) {
        stand_free(s);
        return NULL;
    }
    comb_tune(&s->comb, centre_hz);
    s->centre_hz = centre_hz;
    return s;
}

void stand_free(struct stand *s)
{
    if (!s)
        return;
    wide_free(s->wide);
    lora_done(&s->lora);
    ble_done(&s->ble);
    comb_done(&s->comb);
    dsss_done(&s->dsss);
    free(s);
}

static void end(struct stand *s)
{
    if (s->running) {
        lora_end(&s->lora, s->out);
        ble_end(&s->ble, s->out);
        comb_end(&s->comb, s->out);
        dsss_end(&s->dsss, s->out);
    }
    s->running = false;
}

void stand_spec(struct stand *s, const struct wide_spec *spec, struct stand_list *out)
{
    s->out = out;
    if (!spec->number) {
        end(s);
        if (spec->centre_hz != s->centre_hz) {  // no memory: no channels, which is what is left
            lora_tune(&s->lora, spec->centre_hz);
            ble_tune(&s->ble, spec->centre_hz);
            comb_tune(&s->comb, spec->centre_hz);
            dsss_tune(&s->dsss, spec->centre_hz);
        }
        s->centre_hz = spec->centre_hz;
        lora_restart(&s->lora);
        ble_restart(&s->ble);
        comb_restart(&s->comb);
        dsss_restart(&s->dsss);
        s->running = true;
    }
    lora_spec(&s->lora, spec, out);
    ble_spec(&s->ble, spec, out);
    comb_spec(&s->comb, spec, out);
    dsss_spec(&s->dsss, spec, out);
}

static void told(void *arg, const struct wide_spec *spec)
{
    struct stand *s = arg;
    stand_spec(s, spec, s->out);
}

bool stand_idle(const struct stand *s, double centre_hz)
{
    return !s->lora.groups && !s->ble.channels && !s->comb.channels &&
           !s->dsss.streams && centre_hz == s->centre_hz;
}

void stand_block(struct stand *s, const struct iq_block *b, struct stand_list *out)
{
    s->out = out;
    if (stand_idle(s, b->centre_hz))
        return;
    if (wide_breaks(s->wide, b)) {
        wide_silence(s->wide, LAST, told, s);
        end(s);
        wide_restart(s->wide, b);
    }
    wide_block(s->wide, b, told, s);
}

void stand_flush(struct stand *s, struct stand_list *out)
{
    s->out = out;
    wide_silence(s->wide, LAST, told, s);
    end(s);
}
