// SPDX-License-Identifier: GPL-3.0-or-later
// Judges: for each family, how much better it explains a group than "something we do not know"
// does, as a log-likelihood ratio with its reasons in words.
//
// The table at the end picks the judge by the name in the signature file.  Weights are rounded
// logs of how often the feature is met with and without the family; where no statistics exist they
// are judgement, kept small, and the reason stands beside them.
#include "classifier/judge.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "classifier/lattice.h"

__attribute__((format(printf, 2, 3)))
static void because(struct hyp *h, const char *fmt, ...)
{
    va_list ap;
    if (h->n_why == HOP_WHY)
        return;
    va_start(ap, fmt);
    vsnprintf(h->why[h->n_why++], sizeof h->why[0], fmt, ap);
    va_end(ap);
}

static bool in_ism(double f)
{
    return (f > 2.399e9 && f < 2.4835e9) || (f > 5.150e9 && f < 5.855e9);
}

// Shared by FPV sets of 2018 and LTE-V2X: the place says nothing.
static bool in_its(double f)
{
    return f >= 5.855e9 && f < 5.925e9;
}

// DJI reference symbols: in most narrow bursts, which hold nothing else; in some of the wide ones,
// where they stand among data.  The measurement takes one in 200 LTE bursts for narrow ones.
static bool has_zc(const struct group *g)
{
    double share = g->parts ? (double)g->zc_dji / g->parts : 0;
    return share > 0.3 || (g->kind == GROUP_CELL && g->zc_dji >= 3 && share > 0.03);
}

// An LTE cell sends its synchronisation signal every 5 ms: it is in every long part, in a third of
// the bursts of time division where both ways are heard, and by chance in a few of anybody's.
static bool has_pss(const struct group *g)
{
    return g->pss && g->pss > 0.15 * g->parts;
}

// Silent for so long, though it would have been seen: no cell.
static bool lacks_pss(const struct group *g)
{
    return !has_pss(g) && g->pss_clear >= 15 && g->airtime_s > 20e-3;
}

// At 10 dB OcuSync's reference symbols are found in one of twelve wide bursts, rarely in narrow
// ones.
static bool lacks_zc(const struct group *g)
{
    return g->kind == GROUP_CELL && g->parts >= 30 && g->sample.snr_db >= 10 &&
           g->zc_dji < 0.01 * g->parts;
}

// OcuSync's bursts are whole frames, or halves of 0.5 ms on an idle link.
static bool ocusync_lengths(const struct group *g)
{
    return 5 * g->frame_dji > g->n || 3 * g->narrow_slot > g->n;
}

// A centre under 1 MHz is a recording whose tuning nobody told.
static bool place_known(double f)
{
    return f > 1e6;
}

// ---- Wi-Fi ----------------------------------------------------------------------------------

static bool judge_wifi(const struct group *g, struct hyp *h)
{
    if (g->kind == GROUP_WIFI_DSSS) {
        // An 11-chip Barker code is nobody else's, but a faint trace of it once may be chance, and
        // nobody's Wi-Fi is off its channel.
        double clear = fmin(1, g->barker_corr / 0.7) * fmin(1, fmax(g->sample.snr_db, 0) / 10);
        double off = g->barker ? 1 - (double)g->raster / g->barker : 1;
        h->llr = -0.5 + clear * (3 + fmin(5, fmax(g->raster, 1.0) - 1)) - 4 * off;
        if (off > 0.5)
            snprintf(h->against, sizeof h->against, "its centre is %.0f kHz off the channels",
                     fabs(remainder(g->freq_hz - 2412e6, 5e6)) / 1e3);
        else if (clear < 0.7)
            snprintf(h->against, sizeof h->against, "its code is faint: %.2f of 1 at %.0f dB",
                     g->barker_corr, g->sample.snr_db);
        because(h, "11 Mchip/s Barker code in %u of %u transmissions", g->barker, g->parts);
        return true;
    }
    if (g->kind != GROUP_WIFI_OFDM)
        return false;
    h->llr = 2 + fmin(3, 1.5 * g->stf) + fmin(3, 1.0 * g->numerology_wifi);
    if (g->stf)
        because(h, "0.8 us short training field in %u of %u transmissions", g->stf, g->parts);
    if (g->numerology_wifi)
        because(h, "OFDM symbols of Wi-Fi length in %u of %u transmissions", g->numerology_wifi,
                g->parts);
    return true;
}

// ---- Bluetooth ---------------------------------------------------------------------------------

