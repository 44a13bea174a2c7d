// SPDX-License-Identifier: GPL-3.0-or-later
// SigMF metadata: what is taken from it, and what is refused with which words.
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdr/src/sigmf.h"

#define GLOBAL(more) "{\"global\":{\"core:datatype\":\"ci8\",\"core:sample_rate\":1e6" more "}"
#define META(more)   GLOBAL("") more "}"

static struct sigmf parse(const char *text)
{
    struct sigmf m;
    char why[IQ_WHY] = "";

    if (sigmf_parse(&m, text, strlen(text), "m", why))
        fail_msg("%s: %s", text, why);
    return m;
}

static void takes_types_rates_and_origin(void **state)
{
    (void)state;
    static const struct { const char *name; enum iq_format f; } types[] = {
        { "cf32_le", IQ_CF32 }, { "cf64_le", IQ_CF64 }, { "ci16_le", IQ_CI16 },
        { "ci8", IQ_CI8 }, { "cu8", IQ_CU8 },
    };
    for (unsigned i = 0; i < 5; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"global\":{\"core:datatype\":\"%s\",\"core:sample_rate\":"
                 "30720000, \"core:dataset\":\"a/b.iq\"}}", types[i].name);
        struct sigmf m = parse(text);
        assert_int_equal(m.format, types[i].f);
        assert_true(m.rate_hz == 30.72e6 && m.centre_hz == 0);
        assert_string_equal(m.dataset, "a/b.iq");
        assert_int_equal(m.origin, IQ_RECORDING);
        assert_int_equal(m.reach, 0);
        sigmf_done(&m);
    }
    struct sigmf m = parse(GLOBAL(",\"tyto:origin\":\"simulation\"") "}");
    assert_int_equal(m.origin, IQ_SIMULATION);
    sigmf_done(&m);
    m = parse(GLOBAL(",\"tyto:origin\":\"live\"") "}");     // a file is never live
    assert_int_equal(m.origin, IQ_RECORDING);
    sigmf_done(&m);
}

static void takes_captures_and_annotations(void **state)
{
    (void)state;
    struct sigmf m = parse(META(
        ",\"captures\":[{\"core:sample_start\":0,\"core:frequency\":2.44e9,"
        "\"core:global_index\":10,\"core:datetime\":\"2001-09-09T01:46:40.25Z\"},"
        "{\"core:sample_start\":100,\"core:frequency\":2.44e9,\"core:global_index\":150},"
        "{\"core:sample_start\":200},"
        "{\"core:sample_start\":300,\"core:frequency\":2.41e9}],"
        "\"annotations\":[{\"core:sample_start\":5,\"core:sample_count\":500},"
        "{\"core:sample_start\":\"x\"},7,{\"core:sample_start\":-5}]"));
    assert_int_equal(m.captures, 4);
    assert_true(m.centre_hz == 2.44e9);
    assert_true(m.capture[0].utc_ns == 1000000000250000000);    // 10^9 s after 1970
    assert_int_equal(m.capture[0].utc_err_ns, 10000000);
    assert_int_equal(m.capture[1].lost, 40);                    // 140 apart there, 100 here
    assert_int_equal(m.capture[1].utc_ns, 0);
    assert_int_equal(m.capture[2].lost, 0);
    assert_true(isnan(m.capture[2].freq_hz) && m.capture[3].freq_hz == 2.41e9);
    assert_int_equal(m.reach, 505);
    sigmf_done(&m);
}

