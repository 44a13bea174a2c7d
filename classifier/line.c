// SPDX-License-Identifier: GPL-3.0-or-later
// The JSON lines of the contract, section 2: one function a line, keys in a fixed order, fixed
// decimals, so that equal findings give equal bytes.
//
// What was not measured is absent (further fields) or null (fields every line has), never a number.
// Decimals: times to the nanosecond (a sample at 125 MS/s is 8 ns), frequencies to the hertz (a
// crystal is not better), levels to a tenth of a decibel (the floor is not known better).
#include <math.h>

#include "base/json.h"
#include "classifier/classifier.h"

#define DRONEID_BW_HZ 9.015e6   // 601 carriers of 15 kHz (contract, section 2)

static void num_or_null(struct json *j, const char *key, struct meas m, int decimals)
{
    json_num(j, key, meas_ok(m) ? m.v : NAN, decimals);
}

static void num_if(struct json *j, const char *key, struct meas m, int decimals)
{
    if (meas_ok(m) && isfinite(m.v))
        json_num(j, key, m.v, decimals);
}

// Fields that follow the kind.
static void kind_fields(struct json *j, enum sig_kind kind, const struct fingerprint *p)
{
    switch (kind) {
    case KIND_LORA:
        if (p->sf)
            json_int(j, "sf", p->sf);
        num_if(j, "chirp_hz_per_s", p->chirp_hz_per_s, 0);
        num_if(j, "symbols", p->lora_symbols, 2);
        break;
    case KIND_FSK:
    case KIND_MSK:
        num_if(j, "symbol_rate_bd", p->symbol_rate_bd, 0);
        num_if(j, "deviation_hz", p->deviation_hz, 0);
        num_if(j, "mod_index", p->mod_index, 3);
        break;
    case KIND_OFDM:
        num_if(j, "useful_symbol_s", p->useful_symbol_s, 9);
        num_if(j, "cp_s", p->cp_s, 9);
        num_if(j, "symbol_period_s", p->symbol_period_s, 9);
        if (p->zc_len)
            json_int(j, "zc_len", p->zc_len);
        break;
    case KIND_DSSS:
        num_if(j, "chip_rate_hz", p->chip_rate_hz, 0);
        break;
    case KIND_FM:
        num_if(j, "line_rate_hz", p->line_rate_hz, 2);
        if (p->video != VIDEO_NONE)
            json_str(j, "video", p->video == VIDEO_PAL ? "pal" : "ntsc");
        break;
    default:
        break;
    }
}

static void flag_if(struct json *j, const char *key, uint32_t flags, uint32_t bit)
{
    if (flags & bit)
        json_bool(j, key, true);
}

struct meas line_bw(const struct finding *f)
{
    if (f->droneid.seen)
        return (struct meas){ DRONEID_BW_HZ, 0 };
    return meas_ok(f->fp.bw_hz) ? f->fp.bw_hz : f->fp.bw99_hz;
}

void line_burst(struct json *j, const struct finding *f)
{
    const struct fingerprint *p = &f->fp;
    const struct droneid_seen *d = &f->droneid;
    bool dj = d->seen;          // its own receiver measured it better than the energy did
    enum sig_kind kind = dj ? KIND_OFDM : p->kind;

    json_begin(j);
    json_str(j, "type", "burst");
    num_or_null(j, "t_s", dj && meas_ok(d->t_s) ? d->t_s : p->t_s, 9);
    num_or_null(j, "dur_s", p->dur_s, 9);
    num_or_null(j, "freq_hz", dj && meas_ok(d->freq_hz) ? d->freq_hz : p->freq_hz, 0);
    if (f->freq_err_hz > 0)
        json_num(j, "freq_err_hz", f->freq_err_hz, 0);
    num_or_null(j, "bw_hz", line_bw(f), 0);
    num_or_null(j, "snr_db", dj && meas_ok(d->snr_db) ? d->snr_db : p->snr_db, 1);
    json_num(j, "level_dbfs", p->level_dbfs, 1);
    if (p->level_dbm.err > 0) {
        json_num(j, "level_dbm", p->level_dbm.v, 1);
        json_num(j, "level_err_db", p->level_dbm.err, 1);
    }
    json_str(j, "kind", sig_kind_name(kind));
    kind_fields(j, kind, p);
    if (f->product)
        json_str(j, "product", product_name(f->product));
    flag_if(j, "touches_gap", f->flags, BURST_TOUCHES_GAP);
    flag_if(j, "at_start", f->flags, BURST_AT_START);
    flag_if(j, "at_end", f->flags, BURST_AT_END);
    flag_if(j, "clipped", f->flags, BURST_CLIPPED);
    flag_if(j, "edge", f->flags, BURST_EDGE);
    json_str(j, "origin", iq_origin_name(f->origin));
    json_end(j);
}

static void field_line(struct json *j, const struct field *d)
{
    switch (d->type) {
    case FIELD_NUM:  json_num(j, d->key, d->num, d->decimals); break;
    case FIELD_STR:  json_str(j, d->key, d->str); break;
    case FIELD_BOOL: json_bool(j, d->key, d->num != 0); break;
    case FIELD_NULL: json_nil(j, d->key); break;
    }
}

