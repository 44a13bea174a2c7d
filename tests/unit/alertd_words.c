// SPDX-License-Identifier: GPL-3.0-or-later
// The words: one table for page, log and terminal; docs/WORDS.md, the table and the code in step;
// nothing that is never said, and nothing from the air that steers what it stands in.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "alertd/words.h"

static struct words *words;
static json_t *en;
static char why[ALERTD_WHY];

static int load(void **state)
{
    (void)state;
    en = json_load_file("alertd/page/words/en.json", 0, NULL);
    return words_load(&words, "alertd/page", "en", why);
}

static int unload(void **state)
{
    (void)state;
    words_free(words);
    json_decref(en);
    return 0;
}

#define NOON INT64_C(1767358800000000000)      // 2026-01-02T13:00:00Z
static const struct words_clock at_noon = { NOON, false };

// The line of an alert that is this, and `more`: the test's own JSON.
static const char *line_of(const char *params, const char *more, struct words_clock clock)
{
    static char json[2000], line[1500];

    snprintf(json, sizeof json, "{\"severity\":\"alarm\",\"lane\":\"drone\",\"signal\":\"heard\","
             "\"first\":\"2026-01-02T14:02:11.5Z\",\"line\":{\"key\":\"drone\",\"params\":{%s}},"
             "\"sensors\":[{\"name\":\"north\"}],\"confidence\":0.97,"
             "\"where\":{\"kind\":\"presence\"}%s}", params, more);
    json_t *a = json_loads(json, 0, NULL);
    assert_non_null(a);
    words_line_at(words, a, clock, line, sizeof line);
    json_decref(a);
    return line;
}

static void lines_are_plain(void **state)
{
    char cut[20], line[200];

    (void)state;
    assert_string_equal(line_of("\"what\":\"DJI Mini 2\"", "", at_noon),
                        "ALARM  14:02:11Z  Drone: DJI Mini 2; heard by north; very likely");
    assert_string_equal(line_of("\"what\":\"DJI Mini 2\",\"band\":\"2.4 GHz\","
                                "\"zone\":\"Pitch\"",
                                ",\"calls\":2,\"call_reason\":\"zone\"", at_noon),
                        "ALARM  14:02:11Z  Drone: DJI Mini 2, 2.4 GHz, inside Pitch; heard by "
                        "north; very likely; again: entered a zone");
    const char *json = "{\"severity\":\"alarm\",\"line\":{\"key\":\"drone\",\"params\":"
                       "{\"what\":\"DJI Mini 2\"}}}";
    words_line(words, json, strlen(json), cut, sizeof cut);         // cut, not beyond
    assert_string_equal(cut, "ALARM  Drone: DJI M");
    words_line(words, "[1", 2, line, sizeof line);
    assert_string_equal(line, "");
    words_line(NULL, json, strlen(json), line, sizeof line);
    assert_non_null(strstr(line, "drone"));
}

// The mode's name tells the band already.
static void the_band_is_said_once(void **state)
{
    static const struct { const char *what, *band; bool told; } cases[] = {
        { "ELRS 2.4/250Hz LoRa", "2.4 GHz", true },
        { "Analog FPV 5.8 band F(Fatshark)", "5.8 GHz", true },
        { "ELRS 900/200Hz", "868 MHz", false },
        { "DJI Mini 2", "2.4 GHz", false },
        { "Link 12.4", "2.4 GHz", false },
        { "Link 2.45", "2.4 GHz", false },
    };
    char params[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(params, sizeof params, "\"what\":\"%s\",\"band\":\"%s\"", cases[i].what,
                 cases[i].band);
        const char *line = line_of(params, "", at_noon);
        assert_non_null(strstr(line, cases[i].what));
        assert_int_equal(!strstr(line, cases[i].band), cases[i].told);
    }
}