static bool judge_ble(const struct group *g, struct hyp *h)
{
    if (g->kind != GROUP_BLE)
        return false;
    double even = g->parts ? (double)g->even_mhz / g->parts : 0;
    h->llr = 1.5 + fmin(1, 0.2 * (double)g->n);
    because(h, "1 MBd FSK with an index near 0.5, %llu packets", (unsigned long long)g->n);
    if (place_known(g->freq_hz)) {
        h->llr += in_ism(g->freq_hz) ? 1 : -6;
        h->llr += even > 0.7 ? 1 : -1.5;                // any other radio: even in one of four
        if (even > 0.7)
            because(h, "%.0f %% of the centres on even MHz", 100 * even);
    }
    if (g->access_address) {
        h->llr += 6;
        because(h, "advertising access address in %u packets", g->access_address);
    }
    return true;
}

// BR/EDR starts every packet on a 625 us clock of its piconet.
static bool judge_bluetooth(const struct group *g, struct hyp *h)
{
    double t[GROUP_TIMES];
    bool on[GROUP_TIMES];
    struct lattice l;

    if (g->kind != GROUP_BLUETOOTH)
        return false;
    size_t n = g->n_times < GROUP_TIMES ? g->n_times : GROUP_TIMES;
    memcpy(t, g->time_s, n * sizeof t[0]);
    h->llr = 0.7;       // the same waveform as nRF24 toys and mice; Bluetooth is far more frequent
    because(h, "1 MBd FSK with an index near 0.32, %llu packets on %u channels",
            (unsigned long long)g->n, g->n_channels);
    if (place_known(g->freq_hz))
        h->llr += in_ism(g->freq_hz) ? 0.5 : -6;
    if (n >= 8 && lattice_find(t, n, 625e-6, 20e-6, &l, on)) {
        if (l.ln_chance < -7) {
            h->llr += fmin(5, -l.ln_chance / 4);
            because(h, "625 us grid holds %zu of %zu packets", l.n, n);
        } else if (n >= 24) {
            h->llr -= 2;
            because(h, "no 625 us grid among %zu packets", n);
        }
    }
    return true;
}

// ---- 15 kHz OFDM -------------------------------------------------------------------------------

static bool judge_lte(const struct group *g, struct hyp *h)
{
    if (g->kind != GROUP_CELL && g->kind != GROUP_NARROW_OFDM)
        return false;
    h->llr = g->kind == GROUP_CELL ? 1 : -1;
    because(h, "OFDM with 66.7 us symbols");
    if (has_pss(g)) {
        h->llr += 5;
        because(h, "LTE synchronisation signal in %u of %u parts", g->pss, g->parts);
    }
    if (g->cp_lte > g->cp_dji) {
        h->llr += fmin(3, 1.0 * g->cp_lte);
        because(h, "seven symbols in 0.5 ms, as in LTE slots");
    }
    if (g->longest_s > 5e-3) {
        h->llr += 2.5;          // OcuSync never sends more than 3.3 ms at a time
        because(h, "on the air for %.0f ms without a pause", g->longest_s * 1e3);
    }
    if (g->edge > g->parts / 2 && g->longest_s > 5e-3)
        h->llr += 0.5;          // wider than the capture
    h->llr -= (has_zc(g) ? fmin(8, 4.0 * g->zc_dji) : 0) + (lacks_pss(g) ? 3 : 0) +
              (g->cp_dji > g->cp_lte ? fmin(4, 1.0 * g->cp_dji) : 0);
    h->llr += !place_known(g->freq_hz) ? 0 : in_ism(g->freq_hz) ? -0.5 : 0.5;
    if (g->n < 4 && g->longest_s < 5e-3 && !has_pss(g))
        h->llr = fmin(h->llr, 0);       // one burst's lag of 66.7 us may be anybody's, or chance
    return true;
}

// Four of its newest bursts within a second: it sends hundreds.  Four lags of 66.7 us in a minute
// are what chance finds in an analog picture.
static bool four_in_a_second(const struct group *g)
{
    size_t n = g->n_times < GROUP_TIMES ? g->n_times : GROUP_TIMES;

    for (size_t i = g->n_times - n; i + 4 <= g->n_times; i++)
        if (g->time_s[(i + 3) % GROUP_TIMES] - g->time_s[i % GROUP_TIMES] <= 1)
            return true;
    return false;
}

