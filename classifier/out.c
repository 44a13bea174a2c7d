// SPDX-License-Identifier: GPL-3.0-or-later
// A recording's findings on standard output.
//
// In words, numbers keep their columns so that a screen of them can be read down:
//
//     Signals
//          time s   length ms       MHz       kHz  SNR dB    dBFS  kind
//        0.012345       3.330  2440.400     812.5    14.2   -41.0  lora, SF6, 10313 MHz/s
//
// Whatever the sender says of itself is marked as a claim.
#include "classifier/out.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/version.h"

void out_init(struct out *o, FILE *f, bool as_json, bool bursts)
{
    *o = (struct out){ .f = f, .as_json = as_json, .bursts = bursts };
    json_init(&o->j, f);
}

static void heading(struct out *o, enum out_section s, const char *text)
{
    if (o->section == s)
        return;
    fprintf(o->f, "%s%s", o->section == OUT_NOTHING ? "" : "\n", text);
    o->section = s;
}

static const char *plural(uint64_t n) { return n == 1 ? "" : "s"; }

// A number in its column, or a dash.
static void cell(FILE *f, struct meas m, double scale, int width, int decimals)
{
    if (meas_ok(m) && isfinite(m.v))
        fprintf(f, "%*.*f", width, decimals, m.v * scale);
    else
        fprintf(f, "%*s", width, "-");
}

static void kind_words(FILE *f, const struct finding *x)
{
    const struct fingerprint *p = &x->fp;
    enum sig_kind k = x->droneid.seen ? KIND_OFDM : p->kind;

    fputs(sig_kind_name(k), f);
    if (x->droneid.seen)
        fputs(", Zadoff-Chu pair of DroneID", f);
    if (k == KIND_LORA && p->sf)
        fprintf(f, ", SF%d", p->sf);
    if (k == KIND_LORA && meas_ok(p->chirp_hz_per_s))
        fprintf(f, ", %.0f MHz/s", p->chirp_hz_per_s.v / 1e6);
    if ((k == KIND_FSK || k == KIND_MSK) && meas_ok(p->symbol_rate_bd))
        fprintf(f, ", %.1f kBd", p->symbol_rate_bd.v / 1e3);
    if ((k == KIND_FSK || k == KIND_MSK) && meas_ok(p->deviation_hz))
        fprintf(f, ", deviation %.1f kHz", p->deviation_hz.v / 1e3);
    if (k == KIND_OFDM && meas_ok(p->useful_symbol_s))
        fprintf(f, ", symbol %.2f us", p->useful_symbol_s.v * 1e6);
    if (k == KIND_OFDM && meas_ok(p->cp_s))
        fprintf(f, " + %.2f us", p->cp_s.v * 1e6);
    if (k == KIND_DSSS && meas_ok(p->chip_rate_hz))
        fprintf(f, ", %.2f Mchip/s", p->chip_rate_hz.v / 1e6);
    if (k == KIND_FM && meas_ok(p->line_rate_hz))
        fprintf(f, ", line rate %.1f Hz", p->line_rate_hz.v);
    if (p->video != VIDEO_NONE && k == KIND_FM)
        fputs(p->video == VIDEO_PAL ? " (PAL)" : " (NTSC)", f);
    if (x->flags & (BURST_TOUCHES_GAP | BURST_AT_START | BURST_AT_END))
        fputs(", cut off", f);
    if (x->flags & BURST_CLIPPED)
        fputs(", clipped", f);
    fputc('\n', f);
}

static void burst_words(struct out *o, const struct finding *f)
{
    const struct fingerprint *p = &f->fp;
    const struct droneid_seen *d = &f->droneid;     // as on the JSON line: measured better
    bool dj = d->seen;

    heading(o, OUT_SIGNALS, "Signals\n       time s   length ms          MHz      kHz  SNR dB"
            "    dBFS  kind\n");
    cell(o->f, dj && meas_ok(d->t_s) ? d->t_s : p->t_s, 1, 13, 6);
    cell(o->f, p->dur_s, 1e3, 12, 3);
    cell(o->f, dj && meas_ok(d->freq_hz) ? d->freq_hz : p->freq_hz, 1e-6, 13, 4);
    cell(o->f, line_bw(f), 1e-3, 9, 1);
    cell(o->f, dj && meas_ok(d->snr_db) ? d->snr_db : p->snr_db, 1, 8, 1);
    fprintf(o->f, "%8.1f  ", p->level_dbfs);
    kind_words(o->f, f);
}

void out_burst(struct out *o, const struct finding *f)
{
    if (!o->bursts)
        return;
    if (o->as_json)
        line_burst(&o->j, f);
    else
        burst_words(o, f);
}

// Bytes from the air: a terminal gets printable ASCII only.
static void text_safe(FILE *f, const char *s)
{
    for (; *s; s++)
        fputc(*s >= 0x20 && *s < 0x7f ? *s : '?', f);
}

