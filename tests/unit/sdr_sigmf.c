// SPDX-License-Identifier: GPL-3.0-or-later
// SigMF: what is taken from the metadata, what is refused and with which words, gaps, and the
// recordings in ../shared/captures.
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdr/src/sigmf.h"

static char home[4096], dir[64];

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/tyto-sdr_sigmf-XXXXXX");
    return getcwd(home, sizeof home) && mkdtemp(dir) ? chdir(dir) : -1;
}

static int drop_dir(void **state)
{
    (void)state;
    return chdir(home) || rmdir(dir) ? -1 : 0;
}

static void put(const char *name, const void *p, size_t n)
{
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
}

static void put_text(const char *name, const char *s) { put(name, s, strlen(s)); }

// ---- The parser -----------------------------------------------------------------------------

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
        assert_true(m.retune == UINT64_MAX && m.reach == 0);
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
        ",\"captures\":[{\"core:sample_start\":0,\"core:frequency\":2.44e9,\"core:global_index\":10,"
        "\"core:datetime\":\"2001-09-09T01:46:40.25Z\"},"
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
    assert_int_equal(m.retune, 300);
    assert_true(m.retune_hz == 2.41e9);
    assert_int_equal(m.reach, 505);
    sigmf_done(&m);
}

static void reads_times_or_leaves_them(void **state)
{
    (void)state;
    static const struct { const char *s; int64_t ns, err_ns; } t[] = {
        { "1970-01-01T00:00:01Z", 1000000000, 1000000000 },
        { "2000-02-29T12:00:00Z", 951825600000000000, 1000000000 },
        { "2038-01-19T03:14:08.123456789Z", 2147483648123456789, 1 },
        { "2038-01-19T03:14:08.12345678999Z", 2147483648123456789, 1 },
        { "2001-02-29T12:00:00Z", 0, 0 }, { "2001-13-01T00:00:00Z", 0, 0 },
        { "2001-00-01T00:00:00Z", 0, 0 }, { "2001-01-01T24:00:00Z", 0, 0 },
        { "2001-01-01T00:60:00Z", 0, 0 }, { "2001-01-01 00:00:00Z", 0, 0 },
        { "2001-01-01T00:00:00", 0, 0 }, { "2001-01-01T00:00:00+01:00", 0, 0 },
        { "2001-01-01T00:00:00.Z ", 0, 0 }, { "+001-01-01T00:00:00Z", 0, 0 },
        { "9999-12-31T23:59:59Z", 0, 0 }, { "", 0, 0 }, { "now", 0, 0 },
    };
    for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
        char text[300];
        snprintf(text, sizeof text, META(",\"captures\":[{\"core:sample_start\":0,"
                 "\"core:datetime\":\"%s\"}]"), t[i].s);
        struct sigmf m = parse(text);
        if (m.capture[0].utc_ns != t[i].ns || m.capture[0].utc_err_ns != t[i].err_ns)
            fail_msg("%s gave %lld +- %lld", t[i].s, (long long)m.capture[0].utc_ns,
                     (long long)m.capture[0].utc_err_ns);
        sigmf_done(&m);
    }
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
    strcpy(text, "{\"global\":{\"core:datatype\":\"ci8\",\"core:sample_rate\":1e6,"
                 "\"core:dataset\":\"");
    size_t n = strlen(text);
    memset(text + n, 'a', 1000);
    strcpy(text + n + 1000, "\"}}");
    assert_int_equal(sigmf_parse(&m, text, strlen(text), "m", why), -EINVAL);
    assert_non_null(strstr(why, "longer than 255"));
    static const char nul[] = GLOBAL(",\"core:dataset\":\"a\\u0000b\"") "}";
    assert_int_equal(sigmf_parse(&m, nul, sizeof nul - 1, "m", why), -EINVAL);
}

// ---- Files ----------------------------------------------------------------------------------

static int open_it(struct iq_source **s, const char *path, const char *format, double rate_hz,
                   char why[IQ_WHY])
{
    *s = NULL;
    why[0] = 0;
    return iq_open_file(s, &(struct iq_file_cfg){ .path = path, .format = format,
                                                  .rate_hz = rate_hz }, why);
}

static void opens(const char *path, const char *format, double rate_hz, uint64_t total)
{
    struct iq_source *s;
    struct iq_block *b;
    char why[IQ_WHY];
    uint64_t n = 0;

    if (open_it(&s, path, format, rate_hz, why))
        fail_msg("%s", why);
    assert_int_equal(iq_info(s).total, total);
    for (; (b = iq_next(s)); iq_unref(b))
        n += b->n;
    assert_int_equal(n, total);
    assert_string_equal(iq_counts(s)->fault, "");
    iq_close(s);
}

