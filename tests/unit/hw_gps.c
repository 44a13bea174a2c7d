// SPDX-License-Identifier: GPL-3.0-or-later
// gpsd's lines and a client of it, against a peer of our own on the loopback.
#include <arpa/inet.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hw/gps.h"
#include "hw/gpsd.h"

#define TPV "{\"class\":\"TPV\",\"mode\":3,\"lat\":50.5,\"lon\":14.25,\"altMSL\":255.5," \
            "\"epx\":3.0,\"epy\":4.0,\"eph\":9.0}\r\n"
#define SKY "{\"class\":\"SKY\",\"uSat\":9}\n"

static bool near_to(double a, double b) { return fabs(a - b) < 1e-9; }

static struct gpsd fed(const char *text)
{
    struct gpsd g;
    memset(&g, 0, sizeof g);
    gpsd_feed(&g, text, strlen(text));
    return g;
}

static void a_fix_is_read(void **state)
{
    (void)state;
    struct gpsd g = fed("{\"class\":\"VERSION\"}\n" TPV SKY);
    assert_true(g.known && g.news && g.bad == 0 && g.lines == 3);
    assert_true(near_to(g.lat_deg, 50.5) && near_to(g.lon_deg, 14.25) && near_to(g.alt_m, 255.5));
    assert_true(near_to(g.err_m, 5));           // hypot(3, 4), before eph
    assert_int_equal(g.satellites, 9);
    g = fed("{\"class\":\"TPV\",\"mode\":2,\"lat\":-90,\"lon\":-180,\"eph\":7,\"alt\":5}\n");
    assert_true(g.known && near_to(g.err_m, 7) && isnan(g.alt_m));  // no height in two dimensions
    g = fed("{\"class\":\"TPV\",\"mode\":3,\"lat\":1,\"lon\":2,\"alt\":-5}\n");
    assert_true(g.known && near_to(g.err_m, 100) && near_to(g.alt_m, -5));
    g = fed("{\"class\":\"SKY\",\"satellites\":[{\"used\":true},{\"used\":false},"
            "{\"used\":true}]}\n");
    assert_int_equal(g.satellites, 2);
}

static void a_lost_fix_keeps_the_last(void **state)
{
    (void)state;
    struct gpsd g = fed(TPV "{\"class\":\"TPV\",\"mode\":1}\n{\"class\":\"TPV\",\"mode\":0}\n");
    assert_true(g.known && near_to(g.lat_deg, 50.5) && g.bad == 0);
}

static void nonsense_is_counted_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "hello", "[]", "7", "{}", "{\"class\":7}", "{\"class\":\"TPV\"}",
        "{\"class\":\"TPV\",\"mode\":3}", "{\"class\":\"TPV\",\"mode\":3,\"lat\":90.1,\"lon\":0}",
        "{\"class\":\"TPV\",\"mode\":3,\"lat\":0,\"lon\":-180.5}",
        "{\"class\":\"TPV\",\"mode\":3,\"lat\":\"50\",\"lon\":14}",
        "{\"class\":\"TPV\",\"mode\":7,\"lat\":50,\"lon\":14}",
        "{\"class\":\"TPV\",\"mode\":3,\"lat\":1e999,\"lon\":14}",
        "{\"class\":\"TPV\",\"class\":\"TPV\",\"mode\":3,\"lat\":1,\"lon\":1}",
        "{\"class\":\"TPV\",\"mode\":3,\"lat\":1,\"lon\":1} x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char line[256];
        snprintf(line, sizeof line, "%s\n", bad[i]);
        struct gpsd g = fed(line);
        if (g.known || g.bad != 1 || g.bad_row != 1)
            fail_msg("%s: taken", bad[i]);
    }
}

static void a_line_without_end_is_bounded(void **state)
{
    (void)state;
    static struct gpsd g;
    char chunk[1000];
    memset(chunk, '[', sizeof chunk);
    for (int i = 0; i < 1000; i++)
        gpsd_feed(&g, chunk, sizeof chunk);
    assert_int_equal(g.lines, 0);
    assert_true(g.bad_row >= 20);               // the client hangs up
    gpsd_feed(&g, "\n" TPV, strlen("\n" TPV));
    assert_true(g.lines == 2 && g.bad == 1 && g.bad_row == 0 && g.known);
}

// Lies in true JSON.  What is refused is counted, named, and leaves the place as it was.

