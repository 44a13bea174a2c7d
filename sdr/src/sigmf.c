// SPDX-License-Identifier: GPL-3.0-or-later
// SigMF metadata: JSON from outside, read with jansson (which bounds the nesting), checked here.
//
// What decides how the samples are read (type, rate, channels, order of captures) must be right, or
// the sentence says what is wrong.  What only describes them (annotations, times) is taken where
// it makes sense and passed over where not.
//
// A recording with a gap has two captures whose distance in core:global_index (the stream as it
// was) is larger than in core:sample_start (the file as it is):
//
//     file    |== capture 0 ==|== capture 1 ==|
//     stream  |== capture 0 ==|  lost  |== capture 1 ==|
#include "sdr/src/sigmf.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "sdr/src/source.h"

#define INDEX_MAX   9007199254740992.0  // 2^53: whole numbers are exact up to here
#define LOST_MAX_S  (7 * 86400.0)       // more than a week missing is a wrong index, not a gap
#define GAIN_MAX_DB 1000.0              // as of a radio (sdr/radio/ring.c)
#define FREQ_MAX_HZ 300e9               // end of the radio spectrum

// Reading position for sentences: "NAME: WHERE: ...".
struct at { const char *name; char *why; };

static const json_t *get(const json_t *o, const char *key) { return json_object_get(o, key); }

// A whole number from 0 to 2^53 under key: 1; absent: 0; anything else: -EINVAL.
static int get_index(const json_t *o, const char *key, uint64_t *ret)
{
    const json_t *v = get(o, key);
    double x = json_number_value(v);

    if (!v)
        return 0;
    if (!json_is_number(v) || !(x >= 0 && x <= INDEX_MAX) || x != floor(x))
        return -EINVAL;
    *ret = (uint64_t)x;
    return 1;
}

