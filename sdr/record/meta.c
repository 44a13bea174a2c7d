// SPDX-License-Identifier: GPL-3.0-or-later
#include "sdr/record/meta.h"

#include <errno.h>

#include "base/json.h"
#include "base/sigmf.h"
#include "base/utc.h"

static const char *const types[IQ_FORMATS] = {
    [IQ_CF32] = "cf32_le", [IQ_CF64] = "cf64_le", [IQ_CI16] = "ci16_le", [IQ_CI8] = "ci8",
    [IQ_CU8] = "cu8",
};

static void global(struct json *j, const struct record_meta *m)
{
    sigmf_global(j, &(struct sigmf_head){ types[m->info.format], m->info.rate_hz, "tyto record",
                                          m->description, m->hardware, m->sha512 });
    json_str(j, "tyto:origin", iq_origin_name(m->info.origin));
    json_num(j, "tyto:gain_db", m->gain_db, 3);
    json_close(j);
}

// As many digits as the clock's error leaves any sense in, and three at least.
static unsigned digits_of(int64_t err_ns)
{
    return err_ns >= 1000000 ? 3 : err_ns >= 1000 ? 6 : 9;
}

static void capture(struct json *j, const struct record_capture *c)
{
    char utc[UTC_LEN];

    json_open(j, NULL, '{');
    json_int(j, "core:sample_start", (int64_t)c->start);
    json_int(j, "core:global_index", (int64_t)c->index);
    json_num(j, "core:frequency", c->centre_hz, 6);
    json_num(j, "tyto:gain_db", c->gain_db, 3);
    if (c->utc_ns) {
        utc_format(utc, c->utc_ns, digits_of(c->utc_err_ns));
        json_str(j, "core:datetime", utc);
        json_num(j, "tyto:datetime_err_s", (double)c->utc_err_ns * 1e-9, 9);
    }
    json_close(j);
}

int record_write_meta(FILE *f, const struct record_meta *m)
{
    struct json j;

    json_init(&j, f);
    json_begin(&j);
    global(&j, m);
    json_open(&j, "captures", '[');
    for (size_t i = 0; i < m->captures; i++)
        capture(&j, &m->capture[i]);
    json_close(&j);
    json_open(&j, "annotations", '[');
    json_close(&j);
    json_end(&j);
    return json_error(&j) ? json_error(&j) : fflush(f) ? -errno : 0;
}
