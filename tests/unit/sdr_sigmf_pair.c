// SPDX-License-Identifier: GPL-3.0-or-later
// SigMF pairs as files: finding both halves, gaps, early ends, and the recordings in
// ../shared/captures.
#include <dirent.h>
#include <math.h>
#include <sys/stat.h>

#include "sdr/src/sigmf.h"
#include "tests/unit/sdr_files.h"

#define GLOBAL(more) "{\"global\":{\"core:datatype\":\"ci8\",\"core:sample_rate\":1e6" more "}"
#define META(more)   GLOBAL("") more "}"

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
    refuses("x.sigmf-meta", NULL, 0, "x.sigmf-meta: core:sample_rate of 0 Hz is out of range");
    put("x.sigmf", "tar", 3);
    refuses("x.sigmf", NULL, 0, "x.sigmf: SigMF archives are not read; unpack it");
    unlink("x.sigmf");
    refuses("sub/.sigmf-meta", NULL, 0, "No such file");
    unlink("x.sigmf-meta");
    mkdir("x.sigmf-meta", 0700);
    refuses("x.sigmf-meta", NULL, 0, "x.sigmf-meta: expected a text file of at most 16 MB");
    rmdir("x.sigmf-meta");
    put_text("x.sigmf-meta", "");
    truncate("x.sigmf-meta", SIGMF_MAX_BYTES + 1);
    refuses("x.sigmf-meta", NULL, 0, "x.sigmf-meta: expected a text file of at most 16 MB");

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
        { META(",\"annotations\":[{\"core:sample_start\":2999,\"core:sample_count\":1}]"), "",
          3000 },
        { META(",\"annotations\":[{\"core:sample_start\":2999,\"core:sample_count\":2}]"),
          "the data ends at sample 3000, its metadata reaches to 3001", 3000 },
        { META(",\"captures\":[{\"core:sample_start\":0},{\"core:sample_start\":4000}]"),
          "the data ends at sample 3000, its metadata reaches to 4000", 3000 },
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

// Captures at several frequencies: read whole, each block with its centre, cut where that changes.
static void carries_the_centre_through(void **state)
{
    (void)state;
    static const struct { uint64_t n0; uint32_t n; double centre_hz; } want[] = {
        { 0, 700, 868e6 }, { 700, 1024, 433e6 }, { 1724, 576, 433e6 }, { 2300, 700, 868.3e6 },
    };
    for (int moved = 0; moved < 2; moved++) {
        struct iq_source *s;
        char why[IQ_WHY];

        put_counter("c.sigmf-data");
        put_text("c.sigmf-meta", META(",\"captures\":["
            "{\"core:sample_start\":0,\"core:frequency\":868e6},"
            "{\"core:sample_start\":300,\"core:frequency\":868e6},"
            "{\"core:sample_start\":500},{\"core:sample_start\":700,\"core:frequency\":433e6},"
            "{\"core:sample_start\":2300,\"core:frequency\":868.3e6},"
            "{\"core:sample_start\":3000,\"core:frequency\":1e9}]"));
        struct iq_file_cfg cfg = { .path = "c.sigmf-meta", .freq_given = moved, .freq_hz = 900e6 };
        assert_int_equal(iq_open_file(&s, &cfg, why), 0);
        assert_int_equal(iq_info(s).total, 3000);
        for (unsigned k = 0; k < 4; k++) {
            struct iq_block *b = iq_next(s);
            assert_non_null(b);
            assert_int_equal(b->n0, want[k].n0);
            assert_int_equal(b->n, want[k].n);
            assert_int_equal(b->lost, 0);
            assert_int_equal(b->flags & IQ_LAST, k == 3 ? IQ_LAST : 0);
            // --freq says where the first was; the others lie as far from it as they say
            assert_true(b->centre_hz == want[k].centre_hz + (moved ? 32e6 : 0));
            iq_unref(b);
        }
        assert_null(iq_next(s));
        assert_string_equal(iq_counts(s)->fault, "");
        iq_close(s);
    }
    unlink("c.sigmf-data");
    unlink("c.sigmf-meta");
}

// ---- Recordings that nobody here made --------------------------------------------------------

static void reads_foreign_recordings_whole(void **state)
{
    (void)state;
    char path[8192];
    struct stat st;
    unsigned n = 0;

    snprintf(path, sizeof path, "%s/../shared/captures", files_home);
    DIR *d = opendir(path);
    if (!d) {
        print_message("no recordings in ../shared/captures\n");
        skip();
    }
    for (struct dirent *e; (e = readdir(d)); ) {
        char *end = strstr(e->d_name, ".sigmf-meta");
        if (!end)
            continue;
        struct iq_source *s;
        char why[IQ_WHY];
        snprintf(path, sizeof path, "%s/../shared/captures/%s", files_home, e->d_name);
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
        cmocka_unit_test(finds_the_pair_from_either_end),
        cmocka_unit_test(gap_between_captures_is_told),
        cmocka_unit_test(ends_early_with_a_sentence),
        cmocka_unit_test(carries_the_centre_through),
        cmocka_unit_test(reads_foreign_recordings_whole),
    };
    return cmocka_run_group_tests(tests, files_make, files_drop);
}