static void fields_words(FILE *f, const struct decode *d)
{
    for (unsigned i = 0; i < d->n_fields; i++) {
        const struct field *x = &d->field[i];
        if (x->type == FIELD_NULL || !strncmp(x->key, "raw_", 4))
            continue;           // the numbers behind the numbers are for --json
        fprintf(f, "%13s%-22s ", "", x->key);
        if (x->type == FIELD_STR)
            text_safe(f, x->str);
        else if (x->type == FIELD_BOOL)
            fputs(x->num != 0 ? "yes" : "no", f);
        else
            fprintf(f, "%.*f", x->decimals, x->num);
        fputs(strstr(x->key, "lat_deg") || strstr(x->key, "lon_deg") ? "  (claimed)\n" : "\n", f);
    }
}

static void decode_words(struct out *o, const struct decode *d)
{
    claims_add(&o->claims, d);
    if (!o->bursts)
        return;                 // one block an aircraft at the end
    heading(o, OUT_SIGNALS, "Signals\n");
    fprintf(o->f, "%13.6f  decoded %s at %.4f MHz, %.1f dB, checks %s%s; claimed by the sender:\n",
            d->t_s.v, protocol_name(d->protocol), d->freq_hz.v / 1e6, d->snr_db, d->check,
            d->assisted ? ", with help from earlier frames" : "");
    fields_words(o->f, d);
}

static void claims_words(struct out *o)
{
    for (unsigned i = 0; i < o->claims.n; i++) {
        const struct claim *c = &o->claims.c[i];
        const struct decode *d = &c->last;
        heading(o, OUT_AIRCRAFT, "What aircraft say of themselves (the newest frame of each)\n");
        fprintf(o->f, "  %s, %llu frame%s from %.3f to %.3f s, the last at %.4f MHz, %.1f dB\n",
                protocol_name(d->protocol), (unsigned long long)c->frames, plural(c->frames),
                c->first_s, d->t_s.v, d->freq_hz.v / 1e6, d->snr_db);
        fields_words(o->f, d);
    }
    if (o->claims.untold)
        fprintf(o->f, "  and %llu frame%s of further aircraft\n",
                (unsigned long long)o->claims.untold, plural(o->claims.untold));
}

void out_decode(struct out *o, const struct decode *d, enum iq_origin origin)
{
    if (o->as_json)
        line_decode(&o->j, d, origin);
    else
        decode_words(o, d);
}

static void track_words(struct out *o, const struct track *t)
{
    heading(o, OUT_TRACKS, "Links\n");
    bool role = t->role != ROLE_UNKNOWN;        // an unknown one is no news

    o->drones += t->verdict == VERDICT_DRONE;
    fprintf(o->f, "  %-9s  %s%s%s%s%s, confidence %.2f, drone %.2f%s\n", verdict_name(t->verdict),
            t->family, t->link ? ", " : "", t->link ? t->link : "", role ? ", " : "",
            role ? track_role_name(t->role) : "", t->confidence, t->p_drone,
            t->decodes ? ", decoded" : "");
    fprintf(o->f, "             %.3f to %.3f s, %llu burst%s, %.3f to %.3f MHz, %.1f dBFS, SNR "
            "%.1f dB  [%s]\n", t->first_s, t->last_s, (unsigned long long)t->bursts,
            plural(t->bursts), t->freq_lo_hz / 1e6, t->freq_hi_hz / 1e6, t->level_dbfs, t->snr_db,
            t->id);
    if (t->claimed && t->claimed_serial[0]) {
        fputs("             claimed serial ", o->f);
        text_safe(o->f, t->claimed_serial);
        fputc('\n', o->f);
    }
    for (unsigned i = 0; i < t->n_why; i++)
        fprintf(o->f, "             - %s\n", t->why[i]);
    if (t->runner_up)
        fprintf(o->f, "             next likely: %s, %.2f\n", t->runner_up,
                t->runner_up_confidence);
}

void out_track(struct out *o, const struct track *t)
{
    if (o->as_json)
        line_track(&o->j, t);
    else
        track_words(o, t);
}

void out_tracks(struct out *o, const struct cls *c, uint64_t *ret_n)
{
    static const enum verdict order[] = { VERDICT_DRONE, VERDICT_UNKNOWN, VERDICT_NOT_DRONE };
    const struct track *t;
    uint64_t n = 0;

    for (unsigned k = 0; k < (o->as_json ? 1 : 3); k++)
        for (size_t i = 0; (t = cls_track(c, i)); i++)
            if (o->as_json || t->verdict == order[k]) {
                out_track(o, t);
                n++;
            }
    if (!o->as_json)
        claims_words(o);
    *ret_n = n;
}

