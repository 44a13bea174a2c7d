// SPDX-License-Identifier: GPL-3.0-or-later
// Radio profiles: YAML through libcyaml into struct hw_profile.  The schema below is the format and
// closed; all values are texts for libcyaml, which would take "5 MHz" for 5 and "perhaps" for true.
//
//     rate_hi_hz: {v: 20e6, from: data sheet}    # where that stands
//     rates_hz: [2.5e6, 10e6]
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "hw/hw.h"
#include "hw/profile.h"

struct yaml_figure { char *v, *from; };
struct yaml_profile {
    char    *name, *title, *driver, *package, *format, *gain_db, *hardware_time, *remote;
    struct yaml_figure *freq_lo_hz, *freq_hi_hz, *rate_lo_hz, *rate_hi_hz, *rate_sustained_hz,
                       *settle_s, *clock_ppm, *bits, *clock_hz, *full_dbm, *full_err_db,
                       *gain_lo_db, *gain_hi_db;
    char   **rates_hz, **usb;
    unsigned rates_hz_count, usb_count;
};

#define OPT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define MUST CYAML_FLAG_POINTER
#define TEXT(key, flag, max) CYAML_FIELD_STRING_PTR(#key, flag, struct yaml_profile, key, 1, max)
#define FIGURE(key) CYAML_FIELD_MAPPING_PTR(#key, OPT, struct yaml_profile, key, figure_fields)

static const cyaml_schema_field_t figure_fields[] = {
    CYAML_FIELD_STRING_PTR("v", MUST, struct yaml_figure, v, 1, 31),
    CYAML_FIELD_STRING_PTR("from", MUST, struct yaml_figure, from, 1, 31),
    CYAML_FIELD_END
};
static const cyaml_schema_value_t word = { CYAML_VALUE_STRING(MUST, char, 1, 31) };
static const cyaml_schema_field_t fields[] = {
    TEXT(name, MUST, 31), TEXT(title, MUST, 63), TEXT(driver, MUST, 31), TEXT(package, MUST, 47),
    TEXT(format, MUST, 7), TEXT(gain_db, MUST, 31),
    TEXT(hardware_time, MUST, 7), TEXT(remote, OPT, 7),
    FIGURE(freq_lo_hz), FIGURE(freq_hi_hz), FIGURE(rate_lo_hz), FIGURE(rate_hi_hz),
    FIGURE(rate_sustained_hz), FIGURE(settle_s), FIGURE(clock_ppm), FIGURE(bits),
    FIGURE(clock_hz), FIGURE(full_dbm), FIGURE(full_err_db), FIGURE(gain_lo_db), FIGURE(gain_hi_db),
    CYAML_FIELD_SEQUENCE("rates_hz", OPT, struct yaml_profile, rates_hz, &word, 0, HW_RATES),
    CYAML_FIELD_SEQUENCE("usb", OPT, struct yaml_profile, usb, &word, 0, 25),
    CYAML_FIELD_END
};
static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct yaml_profile, fields)
};

// What the checks behind the schema say, with the line on which the key stands.
struct check { const char *text, *origin; size_t len; int err; char *why; };

__attribute__((format(printf, 3, 4)))
static void fail(struct check *c, const char *key, const char *fmt, ...)
{
    char said[300];
    va_list args;

    if (c->err)
        return;
    va_start(args, fmt);
    vsnprintf(said, sizeof said, fmt, args);
    va_end(args);
    snprintf(c->why, HW_WHY, "%.150s:%u: %s %s", c->origin,
             yaml_line(c->text, c->len, key, 0, 1), key, said);
    c->err = -EINVAL;
}

static double number(struct check *c, const char *key, const char *s, double lo, double hi)
{
    char *end;
    double v = strtod(s, &end);

    if (end == s || *end || !(v >= lo && v <= hi))
        fail(c, key, "is \"%s\", expected a number from %.9g to %.9g", s, lo, hi);
    return v;
}

static bool yes(struct check *c, const char *key, const char *s)
{
    if (s && strcmp(s, "true") && strcmp(s, "false"))
        fail(c, key, "is \"%s\", expected true or false", s);
    return s && !strcmp(s, "true");
}

const char *hw_evidence_name(enum hw_evidence e)
{
    static const char *const names[] = { "data sheet", "driver source", "measured" };
    return (unsigned)e < sizeof names / sizeof names[0] ? names[e] : "";
}

static struct hw_figure figure(struct check *c, const char *key, const struct yaml_figure *y,
                               double lo, double hi)
{
    struct hw_figure f = { .v = NAN };

    if (!y)
        return f;
    f.v = number(c, key, y->v, lo, hi);
    for (f.evidence = HW_DATA_SHEET; f.evidence <= HW_MEASURED; f.evidence++)
        if (!strcmp(hw_evidence_name(f.evidence), y->from))
            return f;
    fail(c, key, "is from \"%s\", expected data sheet, driver source or measured", y->from);
    return f;
}

