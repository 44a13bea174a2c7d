// SPDX-License-Identifier: GPL-3.0-or-later
// Spectrum lines and burst summaries on their way to screens: never stored, never numbered.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/loop.h"
#include "base/json.h"
#include "base/utc.h"

static void put_head(struct json *j, const char *sensor, const char *radio, int64_t t_ns)
{
    char t[UTC_LEN];
    utc_format(t, t_ns, 3);
    json_str(j, "sensor", sensor);
    json_str(j, "radio", radio);
    json_str(j, "t", t);
}

static void put_psd(struct json *j, const char *sensor, const struct wire_msg *m)
{
    const struct wire_psd *p = &m->psd;
    char v[sodium_base64_ENCODED_LEN(WIRE_BINS, sodium_base64_VARIANT_ORIGINAL)];
    put_head(j, sensor, p->radio, m->head.t_ns);
    json_num(j, "centre_hz", p->centre_hz, 0);
    json_num(j, "rate_hz", p->rate_hz, 0);
    json_num(j, "floor_db", p->floor_db, 1);
    json_num(j, "top_db", p->top_db, 1);
    json_num(j, "occupancy", p->occupancy, 4);
    json_str(j, "v", sodium_bin2base64(v, sizeof v, p->v, p->bins <= WIRE_BINS ? p->bins : 0,
                                       sodium_base64_VARIANT_ORIGINAL));
}

static void put_bursts(struct json *j, const char *sensor, const struct wire_msg *m)
{
    const struct wire_burst *b = &m->burst;
    put_head(j, sensor, b->radio, m->head.t_ns);
    json_open(j, "bursts", '[');
    for (unsigned i = 0; i < b->n && i < WIRE_BURSTS; i++) {
        json_open(j, NULL, '{');
        json_num(j, "t_off_s", b->b[i].t_off_s, 6);
        json_num(j, "dur_s", b->b[i].dur_s, 6);
        json_num(j, "freq_hz", b->b[i].freq_hz, 0);
        json_num(j, "bw_hz", b->b[i].bw_hz, 0);
        json_num(j, "snr_db", b->b[i].snr_db, 1);
        json_str(j, "kind", b->b[i].kind);
        json_close(j);
    }
    json_close(j);
}

struct change *view_change(const char *sensor, const struct wire_msg *m)
{
    static const struct change none;
    bool psd = m->head.kind == WIRE_PSD;
    char *text = NULL;
    size_t len = 0;
    struct json j;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    fwrite(&none, sizeof none, 1, out);
    json_init(&j, out);
    json_begin(&j);
    if (psd)
        put_psd(&j, sensor, m);
    else
        put_bursts(&j, sensor, m);
    json_end(&j);
    if (fclose(out) || json_error(&j)) {
        free(text);
        return NULL;
    }
    struct change *h = (struct change *)(void *)text;
    *h = (struct change){ .kind = CHANGE_VIEW, .len = len - 1 - sizeof *h };
    h->json[h->len] = 0;
    snprintf(h->id, sizeof h->id, "%.20s/%.15s", sensor, psd ? m->psd.radio : m->burst.radio);
    return h;
}
