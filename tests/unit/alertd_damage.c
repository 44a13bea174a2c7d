// SPDX-License-Identifier: GPL-3.0-or-later
// The real daemon over a database that is damaged or of a newer release: one start is enough, and
// what it cannot read it keeps.
#include "alertd_daemon.h"

static struct post post;
static struct unit unit[SENSORS];
static char db[256], data[220];

static int set_up(void **state)
{
    (void)state;
    post_make(&post, unit);
    snprintf(data, sizeof data, "%s/data", post.dir);
    snprintf(db, sizeof db, "%s/alertd.db", data);
    post_start(&post);
    return 0;
}

static int tear_down(void **state) { (void)state; return post_tear_down(&post, unit); }

static void fill(uint64_t n)
{
    unit_open(&unit[0], &post);
    unit[0].n += n;
    assert_true(unit_finish(&unit[0], "north", 60));
    unit_close(&unit[0]);
}

static int count(const char *pattern)
{
    char cmd[400];
    int n = -1;
    snprintf(cmd, sizeof cmd, "ls '%s' | grep -c '%s'", data, pattern);
    FILE *p = popen(cmd, "r");
    assert_non_null(p);
    if (fscanf(p, "%d", &n) != 1)
        n = -1;
    pclose(p);
    return n;
}

// Pages of one table, found by the b-tree that SQLite itself names, become rubbish.
static void spoil(const char *table)
{
    char sql[160], rubbish[4096];
    snprintf(sql, sizeof sql, "SELECT rootpage FROM sqlite_master WHERE name = '%s'", table);
    int64_t page = post_ask(&post, sql);
    assert_true(page > 1);
    memset(rubbish, 0x5a, sizeof rubbish);
    int fd = open(db, O_WRONLY);
    assert_int_equal(pwrite(fd, rubbish, sizeof rubbish, (page - 1) * 4096), 4096);
    close(fd);
}

#define DAMAGED "SELECT count(*) FROM thing WHERE kind = 0 AND json LIKE '%\"store-damaged\"%'"

static void told_and_kept(void)
{
    int64_t until = mono_now_ns() + 20 * S;
    while (post_ask(&post, DAMAGED) != 1 && mono_now_ns() < until)
        usleep(20000);
    assert_int_equal(post_ask(&post, DAMAGED), 1);
    assert_int_equal(count("damaged-20[0-9-]*T"), 1);
}

// Found while it is read: the same start sets it aside, says so and runs.
static void damage_met_at_the_start(void **state)
{
    (void)state;
    fill(40);
    post_end(&post, SIGTERM);
    spoil("thing");
    post_start(&post);
    told_and_kept();
    unit[0].n++;                        // what is not acknowledged comes again, what is, is aside
    unit[0].acked = unit[0].n - 1;
    unit_open(&unit[0], &post);
    assert_true(unit_finish(&unit[0], "north", 60));
    assert_int_equal(post_ask(&post, "SELECT count(*) FROM event"), 1);
}

// Met only when it is written to: the daemon goes on with a new one, and what was not acknowledged
// is not lost.
static void damage_met_while_writing(void **state)
{
    (void)state;
    fill(60);
    post_end(&post, SIGTERM);
    spoil("sqlite_autoindex_event_1");          // of UNIQUE(peer, boot, seq): read by inserts alone
    post_start(&post);
    unit_open(&unit[0], &post);
    uint64_t from = unit[0].n;
    unit[0].n += 5;
    assert_true(unit_finish(&unit[0], "north", 60));
    told_and_kept();
    char sql[120];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM event WHERE seq >= %d", (int)from);
    assert_int_equal(post_ask(&post, sql), 5);
}

// A table is missing altogether.
static void a_schema_with_holes(void **state)
{
    (void)state;
    post_end(&post, SIGTERM);
    post_ask(&post, "DROP TABLE progress");
    post_start(&post);
    told_and_kept();
}

static int64_t digest(const char *suffix)       // FNV-1a of a file, 0 where there is none
{
    char path[300];
    uint64_t h = 14695981039346656037u;
    int c;
    snprintf(path, sizeof path, "%s%s", db, suffix);
    FILE *f = fopen(path, "r");
    while (f && (c = fgetc(f)) != EOF)
        h = (h ^ (uint64_t)c) * 1099511628211u;
    if (f)
        fclose(f);
    return f ? (int64_t)h : 0;
}

