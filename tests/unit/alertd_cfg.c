// SPDX-License-Identifier: GPL-3.0-or-later
// The configuration: what is right is taken, what is wrong is named with file and line.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alertd/cfg.h"
#include "alertd/core.h"

static struct alertd_cfg cfg;
static char why[ALERTD_WHY];

static int parse(const char *yaml)
{
    *why = 0;
    return cfg_parse(&cfg, yaml, strlen(yaml), "/etc/x/f.yaml", why);
}

static void refuses(const char *yaml, unsigned line, const char *word)
{
    char start[64];
    snprintf(start, sizeof start, "/etc/x/f.yaml, line %u:", line);
    assert_true(parse(yaml) < 0);
    if (strncmp(why, start, strlen(start)) || !strstr(why, word))
        fail_msg("wanted \"%s ... %s\", got \"%s\"", start, word, why);
}

#define BASE "keys_dir: keys\ndata_dir: /var/d\n"

static void right_is_taken(void **state)
{
    (void)state;
    assert_int_equal(parse(BASE), 0);
    assert_string_equal(cfg.keys_dir, "/etc/x/keys");       // beside the configuration
    assert_string_equal(cfg.data_dir, "/var/d");
    assert_string_equal(cfg.web_host, "127.0.0.1");
    assert_true(cfg.web_tls && !cfg.exercise);
    assert_int_equal(alertd_cfg_load(&cfg, "docs/alertd.yaml", why), 0);
    assert_int_equal(cfg.n_zones, 2);
    assert_int_equal(cfg.zone[1].n_points, 3);
    assert_int_equal(cfg.n_ours, 2);
    assert_string_equal(cfg.ours[1].model, "Mini 2");
    assert_int_equal(cfg.ours[1].n_links, 2);
    assert_string_equal(cfg.ours[1].link[1], "dji-ocusync");
}

static void wrong_is_named(void **state)
{
    (void)state;
    refuses(BASE "bogus: 1\n", 3, "bogus");
    refuses("keys_dir: k\n", 1, "data_dir");
    refuses(BASE "keep_days: soon\n", 3, "keep_days");
    refuses(BASE "keep_days: 5 days\n", 3, "no number");
    refuses(BASE "exercise: maybe\n", 3, "yes or no");
    refuses(BASE "bind: udp://x\n", 3, "bind");
    refuses(BASE "web:\n  host: 0.0.0.0\n  tls: no\n", 5, "TLS");
    refuses(BASE "web:\n  port: 70000\n", 4, "port");
    refuses(BASE "web:\n  cert: a.pem\n", 4, "together");
    refuses(BASE "zones:\n  - { id: a, radius_m: 5 }\n", 4, "zone a");
    refuses(BASE "zones:\n  - { id: a, lat_deg: 1, lon_deg: 2, radius_m: 5 }\n"
                 "  - { id: a, lat_deg: 1, lon_deg: 2, radius_m: 5 }\n", 5, "two zones");
    refuses(BASE "zones:\n  - { id: a, lat_deg: 1, lon_deg: 2, radius_m: 5 }\n"
                 "  - { id: b, lat_deg: 91, lon_deg: 2, radius_m: 5 }\n", 5, "91");
    refuses(BASE "own_aircraft:\n  - { name: P }\n", 3, "no serial");
    refuses(BASE "own_aircraft:\n  - { serial: A, modell: B }\n", 4, "modell");
    refuses(BASE "place: { lat_deg: nan, lon_deg: 2 }\n", 3, "no number");
    assert_true(alertd_cfg_load(&cfg, "/nowhere/f.yaml", why) < 0);
    assert_non_null(strstr(why, "/nowhere/f.yaml"));
}

static void zones_hold(void **state)
{
    (void)state;
    assert_int_equal(parse(BASE "zones:\n"
        "  - { id: c, lat_deg: 50, lon_deg: 14, radius_m: 1000 }\n"
        "  - { id: l, points: [ { lat_deg: 0, lon_deg: 179.9 }, { lat_deg: 0, lon_deg: 179.8 },\n"
        "      { lat_deg: 0.1, lon_deg: 179.8 } ] }\n"), 0);
    // 1000 m is 0.0089932 degrees of latitude, and 1/cos(50) of that in longitude.
    assert_true(zone_holds(&cfg.zone[0], 50.00898, 14));
    assert_false(zone_holds(&cfg.zone[0], 50.00901, 14));
    assert_true(zone_holds(&cfg.zone[0], 50, 14.01398));
    assert_false(zone_holds(&cfg.zone[0], 50, 14.01401));
    assert_false(zone_holds(&cfg.zone[0], NAN, 14));
    assert_true(zone_holds(&cfg.zone[1], 0.02, 179.83));
    assert_false(zone_holds(&cfg.zone[1], 0.08, 179.89));   // in its box, beyond its edge
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_is_taken), cmocka_unit_test(wrong_is_named),
        cmocka_unit_test(zones_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