// Only below the metadata's own folder: a recording from elsewhere must not name our files.
static bool dataset_is_safe(const char *s, size_t len)
{
    if (!len || len != strlen(s) || s[0] == '/')
        return false;
    for (const char *p = s; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
        if (!strncmp(p, "..", 2) && (p[2] == '/' || !p[2]))
            return false;
    return true;
}

static int read_dataset(struct sigmf *m, const json_t *global, struct at at)
{
    const json_t *v = get(global, "core:dataset");

    if (!v)
        return 0;
    if (!json_is_string(v) || !dataset_is_safe(json_string_value(v), json_string_length(v)))
        return src_why(at.why, -EINVAL, "%s: core:dataset must name a file beside the metadata, "
                       "without \"..\" or a leading \"/\"", at.name);
    if (json_string_length(v) >= sizeof m->dataset)
        return src_why(at.why, -EINVAL, "%s: core:dataset is longer than %zu bytes", at.name,
                       sizeof m->dataset - 1);
    memcpy(m->dataset, json_string_value(v), json_string_length(v) + 1);
    return 0;
}

static int read_datatype(struct sigmf *m, const json_t *global, struct at at)
{
    static const struct { const char *name; enum iq_format f; } types[] = {
        { "cf32_le", IQ_CF32 }, { "cf64_le", IQ_CF64 }, { "ci16_le", IQ_CI16 },
        { "ci8", IQ_CI8 }, { "cu8", IQ_CU8 },
    };
    const char *s = json_string_value(get(global, "core:datatype"));

    for (unsigned i = 0; s && i < sizeof types / sizeof *types; i++)
        if (!strcmp(s, types[i].name)) {
            m->format = types[i].f;
            return 0;
        }
    return src_why(at.why, -EINVAL, "%s: core:datatype %s%.32s%s is not supported, expected "
                   "cf32_le, cf64_le, ci16_le, ci8 or cu8", at.name, s ? "\"" : "",
                   s ? s : "(none)", s ? "\"" : "");
}

static int read_sha512(struct sigmf *m, const json_t *global, struct at at)
{
    const json_t *v = get(global, "core:sha512");
    const char *s = json_string_value(v);
    size_t n = 0;

    if (!v)
        return 0;
    for (; s && n < 128 && strchr("0123456789abcdefABCDEF", s[n]) && s[n]; n++)
        m->sha512[n] = (char)(s[n] >= 'A' && s[n] <= 'F' ? s[n] - 'A' + 'a' : s[n]);
    if (n == 128 && !s[n])
        return 0;
    return src_why(at.why, -EINVAL, "%s: core:sha512 must be 128 hexadecimal digits", at.name);
}

// It only describes: what makes no sense is not said.
static double gain_of(const json_t *o)
{
    const json_t *v = get(o, "tyto:gain_db");
    double x = json_number_value(v);

    return json_is_number(v) && fabs(x) <= GAIN_MAX_DB ? x : NAN;
}

static int read_global(struct sigmf *m, const json_t *global, struct at at)
{
    const json_t *rate = get(global, "core:sample_rate");
    const char *origin = json_string_value(get(global, "tyto:origin"));
    uint64_t channels = 1, other = 0;
    int r;

    if (!json_is_object(global))
        return src_why(at.why, -EINVAL, "%s: no \"global\" object, expected SigMF metadata",
                       at.name);
    if ((r = read_datatype(m, global, at)) < 0 || (r = read_dataset(m, global, at)) < 0 ||
        (r = read_sha512(m, global, at)) < 0)
        return r;
    if (!json_is_number(rate))
        return src_why(at.why, -EINVAL, "%s: core:sample_rate is %s, expected a number of Hz",
                       at.name, rate ? "not a number" : "missing");
    m->rate_hz = json_number_value(rate);
    if (!(m->rate_hz >= IQ_RATE_MIN_HZ && m->rate_hz <= IQ_RATE_MAX_HZ))
        return src_why(at.why, -EINVAL, "%s: core:sample_rate of %g Hz is out of range, expected "
                       "%.9g to %.9g", at.name, m->rate_hz, IQ_RATE_MIN_HZ, IQ_RATE_MAX_HZ);
    if (get_index(global, "core:num_channels", &channels) < 0 || channels != 1)
        return src_why(at.why, -EINVAL, "%s: core:num_channels must be 1: one receiver a file",
                       at.name);
    if (get_index(global, "core:trailing_bytes", &other) < 0 || other)
        return src_why(at.why, -EINVAL, "%s: core:trailing_bytes is not supported", at.name);
    if (json_is_true(get(global, "core:metadata_only")))
        return src_why(at.why, -EINVAL, "%s: core:metadata_only: there are no samples to read",
                       at.name);
    double gain_db = gain_of(global);
    m->gain_db = isnan(gain_db) ? 0 : gain_db;
    m->origin = origin && !strcmp(origin, "simulation") ? IQ_SIMULATION : IQ_RECORDING;
    return 0;
}

static int read_capture(struct sigmf_capture *c, const json_t *v, size_t i, struct at at)
{
    const json_t *freq = get(v, "core:frequency");
    uint64_t header = 0;

    *c = (struct sigmf_capture){ .freq_hz = NAN, .gain_db = gain_of(v) };
    if (!json_is_object(v) || get_index(v, "core:sample_start", &c->start) <= 0)
        return src_why(at.why, -EINVAL, "%s: captures[%zu]: core:sample_start must be a whole "
                       "number of samples", at.name, i);
    if (get_index(v, "core:header_bytes", &header) < 0 || header)
        return src_why(at.why, -EINVAL, "%s: captures[%zu]: core:header_bytes is not supported",
                       at.name, i);
    if (freq) {
        c->freq_hz = json_number_value(freq);
        if (!json_is_number(freq) || !(c->freq_hz >= 0 && c->freq_hz <= FREQ_MAX_HZ))
            return src_why(at.why, -EINVAL, "%s: captures[%zu]: core:frequency must be a number "
                           "of Hz from 0 to %g", at.name, i, FREQ_MAX_HZ);
    }
    const char *utc = json_string_value(get(v, "core:datetime"));
    if (utc)
        utc_parse(utc, &c->utc_ns, &c->utc_err_ns);     // unreadable: stays unknown
    return 0;
}

// Samples missing between two captures that both know their place in the stream.
static int read_gap(struct sigmf *m, const json_t *before, const json_t *v, size_t i,
                    double *lost_s, struct at at)
{
    struct sigmf_capture *c = &m->capture[i];
    uint64_t g0, g1, in_file = c->start - c[-1].start;
    int have0 = get_index(before, "core:global_index", &g0);
    int have1 = get_index(v, "core:global_index", &g1);

    if (have0 <= 0 || have1 <= 0)
        return 0;
    if (g1 < g0 || g1 - g0 < in_file)
        return src_why(at.why, -EINVAL, "%s: captures[%zu]: core:global_index goes back", at.name,
                       i);
    c->lost = g1 - g0 - in_file;
    *lost_s += (double)c->lost / m->rate_hz;
    if (*lost_s > LOST_MAX_S)
        return src_why(at.why, -EINVAL, "%s: captures[%zu]: core:global_index leaves more than a "
                       "week missing", at.name, i);
    return 0;
}

static int read_captures(struct sigmf *m, const json_t *list, struct at at)
{
    double lost_s = 0;

    if (list && !json_is_array(list))
        return src_why(at.why, -EINVAL, "%s: \"captures\" must be a list", at.name);
    m->captures = json_array_size(list);
    m->capture = calloc(m->captures + 1, sizeof *m->capture);
    if (!m->capture)
        return src_why(at.why, -ENOMEM, "%s: no memory", at.name);
    for (size_t i = 0; i < m->captures; i++) {
        struct sigmf_capture *c = &m->capture[i];
        const json_t *v = json_array_get(list, i);
        int r = read_capture(c, v, i, at);
        if (r < 0)
            return r;
        if (i && c->start < c[-1].start)
            return src_why(at.why, -EINVAL, "%s: captures[%zu]: core:sample_start goes back",
                           at.name, i);
        if (i && (r = read_gap(m, json_array_get(list, i - 1), v, i, &lost_s, at)) < 0)
            return r;
        m->reach = c->start > m->reach ? c->start : m->reach;
    }
    return 0;
}

static void find_centre(struct sigmf *m)
{
    for (size_t i = m->captures; i > 0; i--)
        if (!isnan(m->capture[i - 1].freq_hz))
            m->centre_hz = m->capture[i - 1].freq_hz;
}

static void read_annotations(struct sigmf *m, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        uint64_t start = 0, count = 0;
        if (get_index(v, "core:sample_start", &start) < 0 ||
            get_index(v, "core:sample_count", &count) < 0)
            continue;
        m->reach = start + count > m->reach ? start + count : m->reach;
    }
}

int sigmf_parse(struct sigmf *ret, const void *text, size_t len, const char *name,
                char why[IQ_WHY])
{
    struct at at = { name, why };
    struct sigmf m = { 0 };
    json_error_t e;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);

    if (!root)
        return src_why(why, -EINVAL, "%s:%d: not valid JSON: %s", name, e.line, e.text);
    int r = read_global(&m, get(root, "global"), at);
    if (r == 0)
        r = read_captures(&m, get(root, "captures"), at);
    if (r == 0) {
        find_centre(&m);
        read_annotations(&m, get(root, "annotations"));
        *ret = m;
    } else
        sigmf_done(&m);
    json_decref(root);
    return r;
}

void sigmf_done(struct sigmf *m)
{
    free(m->capture);
    m->capture = NULL;
    m->captures = 0;
}

int sigmf_load(struct sigmf *ret, const char *path, char why[IQ_WHY])
{
    char shown[SRC_NAME], *text = NULL;
    size_t len = 0;
    int r = src_slurp(path, SIGMF_MAX_BYTES, &text, &len, why);

    if (r < 0)
        return r;
    r = sigmf_parse(ret, text, len, src_name(shown, path), why);
    free(text);
    return r;
}