static void refuses_bad_metadata_with_a_sentence(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } bad[] = {
        { "", "m:" }, { "[]", "no \"global\"" }, { "{}", "no \"global\"" },
        { "{\"global\":3}", "no \"global\"" }, { "{\n\n\"global\":}", "m:3: not valid JSON" },
        { "{\"a\":1,\"a\":2}", "not valid JSON: duplicate" },
        { "{\"global\":{\"core:sample_rate\":1e6}}", "core:datatype (none) is not supported" },
        { "{\"global\":{\"core:datatype\":\"rf32_le\",\"core:sample_rate\":1e6}}",
          "\"rf32_le\" is not supported, expected cf32_le, cf64_le, ci16_le, ci8 or cu8" },
        { "{\"global\":{\"core:datatype\":\"ci16_be\",\"core:sample_rate\":1e6}}",
          "\"ci16_be\" is not supported" },
        { "{\"global\":{\"core:datatype\":\"ci8\"}}", "core:sample_rate is missing" },
        { "{\"global\":{\"core:datatype\":\"ci8\",\"core:sample_rate\":\"1e6\"}}",
          "core:sample_rate is not a number" },
        { "{\"global\":{\"core:datatype\":\"ci8\",\"core:sample_rate\":1e999}}", "not valid JSON" },
        { "{\"global\":{\"core:datatype\":\"ci8\",\"core:sample_rate\":0}}",
          "core:sample_rate of 0 Hz is out of range, expected 250000 to 125000000" },
        { "{\"global\":{\"core:datatype\":\"ci8\",\"core:sample_rate\":1e9}}", "out of range" },
        { GLOBAL(",\"core:num_channels\":2") "}", "core:num_channels must be 1" },
        { GLOBAL(",\"core:num_channels\":\"1\"") "}", "core:num_channels must be 1" },
        { GLOBAL(",\"core:trailing_bytes\":4") "}", "core:trailing_bytes is not supported" },
        { GLOBAL(",\"core:metadata_only\":true") "}", "no samples to read" },
        { GLOBAL(",\"core:dataset\":\"/etc/passwd\"") "}", "core:dataset must name" },
        { GLOBAL(",\"core:dataset\":\"../x\"") "}", "core:dataset must name" },
        { GLOBAL(",\"core:dataset\":\"a/../../x\"") "}", "core:dataset must name" },
        { GLOBAL(",\"core:dataset\":\"a/..\"") "}", "core:dataset must name" },
        { GLOBAL(",\"core:dataset\":\"\"") "}", "core:dataset must name" },
        { GLOBAL(",\"core:dataset\":7") "}", "core:dataset must name" },
        { META(",\"captures\":{}"), "\"captures\" must be a list" },
        { META(",\"captures\":[7]"), "captures[0]: core:sample_start must be" },
        { META(",\"captures\":[{}]"), "captures[0]: core:sample_start must be" },
        { META(",\"captures\":[{\"core:sample_start\":-1}]"), "core:sample_start must be" },
        { META(",\"captures\":[{\"core:sample_start\":0.5}]"), "core:sample_start must be" },
        { META(",\"captures\":[{\"core:sample_start\":1e300}]"), "core:sample_start must be" },
        { META(",\"captures\":[{\"core:sample_start\":0,\"core:header_bytes\":512}]"),
          "captures[0]: core:header_bytes is not supported" },
        { META(",\"captures\":[{\"core:sample_start\":0,\"core:frequency\":-1}]"),
          "core:frequency must be a number of Hz from 0 to 3e+11" },
        { META(",\"captures\":[{\"core:sample_start\":0,\"core:frequency\":\"2.4G\"}]"),
          "core:frequency must be" },
        { META(",\"captures\":[{\"core:sample_start\":9},{\"core:sample_start\":8}]"),
          "captures[1]: core:sample_start goes back" },
        { META(",\"captures\":[{\"core:sample_start\":0,\"core:global_index\":10},"
               "{\"core:sample_start\":8,\"core:global_index\":17}]"),
          "captures[1]: core:global_index goes back" },
        { META(",\"captures\":[{\"core:sample_start\":0,\"core:global_index\":0},"
               "{\"core:sample_start\":8,\"core:global_index\":1000000000000}]"),
          "more than a week missing" },
    };
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sigmf m;
        char why[IQ_WHY] = "";
        assert_int_equal(sigmf_parse(&m, bad[i].text, strlen(bad[i].text), "m", why), -EINVAL);
        if (strncmp(why, "m:", 2) || !strstr(why, bad[i].says))
            fail_msg("%s gives \"%s\", without \"%s\"", bad[i].text, why, bad[i].says);
    }
}

static void survives_deep_nesting_and_long_names(void **state)
{
    (void)state;
    static char text[200000];
    struct sigmf m;
    char why[IQ_WHY];

    memset(text, '[', sizeof text);
    assert_int_equal(sigmf_parse(&m, text, sizeof text, "m", why), -EINVAL);
    char name[1001] = { 0 };
    memset(name, 'a', 1000);
    snprintf(text, sizeof text, GLOBAL(",\"core:dataset\":\"%s\"") "}", name);
    assert_int_equal(sigmf_parse(&m, text, strlen(text), "m", why), -EINVAL);
    assert_non_null(strstr(why, "longer than 255"));
    static const char nul[] = GLOBAL(",\"core:dataset\":\"a\\u0000b\"") "}";
    assert_int_equal(sigmf_parse(&m, nul, sizeof nul - 1, "m", why), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_types_rates_and_origin),
        cmocka_unit_test(takes_captures_and_annotations),
        cmocka_unit_test(refuses_bad_metadata_with_a_sentence),
        cmocka_unit_test(survives_deep_nesting_and_long_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
