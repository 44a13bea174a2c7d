// SPDX-License-Identifier: GPL-3.0-or-later
// The jail of a driver.  Nothing here needs a privilege, so each wall may be missing on some
// machine; which ones are is told.
//
//     network    a name space of its own without any interface (USB is a file, not a network);
//                where that is forbidden, a filter that refuses sockets of IPv4, IPv6, packets
//     files      Landlock: reads the system's libraries and tables, the plug-ins and what the
//                arguments name; writes devices only.  Keys and the spool lie elsewhere.
#include "sdr/radio/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sdr/radio/talk.h"

// ---- Network ---------------------------------------------------------------------------------

#if defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#endif

static bool refuse_sockets(void)
{
#ifdef ARCH
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define GIVE(what) BPF_STMT(BPF_RET | BPF_K, what)
    // Only these families pass: local sockets and the kernel's own news of devices.  io_uring could
    // make sockets past this filter, a foreign architecture has other numbers: both refused.
    struct sock_filter rules[] = {
        LOAD(arch), IS(ARCH, 1, 0), GIVE(SECCOMP_RET_ERRNO | ENOSYS),
        LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),    // x32
        GIVE(SECCOMP_RET_ERRNO | ENOSYS),
        IS(SYS_io_uring_setup, 0, 1), GIVE(SECCOMP_RET_ERRNO | ENOSYS),
        IS(SYS_socket, 1, 0), GIVE(SECCOMP_RET_ALLOW),
        LOAD(args[0]), IS(AF_UNIX, 2, 0), IS(AF_NETLINK, 1, 0),
        GIVE(SECCOMP_RET_ERRNO | EAFNOSUPPORT), GIVE(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof rules / sizeof *rules, rules };
    return !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
#else
    return false;
#endif
}

static bool leave_network(void)
{
    return !unshare(CLONE_NEWUSER | CLONE_NEWNET) || !unshare(CLONE_NEWNET);
}

// ---- Files -----------------------------------------------------------------------------------

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | \
              LANDLOCK_ACCESS_FS_EXECUTE)
#define WRITE LANDLOCK_ACCESS_FS_WRITE_FILE
#define FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE | WRITE)
#define ALL ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)        // what the first version knows

static void allow(int rules, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr a = { .parent_fd = open(path, O_PATH | O_CLOEXEC) };
    struct stat st;

    if (a.parent_fd < 0)
        return;
    a.allowed_access = access;
    if (!fstat(a.parent_fd, &st) && !S_ISDIR(st.st_mode))
        a.allowed_access &= FILES;
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
    close(a.parent_fd);
}

// The folder of each file that the arguments name: a recording has its metadata beside it.
static void allow_args(int rules, const char *args)
{
    char all[1024], path[PATH_MAX], *save = NULL;

    snprintf(all, sizeof all, "%s", args);
    for (char *a = strtok_r(all, ",", &save); a; a = strtok_r(NULL, ",", &save)) {
        const char *value = strchr(a, '=');
        if (!value++)
            continue;
        snprintf(path, sizeof path, "%s", value);
        if (access(path, F_OK) && !strchr(path, '/'))
            continue;
        allow(rules, path, READ);
        char *slash = strrchr(path, '/');
        if (!slash)
            allow(rules, ".", READ);
        else if (slash != path) {
            *slash = 0;
            allow(rules, path, READ);
        }
    }
}

static bool leave_files(bool network, const char *plugin_path, const char *args)
{
    static const char *const names[] = {        // for who must find a host
        "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
        "/etc/protocols", "/run/systemd/resolve", "/run/avahi-daemon",
    };
    static const char *const readable[] = {
        "/usr", "/lib", "/lib64", "/bin", "/opt", "/proc", "/sys", "/run/udev",
        "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/localtime", "/etc/nsswitch.conf",
        "/etc/passwd", "/etc/group", "/etc/udev", "/etc/uhd", "/etc/Nuand",
    };
    struct landlock_ruleset_attr attr = { .handled_access_fs = ALL };
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);

    if (rules < 0)
        return false;
    for (unsigned i = 0; i < sizeof readable / sizeof *readable; i++)
        allow(rules, readable[i], READ);
    for (unsigned i = 0; network && i < sizeof names / sizeof *names; i++)
        allow(rules, names[i], READ);
    allow(rules, "/dev", READ | WRITE);
    char one[PATH_MAX], *save = NULL;
    snprintf(one, sizeof one, "%s", plugin_path ? plugin_path : "");
    for (char *p = strtok_r(one, ":", &save); p; p = strtok_r(NULL, ":", &save))
        allow(rules, p, READ);
    allow_args(rules, args);
    bool ok = !syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules);
    return ok;
}

unsigned jail_filter(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return refuse_sockets() ? 0 : TALK_DOOR_NETWORK;
}

unsigned jail_enter(bool network, const char *plugin_path, const char *args)
{
    struct rlimit none = { 0, 0 };
    unsigned open_doors = 0;

    setrlimit(RLIMIT_CORE, &none);
    if (!network && !leave_network())
        open_doors |= TALK_DOOR_NETWORK;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (open_doors)
        open_doors = jail_filter();
    if (!leave_files(network, plugin_path, args))
        open_doors |= TALK_DOOR_FILES;
    return open_doors;
}
