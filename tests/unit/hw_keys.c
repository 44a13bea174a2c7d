// SPDX-License-Identifier: GPL-3.0-or-later
// Keys: the text form against ZeroMQ's published example, the pair against a published Curve25519
// pair, and what must be refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/keys_priv.h"

static char dir[64], why[KEYS_WHY];
static unsigned starts;

static int start(void **state)
{
    (void)state;
    char top[40];
    snprintf(top, sizeof top, "/tmp/tyto-keys-%d-%u", getpid(), ++starts);
    if (mkdir(top, 0700))
        return -1;
    snprintf(dir, sizeof dir, "%s/k", top);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    char cmd[100];
    snprintf(cmd, sizeof cmd, "rm -rf %.40s", dir);
    *strrchr(cmd, '/') = 0;
    return system(cmd);
}

static char *file(const char *name)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void put(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(file(name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(file(name), mode), 0);
}

// The keys of ZeroMQ's RFC 26 (CURVE) test vectors, as printed in zmq_curve's manual.
#define SERVER_PUBLIC "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define SERVER_SECRET "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"
#define CLIENT_PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

static void knows_the_published_pair(void **state)
{
    (void)state;
    struct keys_own own;

    assert_int_equal(mkdir(dir, 0700), 0);
    put("secret.key", SERVER_SECRET "\n", 0600);
    assert_int_equal(keys_load(dir, &own, why), 0);
    assert_string_equal(own.public_z85, SERVER_PUBLIC);
    assert_string_equal(own.secret_z85, SERVER_SECRET);
    put("public.key", CLIENT_PUBLIC "\n", 0600);
    assert_int_equal(keys_load(dir, &own, why), -EINVAL);
    assert_non_null(strstr(why, "does not belong"));
    assert_null(strstr(why, "JTKV"));       // never the secret
}

// RFC 32's example: 86 4F D2 6F B5 59 F7 5B is "HelloWorld".
static void z85_is_zeromqs(void **state)
{
    (void)state;
    static const uint8_t hello[8] = { 0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b };
    uint8_t raw[32];
    char text[KEYS_Z85];

    for (int i = 0; i < 4; i++)
        memcpy(raw + 8 * i, hello, 8);
    z85_encode(raw, text);
    assert_string_equal(text, "HelloWorldHelloWorldHelloWorldHelloWorld");
    uint8_t back[32];
    assert_int_equal(z85_decode(text, back), 0);
    assert_memory_equal(back, raw, 32);
    assert_int_equal(z85_decode("HelloWorldHelloWorldHelloWorldHelloWorl", back), -EINVAL);
    assert_int_equal(z85_decode("HelloWorldHelloWorldHelloWorldHelloWorl\"", back), -EINVAL);
    // #####: 85^5 - 1 is more than 32 bits hold
    assert_int_equal(z85_decode("HelloWorldHelloWorldHelloWorldHello#####", back), -EINVAL);
}

static void low_order_points_are_nobodys(void **state)
{
    (void)state;
    // The points of small order that Curve25519's users are warned of: 0, 1, p - 1 and one of
    // order 8; then p itself and p + 1, other writings of 0 and 1, and a high bit.
    static const uint8_t eight[32] = {
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00 };
    uint8_t k[32] = { 0 };
    char z85[KEYS_Z85];

    assert_false(keys_trustworthy(k));
    k[0] = 1;
    assert_false(keys_trustworthy(k));
    assert_false(keys_trustworthy(eight));
    memset(k, 0xff, 32);
    k[31] = 0x7f;
    for (int low = 0xec; low <= 0xff; low++) {
        k[0] = (uint8_t)low;
        assert_false(keys_trustworthy(k));
        z85_encode(k, z85);
        assert_int_equal(keys_enrol(dir, "bad", z85, why), -EINVAL);
    }
    assert_int_equal(z85_decode(SERVER_PUBLIC, k), 0);
    assert_true(keys_trustworthy(k));
    k[31] |= 0x80;
    assert_false(keys_trustworthy(k));
}

static void makes_once_and_privately(void **state)
{
    (void)state;
    struct keys_own a, b;
    char z85[KEYS_Z85];
    struct stat st;

    assert_int_equal(keys_public(dir, z85, why), -ENOENT);
    assert_non_null(strstr(why, "tyto keys make"));
    assert_int_equal(keys_public("/no/such/place", z85, why), -ENOENT);
    assert_non_null(strstr(why, "tyto keys make"));
    assert_int_equal(keys_make(dir, why), 0);
    assert_int_equal(keys_load(dir, &a, why), 0);
    assert_int_equal(keys_public(dir, z85, why), 0);
    assert_string_equal(z85, a.public_z85);
    assert_int_equal(keys_make(dir, why), -EEXIST);
    assert_int_equal(keys_load(dir, &b, why), 0);
    assert_memory_equal(&a, &b, sizeof a);
    stat(dir, &st);
    assert_int_equal(st.st_mode & 0777, 0700);
    stat(file("secret.key"), &st);
    assert_int_equal(st.st_mode & 0777, 0600);
    keys_wipe(&a);
    assert_int_equal(a.secret_z85[0], 0);
}

static void refuses_what_others_can_reach(void **state)
{
    (void)state;
    struct keys_own own;

    assert_int_equal(keys_make(dir, why), 0);
    chmod(file("secret.key"), 0640);
    assert_int_equal(keys_load(dir, &own, why), -EPERM);
    chmod(file("secret.key"), 0600);
    chmod(dir, 0750);
    assert_int_equal(keys_load(dir, &own, why), -EPERM);
    chmod(dir, 0700);
    assert_int_equal(keys_load(dir, &own, why), 0);
    char moved[80];
    snprintf(moved, sizeof moved, "%s-moved", dir);
    rename(file("secret.key"), moved);
    assert_int_equal(symlink(moved, file("secret.key")), 0);
    assert_int_equal(keys_load(dir, &own, why), -ELOOP);
    assert_int_equal(keys_make(dir, why), -EEXIST);     // nor is the link written through
    unlink(file("secret.key"));
    unlink(moved);
    assert_int_equal(mkfifo(file("secret.key"), 0600), 0);
    assert_int_equal(keys_load(dir, &own, why), -EPERM);
    unlink(file("secret.key"));
    put("secret.key", "not a key\n", 0600);
    assert_int_equal(keys_load(dir, &own, why), -EINVAL);
    assert_null(strstr(why, "not a key"));
    char link[80];
    snprintf(link, sizeof link, "%s-link", dir);
    assert_int_equal(symlink(dir, link), 0);
    assert_true(keys_load(link, &own, why) < 0);
}

static void enrols_lists_revokes(void **state)
{
    (void)state;
    struct keys_peer *p;
    char own[KEYS_Z85];

    assert_true(keys_peers(dir, &p, why) < 0);          // no directory of keys at all
    assert_int_equal(keys_make(dir, why), 0);
    assert_int_equal(keys_peers(dir, &p, why), 0);
    free(p);
    assert_int_equal(keys_enrol(dir, "south", SERVER_PUBLIC, why), 0);
    assert_int_equal(keys_enrol(dir, "north", CLIENT_PUBLIC, why), 0);
    assert_int_equal(keys_enrol(dir, "north", CLIENT_PUBLIC, why), 0);  // again is nothing new
    assert_int_equal(keys_enrol(dir, "north", SERVER_PUBLIC, why), -EEXIST);
    assert_int_equal(keys_enrol(dir, "third", SERVER_PUBLIC, why), -EEXIST);
    assert_int_equal(keys_enrol(dir, "../x", SERVER_PUBLIC, why), -EINVAL);
    assert_int_equal(keys_enrol(dir, "", SERVER_PUBLIC, why), -EINVAL);
    keys_public(dir, own, why);
    assert_int_equal(keys_enrol(dir, "self", own, why), -EINVAL);
    assert_int_equal(keys_peers(dir, &p, why), 2);
    assert_string_equal(p[0].name, "north");
    assert_string_equal(p[0].z85, CLIENT_PUBLIC);
    assert_string_equal(p[1].name, "south");
    assert_true(p[1].since_ns > 0);
    free(p);
    assert_int_equal(keys_revoke(dir, "north", why), 0);
    assert_int_equal(keys_revoke(dir, "north", why), -ENOENT);
    assert_int_equal(keys_peers(dir, &p, why), 1);
    free(p);
    put("peers/odd.key", "short\n", 0600);
    assert_int_equal(keys_peers(dir, &p, why), -EINVAL);    // a fault is told, not passed over
    assert_non_null(strstr(why, "odd.key"));
}

static void phrase_is_six_words_of_its_own(void **state)
{
    (void)state;
    char a[KEYS_PHRASE], b[KEYS_PHRASE], again[KEYS_PHRASE];
    int blanks = 0;

    assert_int_equal(keys_phrase(SERVER_PUBLIC, a), 0);
    assert_int_equal(keys_phrase(SERVER_PUBLIC, again), 0);
    assert_int_equal(keys_phrase(CLIENT_PUBLIC, b), 0);
    assert_string_equal(a, again);
    assert_string_not_equal(a, b);
    for (const char *s = a; *s; s++)
        blanks += *s == ' ';
    assert_int_equal(blanks, 5);
    assert_int_equal(keys_phrase((char[KEYS_Z85]){ "nonsense" }, a), -EINVAL);
}

static void words_are_in_order_and_apart(void **state)
{
    (void)state;
    for (int i = 0; i < KEYS_WORDS; i++) {
        size_t n = strlen(keys_words[i]);
        assert_in_range(n, 3, 9);
        if (i)
            assert_true(strcmp(keys_words[i - 1], keys_words[i]) < 0);
        if (i)      // neither begins the other
            assert_int_not_equal(strncmp(keys_words[i - 1], keys_words[i],
                                         strlen(keys_words[i - 1])), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(knows_the_published_pair, start, stop),
        cmocka_unit_test(z85_is_zeromqs),
        cmocka_unit_test_setup_teardown(low_order_points_are_nobodys, start, stop),
        cmocka_unit_test_setup_teardown(makes_once_and_privately, start, stop),
        cmocka_unit_test_setup_teardown(refuses_what_others_can_reach, start, stop),
        cmocka_unit_test_setup_teardown(enrols_lists_revokes, start, stop),
        cmocka_unit_test(phrase_is_six_words_of_its_own),
        cmocka_unit_test(words_are_in_order_and_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