static void days_are_told_when_not_today(void **state)
{
    struct words_clock later = { NOON + INT64_C(86400000000000), false };
    const char *what = "\"what\":\"DJI\"";

    (void)state;
    assert_non_null(strstr(line_of(what, "", at_noon), "ALARM  14:02:11Z  Drone"));
    assert_non_null(strstr(line_of(what, "", later), "ALARM  2026-01-02 14:02:11Z  Drone"));
    // As the reader's clock has it: ten hours on it is another day there.
    setenv("TZ", "ABC-10", 1);
    tzset();
    later.local = true;
    later.now_ns = NOON;
    assert_non_null(strstr(line_of(what, "", later), "ALARM  2026-01-03 00:02:11  Drone"));
    later.now_ns = NOON + INT64_C(3600000000000) * 2;
    assert_non_null(strstr(line_of(what, "", later), "ALARM  00:02:11  Drone"));
    unsetenv("TZ");
    tzset();
    assert_non_null(strstr(line_of(what, ",\"late\":true,\"received\":\"2026-01-02T14:12:00Z\"",
                                   at_noon), "; happened at 14:02:11Z, learned 14:12:00Z"));
}

// Every place a name can stand in, with what would steer a terminal or turn the writing round.
static void names_from_the_air_stay_names(void **state)
{
#define EVIL "a\\u202eb\\u2066c\\u200fd\\u001b[2Je\\u009bf\\ng\\u00adh"
#define SEEN "a?b?c?d?[2Je?f?g?h"
    const char *line = line_of(
        "\"what\":\"" EVIL "\",\"zone\":\"" EVIL "\",\"band\":\"" EVIL "\"",
        ",\"what\":{\"serial\":\"" EVIL "\"},\"friend\":{\"state\":\"" EVIL "\"},"
        "\"sensors\":[{\"name\":\"" EVIL "\"},{\"name\":\"" EVIL "\"}],\"calls\":2,"
        "\"call_reason\":\"" EVIL "\",\"signal\":\"" EVIL "\"", at_noon);
    unsigned n = 0;

    (void)state;
    for (const char *s = line; (s = strstr(s, SEEN)); s++)
        n++;
    assert_int_equal(n, 9);
    for (const char *s = line; *s; s++)
        assert_true(*s >= ' ' && *s < 0x7f);
}

// ---- In step ------------------------------------------------------------------------------------

static char *text_of(const char *path)
{
    FILE *f = fopen(path, "r");
    static char buf[1 << 18];

    assert_non_null(f);
    size_t n = fread(buf, 1, sizeof buf - 1, f);
    assert_true(n < sizeof buf - 1);
    fclose(f);
    buf[n] = 0;
    return strdup(buf);
}

// Every rule and trouble that the loop can raise has its words, and stands in docs/WORDS.md.
static void table_code_and_document_agree(void **state)
{
    static const char *const key[] = { "drone", "control", "telemetry", "link", "identification",
        "unknown", "sensor-lost", "sensor-deaf", "radio-silent", "samples-lost", "clock",
        "disk-low", "spool-lost", "origin-refused", "flood", "foreign-name", "store-full",
        "malformed", "clock-jump", "stamps-jump",
        "peer-refused", "clipping", "floor-high", "floor-low", "store-damaged" };
    char *doc = text_of("docs/WORDS.md"), *core = text_of("alertd/core_judge.c");
    char *equip = text_of("alertd/core_equip.c"), quoted[64];
    const char *k;
    json_t *v;

    (void)state;
    for (unsigned i = 0; i < sizeof key / sizeof key[0]; i++)
        assert_string_not_equal(words_of(words, "lines", key[i]), key[i]);
    json_object_foreach(json_object_get(en, "lines"), k, v) {
        snprintf(quoted, sizeof quoted, "`%s`", k);
        if (!strstr(doc, quoted))
            fail_msg("docs/WORDS.md does not name %s", quoted);
        snprintf(quoted, sizeof quoted, "\"%s\"", k);
        if (!strstr(core, quoted) && !strstr(equip, quoted))
            fail_msg("nothing raises %s", quoted);
    }
    static const char *const tables[] = { "severity", "person", "friend", "reason", "call_reason",
                                          "sure" };
    for (unsigned i = 0; i < sizeof tables / sizeof tables[0]; i++)
        json_object_foreach(json_object_get(en, tables[i]), k, v)
            if (!strstr(doc, json_string_value(v)))
                fail_msg("docs/WORDS.md does not say \"%s\" (%s.%s)", json_string_value(v),
                         tables[i], k);
    free(doc);
    free(core);
    free(equip);
}

