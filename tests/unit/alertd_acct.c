// SPDX-License-Identifier: GPL-3.0-or-later
// Accounts: links once and ten minutes, sessions and their ends, passwords, disabling, delays, and
// databases that are not ours to open.  All times are given, none is waited for.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/alertd_client.h"

#define NOW 1800000000ll        // 2027
#define S   1000000000ll

static char dir[64], why[ACCT_WHY];
static struct acct *accounts;

static int open_new(void **state)
{
    (void)state;
    make_dir(dir);
    accounts = acct_open(dir, why);
    return accounts ? 0 : -1;
}

static int close_all(void **state)
{
    (void)state;
    acct_close(accounts);
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static void add(const char *user, enum acct_role role)
{
    assert_int_equal(acct_add(accounts, user, role, NOW, why), 0);
}

static void names_and_doubles(void **state)
{
    (void)state;
    const char *wrong[] = { "", "Anna", "a b", "-a", ".a", "a/b", "a\n", "\xc3\xa4",
                            "123456789012345678901234567890123456789012345678" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(acct_add(accounts, wrong[i], ROLE_VIEWER, NOW, why), -EINVAL);
    add("anna.b_c-9", ROLE_OPERATOR);
    assert_int_equal(acct_add(accounts, "anna.b_c-9", ROLE_VIEWER, NOW, why), -EEXIST);
    assert_non_null(strstr(why, "anna.b_c-9"));
}

static void link_works_once_and_not_for_long(void **state)
{
    (void)state;
    char one[ACCT_TOKEN], two[ACCT_TOKEN], token[ACCT_TOKEN];
    struct acct_who who;

    add("anna", ROLE_OPERATOR);
    assert_int_equal(acct_link(accounts, "nobody", NOW, one, why), -ENOENT);
    assert_int_equal(acct_link(accounts, "anna", NOW, one, why), 0);
    assert_int_equal(strlen(one), ACCT_TOKEN - 1);
    assert_int_equal(acct_link(accounts, "anna", NOW, two, why), 0);    // voids the first
    assert_int_equal(acct_by_link(accounts, one, NOW, token, &who), -EACCES);
    assert_int_equal(acct_by_link(accounts, two, NOW + ACCT_LINK_S - 1, token, &who), 0);
    assert_string_equal(who.user, "anna");
    assert_int_equal(who.role, ROLE_OPERATOR);
    assert_true(who.by_link);
    assert_false(who.has_password);
    assert_int_equal(acct_by_link(accounts, two, NOW, token, &who), -EACCES);
    assert_int_equal(acct_link(accounts, "anna", NOW, one, why), 0);
    assert_int_equal(acct_by_link(accounts, one, NOW + ACCT_LINK_S, token, &who), -EACCES);
    assert_int_equal(acct_by_link(accounts, one, NOW, token, &who), -EACCES);   // gone with the try
    assert_int_equal(acct_by_link(accounts, "", NOW, token, &who), -EACCES);
}

static void session_of(const char *user, int64_t now_s, uint8_t ret[ACCT_HASH])
{
    char link[ACCT_TOKEN], token[ACCT_TOKEN];
    struct acct_who who;

    assert_int_equal(acct_link(accounts, user, now_s, link, why), 0);
    assert_int_equal(acct_by_link(accounts, link, now_s, token, &who), 0);
    acct_hash(ret, token);
    assert_memory_equal(ret, who.session, ACCT_HASH);
}

static void sessions_end(void **state)
{
    (void)state;
    struct acct_who who;
    uint8_t s[ACCT_HASH], none[ACCT_HASH] = { 0 };

    add("anna", ROLE_VIEWER);
    session_of("anna", NOW, s);
    assert_int_equal(acct_session(accounts, none, NOW, &who), -ENOENT);
    assert_int_equal(acct_session(accounts, s, NOW + ACCT_IDLE_S - 1, &who), 0);
    assert_int_equal(acct_session(accounts, s, NOW + ACCT_IDLE_S, &who), -ETIMEDOUT);
    assert_int_equal(acct_touch(accounts, s, NOW + ACCT_IDLE_S - 1), 1);
    assert_int_equal(acct_session(accounts, s, NOW + ACCT_IDLE_S + 1, &who), 0);
    acct_touch(accounts, s, NOW + ACCT_TOTAL_S - 1);
    assert_int_equal(acct_session(accounts, s, NOW + ACCT_TOTAL_S - 1, &who), 0);
    assert_int_equal(acct_session(accounts, s, NOW + ACCT_TOTAL_S, &who), -ETIMEDOUT);
    // A clock set back by a day makes it no longer.
    assert_int_equal(acct_session(accounts, s, NOW - 86400, &who), -ETIMEDOUT);
    // Ended and tidied up, it is still told from one that never was, while there is its cookie.
    acct_touch(accounts, s, NOW);
    assert_true(acct_tidy(accounts, NOW + ACCT_TOTAL_S - 1) >= 0);
    assert_int_equal(acct_session(accounts, s, NOW + ACCT_TOTAL_S - 1, &who), -ETIMEDOUT);
    assert_true(acct_tidy(accounts, NOW + ACCT_TOTAL_S) >= 0);
    assert_int_equal(acct_session(accounts, s, NOW, &who), -ENOENT);
    session_of("anna", NOW, s);
    assert_int_equal(acct_sign_out(accounts, s), 1);
    assert_int_equal(acct_session(accounts, s, NOW, &who), -ENOENT);
}

static void sessions_survive_a_restart(void **state)
{
    (void)state;
    struct acct_who who;
    uint8_t s[ACCT_HASH];
    char id[9];

    add("anna", ROLE_AUDITOR);
    session_of("anna", NOW, s);
    snprintf(id, sizeof id, "%s", acct_id(accounts));
    acct_close(accounts);
    accounts = acct_open(dir, why);
    assert_non_null(accounts);
    assert_string_equal(acct_id(accounts), id);
    assert_int_equal(acct_session(accounts, s, NOW, &who), 0);
    assert_int_equal(who.role, ROLE_AUDITOR);
}

static void passwords(void **state)
{
    (void)state;
    char token[ACCT_TOKEN], longest[ACCT_PASSWORD + 1];
    struct acct_who who;
    uint8_t keep[ACCT_HASH], other[ACCT_HASH];

    add("anna", ROLE_OPERATOR);
    add("no-password", ROLE_OPERATOR);
    session_of("anna", NOW, keep);
    session_of("anna", NOW, other);
    assert_int_equal(acct_set_password(accounts, "anna", "ninechars", NULL, why), -EINVAL);
    // Nine characters in eighteen bytes are nine.
    assert_int_equal(acct_set_password(accounts, "anna", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
                                       "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", NULL, why), -EINVAL);
    memset(longest, 'x', ACCT_PASSWORD);
    longest[ACCT_PASSWORD] = '\0';
    assert_int_equal(acct_set_password(accounts, "anna", longest, NULL, why), -EINVAL);
    assert_int_equal(acct_set_password(accounts, "nobody", "a long enough one", NULL, why),
                     -ENOENT);
    assert_int_equal(acct_set_password(accounts, "anna", "a long enough one", keep, why), 0);
    assert_int_equal(acct_session(accounts, keep, NOW, &who), 0);
    assert_true(who.has_password);
    assert_int_equal(acct_session(accounts, other, NOW, &who), -ENOENT);
    assert_int_equal(acct_by_password(accounts, "anna", "a long enough one", NOW, token, &who), 0);
    assert_false(who.by_link);
    assert_int_equal(acct_by_password(accounts, "anna", "a long enough onf", NOW, token, &who),
                     -EACCES);
    assert_int_equal(acct_by_password(accounts, "nobody", "a long enough one", NOW, token, &who),
                     -EACCES);
    assert_int_equal(acct_by_password(accounts, "no-password", "", NOW, token, &who), -EACCES);
}

static void disabling_ends_it_all(void **state)
{
    (void)state;
    char link[ACCT_TOKEN], token[ACCT_TOKEN];
    struct acct_who who;
    uint8_t s[ACCT_HASH];
    struct acct *reader = acct_open(dir, why);

    assert_non_null(reader);
    add("anna", ROLE_OPERATOR);
    assert_int_equal(acct_set_password(accounts, "anna", "a long enough one", NULL, why), 0);
    session_of("anna", NOW, s);
    assert_int_equal(acct_session(reader, s, NOW, &who), 0);
    int64_t before = acct_version(reader);
    assert_int_equal(acct_link(accounts, "anna", NOW, link, why), 0);
    assert_int_equal(acct_disable(accounts, "anna", why), 0);
    assert_int_not_equal(acct_version(reader), before);
    assert_int_equal(acct_session(reader, s, NOW, &who), -ENOENT);
    assert_int_equal(acct_by_link(accounts, link, NOW, token, &who), -EACCES);
    assert_int_equal(acct_by_password(accounts, "anna", "a long enough one", NOW, token, &who),
                     -EACCES);
    assert_int_equal(acct_disable(accounts, "nobody", why), -ENOENT);
    struct acct_row *row;
    assert_int_equal(acct_list(accounts, &row, NOW, why), 1);
    assert_true(row[0].disabled);
    assert_false(row[0].has_password);
    free(row);
    acct_close(reader);
}

static void keeps_secrets_out_of_the_file(void **state)
{
    (void)state;
    char link[ACCT_TOKEN], path[100];
    struct stat st;

    add("anna", ROLE_OPERATOR);
    assert_int_equal(acct_link(accounts, "anna", NOW, link, why), 0);
    assert_int_equal(acct_set_password(accounts, "anna", "a long enough one", NULL, why), 0);
    const char *file[] = { "accounts.db", "accounts.db-wal" };
    for (int i = 0; i < 2; i++) {
        static char all[1 << 20];
        snprintf(path, sizeof path, "%s/%s", dir, file[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        FILE *f = fopen(path, "r");
        size_t n = fread(all, 1, sizeof all, f);
        fclose(f);
        assert_true(n > 0 || i);
        assert_null(memmem(all, n, "a long enough one", 17));
        assert_null(memmem(all, n, link, strlen(link)));
    }
}

static void sql(const char *text)
{
    char path[100];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/accounts.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void refuses_what_is_not_ours(void **state)
{
    (void)state;
    char path[100];

    acct_close(accounts);
    sql("PRAGMA user_version = 2");
    accounts = acct_open(dir, why);
    assert_null(accounts);
    assert_non_null(strstr(why, "newer release"));
    sql("PRAGMA user_version = 1");
    accounts = acct_open(dir, why);
    assert_non_null(accounts);
    acct_close(accounts);
    snprintf(path, sizeof path, "%s/accounts.db", dir);
    chmod(path, 0644);
    accounts = acct_open(dir, why);
    assert_null(accounts);
    assert_non_null(strstr(why, "chmod 600"));
    chmod(path, 0600);
    FILE *f = fopen(path, "w");
    fputs("this is no database at all, but longer than its header would be if it were one ......."
          "...............................", f);
    fclose(f);
    accounts = acct_open(dir, why);
    assert_null(accounts);
    assert_non_null(strstr(why, "accounts.db"));
    assert_null(acct_open("/nowhere/at/all", why));
}

// A disk without room: nothing is half done, what is there can be read, and later it goes on.
static void a_full_disk(void **state)
{
    (void)state;
    struct acct_who who;
    struct acct_row *row;
    struct rlimit all, none;
    uint8_t s[ACCT_HASH];
    char link[ACCT_TOKEN];

    add("anna", ROLE_OPERATOR);
    session_of("anna", NOW, s);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &all);
    none = all;
    none.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &none);
    int added = acct_add(accounts, "bert", ROLE_VIEWER, NOW, why);
    int linked = acct_link(accounts, "anna", NOW, link, why);
    int found = acct_session(accounts, s, NOW, &who);
    setrlimit(RLIMIT_FSIZE, &all);
    assert_true(added < 0 && added != -EEXIST);
    assert_true(linked < 0 && strstr(why, "accounts.db"));
    assert_int_equal(found, 0);
    assert_int_equal(acct_list(accounts, &row, NOW, why), 1);
    free(row);
    assert_int_equal(acct_add(accounts, "bert", ROLE_VIEWER, NOW, why), 0);
}

static void wrong_ones_slow_down(void **state)
{
    (void)state;
    struct acct_delays *d = acct_delays_new();
    int64_t t = 5 * S, last = 0, w;

    for (int i = 0; i < 12; i++) {
        w = acct_delay_ns(d, "anna", "192.0.2.1", t);
        assert_true(i < 4 ? w == 0 : w >= last);
        assert_true(w <= 30 * S);
        last = w;
        t += w;                         // it waits, then is wrong
        acct_delay_tell(d, "anna", "192.0.2.1", false, t);
    }
    assert_true(last == 30 * S);
    // Who guesses on three lines at once waits in a queue.
    w = acct_delay_ns(d, "anna", "192.0.2.1", t);
    assert_true(acct_delay_ns(d, "anna", "192.0.2.1", t) == w + 30 * S);
    assert_true(acct_delay_ns(d, "anna", "192.0.2.1", t) == w + 60 * S);
    // The owner elsewhere waits five seconds at most and is not in that queue; another person at
    // the guesser's address shares the address's.
    assert_true(acct_delay_ns(d, "anna", "192.0.2.2", t) == 5 * S);
    assert_true(acct_delay_ns(d, "anna", "192.0.2.2", t) == 5 * S);
    assert_true(acct_delay_ns(d, "bert", "192.0.2.3", t) == 0);
    acct_delay_tell(d, "anna", "192.0.2.2", true, t);
    assert_true(acct_delay_ns(d, "anna", "192.0.2.2", t) == 0);
    t += 3601 * S;
    assert_true(acct_delay_ns(d, "bert", "192.0.2.1", t) == 0);     // forgotten
    acct_delays_free(d);
}

// A table full of others' single slips does not forget a guesser.
static void a_flood_hides_nobody(void **state)
{
    (void)state;
    struct acct_delays *d = acct_delays_new();
    char name[40];

    for (int i = 0; i < 10; i++)
        acct_delay_tell(d, "anna", "192.0.2.1", false, S + i);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "198.51.%d.%d", i / 250, i % 250);
        acct_delay_tell(d, name, name, false, 2 * S + i);
    }
    assert_true(acct_delay_ns(d, "anna", "192.0.2.9", 3 * S) == 5 * S);
    assert_true(acct_delay_ns(d, "x", "192.0.2.1", 3 * S) >= 30 * S);
    acct_delays_free(d);
}

static void addresses(void **state)
{
    (void)state;
    struct sockaddr_in a = { .sin_family = AF_INET };
    struct sockaddr_in6 b = { .sin6_family = AF_INET6 };
    char one[ACCT_ADDRESS], two[ACCT_ADDRESS];

    inet_pton(AF_INET, "192.0.2.7", &a.sin_addr);
    acct_address(one, (struct sockaddr *)&a);
    assert_string_equal(one, "192.0.2.7");
    inet_pton(AF_INET6, "::ffff:192.0.2.7", &b.sin6_addr);
    acct_address(two, (struct sockaddr *)&b);
    assert_string_equal(two, "192.0.2.7");
    inet_pton(AF_INET6, "2001:db8:1:2:3:4:5:6", &b.sin6_addr);
    acct_address(one, (struct sockaddr *)&b);
    inet_pton(AF_INET6, "2001:db8:1:2:ffff::1", &b.sin6_addr);
    acct_address(two, (struct sockaddr *)&b);
    assert_string_equal(one, two);
    acct_address(one, NULL);
    assert_string_equal(one, "?");
}

#define WITH(f) cmocka_unit_test_setup_teardown(f, open_new, close_all)

int main(void)
{
    const struct CMUnitTest t[] = {
        WITH(names_and_doubles), WITH(link_works_once_and_not_for_long), WITH(sessions_end),
        WITH(sessions_survive_a_restart), WITH(passwords), WITH(disabling_ends_it_all),
        WITH(keeps_secrets_out_of_the_file), WITH(refuses_what_is_not_ours),
        WITH(a_full_disk),
        cmocka_unit_test(wrong_ones_slow_down), cmocka_unit_test(a_flood_hides_nobody),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