static bool judge_ocusync(const struct group *g, struct hyp *h)
{
    if (g->kind != GROUP_CELL && g->kind != GROUP_NARROW_OFDM)
        return false;
    bool zc = has_zc(g);
    because(h, "OFDM with 66.7 us symbols, %llu bursts", (unsigned long long)g->n);
    if (place_known(g->freq_hz) && !in_its(g->freq_hz))
        h->llr += in_ism(g->freq_hz) ? 0.5 : -4;
    if (g->kind == GROUP_NARROW_OFDM) {
        double slots = (double)g->narrow_slot / (double)(g->n ? g->n : 1);
        h->llr += slots > 0.7 ? fmin(2, 0.25 * (double)g->n) : -3;
        h->llr += g->n_channels >= 3 && g->n >= 6 ? 1 : zc ? -1 : -2;
        because(h, "%.0f %% are single 0.5 ms slots on %u centres, %.1f MHz wide", 100 * slots,
                g->n_channels, g->bw_hz / 1e6);
    } else {
        double w = g->bw_hz / 1e6;
        bool width = fabs(w - 9) < 0.8 || fabs(w - 18) < 1.2;
        h->llr += width ? 0.5 : -2;
        if (g->frame_dji) {
            h->llr += fmin(3, 0.5 * g->frame_dji) * (5 * g->frame_dji > g->n);
            because(h, "%u bursts of whole frames of 15 symbols, 1.072 ms", g->frame_dji);
        }
        if (lacks_pss(g)) {
            h->llr += 0.5;
            because(h, "no LTE synchronisation signal in %u bursts", g->parts);
        }
        if (g->longest_s > 5e-3)
            h->llr -= 5;
    }
    if (zc) {
        h->llr += g->kind == GROUP_NARROW_OFDM ? fmin(5, 2.0 * g->zc_dji)
                                               : fmin(6, 3.0 * g->zc_dji);
        because(h, "Zadoff-Chu symbols over all carriers (length %s) in %u bursts",
                g->kind == GROUP_NARROW_OFDM ? "73" : "601 or 1201", g->zc_dji);
    }
    if (g->cp_dji > g->cp_lte) {
        h->llr += fmin(2, 0.7 * g->cp_dji);
        because(h, "every cyclic prefix 4.69 us, LTE's first is longer");
    }
    h->llr -= (has_pss(g) ? 6 : 0) + (g->cp_lte > g->cp_dji ? fmin(4, 1.0 * g->cp_lte) : 0);
    if (lacks_zc(g)) {
        h->llr -= fmin(7, 0.08 * g->parts);   // ln(11/12) each
        because(h, "strong, yet without its Zadoff-Chu symbols in %u bursts", g->parts);
    }
    if (g->kind == GROUP_CELL && !ocusync_lengths(g))
        h->llr = fmin(h->llr, 0.3);     // the numerology is LTE's, the lengths are nobody's
    if (!four_in_a_second(g) && !(zc && g->zc_dji >= 2))
        h->llr = fmin(h->llr, 0);       // a few bursts are what anybody's OFDM may look like
    return true;
}

// ---- Video -------------------------------------------------------------------------------------

static bool judge_video(const struct group *g, struct hyp *h, bool av)
{
    static const double fixed_hz[] = { 2414e6, 2432e6, 2450e6, 2468e6 };
    bool s_band = g->freq_hz > 2.39e9 && g->freq_hz < 2.4845e9, fixed = false;

    if (g->kind != GROUP_VIDEO)
        return false;
    for (int i = 0; i < 4; i++)         // the picture moves the mean by up to a megahertz
        fixed |= fabs(g->freq_hz - fixed_hz[i]) < 2.5e6;
    // A camera in flight and a baby monitor send the same waveform: on the four channels of fixed
    // senders it stays open who it is, elsewhere analog senders are nearly all on vehicles.
    h->llr = (s_band ? 3 : av ? -2 : 5) + fmin(1, 0.1 * g->parts);
    if (s_band && av)
        h->llr += fixed ? 0.28 : -1.2;
    because(h, "FM picture carrier with a line rate of %.1f Hz (%s)",
            g->sample.fp.line_rate_hz.v, g->sample.fp.video == VIDEO_PAL ? "PAL" : "NTSC");
    if (s_band)
        because(h, "in 2.4 GHz fixed picture senders use the same waveform");
    return true;
}

static bool judge_fpv(const struct group *g, struct hyp *h)
{
    return judge_video(g, h, strcmp(h->sig->family, "analog-fpv") != 0);
}

// ---- Ranges of the file alone ------------------------------------------------------------------

