// SPDX-License-Identifier: GPL-3.0-or-later
// The store: batches whole or not at all, each event once, restart, full disk, damage, newer one.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alertd_store.h"

static int put_events(struct store *s, uint64_t from, uint64_t n, size_t bytes)
{
    struct batch *b = batch_new();
    char *raw = calloc(1, bytes);
    for (uint64_t k = from; k < from + n; k++)
        batch_event(b, KEY_A, UINT64_MAX - 3, k, T0, T0, 1, raw, bytes);
    int r = store_commit(s, b);
    batch_free(b);
    free(raw);
    return r;
}

static void each_event_once(void **state)
{
    (void)state;
    struct store *s = open_store();
    assert_int_equal(put_events(s, 0, 100, 50), 0);
    assert_int_equal(put_events(s, 50, 100, 50), 0);
    store_close(s);
    assert_int_equal(ask("SELECT count(*) FROM event"), 150);
    assert_int_equal(ask("SELECT count(DISTINCT seq) FROM event"), 150);
    s = open_store();
    assert_int_equal(store_rows(s), 150);
    store_close(s);
}

static void revisions_are_immutable(void **state)
{
    (void)state;
    struct store *s = open_store();
    for (int i = 0; i < 2; i++) {
        struct batch *b = batch_new();
        batch_rev(b, "a", 1, 7, T0, i ? "two" : "one", 3);
        assert_int_equal(store_commit(s, b), 0);
        batch_free(b);
    }
    store_close(s);
    assert_int_equal(ask("SELECT json = 'one' FROM alert_rev"), 1);
}

static void second_alertd_is_refused(void **state)
{
    (void)state;
    struct store *s = open_store(), *t = NULL;
    assert_true(store_open(&t, dir, note, why) < 0 && strstr(why, "another tyto-alertd"));
    store_close(s);
}

static void newer_release_is_refused(void **state)
{
    (void)state;
    struct store *s;
    store_close(open_store());
    ask("PRAGMA user_version = 2");
    assert_true(store_open(&s, dir, note, why) < 0);
    assert_non_null(strstr(why, "newer release"));
    assert_int_equal(ask("PRAGMA user_version"), 2);        // and nothing was done to it
}

static void somebody_elses_is_refused(void **state)
{
    char cmd[400];
    struct store *s;
    (void)state;
    snprintf(cmd, sizeof cmd, "%.256s/alertd.db", dir);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(cmd, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE songs(name)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_true(store_open(&s, dir, note, why) < 0);
    assert_non_null(strstr(why, "another program's"));
    assert_int_equal(ask("SELECT count(*) FROM songs"), 0);     // it is where it was
}

static void damage_is_set_aside(void **state)
{
    char path[300];
    (void)state;
    store_close(open_store());
    snprintf(path, sizeof path, "%s/alertd.db", dir);
    int fd = open(path, O_WRONLY);
    for (int i = 0; i < 100; i++)
        assert_int_equal(write(fd, "not a database  ", 16), 16);
    close(fd);
    struct store *s = open_store();
    assert_non_null(strstr(note, "damaged"));
    assert_int_equal(put_events(s, 0, 1, 10), 0);
    store_close(s);
    s = open_store();
    assert_string_equal(note, "");
    store_close(s);
}

// Pages that only inserts read are rubbish: met while writing, checked at the next start, set aside
// then.  Those that are read at the start: set aside at once.
static void inner_damage_is_set_aside(void **state)
{
    char path[300], rubbish[4096];
    (void)state;
    struct store *s = open_store();
    assert_int_equal(put_events(s, 0, 2000, 200), 0);
    store_close(s);
    snprintf(path, sizeof path, "%s/alertd.db", dir);
    memset(rubbish, 0x5a, sizeof rubbish);
    for (int start = 0; start < 2; start++) {
        int64_t page = ask(start ? "SELECT rootpage FROM sqlite_master WHERE name = 'event'"
                                 : "SELECT rootpage FROM sqlite_master WHERE name ="
                                   " 'sqlite_autoindex_event_1'");
        assert_true(page > 1);
        int fd = open(path, O_WRONLY);
        assert_int_equal(pwrite(fd, rubbish, 4096, (page - 1) * 4096), 4096);
        close(fd);
        s = open_store();
        if (!start) {
            assert_string_equal(note, "");
            assert_int_equal(put_events(s, 2000, 5000, 200), -EUCLEAN);
            store_close(s);
            s = open_store();
        }
        assert_non_null(strstr(note, "damaged"));
        assert_non_null(strstr(store_aside(s), "alertd.db.damaged-"));
        assert_int_equal(put_events(s, 0, 10, 10), 0);
        store_close(s);
    }
}

// No room: the batch is not there at all, and is when there is room again.
static void full_disk(void **state)
{
    struct rlimit old, r;
    (void)state;
    struct store *s = open_store();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    r = old;
    r.rlim_cur = 300000;
    setrlimit(RLIMIT_FSIZE, &r);
    int e = put_events(s, 0, 1000, 2000);
    assert_true(e == -ENOSPC || e == -EIO);
    assert_int_equal(put_events(s, 0, 5, 100), 0);          // a small one still fits
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(put_events(s, 0, 1000, 2000), 0);
    store_close(s);
    assert_int_equal(ask("SELECT count(*) FROM event"), 1000);
}

static void old_events_go_in_steps(void **state)
{
    (void)state;
    struct store *s = open_store();
    put_events(s, 0, 1200, 10);
    assert_int_equal(store_purge(s, T0 + 100 * S, 200 * S), 0);
    int steps = 0, n;
    while ((n = store_purge(s, T0 + 300 * S, 200 * S)) > 0) {
        assert_in_range(n, 1, 500);
        steps++;
    }
    assert_int_equal(steps, 3);
    assert_int_equal(store_rows(s), 0);
    store_close(s);
}

// What was committed is there after a kill at any moment; what was not is not, or whole.
static void killed_any_time(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        int p[2];
        uint64_t told = 0, k;
        assert_int_equal(pipe(p), 0);
        pid_t pid = fork();
        if (!pid) {
            struct store *s = open_store();
            for (k = 1;; k++) {
                put_events(s, (uint64_t)round * 1000000 + 10 * (k - 1), 10, 100);
                if (write(p[1], &k, sizeof k) < 0)
                    _exit(1);
            }
        }
        close(p[1]);
        for (int i = 0; i < 20 + 7 * round && read(p[0], &k, sizeof k) == sizeof k; i++)
            told = k;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        while (read(p[0], &k, sizeof k) == sizeof k)
            told = k;
        close(p[0]);
        store_close(open_store());
        char sql[160];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM event WHERE seq / 1000000 = %d", round);
        int64_t n = ask(sql);
        assert_int_equal(n % 10, 0);
        assert_in_range(n, (int64_t)told * 10, (int64_t)told * 10 + 10);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(each_event_once), CASE(revisions_are_immutable), CASE(second_alertd_is_refused),
        CASE(newer_release_is_refused),
        CASE(somebody_elses_is_refused), CASE(damage_is_set_aside),
        CASE(inner_damage_is_set_aside), CASE(full_disk), CASE(old_events_go_in_steps),
        CASE(killed_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
