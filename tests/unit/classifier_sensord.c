// SPDX-License-Identifier: GPL-3.0-or-later
// The sensor's configuration: what is read, and that each fault is named with file and line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "classifier/sensord.h"

#define KEY "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"      // RFC 26's test key
#define RADIO "radios:\n  - { name: a, args: 'driver=tyto', rate_hz: 2e6, centre_hz: 2.4e9 }\n"

static char why[SENSORD_WHY];
static struct sensord_cfg cfg;

static int load(const char *text)
{
    char path[64];

    snprintf(path, sizeof path, "/tmp/tyto-sensord-%d.yaml", getpid());
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    why[0] = 0;
    int r = sensord_cfg_load(&cfg, path, why);
    unlink(path);
    return r;
}

#define RTL "radios:\n  - { name: a, profile: rtlsdr, rate_hz: 2e6, centre_hz: 1e9, "

// Set by the sensor only where somebody asks for it.
static void fixes_the_gain_or_not(void **state)
{
    (void)state;
    static const struct { const char *line; bool is_auto; double db; } said[] = {
        { "seed: 0 }\n", false, NAN }, { "gain_db: 30 }\n", false, 30 },
        { "gain: auto, gain_db: 20 }\n", true, 20 }, { "gain: fixed }\n", false, NAN },
        { "gain: auto }\n", true, NAN },
    };

    for (unsigned i = 0; i < sizeof said / sizeof *said; i++) {
        char text[200];
        snprintf(text, sizeof text, RTL "%s", said[i].line);
        assert_int_equal(load(text), 0);
        assert_int_equal(cfg.radio[0].gain_auto, said[i].is_auto);
        assert_true(isnan(said[i].db) ? isnan(cfg.radio[0].gain_db)
                                      : fabs(cfg.radio[0].gain_db - said[i].db) < 1e-9);
    }
}

static void reads_all_there_is(void **state)
{
    (void)state;
    assert_int_equal(load("name: Gate\nproduction: yes\nkeys_dir: /k\ndroneid: decode\n"
                          "legal_basis: an order\nheading_deg: 90\nthreads: 3\np_drone: 0.7\n"
                          "local: run/s\npost: { endpoint: 'tcp://p:1', key: '" KEY "' }\n"
                          "spool: { dir: sp, max_mb: 8, max_h: 2 }\n"
                          "place: { gpsd: 'h:2947', lat_deg: 50, lon_deg: -14.5, err_m: 3 }\n"
                          "radios:\n"
                          "  - { name: a, args: 'driver=tyto', rate_hz: 20e6, centre_hz: 2.44e9, "
                          "gain_db: 12, antenna: RX2, ppm: -3 }\n"
                          "  - { name: b, scene: x.yaml, seed: 7 }\n"
                          "  - { file: /y.sigmf-meta }\n"), 0);
    assert_string_equal(cfg.name, "Gate");
    assert_string_equal(cfg.endpoint, "tcp://p:1");
    assert_string_equal(cfg.post_key, KEY);
    assert_string_equal(cfg.spool_dir, "/tmp/sp");      // from the file's folder
    assert_string_equal(cfg.local, "/tmp/run/s");
    assert_true(cfg.production && cfg.droneid == DRONEID_DECODE && cfg.threads == 3);
    assert_true(cfg.spool_bytes == 8 << 20 && cfg.spool_s == 7200 && cfg.p_drone == 0.7);
    assert_true(cfg.fixed && cfg.place.lon_deg == -14.5 && cfg.place.err_m == 3);
    assert_string_equal(cfg.gpsd_host, "h");
    assert_int_equal(cfg.n_radios, 3);
    assert_true(cfg.radio[0].kind == RADIO_LIVE && cfg.radio[0].gain_db == 12 &&
                cfg.radio[0].ppm == -3);
    assert_true(cfg.radio[1].kind == RADIO_SCENE && cfg.radio[1].seed == 7);
    assert_string_equal(cfg.radio[1].path, "/tmp/x.yaml");
    assert_true(cfg.radio[2].kind == RADIO_FILE);
    assert_string_equal(cfg.radio[2].name, "radio-3");
    assert_int_equal(load(RADIO), 0);
    assert_int_equal(cfg.droneid, DRONEID_RECOGNISE);   // the default reads nothing
    assert_true(isnan(cfg.radio[0].gain_db) && !cfg.fixed && !cfg.production);
}

