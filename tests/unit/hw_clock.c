// SPDX-License-Identifier: GPL-3.0-or-later
// What chronyd says of the clock, against an answer of chronyd 4.3 and a peer that lies.
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "hw/chrony.h"
#include "hw/hw.h"

// chronyd 4.3 of Debian 12 behind another one on 127.0.0.1, asked with sequence 0x01020304; its own
// chronyc printed a moment later: 127.0.0.1, stratum 4, reference 1795358960.943748137, correction
// -0.000001209, root delay 0.000006410, dispersion 0.000002492, Normal.
static const char answer_hex[] =
    "060200000021000500000000000000000102030400000000000000007f0000017f0000010000000000000000"
    "0000000000010000000400000000000" "06b0300f038407429dd5d9a5bd09fd371de92dc68f935f9c3eeb4e3b4"
    "faf46a05e0d7157bdea58b1004807481";
#define SEQUENCE 0x01020304
#define REF_NS   INT64_C(1795358960943748137)

static void answer(uint8_t p[CHRONY_PACKET])
{
    for (int i = 0; i < CHRONY_PACKET; i++) {
        unsigned v;
        assert_int_equal(sscanf(answer_hex + 2 * i, "%2x", &v), 1);
        p[i] = (uint8_t)v;
    }
}

static void a_true_answer_is_read(void **state)
{
    (void)state;
    uint8_t p[CHRONY_PACKET];
    struct chrony c;
    answer(p);
    assert_int_equal(sizeof answer_hex, 2 * CHRONY_PACKET + 1);
    assert_int_equal(chrony_answer(&c, p, sizeof p, SEQUENCE, REF_NS + 3000000000), 0);
    assert_true(c.synchronised && !c.gnss && c.stratum == 4);
    assert_string_equal(c.source, "127.0.0.1");
    assert_true(fabs(c.err_s - (1.209e-6 + 6.410e-6 / 2 + 2.492e-6)) < 3e-8);
    assert_true(fabs(c.age_s - 3) < 1e-6);
    p[28 + 27] = 3;                                     // leap status: not synchronised
    assert_int_equal(chrony_answer(&c, p, sizeof p, SEQUENCE, REF_NS), 0);
    assert_true(!c.synchronised && c.age_s < 0);
    answer(p);
    memcpy(p + 28, "GPS\0", 4);                         // a receiver: no address, a name
    p[28 + 21] = 0;
    assert_int_equal(chrony_answer(&c, p, sizeof p, SEQUENCE, REF_NS), 0);
    assert_true(c.synchronised && c.gnss);
    assert_string_equal(c.source, "GPS");
    memcpy(p + 28, "\x7f\x7f\x01\x01", 4);            // it follows itself
    assert_int_equal(chrony_answer(&c, p, sizeof p, SEQUENCE, REF_NS), 0);
    assert_false(c.synchronised);
}

static void lies_are_refused(void **state)
{
    (void)state;
    static const struct { int at; uint8_t v; } lies[] = {
        { 0, 5 }, { 1, 1 }, { 5, 34 }, { 7, 6 }, { 9, 1 }, { 19, 5 },
        { 28 + 24, 1 },                                 // stratum 260
        { 28 + 64, 0x7e },                              // root delay 2^38 s
        { 28 + 68, 0x3f },                              // dispersion 2^6 s of 2^24
    };
    uint8_t p[CHRONY_PACKET];
    struct chrony c = { .stratum = 77 };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        answer(p);
        p[lies[i].at] = lies[i].v;
        int r = chrony_answer(&c, p, sizeof p, SEQUENCE, REF_NS);
        if (r != -EBADMSG && i != 8)
            fail_msg("lie %zu: %d, err %g", i, r, c.err_s);
        if (r == 0)
            assert_true(c.err_s >= 0 && c.err_s < 1e6);
    }
    answer(p);
    assert_int_equal(chrony_answer(&c, p, sizeof p - 1, SEQUENCE, REF_NS), -EBADMSG);
    assert_int_equal(chrony_answer(&c, p, sizeof p, SEQUENCE + 1, REF_NS), -EBADMSG);
    // Each byte flipped: an answer or none, never a bound that is none.
    for (int i = 0; i < CHRONY_PACKET; i++) {
        answer(p);
        p[i] ^= 0xff;
        if (!chrony_answer(&c, p, sizeof p, SEQUENCE, REF_NS))
            assert_true(c.err_s >= 0 && c.err_s < 1e6 && (c.age_s < 0 || c.age_s < 1e7) &&
                        strlen(c.source) < sizeof c.source);
    }
}

static void *peer(void *arg)
{
    uint8_t q[200], p[CHRONY_PACKET];
    struct sockaddr_in from;
    socklen_t n = sizeof from;
    int fd = *(int *)arg;
    ssize_t len = recvfrom(fd, q, sizeof q, 0, (struct sockaddr *)&from, &n);
    answer(p);
    if (len == CHRONY_PACKET && q[0] == 6 && q[1] == 1 && q[5] == 33)
        memcpy(p + 16, q + 8, 4);
    sendto(fd, p, sizeof p, 0, (struct sockaddr *)&from, n);
    return NULL;
}

static void it_is_asked_and_nobody_is_waited_for(void **state)
{
    (void)state;
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof a;
    pthread_t t;
    struct chrony c;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    int port = ntohs(a.sin_port);
    assert_int_equal(chrony_read(&c, port, 1), -ETIMEDOUT);     // silent
    recv(fd, &c, sizeof c, 0);
    assert_int_equal(pthread_create(&t, NULL, peer, &fd), 0);
    assert_int_equal(chrony_read(&c, port, 10000), 0);
    pthread_join(t, NULL);
    assert_int_equal(c.stratum, 4);
    close(fd);
    assert_true(chrony_read(&c, port, 10000) < 0);              // refused at once
}

static void processes_are_found_by_name(void **state)
{
    (void)state;
    char name[32] = "";
    FILE *f = fopen("/proc/self/comm", "r");
    assert_non_null(f);
    assert_non_null(fgets(name, sizeof name, f));
    fclose(f);
    name[strcspn(name, "\n")] = 0;
    long pid = hw_process(name);
    assert_true(pid > 0 && pid <= (long)getpid());
    assert_int_equal(hw_process("no such process"), 0);
    assert_int_equal(hw_process(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_answer_is_read),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(it_is_asked_and_nobody_is_waited_for),
        cmocka_unit_test(processes_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
