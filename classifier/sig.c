// SPDX-License-Identifier: GPL-3.0-or-later
// Reads signature files with libcyaml: the schema below is the file format.
#include "classifier/sig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"

static const cyaml_strval_t roles[] = {
    { "unknown", ROLE_UNKNOWN }, { "control", ROLE_CONTROL }, { "telemetry", ROLE_TELEMETRY },
    { "video", ROLE_VIDEO }, { "identification", ROLE_IDENTIFICATION },
};
static const cyaml_strval_t kinds[] = {
    { "unknown", KIND_UNKNOWN }, { "lora", KIND_LORA }, { "fsk", KIND_FSK }, { "msk", KIND_MSK },
    { "ofdm", KIND_OFDM }, { "dsss", KIND_DSSS }, { "fm", KIND_FM }, { "am", KIND_AM },
    { "cw", KIND_CW },
};
static const cyaml_strval_t verdicts[] = {
    { "drone", VERDICT_DRONE }, { "not-drone", VERDICT_NOT_DRONE },
};
static const cyaml_strval_t judges[] = {
    { "hopper", SIG_JUDGE_HOPPER }, { "waveform", SIG_JUDGE_WAVEFORM },
    { "droneid", SIG_JUDGE_DRONEID }, { "ocusync", SIG_JUDGE_OCUSYNC },
    { "video", SIG_JUDGE_VIDEO }, { "wifi", SIG_JUDGE_WIFI }, { "ble", SIG_JUDGE_BLE },
    { "bluetooth", SIG_JUDGE_BLUETOOTH }, { "lte", SIG_JUDGE_LTE },
};
static const cyaml_strval_t evidences[] = {
    { "recorded", SIG_RECORDED }, { "code", SIG_CODE }, { "standard", SIG_STANDARD },
    { "computed", SIG_COMPUTED }, { "web", SIG_WEB }, { "unverified", SIG_UNVERIFIED },
};

static const cyaml_schema_value_t number = { CYAML_VALUE_FLOAT(CYAML_FLAG_STRICT, double) };
static const cyaml_schema_value_t text = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 128) };

#define OPT  CYAML_FLAG_OPTIONAL
#define LIST (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define NUM(key, s)   CYAML_FIELD_FLOAT(#key, OPT | CYAML_FLAG_STRICT, s, key)
#define UINT(key, s)  CYAML_FIELD_UINT(#key, OPT, s, key)
#define RANGE(k, s)   { .key = #k, .data_offset = offsetof(s, k), .value = { \
    .type = CYAML_SEQUENCE_FIXED, .flags = OPT, .data_size = sizeof(double), \
    .sequence = { .entry = &number, .min = 2, .max = 2 } } }