// What was masked as made in the receiver.
static void products_json(struct json *j, const uint64_t *products)
{
    bool any = false;

    for (int k = PRODUCT_NONE + 1; k < PRODUCT_COUNT; k++) {
        if (!products[k])
            continue;
        if (!any)
            json_open(j, "products", '{');
        any = true;
        json_int(j, product_name((enum product)k), (int64_t)products[k]);
    }
    if (any)
        json_close(j);
}

static void summary_json(struct json *j, const struct out_summary *s)
{
    const struct iq_counts *c = s->counts;

    json_begin(j);
    json_str(j, "type", "summary");
    json_int(j, "samples", (int64_t)c->samples);
    json_num(j, "seconds", s->seconds, 9);
    json_num(j, "wall_s", s->wall_s, 3);
    json_num(j, "cpu_s", s->cpu_s, 3);
    json_int(j, "lost", (int64_t)c->lost);
    json_int(j, "trailing_bytes", c->trailing_bytes);
    json_int(j, "bursts", (int64_t)s->bursts);
    json_int(j, "decodes", (int64_t)s->decodes);
    json_int(j, "tracks", (int64_t)s->tracks);
    json_int(j, "unclassified_bursts", (int64_t)s->unclassified);
    if (s->untold)
        json_int(j, "untold_claims", (int64_t)s->untold);
    if (c->nonfinite)
        json_int(j, "nonfinite", (int64_t)c->nonfinite);
    if (c->clipped)
        json_int(j, "clipped", (int64_t)c->clipped);
    if (s->self.image_dbc < 0)
        json_num(j, "image_dbc", s->self.image_dbc, 1);
    products_json(j, s->products);
    if (s->crystal.err > 0) {
        json_num(j, "crystal_ppm", s->crystal.v, 2);
        json_num(j, "crystal_err_ppm", s->crystal.err, 2);
    }
    if (c->fault[0])
        json_str(j, "fault", c->fault);
    json_str(j, "version", TYTO_VERSION);
    json_end(j);
}

static void summary_words(struct out *o, const struct out_summary *s)
{
    const struct iq_counts *c = s->counts;

    heading(o, OUT_SUMMARY, "");
    if (o->drones)
        fprintf(o->f, "%llu DRONE LINK%s\n", (unsigned long long)o->drones,
                o->drones == 1 ? "" : "S");
    else
        fputs(c->samples ? "no drone link recognised\n"
                         : "no sample came: nothing was listened to; is the input empty?\n", o->f);
    fprintf(o->f, "%llu sample%s, %.6f s: %llu signal%s, %llu frame%s decoded, %llu link%s "
            "(%.2f s, %.2f s of processor time)\n", (unsigned long long)c->samples,
            plural(c->samples), s->seconds, (unsigned long long)s->bursts, plural(s->bursts),
            (unsigned long long)s->decodes, plural(s->decodes), (unsigned long long)s->tracks,
            plural(s->tracks), s->wall_s, s->cpu_s);
    if (s->unclassified)
        fprintf(o->f, "%llu signal%s of no link: too few, or pieces of others\n",
                (unsigned long long)s->unclassified, plural(s->unclassified));
    if (s->untold)
        fprintf(o->f, "%llu claim%s of the detectors not followed: too many at once\n",
                (unsigned long long)s->untold, plural(s->untold));
    if (c->lost)
        fprintf(o->f, "%llu samples were lost\n", (unsigned long long)c->lost);
    if (c->trailing_bytes)
        fprintf(o->f, "%u bytes behind the last whole sample were ignored\n", c->trailing_bytes);
    if (c->nonfinite)
        fprintf(o->f, "%llu values were not finite and read as zero\n",
                (unsigned long long)c->nonfinite);
    if (c->clipped)
        fprintf(o->f, "%llu samples at full scale: levels and widths are not to be trusted\n",
                (unsigned long long)c->clipped);
    for (int k = PRODUCT_NONE + 1; k < PRODUCT_COUNT; k++)
        if (s->products[k])
            fprintf(o->f, "%llu signal%s made in the receiver (%s) masked\n",
                    (unsigned long long)s->products[k], plural(s->products[k]),
                    product_name((enum product)k));
    if (s->self.image_dbc < 0)
        fprintf(o->f, "the receiver's mirror image, %.1f dB down, was taken away\n",
                -s->self.image_dbc);
    if (c->fault[0])
        fprintf(o->f, "the input was faulty: %s\n", c->fault);
}

void out_summary(struct out *o, const struct out_summary *s)
{
    if (o->as_json)
        summary_json(&o->j, s);
    else
        summary_words(o, s);
}

int out_end(struct out *o)
{
    claims_free(&o->claims);
    if (json_error(&o->j))
        return json_error(&o->j);
    return fflush(o->f) != 0 || ferror(o->f) ? -(errno ? errno : EIO) : 0;
}