static bool is_id(const char *s)
{
    return strlen(s) == 9 && strspn(s, "0123456789abcdef") == 4 && s[4] == ':' &&
           strspn(s + 5, "0123456789abcdef") == 4;
}

static void take_lists(struct check *c, struct hw_profile *p, const struct yaml_profile *y)
{
    size_t n = 0;

    for (unsigned i = 0; i < y->rates_hz_count; i++)
        p->rates_hz[p->n_rates++] = number(c, "rates_hz", y->rates_hz[i], 1, 1e9);
    for (unsigned i = 0; i < y->usb_count; i++) {
        if (!is_id(y->usb[i]))
            fail(c, "usb", "holds \"%s\", expected the form 0bda:2838", y->usb[i]);
        else
            n += (size_t)snprintf(p->udev + n, sizeof p->udev - n, "%s%s", i ? " " : "", y->usb[i]);
    }
}

static void take(struct check *c, struct hw_profile *p, const struct yaml_profile *y)
{
    static const char *const formats = " ci16 ci8 cu8 cf32 ";
    char word_[16];

    snprintf(p->name, sizeof p->name, "%s", y->name);
    snprintf(p->title, sizeof p->title, "%s", y->title);
    snprintf(p->driver, sizeof p->driver, "%s", y->driver);
    snprintf(p->package, sizeof p->package, "%s", y->package);
    snprintf(p->format, sizeof p->format, "%s", y->format);
    snprintf(word_, sizeof word_, " %.7s ", y->format);
    if (!strstr(formats, word_))
        fail(c, "format", "is \"%s\", expected ci16, ci8, cu8 or cf32", y->format);
    p->freq_lo_hz = figure(c, "freq_lo_hz", y->freq_lo_hz, 0, 1e12);
    p->freq_hi_hz = figure(c, "freq_hi_hz", y->freq_hi_hz, 0, 1e12);
    p->rate_lo_hz = figure(c, "rate_lo_hz", y->rate_lo_hz, 1, 1e9);
    p->rate_hi_hz = figure(c, "rate_hi_hz", y->rate_hi_hz, 1, 1e9);
    p->rate_sustained_hz = figure(c, "rate_sustained_hz", y->rate_sustained_hz, 1, 1e9);
    p->settle_s = figure(c, "settle_s", y->settle_s, 0, 10);
    p->clock_ppm = figure(c, "clock_ppm", y->clock_ppm, 0, 1000);
    p->bits = figure(c, "bits", y->bits, 1, 32);
    p->clock_hz = figure(c, "clock_hz", y->clock_hz, 1e6, 1e9);
    p->full_dbm = figure(c, "full_dbm", y->full_dbm, -150, 60);
    p->full_err_db = figure(c, "full_err_db", y->full_err_db, 0.1, 30);
    if (isnan(p->full_dbm.v) != isnan(p->full_err_db.v))
        fail(c, "full_dbm", "and full_err_db go together: a level without its error is none");
    if (p->freq_hi_hz.v < p->freq_lo_hz.v)
        fail(c, "freq_hi_hz", "is below freq_lo_hz");
    if (p->rate_hi_hz.v < p->rate_lo_hz.v)
        fail(c, "rate_hi_hz", "is below rate_lo_hz");
    p->gain_lo_db = figure(c, "gain_lo_db", y->gain_lo_db, -100, 200);
    p->gain_hi_db = figure(c, "gain_hi_db", y->gain_hi_db, -100, 200);
    if (isnan(p->gain_lo_db.v) != isnan(p->gain_hi_db.v) || p->gain_hi_db.v < p->gain_lo_db.v)
        fail(c, "gain_lo_db", "and gain_hi_db go together, the latter above the former");
    p->gain_db = number(c, "gain_db", y->gain_db, -100, 200);
    p->hardware_time = yes(c, "hardware_time", y->hardware_time);
    p->remote = yes(c, "remote", y->remote);
    take_lists(c, p, y);
}

int hw_profile_parse(struct hw_profile *ret, const char *text, size_t len, const char *origin,
                     char why[HW_WHY])
{
    struct check c = { .text = text, .len = len, .origin = origin, .why = why };
    struct hw_profile p = { .n_rates = 0 };
    struct yaml_profile *y;
    struct yaml_told t;
    int r = yaml_load((void **)&y, &schema, text, len, &t);

    if (r < 0) {
        snprintf(why, HW_WHY, "%.150s:%u: %s", origin, t.line, t.what);
        return r;
    }
    take(&c, &p, y);
    yaml_drop(&schema, y);
    if (!c.err)
        *ret = p;
    return c.err;
}