static void refuses(const char *path, const char *format, double rate_hz, const char *says)
{
    struct iq_source *s;
    char why[IQ_WHY];

    assert_true(open_it(&s, path, format, rate_hz, why) < 0);
    if (!strstr(why, says))
        fail_msg("\"%s\" does not say \"%s\"", why, says);
}

static void finds_the_pair_from_either_end(void **state)
{
    (void)state;
    mkdir("sub", 0700);
    put("x.sigmf-data", "0123456789", 10);
    put_text("x.sigmf-meta", META(""));
    put("y.cs8", "012345", 6);
    put_text("y.cs8.sigmf-meta", GLOBAL(",\"core:dataset\":\"y.cs8\"") "}");
    put("sub/z.iq", "01", 2);
    put_text("z.sigmf-meta", GLOBAL(",\"core:dataset\":\"sub/z.iq\"") "}");

    opens("x.sigmf-meta", NULL, 0, 5);
    opens("x.sigmf-data", NULL, 0, 5);
    opens("./x.sigmf-data", "ci8", 1e6, 5);
    opens("x", NULL, 0, 5);                         // the stem will do
    opens("y.cs8.sigmf-meta", NULL, 0, 3);
    opens("y.cs8", NULL, 0, 3);
    opens("y.cs8", "cu8", 2e6, 3);                  // fully told: raw
    opens("z.sigmf-meta", NULL, 0, 1);
    chdir("sub");
    opens("../z.sigmf-meta", NULL, 0, 1);
    chdir("..");

    refuses("x.sigmf-meta", "cu8", 0, "the metadata says ci8, --format says cu8");
    refuses("x.sigmf-meta", NULL, 2e6, "the metadata says 1000000 Hz, --rate says 2000000 Hz");
    unlink("x.sigmf-meta");
    refuses("x.sigmf-data", NULL, 0, "x.sigmf-meta: No such file");
    opens("x.sigmf-data", "ci16", 1e6, 2);          // raw, whatever the suffix
    put_text("x.sigmf-meta", GLOBAL(",\"core:dataset\":\"y.cs8\"") "}");
    refuses("x.sigmf-data", NULL, 0, "x.sigmf-data: its metadata x.sigmf-meta belongs to y.cs8");
    opens("x.sigmf-meta", NULL, 0, 3);
    unlink("y.cs8");
    refuses("x.sigmf-meta", NULL, 0, "y.cs8: No such file");
    put_text("x.sigmf-meta", "{\"global\":{\"core:datatype\":\"ci8\",\"core:sample_rate\":0}}");
    refuses("x.sigmf-meta", NULL, 0, "a sample rate of 0 Hz is out of range, expected 250000 to");
    refuses("sub/.sigmf-meta", NULL, 0, "No such file");
    unlink("x.sigmf-meta");
    mkdir("x.sigmf-meta", 0700);
    refuses("x.sigmf-meta", NULL, 0, "x.sigmf-meta: expected a metadata file of at most 16 MB");
    rmdir("x.sigmf-meta");
    put_text("x.sigmf-meta", "");
    truncate("x.sigmf-meta", SIGMF_MAX_BYTES + 1);
    refuses("x.sigmf-meta", NULL, 0, "x.sigmf-meta: expected a metadata file of at most 16 MB");

    static const char *const all[] = { "x.sigmf-meta", "x.sigmf-data", "y.cs8.sigmf-meta",
                                       "z.sigmf-meta", "sub/z.iq" };
    for (unsigned i = 0; i < 5; i++)
        unlink(all[i]);
    rmdir("sub");
}

// 3000 samples of ci8, I the low and Q the high part of the file's own index.
static void put_counter(const char *name)
{
    static int8_t v[6000];
    for (int i = 0; i < 3000; i++) {
        v[2 * i] = (int8_t)(i % 100);
        v[2 * i + 1] = (int8_t)(i / 100);
    }
    put(name, v, sizeof v);
}

static void gap_between_captures_is_told(void **state)
{
    (void)state;
    static const struct { uint64_t n0, lost; uint32_t n; int64_t utc_ns; } want[] = {
        { 0, 0, 1024, 0 }, { 1024, 0, 476, 5001024000 }, { 2500, 1000, 1024, 5002500000 },
        { 3524, 0, 476, 5003524000 },
    };
    struct iq_source *s;
    struct iq_block *b;
    char why[IQ_WHY];
    unsigned k = 0, index = 0;

    put_counter("g.sigmf-data");
    put_text("g.sigmf-meta", META(",\"captures\":["
        "{\"core:sample_start\":0,\"core:global_index\":7},"
        "{\"core:sample_start\":10,\"core:global_index\":17,"
        "\"core:datetime\":\"1970-01-01T00:00:05.00001Z\"},"
        "{\"core:sample_start\":1500,\"core:global_index\":2507}]"));
    assert_int_equal(open_it(&s, "g.sigmf-meta", NULL, 0, why), 0);
    for (; (b = iq_next(s)); k++, iq_unref(b)) {
        const int8_t *v = b->data;
        assert_in_range(k, 0, 3);
        assert_int_equal(b->n0, want[k].n0);
        assert_int_equal(b->lost, want[k].lost);
        assert_int_equal(b->n, want[k].n);
        assert_true(b->utc_ns == want[k].utc_ns);
        for (unsigned i = 0; i < b->n; i++, index++)
            assert_true(v[2 * i] == (int)index % 100 && v[2 * i + 1] == (int)index / 100);
    }
    assert_int_equal(index, 3000);
    assert_int_equal(iq_counts(s)->lost, 1000);
    assert_string_equal(iq_counts(s)->fault, "");
    iq_close(s);
    unlink("g.sigmf-data");
    unlink("g.sigmf-meta");
}