// What stands between `open` and a quote in a script of the page is a key of the table.
static unsigned keys_are_known(const char *text, const char *open, const char *table)
{
    unsigned n = 0;
    char key[64];

    for (const char *s = text; (s = strstr(s, open)); n++) {
        s += strlen(open);
        snprintf(key, sizeof key, "%.*s", (int)strcspn(s, "\"`$"), s);
        if (s[strcspn(s, "\"`$")] != '$' && !json_object_get(json_object_get(en, table), key))
            fail_msg("%s: no text for \"%s\" after %s", table, key, open);
    }
    return n;
}

static void the_page_has_words_for_all(void **state)
{
    static const char *const scripts[] = { "alerts", "app", "rings", "sensors", "session", "sound",
                                           "spectrum", "time", "words" };
    char path[64];
    unsigned n = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        snprintf(path, sizeof path, "alertd/page/%s.js", scripts[i]);
        char *js = text_of(path);
        n += keys_are_known(js, " t(\"", "ui") + keys_are_known(js, "(t(\"", "ui") +
             keys_are_known(js, "pair(\"", "ui") +
             keys_are_known(js, "word(\"where\", \"", "where");
        free(js);
    }
    char *html = text_of("alertd/page/index.html");
    n += keys_are_known(html, "data-t=\"", "ui") + keys_are_known(html, "data-label=\"", "ui");
    assert_true(n > 100);
    free(html);
}

static void never_said(void **state)
{
    static const char *const never[] = { "clear", "safe", "no drone detected", "all quiet" };
    char *text = text_of("alertd/page/words/en.json");

    (void)state;
    for (char *s = text; *s; s++)
        *s = (char)(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s);
    for (unsigned i = 0; i < sizeof never / sizeof never[0]; i++)
        assert_null(strstr(text, never[i]));
    free(text);
}

// Another language is another file; what it lacks stands in English.
static void another_language_is_a_file(void **state)
{
    struct words *w = NULL;
    char dir[40], path[160];
    int at = snprintf(dir, sizeof dir, "/tmp/tyto-words-");

    (void)state;
    memset(dir + at, 'X', 6);                   // mkdtemp wants these
    dir[at + 6] = 0;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "mkdir %s/words && cp alertd/page/words/en.json %s/words", dir,
             dir);
    assert_int_equal(system(path), 0);
    snprintf(path, sizeof path, "%s/words/de.json", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("{\"severity\":{\"alarm\":\"Alarm!\"},\"lines\":7,\"new\":{}}", f);
    fclose(f);
    assert_int_equal(words_load(&w, dir, "de", why), 0);
    assert_string_equal(words_of(w, "severity", "alarm"), "Alarm!");
    assert_string_equal(words_of(w, "severity", "watch"), "watch");
    assert_string_not_equal(words_of(w, "lines", "drone"), "drone");
    words_free(w);
    assert_int_equal(words_load(&w, dir, "fr", why), 0);
    assert_string_equal(words_of(w, "severity", "alarm"), "alarm");
    words_free(w);
    snprintf(path, sizeof path, "rm -r %s", dir);
    assert_int_equal(system(path), 0);
    assert_true(words_load(&w, dir, "en", why) < 0);
    assert_non_null(strstr(why, "en.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_plain), cmocka_unit_test(the_band_is_said_once),
        cmocka_unit_test(days_are_told_when_not_today),
        cmocka_unit_test(names_from_the_air_stay_names),
        cmocka_unit_test(table_code_and_document_agree),
        cmocka_unit_test(the_page_has_words_for_all), cmocka_unit_test(never_said),
        cmocka_unit_test(another_language_is_a_file),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