static void names_file_line_and_what(void **state)
{
    (void)state;
    static const struct { const char *text; unsigned line; const char *word; } wrong[] = {
        { "", 1, "empty" },
        { "name: x\n", 1, "radios" },
        { "name: x\nnosuch: 1\n" RADIO, 2, "nosuch" },
        { RADIO "droneid: all\n", 3, "droneid" },
        { RADIO "droneid: decode\n", 3, "legal_basis" },
        { "\n\np_drone: 2\n" RADIO, 3, "p_drone" },
        { "p_drone: often\n" RADIO, 1, "p_drone" },
        { "production: perhaps\n" RADIO, 1, "yes or no" },
        { "post: { endpoint: 'tcp://p:1', key: 'short' }\n" RADIO, 1, "key" },
        { "post: { endpoint: nonsense, key: '" KEY "' }\n" RADIO, 1, "HOST:PORT" },
        { "post: { endpoint: 'tcp://p', key: '" KEY "' }\n" RADIO, 1, "HOST:PORT" },
        { "post: { endpoint: 'tcp://p:', key: '" KEY "' }\n" RADIO, 1, "HOST:PORT" },
        { "post: { endpoint: 'tcp://p:99999', key: '" KEY "' }\n" RADIO, 1, "HOST:PORT" },
        { "keys_dir: /k\npost:\n  endpoint: udp://p:1\n  key: '" KEY "'\n" RADIO, 3, "tcp://" },
        { "post: { endpoint: 'tcp://p:1', key: '" KEY "' }\n" RADIO, 1, "spool" },
        { "spool: { dir: /s }\npost: { endpoint: 'tcp://p:1', key: '" KEY "' }\n" RADIO, 2,
          "keys" },
        { "place: { lat_deg: 50 }\n" RADIO, 1, "place" },
        { "place: { lat_deg: 91, lon_deg: 0 }\n" RADIO, 1, "lat_deg" },
        { "radios:\n  - { name: a }\n", 2, "one of" },
        { "radios:\n  - { name: a, args: x, scene: y }\n", 2, "one of" },
        { "radios:\n  - { name: a, args: x, centre_hz: 1e9 }\n", 2, "rate_hz" },
        { "radios:\n  - { name: a, args: x, rate_hz: 2e6 }\n", 2, "centre_hz" },
        { "radios:\n  - name: a\n    args: x\n    rate_hz: 1\n    centre_hz: 1e9\n", 4, "rate_hz" },
        { "radios:\n  - { name: a, scene: x }\n  - { name: a, scene: y }\n", 3, "two radios" },
        { "radios:\n  - { name: a, profile: nosuch }\n", 2, "nosuch" },
        { "radios:\n  - { name: a, profile: rtlsdr, rate_hz: 20e6, centre_hz: 1e9 }\n", 2, "RTL" },
        { "radios:\n  - { name: a, profile: b2xx, rate_hz: 2e6, centre_hz: 2440 }\n", 2, "MHz" },
        { RTL "gain: loud }\n", 2, "auto or fixed" },
        { RTL "scan: yes, gain: auto }\n", 2, "scan" },
        { "radios:\n  - { name: a, args: x, rate_hz: 2e6, centre_hz: 1e9, gain: auto }\n", 2,
          "gain_lo_db" },
        { "bands: ism\n" RADIO, 1, "scan: yes" },
        { "radios:\n  - { name: a, args: x, rate_hz: 2e6, scan: yes }\n", 2, "band plan" },
        { "radios:\n  - { name: a, args: x, rate_hz: 2e6, scan: perhaps }\n", 2, "yes or no" },
        { "radios:\n  - { name: a, file: x, scan: yes }\n", 2, "scan" },
        { "radios:\n  - { name: a, args: x, rate_hz: 2e6, centre_hz: 1e9, scan: yes }\n", 2,
          "scan" },
        { "bands: /no/plan\nradios:\n  - { name: a, args: x, rate_hz: 2e6, scan: yes }\n", 1,
          "/no/plan" },
        { "name: [\n", 1, "" },
        { "name: &a x\nlocal: *a\n" RADIO, 2, "" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        unsigned line = 0;
        assert_true(load(wrong[i].text) < 0);
        if (sscanf(strchr(why, ':') ? strchr(why, ':') : "", ":%u:", &line) != 1 ||
            (wrong[i].word[0] && line != wrong[i].line) || !strstr(why, wrong[i].word))
            fail_msg("case %zu, line %u and \"%s\" were expected: %s", i, wrong[i].line,
                     wrong[i].word, why);
        assert_null(strchr(why, '\n'));
    }
    assert_true(sensord_cfg_load(&cfg, "/no/such/file", why) == -ENOENT);
    assert_non_null(strstr(why, "/no/such/file"));
    assert_true(sensord_cfg_load(&cfg, "/tmp", why) < 0);
}

static void a_plan_is_shared_out(void **state)
{
    (void)state;
    char path[64], text[600];
    snprintf(path, sizeof path, "/tmp/tyto-bands-%d.yaml", getpid());
    FILE *f = fopen(path, "w");
    fputs("bands:\n  - { name: 868, lo_hz: 863e6, hi_hz: 870e6 }\n"
          "  - { name: 2400, lo_hz: 2400e6, hi_hz: 2483.5e6, radio: b }\n", f);
    fclose(f);
    snprintf(text, sizeof text, "bands: %s\nradios:\n"
             "  - { name: a, args: x, rate_hz: 20e6, scan: yes }\n"
             "  - { name: b, args: y, rate_hz: 20e6, scan: yes }\n"
             "  - { name: c, args: z, rate_hz: 20e6, centre_hz: 5.8e9 }\n", path);
    assert_int_equal(load(text), 0);
    assert_int_equal(cfg.plan.n, 2);
    assert_true(cfg.radio[0].bands == 1 && cfg.radio[1].bands == 2 && !cfg.radio[2].scan);
    char *b = strstr(text, "name: b");
    b[6] = 'd';                         // the plan's radio is not there any more
    assert_true(load(text) < 0);
    assert_non_null(strstr(why, "line 3: band 2400"));
    unlink(path);
}

// Longer and wider is found further down; what no measurement bears out is not claimed.
static void smallest_follows_width_and_length(void **state)
{
    (void)state;
    double last = INFINITY;
    for (double tb = 1; tb < 1e9; tb *= 1.7) {
        double db = ledger_snr_db(1e6, tb / 1e6);
        assert_true(db <= last && db >= -4);
        last = db;
    }
    assert_true(fabs(ledger_snr_db(600e3, 450e-6) - 0.6) < 0.01);
    assert_true(ledger_snr_db(1e3, 1e-5) == 13);
}

static void production_takes_live_only(void **state)
{
    (void)state;
    assert_int_equal(load("production: yes\n" RADIO), 0);
    assert_int_equal(sensord_origin_ok(&cfg, "a", IQ_LIVE, false, why), 0);
    for (int o = IQ_RECORDING; o <= IQ_EXERCISE; o++) {
        assert_int_equal(sensord_origin_ok(&cfg, "a", (enum iq_origin)o, false, why), -EPERM);
        assert_int_equal(sensord_origin_ok(&cfg, "a", (enum iq_origin)o, true, why), 0);
    }
    assert_int_equal(load(RADIO), 0);
    assert_int_equal(sensord_origin_ok(&cfg, "a", IQ_SIMULATION, false, why), 0);
}

// In a sandbox that forbids to ask for the clock's state (systemd's ProtectClock does) the error is
// unknown, and what the sensor says is still a message.
static void forbid_adjtime(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),              // the call's number
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_adjtime, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_adjtimex, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog p = { sizeof code / sizeof code[0], code };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p))
        _exit(77);
}

static void forbidden_clock_is_unknown(void **state)
{
    static uint8_t buf[WIRE_MAX];
    static struct wire_msg m;
    int status;
    (void)state;
    pid_t pid = fork();
    if (!pid) {
        forbid_adjtime();
        say_head(&m, WIRE_LEDGER, 1000, 5, IQ_LIVE);
        m.ledger = (struct wire_ledger){ .from_ns = 1, .to_ns = 2 };
        _exit(m.head.clock.err_ns != -1 || m.head.clock.locked ? 1 :
              wire_pack(&m, buf, sizeof buf) > 0 ? 0 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixes_the_gain_or_not),
        cmocka_unit_test(reads_all_there_is), cmocka_unit_test(names_file_line_and_what),
        cmocka_unit_test(a_plan_is_shared_out),
        cmocka_unit_test(smallest_follows_width_and_length),
        cmocka_unit_test(production_takes_live_only), cmocka_unit_test(forbidden_clock_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