static const cyaml_schema_field_t mode_fields[] = {
    CYAML_FIELD_STRING_PTR("link", OPT | CYAML_FLAG_POINTER, struct sig_mode, link, 1, 63),
    CYAML_FIELD_SEQUENCE_COUNT("alternatives", LIST, struct sig_mode, alternatives,
                               n_alternatives, &text, 0, 3),
    CYAML_FIELD_ENUM("role", CYAML_FLAG_STRICT, struct sig_mode, role, roles,
                     CYAML_ARRAY_LEN(roles)),
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_STRICT, struct sig_mode, kind, kinds,
                     CYAML_ARRAY_LEN(kinds)),
    CYAML_FIELD_SEQUENCE_COUNT("bands_hz", LIST, struct sig_mode, bands_hz, n_bands_hz, &number,
                               0, 16),
    NUM(channel_start_hz, struct sig_mode),
    NUM(channel_step_hz, struct sig_mode),
    UINT(channel_count, struct sig_mode),
    CYAML_FIELD_SEQUENCE_COUNT("channels_hz", LIST, struct sig_mode, channels_hz, n_channels,
                               &number, 0, 64),
    NUM(channel_tolerance_hz, struct sig_mode),
    UINT(sf, struct sig_mode),
    NUM(bw_hz, struct sig_mode),
    NUM(bw_tolerance, struct sig_mode),
    NUM(symbol_rate_bd, struct sig_mode),
    NUM(symbol_rate_tolerance, struct sig_mode),
    RANGE(mod_index, struct sig_mode),
    RANGE(deviation_hz, struct sig_mode),
    RANGE(burst_s, struct sig_mode),
    NUM(period_s, struct sig_mode),
    UINT(packets_per_hop, struct sig_mode),
    UINT(hop_channels, struct sig_mode),
    CYAML_FIELD_ENUM("evidence", CYAML_FLAG_STRICT, struct sig_mode, evidence, evidences,
                     CYAML_ARRAY_LEN(evidences)),
    CYAML_FIELD_STRING_PTR("source", OPT | CYAML_FLAG_POINTER, struct sig_mode, source, 1, 400),
    CYAML_FIELD_END
};
static const cyaml_schema_value_t mode = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct sig_mode, mode_fields)
};
static const cyaml_schema_field_t sig_fields[] = {
    CYAML_FIELD_UINT("version", CYAML_FLAG_DEFAULT, struct sig, version),
    CYAML_FIELD_STRING_PTR("family", CYAML_FLAG_POINTER, struct sig, family, 1, 31),
    CYAML_FIELD_ENUM("verdict", CYAML_FLAG_STRICT, struct sig, verdict, verdicts,
                     CYAML_ARRAY_LEN(verdicts)),
    CYAML_FIELD_ENUM("judge", CYAML_FLAG_STRICT, struct sig, judge, judges,
                     CYAML_ARRAY_LEN(judges)),
    CYAML_FIELD_FLOAT("prior", CYAML_FLAG_STRICT, struct sig, prior),
    CYAML_FIELD_FLOAT("p_drone", CYAML_FLAG_STRICT, struct sig, p_drone),
    CYAML_FIELD_BOOL("recorded", CYAML_FLAG_DEFAULT, struct sig, recorded),
    CYAML_FIELD_STRING_PTR("date", CYAML_FLAG_POINTER, struct sig, date, 1, 31),
    CYAML_FIELD_STRING_PTR("source", CYAML_FLAG_POINTER, struct sig, source, 1, 400),
    CYAML_FIELD_SEQUENCE_COUNT("modes", CYAML_FLAG_POINTER, struct sig, modes, n_modes, &mode,
                               1, 128),
    CYAML_FIELD_END
};
static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct sig, sig_fields)
};

// Line on which mode number i of the file begins: its item's dash under "modes:".
static unsigned mode_line(const char *txt, size_t len, unsigned i)
{
    unsigned line = 1, seen = 0;
    bool in = false;
    size_t indent = (size_t)-1;

    for (size_t p = 0; p < len; line++) {
        const char *nl = memchr(txt + p, '\n', len - p);
        size_t n = nl ? (size_t)(nl - txt) - p : len - p, k = 0;
        while (k < n && txt[p + k] == ' ')
            k++;
        if (!in && n >= 6 && !memcmp(txt + p, "modes:", 6))
            in = true;
        else if (in && k < n && txt[p + k] == '-' && (indent == (size_t)-1 || k == indent)) {
            indent = k;
            if (seen++ == i)
                return line;
        }
        p += n + 1;
    }
    return 1;
}

int sig_parse(struct sig **ret, const char *name, const char *txt, size_t len, char why[IQ_WHY])
{
    struct yaml_told t;
    struct sig *s;
    int r = yaml_load((void **)&s, &schema, txt, len, &t);

    if (r < 0) {
        snprintf(why, IQ_WHY, "%s:%u: %s; a signature file was expected", name, t.line, t.what);
        return r;
    }
    snprintf(s->file, sizeof s->file, "%s", name);
    for (unsigned i = 0; i < s->n_modes; i++)
        s->modes[i].line = mode_line(txt, len, i);
    r = sig_check(s, why);
    if (r < 0) {
        sig_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void sig_free(struct sig *s)
{
    yaml_drop(&schema, s);
}