// What the metadata promises and the data does not hold: all that is there, and a sentence.
static void ends_early_with_a_sentence(void **state)
{
    (void)state;
    static const struct { const char *meta, *says; uint64_t n; } c[] = {
        { META(",\"annotations\":[{\"core:sample_start\":2999,\"core:sample_count\":1}]"), "", 3000 },
        { META(",\"annotations\":[{\"core:sample_start\":2999,\"core:sample_count\":2}]"),
          "the data ends at sample 3000, its metadata reaches to 3001", 3000 },
        { META(",\"captures\":[{\"core:sample_start\":0},{\"core:sample_start\":4000}]"),
          "the data ends at sample 3000, its metadata reaches to 4000", 3000 },
        { META(",\"captures\":[{\"core:sample_start\":0,\"core:frequency\":868e6},"
               "{\"core:sample_start\":2000,\"core:frequency\":433e6}]"),
          "retuned to 433000000 Hz at sample 2000: only what lies before", 2000 },
        { META(",\"captures\":[{\"core:sample_start\":0,\"core:frequency\":868e6},"
               "{\"core:sample_start\":3000,\"core:frequency\":433e6}]"), "retuned", 3000 },
    };
    for (unsigned i = 0; i < sizeof c / sizeof *c; i++) {
        struct iq_source *s;
        struct iq_block *b;
        char why[IQ_WHY];
        unsigned last = 0;

        put_counter("e.sigmf-data");
        put_text("e.sigmf-meta", c[i].meta);
        assert_int_equal(open_it(&s, "e.sigmf-meta", NULL, 0, why), 0);
        assert_int_equal(iq_info(s).total, c[i].n);
        for (; (b = iq_next(s)); iq_unref(b))
            last += (b->flags & IQ_LAST) != 0;
        assert_int_equal(last, 1);
        assert_int_equal(iq_counts(s)->samples, c[i].n);
        if (c[i].says[0] ? !strstr(iq_counts(s)->fault, c[i].says) : iq_counts(s)->fault[0])
            fail_msg("\"%s\" does not say \"%s\"", iq_counts(s)->fault, c[i].says);
        iq_close(s);
    }
    unlink("e.sigmf-data");
    unlink("e.sigmf-meta");
}

// ---- Recordings that nobody here made --------------------------------------------------------

static void reads_foreign_recordings_whole(void **state)
{
    (void)state;
    char path[8192];
    struct stat st;
    unsigned n = 0;

    snprintf(path, sizeof path, "%s/../shared/captures", home);
    DIR *d = opendir(path);
    if (!d) {
        print_message("skipped: no recordings in ../shared/captures\n");
        return;
    }
    for (struct dirent *e; (e = readdir(d)); ) {
        char *end = strstr(e->d_name, ".sigmf-meta");
        if (!end)
            continue;
        struct iq_source *s;
        char why[IQ_WHY];
        snprintf(path, sizeof path, "%s/../shared/captures/%s", home, e->d_name);
        if (open_it(&s, path, NULL, 0, why))
            fail_msg("%s", why);
        // The suffix before .sigmf-meta names the format: bytes a sample by hand.
        unsigned size = strstr(path, ".cf32.") ? 8 : strstr(path, ".ci16.") ? 4 : 2;
        iq_close(s);
        path[strlen(path) - strlen(".sigmf-meta")] = 0;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal((uint64_t)st.st_size % size, 0);
        opens(path, NULL, 0, (uint64_t)st.st_size / size);
        n++;
    }
    closedir(d);
    assert_true(n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_types_rates_and_origin),
        cmocka_unit_test(takes_captures_and_annotations),
        cmocka_unit_test(reads_times_or_leaves_them),
        cmocka_unit_test(refuses_bad_metadata_with_a_sentence),
        cmocka_unit_test(survives_deep_nesting_and_long_names),
        cmocka_unit_test(finds_the_pair_from_either_end),
        cmocka_unit_test(gap_between_captures_is_told),
        cmocka_unit_test(ends_early_with_a_sentence),
        cmocka_unit_test(reads_foreign_recordings_whole),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
