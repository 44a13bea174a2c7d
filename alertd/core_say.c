// SPDX-License-Identifier: GPL-3.0-or-later
// What an alert says of its incident: parameters of its line, place, reasons, who hears it.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "alertd/core_judge.h"

static const char *title(const char *family)
{
    static const char *const name[][2] = {
        { "expresslrs", "ExpressLRS" }, { "mlrs", "mLRS" }, { "crossfire", "TBS Crossfire" },
        { "tracer", "TBS Tracer" }, { "ghost", "ImmersionRC Ghost" }, { "dji-droneid", "DJI" },
        { "dji-ocusync", "DJI OcuSync" }, { "dji-lightbridge", "DJI Lightbridge" },
        { "dji-wifi", "DJI Wi-Fi" }, { "remote-id", "Remote ID" },
        { "analog-fpv", "analog video" }, { "wifi-drone", "Wi-Fi drone" },
        { "wfb-ng", "WFB-ng" }, { "openhd", "OpenHD" }, { "hdzero", "HDZero" },
        { "walksnail", "Walksnail" }, { "microhard", "Microhard" }, { "sik", "SiK telemetry" },
        { "openlrs", "OpenLRS" }, { "frsky-d8", "FrSky D8" }, { "frsky-d16", "FrSky D16" },
        { "frsky-r9", "FrSky R9" }, { "frsky-access", "FrSky ACCESS" }, { "dsmx", "Spektrum DSMX" },
        { "dsm2", "Spektrum DSM2" }, { "flysky-afhds", "FlySky AFHDS" },
        { "flysky-afhds2a", "FlySky AFHDS 2A" }, { "futaba-sfhss", "Futaba S-FHSS" },
        { "futaba-fasst", "Futaba FASST" }, { "unknown-hopper", "unknown hopping link" },
        { "unknown-ofdm", "unknown wideband link" }, { "unknown", "unknown link" },
    };
    for (unsigned i = 0; i < sizeof name / sizeof name[0]; i++)
        if (!strcmp(family, name[i][0]))
            return name[i][1];
    return family;
}

static void say_band(struct alert *a, double lo_hz, double hi_hz)
{
    static const struct { double lo_hz, hi_hz; const char *name; } bands[] = {
        { 433e6, 435e6, "433 MHz" }, { 863e6, 870e6, "868 MHz" }, { 902e6, 928e6, "915 MHz" },
        { 1.2e9, 1.36e9, "1.2 GHz" }, { 2.39e9, 2.4935e9, "2.4 GHz" },
        { 5.15e9, 5.35e9, "5.2 GHz" }, { 5.64e9, 5.95e9, "5.8 GHz" } };
    double mid_hz = (lo_hz + hi_hz) / 2;
    char text[32];
    snprintf(text, sizeof text, "%.0f MHz", mid_hz / 1e6);
    const char *say = text;
    for (unsigned i = 0; i < sizeof bands / sizeof bands[0]; i++)
        if (mid_hz >= bands[i].lo_hz && mid_hz <= bands[i].hi_hz)
            say = bands[i].name;
    if (isfinite(mid_hz))
        alert_param(a, "band", say);
}

static void say_what(struct alert *a, const struct view *v, const char *serial)
{
    const struct track_rec *t = v->best;
    const char *model = t->claim.model;
    for (unsigned m = 0; !*model && m < v->n; m++)
        model = v->member[m]->claim.model;
    PUT(family, t->w.family);
    PUT(link, t->w.link);
    PUT(role, t->w.role);
    PUT(verdict, t->w.verdict);
    PUT(model, model);
    PUT(serial, serial);
    PUT(protocol, t->claim.protocol);
    char made[64];
    snprintf(made, sizeof made, "%s%.48s", !strncmp(t->w.family, "dji", 3) &&
             strncasecmp(model, "dji", 3) ? "DJI " : "", model);
    a->n_params = 0;
    alert_param(a, "what", *model ? made : t->w.link[0] && strncmp(t->w.family, "dji", 3)
                           ? t->w.link : title(t->w.family));
    say_band(a, t->w.freq_lo_hz, t->w.freq_hi_hz);
    if (v->zone)
        alert_param(a, "zone", v->zone->name);
}

static void say_where(struct alert *a, const struct view *v)
{
    const struct claim *k = v->placed ? &v->placed->claim : NULL;
    a->where = (struct where){ .kind = "presence", .lat_deg = NAN, .lon_deg = NAN, .alt_m = NAN,
                               .height_m = NAN, .error_m = NAN, .age_s = NAN };
    if (k) {
        a->where.lat_deg = k->lat_deg;
        a->where.lon_deg = k->lon_deg;
        a->where.alt_m = k->alt_m;
        a->where.height_m = k->height_m;
        a->where.at_ns = k->at_ns;
        snprintf(a->where.kind, sizeof a->where.kind, "claimed");
    }
    if (v->person) {
        k = &v->person->claim;
        PUT(person.kind, k->person_kind);
        a->person.lat_deg = k->person_lat_deg;
        a->person.lon_deg = k->person_lon_deg;
        a->person.at_ns = k->person_at_ns;
    }
}

static void say_why(struct alert *a, const struct track_rec *t)
{
    a->n_why = t->w.n_why < WIRE_WHY ? t->w.n_why : WIRE_WHY;
    memcpy(a->why, t->w.why, sizeof a->why);
    PUT(runner_up, t->w.runner_up);
    a->runner_up_confidence = t->w.runner_up[0] ? t->w.runner_up_confidence : NAN;
    a->p_drone = t->w.p_drone;
    a->confidence = t->w.confidence;
    a->freq_lo_hz = t->w.freq_lo_hz;
    a->freq_hi_hz = t->w.freq_hi_hz;
    a->level_dbfs = t->w.level_dbfs;
    a->snr_db = t->w.snr_db;
    a->trend_db = t->w.level_dbfs - t->level_was_dbfs;
    PUT(origin, t->origin);
}

static void say_who(struct alert *a, const struct view *v)
{
    a->n_sensors = a->n_tracks = 0;
    a->usual = v->n > 0;
    for (unsigned m = 0; m < v->n; m++) {
        unsigned k = 0;
        a->usual &= v->member[m]->w.usual;
        if (a->n_tracks < 16)
            snprintf(a->tracks[a->n_tracks++].id, CORE_ID, "%s", v->member[m]->id);
        while (k < a->n_sensors && strcmp(a->sensors[k].id, v->member[m]->sensor))
            k++;
        if (k < a->n_sensors || k == 16)
            continue;
        snprintf(a->sensors[k].id, sizeof a->sensors[k].id, "%s", v->member[m]->sensor);
        snprintf(a->sensors[k].name, sizeof a->sensors[k].name, "%s", v->member[m]->sensor);
        a->n_sensors++;
    }
}

void say_all(struct alert *a, const struct view *v, const char *serial)
{
    say_what(a, v, serial);
    say_where(a, v);
    say_why(a, v->best);
    say_who(a, v);
}
