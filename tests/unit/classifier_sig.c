// SPDX-License-Identifier: GPL-3.0-or-later
// Signature files: ours load, and each fault of a broken one is told with its file and line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "classifier/sig.h"

static const char good[] =
    "# comment\n"
    "version: 1\n"
    "family: expresslrs\n"
    "verdict: drone\n"
    "judge: hopper\n"
    "prior: 0.2\n"
    "p_drone: 0.9\n"
    "recorded: false\n"
    "date: \"2026-11-22\"\n"
    "source: \"test\"\n"
    "modes:\n"
    "  - link: \"one\"\n"
    "    role: control\n"
    "    kind: lora\n"
    "    channel_start_hz: 2400400000\n"
    "    channel_step_hz: 1000000\n"
    "    channel_count: 80\n"
    "    sf: 6\n"
    "    bw_hz: 812500\n"
    "    burst_s: [0.003, 0.0035]\n"
    "    period_s: 0.004\n"
    "    packets_per_hop: 4\n"
    "    evidence: code\n"
    "  - link: \"two\"\n"
    "    alternatives: [\"three\", \"four\"]\n"
    "    role: telemetry\n"
    "    kind: fsk\n"
    "    bands_hz: [2400e6, 2483.5e6]\n"
    "    channels_hz: [2402e6, 2426e6]\n"
    "    symbol_rate_bd: 300000\n"
    "    burst_s: [0.0004, 0.0005]\n"
    "    period_s: 0.001\n"
    "    packets_per_hop: 2\n"
    "    evidence: web\n";

static void a_good_one(void **state)
{
    char why[IQ_WHY];
    struct sig *s;
    (void)state;
    assert_int_equal(sig_parse(&s, "a.yaml", good, strlen(good), why), 0);
    assert_string_equal(s->family, "expresslrs");
    assert_int_equal(s->judge, SIG_JUDGE_HOPPER);
    assert_int_equal(s->n_modes, 2);
    assert_int_equal(s->modes[0].sf, 6);
    assert_true(s->modes[0].burst_s.lo == 0.003 && s->modes[0].burst_s.hi == 0.0035);
    assert_int_equal(s->modes[1].n_alternatives, 2);
    assert_string_equal(s->modes[1].alternatives[1], "four");
    assert_int_equal(s->modes[1].role, ROLE_TELEMETRY);
    assert_true(s->modes[1].bands_hz[1] == 2483.5e6);
    assert_int_equal(s->modes[1].line, 24);
    sig_free(s);
}

// Replaces the first line that begins with the same word.
static void broken(const char *from, const char *to, const char *place, const char *what)
{
    char text[4096], why[IQ_WHY] = "";
    const char *at = strstr(good, from);
    struct sig *s;

    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    assert_true(sig_parse(&s, "a.yaml", text, strlen(text), why) < 0);
    if (strncmp(why, place, strlen(place)) || !strstr(why, what))
        fail_msg("'%s' -> '%s': got \"%s\", wanted \"%s ... %s\"", from, to, why, place, what);
}

static void faults_are_told(void **state)
{
    (void)state;
    broken("version: 1", "version: 2", "a.yaml:1:", "version");
    broken("family: expresslrs", "famly: expresslrs", "a.yaml:3:", "famly");
    broken("family: expresslrs", "family: elrs", "a.yaml:1:", "closed list");
    broken("family: expresslrs", "family: wifi", "a.yaml:1:", "verdict");
    broken("verdict: drone", "verdict: bird", "a.yaml:4:", "bird");
    broken("prior: 0.2\n", "", "a.yaml:", "prior");
    broken("prior: 0.2", "prior: 1.5", "a.yaml:1:", "prior");
    broken("prior: 0.2", "prior: nan", "a.yaml:", "prior");
    broken("prior: 0.2", "prior: lots", "a.yaml:6:", "lots");
    broken("p_drone: 0.9", "p_drone: -0.1", "a.yaml:1:", "p_drone");
    broken("sf: 6", "sf: 13", "a.yaml:12:", "sf");
    broken("sf: 6", "sf: -6", "a.yaml:18:", "-6");
    broken("bw_hz: 812500", "bw_hz: 1", "a.yaml:12:", "bw_hz");
    broken("burst_s: [0.003, 0.0035]", "burst_s: [0.0035, 0.003]", "a.yaml:12:", "burst_s");
    broken("burst_s: [0.003, 0.0035]", "burst_s: [0.003]", "a.yaml:20:", "sequence");
    broken("burst_s: [0.003, 0.0035]", "burst_s: [0.003, 0.0050]", "a.yaml:12:", "burst_s");
    broken("period_s: 0.004", "period_s: .inf", "a.yaml:21:", "inf");
    broken("period_s: 0.001", "period_s: 0", "a.yaml:24:", "period_s");
    broken("channel_step_hz: 1000000", "channel_step_hz: 0", "a.yaml:12:", "channel");
    broken("bands_hz: [2400e6, 2483.5e6]", "bands_hz: [2400e6]", "a.yaml:24:", "bands_hz");
    broken("bands_hz: [2400e6, 2483.5e6]", "bands_hz: [2483e6, 2400e6]", "a.yaml:24:", "bands_hz");
    broken("channels_hz: [2402e6", "channels_hz: [-2402e6", "a.yaml:24:", "channels_hz");
    broken("evidence: web", "evidence: hearsay", "a.yaml:34:", "hearsay");
    broken("kind: fsk", "kind: [fsk]", "a.yaml:", "expected");
    broken("modes:", "modes: [", "a.yaml:", "expected");
}