static void fix(struct gpsd *g, double lat_deg, double lon_deg, int second)
{
    char line[200];
    snprintf(line, sizeof line, "{\"class\":\"TPV\",\"mode\":3,\"lat\":%.6f,\"lon\":%.6f,"
             "\"eph\":5,\"time\":\"2026-11-22T12:%02d:%02d.000Z\"}\n", lat_deg, lon_deg,
             second / 60, second % 60);
    g->news = false;
    gpsd_feed(g, line, strlen(line));
}

static void a_time_that_does_not_go_on_is_refused(void **state)
{
    (void)state;
    static struct gpsd g;
    memset(&g, 0, sizeof g);
    fix(&g, 50, 14, 10);
    assert_true(g.news && g.refused == 0);
    for (unsigned i = 1; i <= 5; i++) {         // a receiver that hangs says the same for ever
        fix(&g, 50 + 0.00001 * i, 14, 10);
        assert_true(!g.news && g.refused == i && g.why == GPSD_OLD && near_to(g.lat_deg, 50));
    }
    fix(&g, 50, 14, 3);                         // set back: once refused, then it goes on
    assert_true(!g.news && g.refused == 6);
    fix(&g, 50.0001, 14, 4);
    assert_true(g.news && near_to(g.lat_deg, 50.0001));
}

static void a_position_that_jumps_is_refused(void **state)
{
    (void)state;
    static struct gpsd g;
    int s = 0;
    memset(&g, 0, sizeof g);
    for (; s < 60; s++) {                       // 180 km/h to the north
        fix(&g, 50 + s * 50 / 111195.0, 14, s);
        assert_true(g.news);
    }
    double stays_deg = g.lat_deg;
    for (int i = 0; i < 50; i++, s++) {         // to and fro over 11 km: never believed
        fix(&g, i % 2 ? 51.1 : 51.2, 14, s);
        assert_true(!g.news && g.why == GPSD_JUMP && near_to(g.lat_deg, stays_deg));
    }
    assert_int_equal(g.refused, 50);
    fix(&g, stays_deg, 14, s++);                // back: at once
    assert_true(g.news);
    for (int i = 1; i < 10; i++, s++) {         // somewhere else for good: after ten seconds
        fix(&g, -33, -179.9999 + i * 0.0001, s);
        assert_false(g.news);
    }
    fix(&g, -33, 179.9999, s++);                // across the date line it is no way at all
    assert_true(g.news && near_to(g.lat_deg, -33));
    assert_int_equal(g.refused, 59);
}

static void a_fix_from_another_day_is_refused(void **state)
{
    (void)state;
    static struct gpsd g;
    const int64_t noon_ns = INT64_C(1795348800000000000);   // 2026-11-22T12:00:00Z
    memset(&g, 0, sizeof g);
    fix(&g, 50, 14, 0);
    gpsd_judge(&g, noon_ns + 2000000000, true);
    assert_true(g.news && g.refused == 0);
    gpsd_judge(&g, noon_ns + INT64_C(86400000000000), false);   // whose clock is wrong?
    assert_true(g.news);
    gpsd_judge(&g, noon_ns - 11000000000, true);
    assert_true(!g.news && g.refused == 1 && g.why == GPSD_CLOCK);
    assert_true(*gpsd_refusal_words(g.why));
}

static void numbers_beyond_all_bounds_change_nothing(void **state)
{
    (void)state;
    static const char *const lies[] = {
        "\"eph\":1e300", "\"eph\":-1", "\"epx\":1e308,\"epy\":1e308", "\"alt\":1e18",
        "\"altMSL\":-1e300", "\"time\":\"99999-01-01T00:00:00Z\"", "\"time\":1e300",
        "\"time\":\"2026-13-45T99:99:99Z\"",
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        char line[200];
        snprintf(line, sizeof line, "{\"class\":\"TPV\",\"mode\":3,\"lat\":1,\"lon\":2,%s}\n",
                 lies[i]);
        struct gpsd g = fed(line);
        if (!g.known || !(g.err_m >= 0 && g.err_m <= 2e6) || !isnan(g.alt_m) || g.fix_ns)
            fail_msg("%s: err %g alt %g time %lld", lies[i], g.err_m, g.alt_m,
                     (long long)g.fix_ns);
    }
    struct gpsd g = fed("{\"class\":\"TPV\",\"mode\":3,\"lat\":NaN,\"lon\":2}\n"
                        "{\"class\":\"TPV\",\"mode\":3,\"lat\":Infinity,\"lon\":2}\n");
    assert_true(!g.known && g.bad == 2 && g.refused == 2 && g.why == GPSD_NONSENSE);
}

// ---- The client ------------------------------------------------------------------------------

