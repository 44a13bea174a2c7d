// SPDX-License-Identifier: GPL-3.0-or-later
// The store: batches whole or not at all, each event once, restart, full disk, damage, newer one.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alertd_feed.h"

static char dir[256];
static char note[ALERTD_WHY], why[ALERTD_WHY];

static int set_up(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%.200s/tyto-store-%d", tmp ? tmp : "/tmp", (int)getpid());
    assert_int_equal(mkdir(dir, 0700), 0);
    return 0;
}

static int tear_down(void **state)
{
    char cmd[300];
    (void)state;
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

static struct store *open_store(void)
{
    struct store *s = NULL;
    int r = store_open(&s, dir, note, why);
    if (r < 0)
        print_message("%s\n", why);
    assert_int_equal(r, 0);
    return s;
}

static int64_t ask(const char *sql)
{
    char path[300];
    sqlite3 *db;
    sqlite3_stmt *st;
    snprintf(path, sizeof path, "%s/alertd.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    int r = sqlite3_step(st);
    int64_t v = r == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
    sqlite3_finalize(st);
    sqlite3_close(db);
    return v;
}

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

// ---- The core comes back ----------------------------------------------------------------------

static void commit(struct feed *f, struct store *s)
{
    struct core_work *w = core_collect(f->c);
    assert_int_equal(store_commit(s, w->batch), 0);
    for (size_t i = 0; i < w->n_ack; i++)
        core_committed(f->c, &w->ack[i]);
    core_work_free(w);
}

static void restart_is_the_same(void **state)
{
    (void)state;
    struct feed f;
    struct store *s = open_store();
    feed_init(&f);
    struct wire_msg m = feed_track(&f, 0, "t1", 1, "dji-droneid", "identification");
    feed_send(&f, 0, &m);
    m = feed_decode(&f, 0, "t1", "SER\"1\xff", 50.001, 14);     // hostile text survives as text
    feed_send(&f, 0, &m);
    m = feed_track(&f, 0, "t2", 1, "expresslrs", "control");
    m.head.seq = 7;                                             // a hole before it
    feed_send(&f, 0, &m);
    commit(&f, s);
    struct action *x = calloc(1, sizeof *x);
    *x = (struct action){ .verb = ACT_SEEN, .rev = 1, .key = "k1", .user = "anna" };
    snprintf(x->alert, sizeof x->alert, "%s", f.c->alert[0]->id);
    core_act(f.c, x);
    commit(&f, s);
    uint64_t n = f.c->n;
    struct alert was = *f.c->alert[0];
    core_free(f.c);
    store_close(s);

    s = open_store();
    feed_core(&f);
    assert_int_equal(core_load(f.c, s), 0);
    assert_int_equal(f.c->n_alerts, 2);
    assert_int_equal(f.c->n_tracks, 2);
    assert_int_equal(f.c->n_incidents, 2);
    assert_true(f.c->n > n);
    struct alert *a = map_get(&f.c->alerts, was.id);
    assert_non_null(a);
    assert_int_equal(a->rev, was.rev);
    assert_string_equal(a->work, "seen");
    assert_string_equal(a->severity, "critical");
    assert_string_equal(a->serial, "SER\"1\xef\xbf\xbd");
    assert_int_equal(a->first_ns, was.first_ns);
    assert_true(fabs(a->where.lat_deg - 50.001) < 1e-7);
    assert_int_equal(a->n_by, 1);
    // The sensor's messages: what was received is known, the hole too.
    const struct sensor *sn = sensor_by_key(f.c, KEY_A);
    assert_int_equal(sn->n_boot, 1);
    assert_int_equal(sn->boot[0].next, 2);
    assert_int_equal(sn->boot[0].durable, 2);
    assert_true(seqs_has(&sn->boot[0], 7));
    // And what people did: the same key, the same answer.
    x = calloc(1, sizeof *x);
    *x = (struct action){ .verb = ACT_SEEN, .rev = 1, .key = "k1", .user = "anna" };
    snprintf(x->alert, sizeof x->alert, "%s", was.id);
    core_act(f.c, x);
    struct core_work *w = core_collect(f.c);
    assert_int_equal(w->n_answer, 1);
    assert_int_equal(w->answer[0]->result, ACT_DONE);
    assert_int_equal(a->rev, was.rev + 1);      // not heard since: the restart says so
    core_work_free(w);
    // It goes on where it was: the track's next word makes no second alert.
    m = feed_track(&f, 0, "t2", 2, "expresslrs", "control");
    m.head.seq = 8;
    feed_send(&f, 0, &m);
    commit(&f, s);
    assert_int_equal(f.c->n_alerts, 2);
    core_free(f.c);
    store_close(s);
}

static void tick(struct feed *f, struct store *s, int n, bool heard)
{
    for (int i = 0; i < n; i++) {
        struct wire_msg m = feed_health(f, 0);
        if (heard)
            feed_send(f, 0, &m);
        feed_time(f, 1);
        core_tick(f->c);
        commit(f, s);
    }
}

// What was lost is not mended by a restart of the post, only by half a minute of hearing it.
static void restart_mends_nothing(void **state)
{
    struct feed f;
    (void)state;
    struct store *s = open_store();
    feed_init(&f);
    tick(&f, s, 2, true);
    tick(&f, s, 20, false);
    assert_string_equal(feed_alert(&f, "equipment")->rule, "sensor-lost");
    core_free(f.c);
    store_close(s);

    s = open_store();
    feed_core(&f);
    assert_int_equal(core_load(f.c, s), 0);
    tick(&f, s, 50, false);
    assert_string_equal(feed_alert(&f, "equipment")->work, "new");
    tick(&f, s, 25, true);
    assert_string_equal(f.c->alert[0]->signal, "heard");
    tick(&f, s, 10, true);
    assert_string_equal(f.c->alert[0]->reason, "mended");
    core_free(f.c);
    store_close(s);
}

// While the post was down the sensor began anew, and the drone flew away: not heard for ever.
static void restart_leaves_no_ghost(void **state)
{
    struct feed f;
    (void)state;
    struct store *s = open_store();
    feed_init(&f);
    struct wire_msg m = feed_track(&f, 0, "t1", 1, "dji-ocusync", "video");
    feed_send(&f, 0, &m);
    m = feed_track(&f, 1, "t2", 1, "expresslrs", "control");    // whose sensor never comes back
    feed_send(&f, 1, &m);
    commit(&f, s);
    core_free(f.c);
    store_close(s);

    f.now_ns += 40 * S;
    s = open_store();
    feed_core(&f);
    assert_int_equal(core_load(f.c, s), 0);
    const struct alert *a = f.c->alert[!strcmp(f.c->alert[0]->family, "expresslrs")];
    assert_string_equal(a->signal, "quiet");                // nobody has said so yet
    tick(&f, s, 3, true);                                   // the sensor goes on, not this link
    assert_string_equal(a->signal, "quiet");
    assert_true(fabs(a->quiet_s - 41) < 0.1);
    assert_int_equal(a->calls, 1);
    m = feed_track(&f, 0, "t1", 1, "dji-ocusync", "video"); // not even a new revision of it
    m.head.late = true;
    feed_send(&f, 0, &m);
    commit(&f, s);
    assert_string_equal(a->signal, "quiet");                // that was before
    m = feed_track(&f, 0, "t1", 1, "dji-ocusync", "video");
    feed_send(&f, 0, &m);
    commit(&f, s);
    assert_string_equal(a->signal, "heard");
    assert_int_equal(a->calls, 1);                          // known: it does not call again
    core_free(f.c);
    store_close(s);

    s = open_store();
    feed_core(&f);
    assert_int_equal(core_load(f.c, s), 0);
    f.boot[0]++;
    f.seq[0] = 0;
    tick(&f, s, 2, true);                                   // the sensor began anew
    a = f.c->alert[!strcmp(f.c->alert[0]->family, "expresslrs")];
    const struct alert *b = f.c->alert[!!strcmp(f.c->alert[0]->family, "expresslrs")];
    assert_string_equal(a->signal, "ended");
    assert_string_equal(b->signal, "quiet");
    tick(&f, s, 70, true);
    assert_string_equal(b->signal, "quiet");
    assert_int_equal(sensor_by_key(f.c, KEY_B)->state, SENSOR_LOST);
    core_free(f.c);
    store_close(s);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(each_event_once), CASE(revisions_are_immutable), CASE(second_alertd_is_refused),
        CASE(newer_release_is_refused), CASE(damage_is_set_aside),
        CASE(inner_damage_is_set_aside), CASE(full_disk), CASE(old_events_go_in_steps),
        CASE(killed_any_time), CASE(restart_is_the_same), CASE(restart_mends_nothing),
        CASE(restart_leaves_no_ghost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