static void no_file_is_told(void **state)
{
    char why[IQ_WHY], dir[] = "/tmp/tyto-sig-XX" "XX" "XX", path[64];
    struct sigs s;
    (void)state;
    assert_int_equal(sigs_load(&s, "/nowhere/at/all", why), -ENOENT);
    assert_non_null(strstr(why, "/nowhere/at/all"));
    assert_non_null(mkdtemp(dir));
    assert_int_equal(sigs_load(&s, dir, why), -ENOENT);
    for (int i = 0; i < 2; i++) {           // one family, two files
        snprintf(path, sizeof path, "%s/%c.yaml", dir, 'a' + i);
        FILE *f = fopen(path, "w");
        fputs(good, f);
        fclose(f);
    }
    assert_int_equal(sigs_load(&s, dir, why), -EEXIST);
    assert_non_null(strstr(why, "b.yaml:1:"));
    assert_non_null(strstr(why, "a.yaml"));
    unlink(path);
    assert_int_equal(sigs_load(&s, dir, why), 0);
    assert_int_equal(s.n, 1);
    sigs_free(&s);
    snprintf(path, sizeof path, "%s/a.yaml", dir);
    unlink(path);
    rmdir(dir);
}

// Every mode's name is one of the catalogue, where that is at hand.
static bool in_catalogue(const char *text, const char *link)
{
    char quoted[160];
    snprintf(quoted, sizeof quoted, "\"name\": \"%s\"", link);
    if (strstr(text, quoted))
        return true;
    snprintf(quoted, sizeof quoted, "\"name\": \"%s [", link);
    return strstr(text, quoted) != NULL;
}

static void ours_load(void **state)
{
    char why[IQ_WHY];
    struct sigs s;
    (void)state;
    if (sigs_load(&s, "classifier/sig", why) < 0)
        fail_msg("%s", why);
    static const char *const first[] = { "dji-droneid", "dji-ocusync", "expresslrs", "analog-fpv",
                                         "wifi", "ble", "bluetooth", "lte" };
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        assert_non_null(sigs_find(&s, first[i]));
    FILE *f = fopen("../shared/facts/links.json", "r");
    char *text = calloc(1, 1 << 20);
    if (!f)
        print_message("the catalogue of links is not here: names not compared\n");
    else
        assert_true(fread(text, 1, (1 << 20) - 1, f) > 1000);
    for (unsigned i = 0; f && i < s.n; i++)
        for (unsigned j = 0; j < s.sig[i]->n_modes; j++) {
            const struct sig_mode *m = &s.sig[i]->modes[j];
            if (m->link && !in_catalogue(text, m->link))
                fail_msg("%s:%u: %s is not in the catalogue", s.sig[i]->file, m->line, m->link);
            for (unsigned k = 0; k < m->n_alternatives; k++)
                assert_true(in_catalogue(text, m->alternatives[k]));
        }
    if (f)
        fclose(f);
    free(text);
    sigs_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_one),
        cmocka_unit_test(faults_are_told),
        cmocka_unit_test(no_file_is_told),
        cmocka_unit_test(ours_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