void line_decode(struct json *j, const struct decode *d, enum iq_origin origin)
{
    json_begin(j);
    json_str(j, "type", "decode");
    json_str(j, "protocol", protocol_name(d->protocol));
    num_or_null(j, "t_s", d->t_s, 9);
    num_or_null(j, "freq_hz", d->freq_hz, 0);
    if (d->freq_err_hz > 0)
        json_num(j, "freq_err_hz", d->freq_err_hz, 0);
    json_num(j, "snr_db", d->snr_db, 1);
    json_str(j, "check", d->check);
    if (d->clipped)
        json_bool(j, "clipped", true);
    if (d->assisted)
        json_bool(j, "assisted", true);
    json_hex(j, "raw", d->raw, d->raw_len);
    json_open(j, "fields", '{');
    for (unsigned i = 0; i < d->n_fields; i++)
        field_line(j, &d->field[i]);
    json_close(j);
    json_str(j, "origin", iq_origin_name(origin));
    json_end(j);
}

static void end_line(struct json *j, const struct track_end *e)
{
    json_open(j, NULL, '{');
    json_str(j, "role", track_role_name(e->role));
    json_int(j, "bursts", (int64_t)e->bursts);
    json_num(j, "level_dbfs", e->level_dbfs, 1);
    num_or_null(j, "cfo_hz", e->cfo_hz, 0);
    if (e->airborne < 0)
        json_nil(j, "airborne");
    else
        json_bool(j, "airborne", e->airborne > 0);
    json_close(j);
}

static void track_lists(struct json *j, const struct track *t)
{
    if (t->link_alternatives[0]) {
        json_open(j, "link_alternatives", '[');
        for (unsigned i = 0; i < 4 && t->link_alternatives[i]; i++)
            json_str(j, NULL, t->link_alternatives[i]);
        json_close(j);
    }
    json_open(j, "why", '[');
    for (unsigned i = 0; i < t->n_why; i++)
        json_str(j, NULL, t->why[i]);
    json_close(j);
    if (t->n_ends) {
        json_open(j, "ends", '[');
        for (unsigned i = 0; i < t->n_ends; i++)
            end_line(j, &t->ends[i]);
        json_close(j);
    }
}

void line_track(struct json *j, const struct track *t)
{
    json_begin(j);
    json_str(j, "type", "track");
    json_str(j, "id", t->id);
    json_str(j, "family", t->family);
    json_str(j, "link", t->link);
    json_str(j, "role", track_role_name(t->role));
    json_str(j, "verdict", verdict_name(t->verdict));
    json_num(j, "p_drone", t->p_drone, 4);
    json_num(j, "confidence", t->confidence, 4);
    json_num(j, "first_s", t->first_s, 9);
    json_num(j, "last_s", t->last_s, 9);
    json_int(j, "bursts", (int64_t)t->bursts);
    json_int(j, "decodes", (int64_t)t->decodes);
    json_num(j, "freq_lo_hz", t->freq_lo_hz + t->shift_hz, 0);
    json_num(j, "freq_hi_hz", t->freq_hi_hz + t->shift_hz, 0);
    if (t->freq_err_hz > 0)
        json_num(j, "freq_err_hz", t->freq_err_hz, 0);
    json_num(j, "level_dbfs", t->level_dbfs, 1);
    if (t->full_dbm.err > 0) {
        json_num(j, "level_dbm", t->level_dbfs + t->full_dbm.v, 1);
        json_num(j, "level_err_db", t->full_dbm.err, 1);
    }
    json_num(j, "snr_db", t->snr_db, 1);
    if (t->clipped)
        json_int(j, "clipped", (int64_t)t->clipped);
    track_lists(j, t);
    if (t->runner_up) {
        json_open(j, "runner_up", '{');
        json_str(j, "family", t->runner_up);
        json_num(j, "confidence", t->runner_up_confidence, 4);
        json_close(j);
    } else {
        json_nil(j, "runner_up");
    }
    if (t->claimed) {
        json_open(j, "claimed", '{');
        json_str(j, "serial", t->claimed_serial[0] ? t->claimed_serial : NULL);
        json_close(j);
    }
    json_str(j, "origin", iq_origin_name(t->origin));
    json_end(j);
}

const char *track_role_name(enum track_role r)
{
    static const char *const name[] = {
        [ROLE_UNKNOWN] = "unknown", [ROLE_CONTROL] = "control", [ROLE_TELEMETRY] = "telemetry",
        [ROLE_VIDEO] = "video", [ROLE_IDENTIFICATION] = "identification",
    };
    return name[r];
}

const char *verdict_name(enum verdict v)
{
    static const char *const name[] = {
        [VERDICT_UNKNOWN] = "unknown", [VERDICT_DRONE] = "drone", [VERDICT_NOT_DRONE] = "not-drone",
    };
    return name[v];
}