static bool judge_waveform(const struct group *g, struct hyp *h)
{
    bool found = false;

    for (unsigned i = 0; i < h->sig->n_modes; i++) {
        const struct sig_mode *m = &h->sig->modes[i];
        double llr = 1.5, off;
        int ch;
        if (!mode_wave_fits(m, &g->sample))
            continue;
        if (m->n_bands_hz && place_known(g->freq_hz))
            llr += mode_band_fits(m, g->sample.freq_hz, 0) ? 0.7 : -4;
        if (mode_channel(m, g->sample.freq_hz, &ch, &off) && place_known(g->freq_hz))
            llr += fabs(off) <= fmax(m->channel_tolerance_hz, OBS_PPM * g->freq_hz) ? 1 : -2;
        if (m->burst_s.hi > 0)
            llr += mode_length_fits(m, &g->sample) ? 0.7 : -2;
        llr += fmin(1, 0.1 * (double)g->n);
        if (m->kind == KIND_CW && g->n < 3 && g->longest_s < 5e-3)
            llr = fmin(llr, 0);         // a line in one short burst's spectrum
        if (found && llr <= h->llr)
            continue;
        found = true;
        h->mode = m;
        h->llr = llr;
        h->n_why = 0;
        because(h, "%s waveform, place and length of %s fit (%llu transmissions)",
                sig_kind_name(m->kind), m->link ? m->link : h->sig->family,
                (unsigned long long)g->n);
    }
    return found;
}

// ---- The table ------------------------------------------------------------------------------

static bool (*const judge[SIG_JUDGES])(const struct group *, struct hyp *) = {
    [SIG_JUDGE_WAVEFORM] = judge_waveform, [SIG_JUDGE_OCUSYNC] = judge_ocusync,
    [SIG_JUDGE_VIDEO] = judge_fpv,         [SIG_JUDGE_WIFI] = judge_wifi,
    [SIG_JUDGE_BLE] = judge_ble,           [SIG_JUDGE_BLUETOOTH] = judge_bluetooth,
    [SIG_JUDGE_LTE] = judge_lte,
    // hopper and droneid keep links of their own: hop.c, dji.c
};

// The mode of a family whose band, channels and kind fit the group best.
static const struct sig_mode *mode_of(const struct sig *s, const struct group *g)
{
    const struct sig_mode *best = NULL;
    double best_off = INFINITY;

    for (unsigned i = 0; i < s->n_modes; i++) {
        const struct sig_mode *m = &s->modes[i];
        double off = 0;
        int ch;
        if ((m->kind != KIND_UNKNOWN && m->kind != g->sample.fp.kind &&
             !(m->kind == KIND_FSK && g->sample.fp.kind == KIND_MSK)) ||
            !mode_band_fits(m, g->freq_hz, 0) ||
            (m->bw_hz > 0 && m->bw_tolerance > 0 &&
             fabs(g->bw_hz - m->bw_hz) > m->bw_tolerance * m->bw_hz))
            continue;
        if (mode_channel(m, g->freq_hz, &ch, &off) && m->channel_tolerance_hz > 0 &&
            fabs(off) > m->channel_tolerance_hz)
            continue;
        if (!best || fabs(off) < best_off) {
            best = m;
            best_off = fabs(off);
        }
    }
    return best;
}

static bool sig_in_band(const struct sig *s, double f_hz)
{
    for (unsigned i = 0; i < s->n_modes; i++)
        if (mode_band_fits(&s->modes[i], f_hz, 0))
            return true;
    return false;
}

unsigned judge_group(const struct sigs *s, const struct group *g, struct hyp hyp[HYP_MAX])
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->n && n < HYP_MAX; i++) {
        struct hyp *h = &hyp[n];
        *h = (struct hyp){ .sig = s->sig[i] };
        if (!judge[h->sig->judge] || !judge[h->sig->judge](g, h))
            continue;
        // what most families share that fall through; a judge's own word goes first
        if (!h->against[0] && place_known(g->freq_hz) && h->sig->n_modes &&
            !sig_in_band(h->sig, g->freq_hz))
            snprintf(h->against, sizeof h->against, "%.1f MHz is outside its bands",
                     g->freq_hz / 1e6);
        else if (!h->against[0] && g->n < 4)
            snprintf(h->against, sizeof h->against, "transmissions are too few to tell: %llu",
                     (unsigned long long)g->n);
        if (!h->mode)
            h->mode = mode_of(h->sig, g);
        n++;
    }
    return n;
}

struct stranger stranger_of(const struct group *g)
{
    if (!g || group_hops(g))
        return (struct stranger){ "unknown-hopper", 0.5, 0.35 };
    if (g->sample.fp.kind == KIND_OFDM)
        return (struct stranger){ "unknown-ofdm", 0.5, 0.3 };
    return (struct stranger){ "unknown", 0.5, 0.1 };
}
