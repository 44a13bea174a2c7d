// SPDX-License-Identifier: GPL-3.0-or-later
// The spool in the hands of somebody else: flipped, cut, swapped, foreign, unreadable, no room.
// What was changed is counted and named; what was not comes through.
#include "tests/unit/spool_made.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

static uint8_t file[40 * 772], was[sizeof file];

static size_t load(const char *path, uint8_t *to)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(to, 1, sizeof file, f);
    fclose(f);
    return n;
}

static void store(const char *path, const uint8_t *from, size_t n)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(from, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

// What the spool still gives of boot 1, each whole; none twice.
static unsigned count_good(struct spool *s)
{
    uint64_t seq = 0, got;
    unsigned n = 0;

    for (int len; (len = spool_read(s, 1, seq, buf, sizeof buf, &got)) > 0; seq = got + 1, n++) {
        assert_true(got >= seq);
        assert_int_equal(crypto_box_seal_open(plain, buf, (size_t)len, pk, sk), 0);
        assert_int_equal(strtoull((char *)plain + 8, NULL, 10), got);
    }
    return n;
}

static void each_byte_flipped_costs_at_most_its_message(void **state)
{
    (void)state;
    struct spool *s = opened(1, 0, 0);
    char path[400];

    for (uint64_t i = 0; i < 3; i++)
        add(s, i, 1000 * S);
    spool_free(s);
    snprintf(path, sizeof path, "%s", segment(0));
    size_t n = load(path, was);
    assert_int_equal(n, 64 + 3 * 772);
    for (size_t i = 0; i < n; i++) {
        memcpy(file, was, n);
        file[i] ^= (uint8_t)(1u << i % 8);
        store(path, file, n);
        s = opened(2, 0, 0);
        struct spool_found f = spool_found(s);
        bool head = i < 64, unused = (i >= 16 && i < 24) || (i >= 56 && i < 64);
        if (unused ? count_good(s) != 3 : head ? f.damaged + f.foreign != 1
                                               : f.damaged != 1 || count_good(s) != 2)
            fail_msg("byte %zu: %u good, %u damaged, %u foreign", i, count_good(s), f.damaged,
                     f.foreign);
        // Of what is gone somebody knows: it is counted, or missing when it is asked for.
        if (i >= 64 + 2 * 772)
            assert_int_equal(spool_lost_by(s, SPOOL_DAMAGED), 1);
        spool_free(s);
        char bad[410];
        snprintf(bad, sizeof bad, "%s.bad", path);
        unlink(bad);
    }
}

static void each_cut_keeps_what_stands_before_it(void **state)
{
    (void)state;
    struct spool *s = opened(1, 0, 0);
    char path[400];

    for (uint64_t i = 0; i < 3; i++)
        add(s, i, 1000 * S);
    spool_free(s);
    snprintf(path, sizeof path, "%s", segment(0));
    size_t n = load(path, was);
    for (size_t cut = 64; cut < n; cut += 7) {
        store(path, was, cut);
        s = opened(2, 0, 0);
        unsigned whole = (unsigned)((cut - 64) / 772);
        assert_int_equal(count_good(s), whole);
        assert_int_equal(spool_lost_by(s, SPOOL_DAMAGED), (cut - 64) % 772 ? 1 : 0);
        spool_free(s);
        char bad[410];
        snprintf(bad, sizeof bad, "%s.bad", path);
        unlink(bad);
    }
}

static void swapped_and_foreign_files_are_none(void **state)
{
    (void)state;
    struct wire_held held[SPOOL_BOOTS];
    char a[400], b[400], c[80];
    struct spool *s = opened(1, 1 << 20, 0);

    for (uint64_t i = 0; i < 200; i++)          // three files
        add(s, i, 1000 * S);
    spool_free(s);
    snprintf(a, sizeof a, "%s", segment(0));
    snprintf(b, sizeof b, "%s", segment(1));
    snprintf(c, sizeof c, "%s/swap", dir);
    assert_int_equal(rename(a, c), 0);
    assert_int_equal(rename(b, a), 0);
    assert_int_equal(rename(c, b), 0);
    s = opened(2, 1 << 20, 0);                  // each is bound to its number
    assert_int_equal(spool_found(s).damaged, 2);
    assert_true(spool_lost_by(s, SPOOL_DAMAGED) >= 2);
    is_there(s, 1, 199);                        // the third is as it was
    spool_free(s);
    stop(NULL);
    mac[0] ^= 1;                                // another sensor's, for the same post
    s = opened(1, 0, 0);
    add(s, 0, 1000 * S);
    spool_free(s);
    mac[0] ^= 1;
    s = opened(2, 0, 0);
    assert_int_equal(spool_found(s).damaged, 1);
    assert_int_equal(spool_boots(s, held), 0);
    spool_free(s);
}

static void what_may_not_be_read_is_left_alone(void **state)
{
    (void)state;
    char path[400];
    struct stat st;

    if (!geteuid())                             // root may read all
        skip();
    struct spool *s = opened(1, 0, 0);
    add(s, 0, 1000 * S);
    spool_free(s);
    snprintf(path, sizeof path, "%s", segment(0));
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(dir, 0777), 0);
    s = opened(2, 0, 0);
    assert_int_equal(spool_found(s).unreadable, 1);
    assert_int_equal(stat(path, &st), 0);       // it is still there
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    add(s, 0, 1000 * S);
    is_there(s, 2, 0);
    spool_free(s);
    assert_int_equal(chmod(path, 0600), 0);
    s = opened(3, 0, 0);
    is_there(s, 1, 0);
    spool_free(s);
}

