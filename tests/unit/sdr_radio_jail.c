// SPDX-License-Identifier: GPL-3.0-or-later
// What a driver can still do in the jail.  Each trial is a process of its own.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdr/radio/jail.h"
#include "sdr/radio/talk.h"

static char dir[] = "/tmp/tyto-jail-XX" "XX" "XX";
static char args[256];

static int write_file(const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return -1;
    return close(fd);
}

static bool can_read(const char *folder, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY);
    return fd >= 0;
}

// The datagram's way out: an address no machine has (RFC 5737).
static bool can_send(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9),
                              .sin_addr.s_addr = htonl(0xc0000201) };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    return fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof to);
}

static int trial(int (*run)(unsigned open_doors), bool filter_only)
{
    pid_t pid = fork();
    int status;

    if (!pid) {
        unsigned doors = filter_only ? jail_filter() : jail_enter(false, NULL, args);
        _exit(run(doors));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define BELOW "below"

static int look_out(unsigned doors)
{
    struct rlimit core;

    if (!(doors & TALK_DOOR_NETWORK) && can_send())
        return 1;
    if (!(doors & TALK_DOOR_FILES) && can_read("/etc", "hostname") && can_read("/etc", "fstab"))
        return 2;
    if (!(doors & TALK_DOOR_FILES) && can_read("/var/log", "dpkg.log"))
        return 3;
    if (!can_read(dir, BELOW "/scene.yaml") || !can_read("/usr/bin", "env"))
        return 4;                       // what it is there for
    if (!(doors & TALK_DOOR_FILES) && (can_read(dir, "secret.key") || !write_file("new", "x")))
        return 5;
    if (getrlimit(RLIMIT_CORE, &core) || core.rlim_max || !prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
        return 6;
    int fd = open("/dev/null", O_RDWR);
    return fd < 0 || write(fd, "x", 1) != 1 ? 7 : 0;
}

static void a_driver_sees_its_files_and_no_network(void **state)
{
    (void)state;
    assert_int_equal(trial(look_out, false), 0);
}

static int use_sockets(unsigned doors)
{
    int pair[2];
    if (doors)
        return 77;
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EAFNOSUPPORT)
        return 1;
    if (socket(AF_INET6, SOCK_DGRAM, 0) >= 0 || socket(AF_PACKET, SOCK_RAW, 0) >= 0)
        return 2;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || socket(AF_NETLINK, SOCK_RAW, 0) < 0)
        return 3;
    return 0;
}

static void the_filter_refuses_networks_only(void **state)
{
    (void)state;
    int r = trial(use_sockets, true);
    if (r == 77)
        skip();
    assert_int_equal(r, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_driver_sees_its_files_and_no_network),
        cmocka_unit_test(the_filter_refuses_networks_only),
    };
    char below[64], path[128];

    if (!mkdtemp(dir))
        return 2;
    snprintf(below, sizeof below, "%s/" BELOW, dir);
    snprintf(args, sizeof args, "driver=tyto, scene=%s/scene.yaml", below);
    if (mkdir(below, 0700) || write_file("secret.key", "s") || write_file(BELOW "/scene.yaml", "s"))
        return 2;
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(path, sizeof path, "%s/scene.yaml", below);
    unlink(path);
    rmdir(below);
    snprintf(path, sizeof path, "%s/secret.key", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/new", dir);
    unlink(path);
    rmdir(dir);
    return r;
}
