// SPDX-License-Identifier: GPL-3.0-or-later
// What the schema of signature files cannot say: the closed list of families, ranges of numbers,
// and which keys a judge cannot do without.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "classifier/families.h"
#include "classifier/sig.h"

bool sig_family_known(const char *family, bool *ret_not_drone)
{
    return family_known(family, ret_not_drone);
}

static int bad(char why[IQ_WHY], const struct sig *s, unsigned line, const char *what)
{
    snprintf(why, IQ_WHY, "%s:%u: %s", s->file, line, what);
    return -EINVAL;
}

// A range that is not given is 0, 0.
static bool range_bad(struct sig_range r, double lo, double hi)
{
    if (r.lo == 0 && r.hi == 0)
        return false;
    return !(r.lo >= lo && r.hi <= hi && r.lo <= r.hi);
}

static bool number_bad(double v, double lo, double hi)
{
    return v != 0 && !(v >= lo && v <= hi);
}

#define FREQ_MAX_HZ 300e9

static const char *place_fault(const struct sig_mode *m)
{
    for (unsigned i = 0; i < m->n_bands_hz; i += 2)
        if (i + 1 == m->n_bands_hz || !(m->bands_hz[i] >= 0 && m->bands_hz[i + 1] <= FREQ_MAX_HZ &&
                                        m->bands_hz[i] < m->bands_hz[i + 1]))
            return "bands_hz: pairs of lower and upper edge, 0 to 300e9 Hz, were expected";
    for (unsigned i = 0; i < m->n_channels; i++)
        if (!(m->channels_hz[i] > 0 && m->channels_hz[i] <= FREQ_MAX_HZ))
            return "channels_hz: frequencies from 0 to 300e9 Hz were expected";
    if (number_bad(m->channel_start_hz, 1, FREQ_MAX_HZ) ||
        number_bad(m->channel_step_hz, 1e3, 1e9) || m->channel_count > 4096)
        return "channel_start_hz up to 300e9, channel_step_hz from 1e3 to 1e9 and channel_count up "
               "to 4096 were expected";
    if ((m->channel_step_hz != 0) != (m->channel_count != 0))
        return "channel_step_hz and channel_count were expected together";
    if (number_bad(m->channel_tolerance_hz, 1, 1e8))
        return "channel_tolerance_hz: from 1 to 1e8 was expected";
    return NULL;
}

static const char *wave_fault(const struct sig_mode *m)
{
    if (m->sf && (m->sf < 5 || m->sf > 12))
        return "sf: 5 to 12 was expected";
    if (number_bad(m->bw_hz, 1e3, 1e9) || number_bad(m->bw_tolerance, 1e-6, 1))
        return "bw_hz from 1e3 to 1e9 and bw_tolerance from 1e-6 to 1 were expected";
    if (number_bad(m->symbol_rate_bd, 100, 1e8) || number_bad(m->symbol_rate_tolerance, 1e-6, 1))
        return "symbol_rate_bd from 100 to 1e8 and symbol_rate_tolerance from 1e-6 to 1 were "
               "expected";
    if (range_bad(m->mod_index, 0, 50) || range_bad(m->deviation_hz, 0, 1e8))
        return "mod_index within 0 to 50 and deviation_hz within 0 to 1e8, lower first, were "
               "expected";
    return NULL;
}

static const char *time_fault(const struct sig_mode *m)
{
    if (range_bad(m->burst_s, 1e-6, 100))
        return "burst_s: two lengths from 1e-6 to 100 s, shorter first, were expected";
    if (number_bad(m->period_s, 1e-5, 100))
        return "period_s: from 1e-5 to 100 s was expected";
    if (m->packets_per_hop > 64 || m->hop_channels > 4096)
        return "packets_per_hop up to 64 and hop_channels up to 4096 were expected";
    return NULL;
}

static const char *hopper_fault(const struct sig_mode *m)
{
    if (!m->link)
        return "link: a hopper's mode needs its name";
    if (!m->period_s || !m->packets_per_hop || m->burst_s.hi <= 0)
        return "a hopper's mode needs period_s, packets_per_hop and burst_s";
    if (!m->channel_step_hz && !m->n_channels)
        return "a hopper's mode needs channel_start_hz, channel_step_hz and channel_count";
    if (m->burst_s.hi >= m->period_s)
        return "burst_s: shorter than period_s was expected";
    if (m->kind == KIND_LORA ? !(m->sf && m->bw_hz > 0) : !(m->symbol_rate_bd > 0))
        return "a hopper's mode needs sf and bw_hz (lora) or symbol_rate_bd (fsk, msk)";
    return NULL;
}

int sig_check(const struct sig *s, char why[IQ_WHY])
{
    bool not_drone;

    if (s->version != 1)
        return bad(why, s, 1, "version: 1 was expected");
    if (!sig_family_known(s->family, &not_drone))
        return bad(why, s, 1, "family: one of the contract's closed list was expected");
    if (not_drone != (s->verdict == VERDICT_NOT_DRONE))
        return bad(why, s, 1, "verdict: it contradicts the contract's list of families");
    if (!(s->prior > 0 && s->prior < 1) || !(s->p_drone >= 0 && s->p_drone <= 1))
        return bad(why, s, 1, "prior (above 0, below 1) and p_drone (0 to 1) were expected");
    for (unsigned i = 0; i < s->n_modes; i++) {
        const struct sig_mode *m = &s->modes[i];
        const char *fault = place_fault(m);
        if (!fault)
            fault = wave_fault(m);
        if (!fault)
            fault = time_fault(m);
        if (!fault && s->judge == SIG_JUDGE_HOPPER)
            fault = hopper_fault(m);
        if (fault)
            return bad(why, s, m->line, fault);
    }
    return 0;
}