static int start_code(char said[1000])
{
    char bin[300], cmd[800];
    assert_true(hw_program_dir(bin, 200) >= 0);
    snprintf(cmd, sizeof cmd, "'%s/../bin/tyto-alertd' --no-page '%s/post.yaml' 2>&1", bin,
             post.dir);
    FILE *p = popen(cmd, "r");
    assert_non_null(p);
    said[fread(said, 1, 999, p)] = 0;
    return WEXITSTATUS(pclose(p));
}

// Refused in one sentence with exit 2, and not a byte of it is changed; also when what makes it new
// is still in its write-ahead log.
static void newer_release_stays_as_it_is(void **state)
{
    char said[1000];
    (void)state;
    fill(20);
    for (int in_wal = 1; in_wal >= 0; in_wal--) {
        if (in_wal) {
            post_ask(&post, "PRAGMA user_version = 99");
            post_end(&post, SIGKILL);
            post.pid = 0;
            assert_true(digest("-wal") != 0);
        } else {
            post_ask(&post, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
        int64_t was = digest(""), wal = digest("-wal");
        for (int i = 0; i < 2; i++) {
            assert_int_equal(start_code(said), 2);
            const char *told = strstr(said, "newer release");
            assert_non_null(told);
            assert_true(strchr(told, '\n') == said + strlen(said) - 1);     // the last thing said
        }
        assert_true(was == digest("") && (!in_wal || wal == digest("-wal")));
        assert_int_equal(count("damaged"), 0);
    }
}

static long most_memory_mb(void)
{
    char path[40], line[128];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)post.pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "VmHWM: %ld", &kb) != 1)
        ;
    if (f)
        fclose(f);
    return kb / 1024;
}

static int said(const char *what)
{
    char cmd[400];
    int n = -1;
    snprintf(cmd, sizeof cmd, "grep -c '%s' '%s/log'", what, post.dir);
    FILE *p = popen(cmd, "r");
    if (fscanf(p, "%d", &n) != 1)
        n = -1;
    pclose(p);
    return n;
}

static bool says(const char *what)
{
    for (int64_t until = mono_now_ns() + 60 * S; mono_now_ns() < until; usleep(200000))
        if (said(what) > 0)
            return true;
    return false;
}

// The daemon as it is started by hand, with what it says in a file.
static void start_with_log(void)
{
    char path[256];
    int old = dup(2);
    post_end(&post, SIGTERM);
    snprintf(path, sizeof path, "%s/log", post.dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, 2);
    post_start(&post);
    dup2(old, 2);
    close(old);
    close(fd);
}

// The file may not grow: the daemon says so once, in words, takes no more memory for what it cannot
// store, acknowledges nothing of it, and says when it can again.
static void full_disk_is_said_and_bounded(void **state)
{
    struct rlimit r = { 250000, RLIM_INFINITY }, old;
    struct unit *u = &unit[0];
    (void)state;
    start_with_log();
    assert_int_equal(prlimit(post.pid, RLIMIT_FSIZE, &r, &old), 0);
    unit_open(u, &post);
    unit_hello(u, "north");
    long before = most_memory_mb();
    for (; u->n < 1500; u->n++) {
        unit_event(u, u->n, false);
        if (u->n % 100 == 0)
            unit_listen(u, 20);
    }
    assert_true(says("nothing can be stored"));
    unit_listen(u, 300);
    uint64_t acked = u->acked;
    assert_true(acked < u->n && post_ask(&post, "SELECT count(*) FROM event") >= (int64_t)acked);
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
    assert_true(most_memory_mb() - before < 150);       // 1500 alerts of 30 kB, and one batch
#endif
    (void)before;
    assert_int_equal(said("nothing can be stored"), 1);
    assert_int_equal(prlimit(post.pid, RLIMIT_FSIZE, &old, NULL), 0);
    assert_true(says("the store takes everything again"));
    assert_true(unit_finish(u, "north", 120));
    assert_int_equal(post_ask(&post, "SELECT count(*) FROM event"), 1500);
    assert_int_equal(said("damaged"), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(damage_met_at_the_start), CASE(damage_met_while_writing), CASE(a_schema_with_holes),
        CASE(newer_release_stays_as_it_is), CASE(full_disk_is_said_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
