// SPDX-License-Identifier: GPL-3.0-or-later
// The lines of the contract, byte for byte; runs merged into one line; strict numbers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "classifier/args.h"
#include "classifier/join.h"
#include "classifier/out.h"
#include "classifier/runs.h"
#include "tests/unit/classifier_feed.h"

static struct feed feed;
static char       *text;
static size_t      text_len;

static void begin(struct json *j)
{
    json_init(j, open_memstream(&text, &text_len));
}

// The line is one JSON object; with want, these bytes.
static json_t *line(struct json *j, const char *want)
{
    assert_int_equal(json_error(j), 0);
    fclose(j->out);
    assert_int_equal(text[text_len - 1], '\n');
    if (want)
        assert_string_equal(text, want);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
    json_t *v = json_loadb(text, text_len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(v);
    free(text);
    return v;
}

static void burst_line(void **state)
{
    struct json j;
    (void)state;
    feed_init(&feed, 20e6, 2440e6, 1);
    feed_lora(&feed, 0.012345, 2440.4e6, 6, 812500, 0.00333);
    feed.f[0].fp.snr_db.v = 14.2;
    feed.f[0].fp.level_dbfs = -41;
    begin(&j);
    line_burst(&j, &feed.f[0]);
    json_decref(line(&j, "{\"type\":\"burst\",\"t_s\":0.012345,\"dur_s\":0.00333,"
        "\"freq_hz\":2440400000,\"bw_hz\":812500,\"snr_db\":14.2,\"level_dbfs\":-41,"
        "\"kind\":\"lora\",\"sf\":6,\"chirp_hz_per_s\":10314941406,\"origin\":\"simulation\"}\n"));
    feed_add(&feed, 0.5, 1e-3, 2440e6, 9e6);        // seen by the DroneID receiver: its values
    struct finding *f = &feed.f[1];
    f->droneid = (struct droneid_seen){ .seen = true, .t_s = { 0.50001, 0 },
                                        .freq_hz = { 2440.01e6, 0 }, .snr_db = { -3.25, 0.1 } };
    begin(&j);
    line_burst(&j, f);
    json_decref(line(&j, "{\"type\":\"burst\",\"t_s\":0.50001,\"dur_s\":0.001,"
        "\"freq_hz\":2440010000,\"bw_hz\":9015000,\"snr_db\":-3.2,\"level_dbfs\":-40,"
        "\"kind\":\"ofdm\",\"origin\":\"simulation\"}\n"));
}

static void burst_line_of_bad_numbers(void **state)
{
    struct json j;
    (void)state;
    for (int k = 0; k < KIND_COUNT; k++) {
        feed_init(&feed, 20e6, 2440e6, 1);
        struct finding *f = feed_add(&feed, 0.1, 1e-3, 2440e6, 1e6);
        struct meas *m = &f->fp.t_s;
        for (int i = 0; i < 6; i++)                 // t_s .. snr_db stand in a row
            m[i] = (struct meas){ i % 2 ? NAN : INFINITY, 0 };
        f->fp.level_dbfs = -INFINITY;
        f->fp.kind = (enum sig_kind)k;
        f->fp.symbol_rate_bd = f->fp.cp_s = f->fp.line_rate_hz = (struct meas){ NAN, 1 };
        begin(&j);
        line_burst(&j, f);
        json_t *v = line(&j, NULL);
        assert_true(json_is_null(json_object_get(v, "t_s")));
        assert_null(json_object_get(v, "symbol_rate_bd"));
        json_decref(v);
    }
}

static void decode_line(void **state)
{
    struct decode d = { .protocol = PROTO_DJI_DRONEID, .t_s = { 0.00257, 1e-9 },
        .freq_hz = { 2416507360, 10 }, .snr_db = 21, .check = "crc24a+crc16", .raw_len = 2,
        .raw = { 0x58, 0x10 }, .n_fields = 4, .assisted = true, .field = {
            { .key = "serial", .type = FIELD_STR, .str = "A\xff\"" },
            { .key = "lat_deg", .type = FIELD_NUM, .decimals = 6, .num = 51.5 },
            { .key = "lon_deg", .type = FIELD_NULL },
            { .key = "motors_on", .type = FIELD_BOOL, .num = 1 } } };
    struct json j;
    (void)state;
    begin(&j);
    line_decode(&j, &d, IQ_RECORDING);
    json_decref(line(&j, "{\"type\":\"decode\",\"protocol\":\"dji-droneid\",\"t_s\":0.00257,"
        "\"freq_hz\":2416507360,\"snr_db\":21,\"check\":\"crc24a+crc16\",\"assisted\":true,"
        "\"raw\":\"5810\",\"fields\":{\"serial\":\"A\xef\xbf\xbd\\\"\",\"lat_deg\":51.5,"
        "\"lon_deg\":null,\"motors_on\":true},\"origin\":\"recording\"}\n"));
}

static void track_line(void **state)
{
    struct track t = { .id = "t0001", .origin = IQ_RECORDING, .family = "expresslrs",
        .link = "ELRS 2.4/F1000 FLRC", .link_alternatives = { "a", "b" }, .role = ROLE_CONTROL,
        .verdict = VERDICT_DRONE, .p_drone = 0.93, .confidence = 0.95, .first_s = 0.5, .last_s = 2,
        .bursts = 612, .freq_lo_hz = 2430e6, .freq_hi_hz = 2450e6, .level_dbfs = -40, .snr_db = 12,
        .why = { "one", "two" }, .n_why = 2, .runner_up = "mlrs", .runner_up_confidence = 0.01,
        .n_ends = 1, .ends = { { ROLE_TELEMETRY, 9, -50, { 1200, 10 }, 1 } } };
    struct json j;
    (void)state;
    begin(&j);
    line_track(&j, &t);
    json_decref(line(&j, "{\"type\":\"track\",\"id\":\"t0001\",\"family\":\"expresslrs\","
        "\"link\":\"ELRS 2.4/F1000 FLRC\",\"role\":\"control\",\"verdict\":\"drone\","
        "\"p_drone\":0.93,\"confidence\":0.95,\"first_s\":0.5,\"last_s\":2,\"bursts\":612,"
        "\"decodes\":0,\"freq_lo_hz\":2430000000,\"freq_hi_hz\":2450000000,\"level_dbfs\":-40,"
        "\"snr_db\":12,\"link_alternatives\":[\"a\",\"b\"],\"why\":[\"one\",\"two\"],\"ends\":"
        "[{\"role\":\"telemetry\",\"bursts\":9,\"level_dbfs\":-50,\"cfo_hz\":1200,"
        "\"airborne\":true}],\"runner_up\":{\"family\":\"mlrs\",\"confidence\":0.01},"
        "\"origin\":\"recording\"}\n"));
}

static void summary_line(void **state)
{
    struct iq_counts c = { .samples = 10, .nonfinite = 2, .trailing_bytes = 3, .fault = "cut" };
    struct out_summary s = { .counts = &c, .seconds = 1e-6, .bursts = 1 };
    struct out o;
    (void)state;
    out_init(&o, open_memstream(&text, &text_len), true, true);
    out_summary(&o, &s);
    json_t *v = line(&o.j, NULL);
    static const char *const keys[] = { "samples", "seconds", "wall_s", "cpu_s", "lost",
        "trailing_bytes", "bursts", "decodes", "tracks", "version", "nonfinite", "fault" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_non_null(json_object_get(v, keys[i]));
    json_decref(v);
}

static struct finding part(uint64_t id, enum burst_part p, double t, double dur, double sure)
{
    feed_init(&feed, 20e6, 2440e6, 1);
    struct finding f = *feed_add(&feed, t, dur, 2440e6, 8e6);
    f.id = id;
    f.part = p;
    f.fp.kind = sure > 0 ? KIND_FM : KIND_UNKNOWN;
    f.fp.kind_p = sure;
    return f;
}

static void runs_are_one_line(void **state)
{
    static struct runs r;
    struct finding f[] = {
        part(7, BURST_RUN_FIRST, 1.0, 0.02, 0), part(9, BURST_WHOLE, 1.1, 1e-3, 0),
        part(7, BURST_RUN_MORE, 1.25, 0.02, 0.9), part(8, BURST_RUN_FIRST, 1.3, 0.02, 0.5),
        part(7, BURST_RUN_END, 1.0, 0.63, 0) }, w;
    (void)state;
    assert_int_equal(runs_push(&r, &f[0], &w), 0);
    assert_int_equal(runs_push(&r, &f[1], &w), 1);
    assert_int_equal(w.id, 9);
    assert_int_equal(runs_push(&r, &f[2], &w), 0);
    assert_int_equal(runs_push(&r, &f[3], &w), 0);
    assert_int_equal(runs_push(&r, &f[4], &w), 1);
    assert_int_equal(w.id, 7);
    assert_int_equal(w.fp.kind, KIND_FM);           // the part that was surest
    assert_true(w.fp.t_s.v == 1.0 && fabs(w.fp.dur_s.v - 0.63) < 1e-12);
    assert_int_equal(runs_drain(&r, &w), 1);        // still on the air when the file ended
    assert_int_equal(w.id, 8);
    assert_true(w.flags & BURST_AT_END);
    assert_int_equal(runs_drain(&r, &w), 0);
}

static struct obs piece(double t_s, double dur_s, double freq_hz, enum sig_kind kind)
{
    feed_init(&feed, 20e6, 2440e6, 1);
    feed_lora(&feed, t_s, freq_hz, 6, 812.5e3, dur_s);
    struct obs o;
    assert_true(obs_of(&o, &feed.f[0]));
    o.fp.kind = kind;
    return o;
}

static void pieces_are_joined(void **state)
{
    static struct join j;
    struct obs first = piece(1.0, 0.8e-3, 2440.4e6, KIND_LORA), out,
        more[] = { piece(1.0007, 0.3e-3, 2440.42e6, KIND_UNKNOWN),
                   piece(1.00115, 2.15e-3, 2440.39e6, KIND_LORA) },
        other[] = { piece(1.001, 1e-3, 2441.4e6, KIND_LORA),        // the next channel
                    piece(1.0036, 1e-3, 2440.4e6, KIND_LORA),       // the next packet
                    piece(1.0002, 3.3e-3, 2440.4e6, KIND_LORA) };   // a packet on top of it
    (void)state;
    assert_true(join_wants(&first));
    assert_false(join_wants(&more[0]));             // never begins a packet
    assert_true(join_put(&j, &first));
    for (int i = 0; i < 2; i++)
        assert_true(join_piece(&j, &more[i]));
    for (int i = 0; i < 3; i++)
        assert_false(join_piece(&j, &other[i]));
    assert_false(join_take(&j, 1.0034, &out));      // a piece might still follow
    assert_true(join_take(&j, 1.0036, &out));
    assert_true(out.t_s == 1.0 && fabs(out.dur_s - 3.3e-3) < 1e-9);
    assert_true(out.freq_hz == 2440.39e6);          // of the longest piece
    assert_false(join_take(&j, INFINITY, &out));
}

static void numbers_are_strict(void **state)
{
    static const char *const bad[] = { "", " 1", "1 ", "x", "1x", "nan", "inf", "-inf", "0x10",
        "1e999", "-1", "0", "249999", "125000001", "1e", "--5", "1,5" };
    double v = 7;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_true(args_number(bad[i], IQ_RATE_MIN_HZ, IQ_RATE_MAX_HZ, &v) < 0);
    assert_true(v == 7);
    assert_int_equal(args_number("61.44e6", IQ_RATE_MIN_HZ, IQ_RATE_MAX_HZ, &v), 0);
    assert_true(v == 61.44e6);
    assert_int_equal(args_number("250000", IQ_RATE_MIN_HZ, IQ_RATE_MAX_HZ, &v), 0);
}

// In words a hundred frames of one aircraft are one block, after the links; with --bursts each is
// told where it falls.
static void one_block_an_aircraft(void **state)
{
    (void)state;
    for (int bursts = 0; bursts < 2; bursts++) {
        char *words = NULL;
        size_t len = 0;
        struct out o;
        FILE *f = open_memstream(&words, &len);
        out_init(&o, f, false, bursts);
        for (int i = 0; i < 100; i++) {
            struct decode d = { .protocol = PROTO_DJI_DRONEID, .t_s = { 0.64 * i, 0 },
                                .freq_hz = { 2444.5e6, 0 }, .n_fields = 1 };
            d.field[0] = (struct field){ .key = "serial", .type = FIELD_STR };
            snprintf(d.field[0].str, sizeof d.field[0].str, "TEST%d", i % 2);
            out_decode(&o, &d, IQ_SIMULATION);
        }
        struct cls *c;
        char why[IQ_WHY];
        uint64_t n;
        assert_int_equal(cls_new(&c, &(struct cls_cfg){ .sig_dir = "classifier/sig" }, why), 0);
        out_tracks(&o, c, &n);
        cls_free(c);
        assert_int_equal(out_end(&o), 0);
        fclose(f);
        unsigned blocks = 0;
        for (const char *p = words; (p = strstr(p, "serial")); p++)
            blocks++;
        assert_int_equal(blocks, bursts ? 102 : 2);
        assert_non_null(strstr(words, "50 frames from 0.640 to 63.360 s"));
        free(words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_block_an_aircraft),
        cmocka_unit_test(burst_line),
        cmocka_unit_test(burst_line_of_bad_numbers),
        cmocka_unit_test(decode_line),
        cmocka_unit_test(track_line),
        cmocka_unit_test(summary_line),
        cmocka_unit_test(runs_are_one_line),
        cmocka_unit_test(pieces_are_joined),
        cmocka_unit_test(numbers_are_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