static int peer_listen(char port[16])
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    snprintf(port, 16, "%u", ntohs(a.sin_port));
    return fd;
}

static void say(int fd, const char *s)
{
    assert_int_equal(send(fd, s, strlen(s), MSG_NOSIGNAL), (ssize_t)strlen(s));
}

static struct hw_place place_after(struct hw_gps *g, double lat_deg)
{
    struct hw_place p;
    for (int i = 0; i < 10000; i++) {
        hw_gps_read(g, &p);
        if (p.known && near_to(p.lat_deg, lat_deg))
            return p;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    fail_msg("no fix");
    return p;
}

static void a_client_hears_and_comes_back(void **state)
{
    (void)state;
    char port[16], asked[64] = "";
    int l = peer_listen(port);
    struct hw_gps *g = hw_gps_new(NULL, port);
    struct hw_place p;
    assert_non_null(g);
    hw_gps_read(g, &p);
    assert_false(p.known);
    assert_string_equal(p.source, "none");
    int c = accept(l, NULL, NULL);
    assert_true(recv(c, asked, sizeof asked - 1, 0) > 0);
    assert_non_null(strstr(asked, "?WATCH="));
    say(c, SKY TPV);
    p = place_after(g, 50.5);
    assert_string_equal(p.source, "gpsd");
    assert_true(near_to(p.lon_deg, 14.25) && p.satellites == 9 && p.age_s >= 0 && p.age_s < 60);
    close(c);                                   // gpsd restarted
    c = accept(l, NULL, NULL);
    for (int i = 0; i < 10; i++)                // and moved
        say(c, "{\"class\":\"TPV\",\"mode\":2,\"lat\":-1,\"lon\":2}\n");
    place_after(g, -1);
    const char *why;
    assert_int_equal(hw_gps_refused(g, &why), 9);
    assert_string_equal(why, gpsd_refusal_words(GPSD_JUMP));
    assert_int_equal(hw_gps_connects(g), 2);
    for (int i = 0; i < 20; i++)                // no gpsd at all: the client hangs up
        say(c, "220 mail.example ESMTP\r\n");
    while (recv(c, asked, sizeof asked, 0) > 0)
        ;
    assert_int_equal(hw_gps_bad(g), 20);
    hw_gps_read(g, &p);
    assert_true(near_to(p.lat_deg, -1));
    hw_gps_free(g);                             // while it waits to try again
    close(c);
    close(l);
}

static void nobody_there_is_no_fault(void **state)
{
    (void)state;
    char port[16];
    int l = peer_listen(port);
    close(l);
    struct hw_gps *g = hw_gps_new("127.0.0.1", port);
    struct hw_place p;
    hw_gps_read(g, &p);
    assert_false(p.known);
    hw_gps_free(g);
    hw_gps_free(NULL);
    g = hw_gps_new("no such host", "no such port");
    hw_gps_free(g);
}

static void the_box_tells_about_itself(void **state)
{
    (void)state;
    struct hw_clock c;
    hw_clock_read(&c);
    assert_true(c.err_ns >= 0 && (c.age_s >= 0 || near_to(c.age_s, -1)));
    assert_int_equal(strcmp(c.source, "none") == 0, !c.locked);
    assert_true(hw_disk_free("/") >= 0);
    assert_true(hw_disk_free("/nowhere/at/all") < 0);
    assert_true(hw_rss_bytes() > 100000);
    double t = hw_temperature_c();
    assert_true(isnan(t) || (t > -60 && t < 250));
    int64_t cpu[2] = { 0, 0 };
    assert_true(near_to(hw_cpu_share(cpu), 0));
    for (volatile unsigned i = 0; i < 30000000; i++)
        ;
    double share = hw_cpu_share(cpu);
    assert_true(share > 0 && share < 1.5);      // of one core, and this is one thread
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fix_is_read),
        cmocka_unit_test(a_lost_fix_keeps_the_last),
        cmocka_unit_test(nonsense_is_counted_and_changes_nothing),
        cmocka_unit_test(a_line_without_end_is_bounded),
        cmocka_unit_test(a_time_that_does_not_go_on_is_refused),
        cmocka_unit_test(a_position_that_jumps_is_refused),
        cmocka_unit_test(a_fix_from_another_day_is_refused),
        cmocka_unit_test(numbers_beyond_all_bounds_change_nothing),
        cmocka_unit_test(a_client_hears_and_comes_back),
        cmocka_unit_test(nobody_there_is_no_fault),
        cmocka_unit_test(the_box_tells_about_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
