// SPDX-License-Identifier: GPL-3.0-or-later
// SigMF out: what stands in it, atomically or not at all, a sentence when it fails.
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "sdr/sdr.h"

#define PDU "4225563412eeffc01e16faff0d2a122624160a42bf241b6ed1b4b69808ac0870086c54150e0100"
#define SCENE \
    "name: two\nutc: 2026-07-01T12:00:00Z\nrate_hz: 4e6\ncentre_hz: 2402e6\nduration_s: 0.05\n" \
    "emitters:\n" \
    "- {name: phone, model: ble, snr_db: 15, period_s: 0.02,\n" \
    "   payload: " PDU "}\n" \
    "- {name: line, model: cw, freq_hz: 2401e6, snr_db: 20}\n"

static char dir[64];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tyto-sim-%ld", (long)getpid());
    return mkdir(dir, 0700);
}

static const char *name(const char *file)
{
    static char path[2][128];
    static int k;
    k = !k;
    snprintf(path[k], sizeof path[k], "%s/%s", dir, file);
    return path[k];
}

static int teardown(void **state)
{
    (void)state;
    static const char *const files[] = { "a.sigmf-meta", "a.sigmf-data", "b.sigmf-meta",
                                         "b.sigmf-data" };
    for (int i = 0; i < 4; i++)
        unlink(name(files[i]));
    return rmdir(dir);
}

static int write_to(const char *file, uint64_t seed, char why[IQ_WHY])
{
    struct iq_sim_cfg cfg = { .text = SCENE, .seed = seed, .seed_given = seed > 0 };
    return iq_sim_write(&cfg, name(file), NULL, NULL, why);
}

static char *slurp(const char *file, size_t *ret_n)
{
    FILE *f = fopen(name(file), "rb");
    assert_non_null(f);
    char *p = malloc(1 << 21);
    *ret_n = fread(p, 1, 1 << 21, f);
    fclose(f);
    return p;
}

static double real_of(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    assert_true(json_is_number(v));
    return json_number_value(v);
}

static void expect(const json_t *o, const char *key, const char *want)
{
    assert_string_equal(json_string_value(json_object_get(o, key)), want);
}

static void test_meta(void **state)
{
    (void)state;
    char why[IQ_WHY];
    assert_int_equal(write_to("a.sigmf-meta", 0, why), 0);
    json_t *j = json_load_file(name("a.sigmf-meta"), JSON_REJECT_DUPLICATES, NULL);
    const json_t *g = json_object_get(j, "global"), *a = json_object_get(j, "annotations");
    const json_t *c = json_array_get(json_object_get(j, "captures"), 0);
    expect(g, "core:version", "1.2.0");
    expect(g, "core:datatype", "ci16_le");
    expect(g, "tyto:origin", "simulation");
    expect(g, "tyto:seed", "1");
    expect(json_array_get(json_object_get(g, "core:extensions"), 0), "name", "tyto");
    assert_true(real_of(g, "core:sample_rate") == 4e6);
    assert_true(real_of(c, "core:frequency") == 2402e6);
    expect(c, "core:datetime", "2026-07-01T12:00:00Z");
    size_t n = json_array_size(a), phones = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *t = json_array_get(a, i);
        double lo = real_of(t, "core:freq_lower_edge"), hi = real_of(t, "core:freq_upper_edge");
        assert_true(real_of(t, "core:sample_start") + real_of(t, "core:sample_count") <= 200000);
        assert_true(i == 0 || real_of(t, "core:sample_start") >=
                                  real_of(json_array_get(a, i - 1), "core:sample_start"));
        if (strcmp(json_string_value(json_object_get(t, "tyto:emitter")), "phone")) {
            expect(t, "core:label", "cw");
            assert_true(real_of(t, "core:sample_count") == 200000);
            continue;
        }
        phones++;
        expect(t, "core:label", "ble");
        expect(t, "tyto:link", "BLE advertising");
        expect(t, "tyto:exactness", "bit-exact");
        expect(t, "tyto:payload", PDU);
        assert_true(lo == 2401.25e6 && hi == 2402.75e6 && real_of(t, "tyto:snr_db") == 15);
        assert_true(real_of(t, "core:sample_count") == 1504);
    }
    assert_in_range(phones, 2, 3);
    assert_int_equal(n, phones + 1);
    json_decref(j);
    struct stat st;
    assert_int_equal(stat(name("a.sigmf-data"), &st), 0);
    assert_int_equal(st.st_size, 800000);
}

static void test_same_bytes(void **state)
{
    (void)state;
    char why[IQ_WHY];
    size_t n, m;
    assert_int_equal(write_to("a.sigmf-meta", 9, why), 0);
    assert_int_equal(write_to("b.sigmf-meta", 9, why), 0);
    char *a = slurp("a.sigmf-data", &n), *b = slurp("b.sigmf-data", &m);
    assert_true(n == m && !memcmp(a, b, n));
    free(a);
    free(b);
    a = slurp("a.sigmf-meta", &n);
    b = slurp("b.sigmf-meta", &m);
    assert_true(n == m && !memcmp(a, b, n));
    free(a);
    free(b);
}

// What the source hands out is what the file holds.
static void test_source(void **state)
{
    (void)state;
    char why[IQ_WHY];
    size_t n, at = 0, truths;
    struct iq_source *s;
    struct iq_block *b;
    assert_int_equal(write_to("a.sigmf-meta", 9, why), 0);
    char *data = slurp("a.sigmf-data", &n);
    struct iq_sim_cfg cfg = { .text = SCENE, .seed = 9, .seed_given = true };
    assert_int_equal(iq_open_sim(&s, &cfg, why), 0);
    assert_int_equal(iq_info(s).origin, IQ_SIMULATION);
    while ((b = iq_next(s))) {
        assert_memory_equal(b->data, data + 4 * at, 4 * b->n);
        at += b->n;
        iq_unref(b);
    }
    iq_truth(s, &truths);
    assert_true(at * 4 == n && truths >= 3);
    iq_close(s);
    free(data);
}

static void test_faults(void **state)
{
    (void)state;
    char why[IQ_WHY];
    struct stat st;
    assert_int_equal(write_to("a.iq", 0, why), -22);
    assert_non_null(strstr(why, ".sigmf-meta"));
    assert_int_equal(write_to("no/a.sigmf-meta", 0, why), -2);
    assert_non_null(strstr(why, "no/a.sigmf-data"));
    // A full disk, as far as a process can bring one about: files may grow to 100 kB only.
    struct rlimit was, small = { 100000, 100000 };
    getrlimit(RLIMIT_FSIZE, &was);
    small.rlim_max = was.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    int err = write_to("b.sigmf-meta", 0, why);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_true(err < 0);
    assert_non_null(strstr(why, "b.sigmf-data: samples cannot be written: File too large"));
    assert_true(stat(name("b.sigmf-data"), &st) < 0 && stat(name("b.sigmf-meta"), &st) < 0);
    assert_true(stat(name("b.sigmf-data.part"), &st) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_meta, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_source, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