static bool write_to(const char *path, const char *text, int n)
{
    int fd = open(path, O_WRONLY);
    bool ok = fd >= 0 && write(fd, text, (size_t)n) == n;
    if (fd >= 0)
        close(fd);
    return ok;
}

// In a file system of its own with room for a few files only: the oldest give way, each counted.
static int fill_a_small_disk(void)
{
    struct wire_span lost;
    uint64_t got;

    char map[32], group[32];
    int uid = (int)geteuid(), gid = (int)getegid();
    int n = snprintf(map, sizeof map, "%d %d 1", uid, uid);
    int k = snprintf(group, sizeof group, "%d %d 1", gid, gid);

    // As root a name space of mounts is enough; others take one of users as well.
    if (uid && (unshare(CLONE_NEWUSER) || !write_to("/proc/self/uid_map", map, n) ||
                !write_to("/proc/self/setgroups", "deny", 4) ||
                !write_to("/proc/self/gid_map", group, k)))
        return 77;
    if (unshare(CLONE_NEWNS) || mkdir(dir, 0700) ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", dir, "tmpfs", 0, "size=512k,mode=700"))
        return 77;
    struct spool *s = opened(1, 1 << 20, 0);    // segments of 64 kB, twice what there is room for
    for (uint64_t i = 0; i < 2000; i++)
        add(s, i, 1000 * S);
    if (!spool_lost(s, 0, &lost) || lost.from || !spool_lost_by(s, SPOOL_DISK) ||
        spool_lost_by(s, SPOOL_DISK) != spool_lost_total(s))
        return 1;
    if (spool_read(s, 1, 0, buf, sizeof buf, &got) <= 0 || got != lost.to + 1)
        return 2;
    is_there(s, 1, 1999);
    spool_free(s);
    s = opened(2, 1 << 20, 0);
    is_there(s, 1, got);
    is_there(s, 1, 1999);
    spool_free(s);
    return 0;
}

static void a_full_disk_loses_the_oldest(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();

    if (!pid)
        _exit(fill_a_small_disk());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();                                 // no user name spaces here
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_byte_flipped_costs_at_most_its_message, start, stop),
        cmocka_unit_test_setup_teardown(each_cut_keeps_what_stands_before_it, start, stop),
        cmocka_unit_test_setup_teardown(swapped_and_foreign_files_are_none, start, stop),
        cmocka_unit_test_setup_teardown(what_may_not_be_read_is_left_alone, start, stop),
        cmocka_unit_test_setup_teardown(a_full_disk_loses_the_oldest, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
