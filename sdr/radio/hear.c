// SPDX-License-Identifier: GPL-3.0-or-later
// What the child says, and what is to be thought of it: whose samples these are, and why it died.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sdr/radio/live.h"

// Live only for a radio of this machine: known by the device node the child holds open.  The
// module says itself what it plays.
static enum iq_origin origin_of(const struct live *l, const struct talk_hello *h)
{
    if (!strcmp(h->driver, "tyto") || h->origin[0])
        return !strcmp(h->origin, "simulation") ? IQ_SIMULATION :
               !strcmp(h->origin, "recording") ? IQ_RECORDING : IQ_EXERCISE;
    return !l->remote && child_holds_device(&l->child) ? IQ_LIVE : IQ_EXERCISE;
}

static const char *const doors[] = {
    "", "its driver could reach the network", "its driver could read files",
    "its driver could reach the network and read files",
};

// What the configuration left to the driver: a band that names no antenna means that one, not the
// one of the band before it.  Of the first child, since a later one opens where the walk stands.
static void keep_opened(struct talk_ask *o, const struct talk_hello *h)
{
    if (!o->antenna[0])
        memcpy(o->antenna, h->antenna, sizeof o->antenna);
    if (!(o->bandwidth_hz > 0))
        o->bandwidth_hz = h->bandwidth_hz;
    if (isnan(o->gain_db))
        o->gain_db = h->gain_db;
}

static void hello(struct live *l, const struct talk_hello *h)
{
    enum iq_origin origin = origin_of(l, h);

    if (l->first.kind && (h->format != l->first.format || origin != l->origin ||
                          fabs(h->rate_hz - l->first.rate_hz) > 1e-6 * h->rate_hz)) {
        live_say(l, "what came back is another device: %.60s, %s, %s at %.9g Hz", h->device,
                 iq_origin_name(origin), iq_format_name(h->format), h->rate_hz);
        live_trouble(l, RADIO_RESTARTING);
        return;
    }
    if (!l->first.kind) {
        l->first = *h;
        keep_opened(&l->opened, h);
        l->origin = origin;
        l->centre_hz = h->centre_hz;
        clock_init(&l->clock, h->rate_hz);
    }
    snprintf(l->said.device, sizeof l->said.device, "%s", h->device);
    l->said.hardware_time = h->hardware_time;
    if (!l->remote && h->open_doors & 3)
        live_remark(l, REMARK_DOORS, REMARK_CHILD, "%s: this kernel or unit allows no jail for it",
                    doors[h->open_doors & 3]);
    l->ring.rate_hz = h->rate_hz;
    l->heard = true;
}

// Trouble that the child lives with.
static void trouble(struct live *l, const struct talk_say *s)
{
    static const struct { enum remark r; double seconds; } kinds[] = {
        [TALK_PASSING] = { REMARK_PASSING, REMARK_S }, [TALK_JUMP] = { REMARK_JUMP, REMARK_S },
        [TALK_DISTRUST] = { REMARK_STAMPS, REMARK_CHILD },
    };
    unsigned k = s->code < sizeof kinds / sizeof kinds[0] ? s->code : TALK_PASSING;

    if (l->rolling)
        live_remark(l, kinds[k].r, kinds[k].seconds, "%.150s", s->text);
    else
        live_say(l, "%.150s", s->text);
}

void live_hear(struct live *l)
{
    union talk t = { 0 };
    int r = 0;

    for (int i = 0; i < 16 && (r = child_hear(&l->child, &t)) == 1; i++) {
        if (t.kind == TALK_HELLO && !l->heard)
            hello(l, &t.hello);
        else if (t.kind == TALK_SAY)
            trouble(l, &t.say);
        else if (t.kind == TALK_FAIL)
            live_say(l, "%.150s", t.say.text);
        else if (t.kind == TALK_HELLO)
            r = -EBADMSG;
        if (t.kind == TALK_FAIL) {
            snprintf(l->why, sizeof l->why, "%s", t.say.text);
            l->fatal = true;
            l->fatal_code = t.say.code < 4096 && t.say.code ? (int)t.say.code : EIO;
        }
        if (!l->child.memory || r < 0)
            break;
    }
    // Dead, but what it wrote before is read first.
    if (r == -EPIPE && l->heard &&
        (l->holding || atomic_load(&l->ring.head->written) > l->ring.seq))
        return;
    if (r == -EBADMSG)
        live_say(l, "the driver's process spoke nonsense; it was ended");
    if (r == -EPROTO)
        live_say(l, "tyto-radio is of another version than this program: Tyto was upgraded "
                 "meanwhile, restart this program");
    if (r < 0 && !l->fatal && r != -EBADMSG && r != -EPROTO) {
        child_mutter(&l->child, l->muttered, sizeof l->muttered);
        live_say(l, "the driver's process died%s%.100s", l->muttered[0] ? ": " : "", l->muttered);
    }
    if (r < 0)
        live_trouble(l, RADIO_RESTARTING);
}
