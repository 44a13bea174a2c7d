// SPDX-License-Identifier: GPL-3.0-or-later
// tyto-user: the accounts of a command post (man page tyto-user.1).  Works on accounts.db beside a
// running tyto-alertd, which notices within a second.
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "alertd/acct.h"
#include "base/json.h"
#include "base/log.h"
#include "base/utc.h"
#include "base/version.h"

#define DEFAULT_DIR "/var/lib/tyto/alertd"

struct options { const char *data, *role, *url, *arg[3]; int n; bool json; };

static const char usage[] =
    "usage: tyto user add     [--data DIR] [--role ROLE] [--url URL] NAME\n"
    "       tyto user link    [--data DIR] [--url URL] NAME\n"
    "       tyto user passwd  [--data DIR] NAME\n"
    "       tyto user role    [--data DIR] --role ROLE NAME\n"
    "       tyto user disable [--data DIR] NAME\n"
    "       tyto user list    [--data DIR] [--json]\n"
    "\n"
    "The people who may use a command post.  add makes an account and link prints a one-time\n"
    "link to sign in with: good for ten minutes and for one use; the person may then set a\n"
    "password.  passwd sets one here, from the terminal or the first line of standard input,\n"
    "and ends the account's sessions.  disable ends them, and the account, at once; link or\n"
    "passwd allows it again.\n"
    "\n"
    "  --data DIR   the post's data_dir (default " DEFAULT_DIR ")\n"
    "  --role ROLE  viewer (default), operator, supervisor, technician, auditor or metrics\n"
    "  --url URL    how the page is reached (default: what the running post wrote down)\n"
    "  --json       JSON Lines instead of words\n"
    "\n"
    "Exit: 0 done, 2 bad use or a fault.\n";

#define bad(...) log_refuse("tyto-user", __VA_ARGS__)

static int64_t now_s(void) { return utc_now_ns() / 1000000000; }

// ---- Links -------------------------------------------------------------------------------------

// Where the page is: as told, or as the running post says, or as it is by default.
static void page_url(const struct options *o, char ret[256])
{
    char path[300];

    snprintf(ret, 256, "%s", o->url ? o->url : "https://localhost:8443/");
    snprintf(path, sizeof path, "%s/web-url", o->data);
    FILE *f = o->url ? NULL : fopen(path, "re");
    if (!f)
        return;
    if (fgets(ret, 256, f))
        ret[strcspn(ret, "\r\n")] = '\0';
    fclose(f);
}

// Whether nobody answers where the link leads: only looked at where that is this machine.
static bool nobody_there(const char *url)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const char *local = "https://localhost:";
    unsigned long port = !strncmp(url, local, strlen(local)) ?
                         strtoul(url + strlen(local), NULL, 10) : 0;
    int fd = port && port < 65536 ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

    a.sin_port = htons((uint16_t)port);
    bool refused = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return refused;
}

static int print_link(struct acct *a, const struct options *o, const char *user)
{
    char token[ACCT_TOKEN], url[256], why[ACCT_WHY];

    if (acct_link(a, user, now_s(), token, why) < 0)
        return bad("%s", why);
    page_url(o, url);
    printf("sign-in link for %s, once, within %d minutes:\n%s%s#token=%s\n", user, ACCT_LINK_S / 60,
           url, *url && url[strlen(url) - 1] == '/' ? "" : "/", token);
    if (nobody_there(url))
        fprintf(stderr, "tyto-user: nothing answers there: the post is not running; start "
                "tyto-alertd before the ten minutes are over\n");
    return 0;
}

static int add(struct acct *a, const struct options *o, enum acct_role role)
{
    char why[ACCT_WHY];

    if (acct_add(a, o->arg[1], role, now_s(), why) < 0)
        return bad("%s", why);
    if (role == ROLE_METRICS) {             // a program: it has no use for a link
        printf("%s may read /metrics once it has a password: tyto user passwd %s\n", o->arg[1],
               o->arg[1]);
        return 0;
    }
    return print_link(a, o, o->arg[1]);
}

// ---- Passwords ---------------------------------------------------------------------------------

static bool read_line(char ret[ACCT_PASSWORD + 2])
{
    if (!fgets(ret, ACCT_PASSWORD + 2, stdin))
        return false;
    ret[strcspn(ret, "\r\n")] = '\0';
    return true;
}

static bool ask(const char *prompt, char ret[ACCT_PASSWORD + 2])
{
    struct termios old, quiet;

    if (tcgetattr(STDIN_FILENO, &old))
        return read_line(ret);              // not a terminal
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    fputs(prompt, stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    bool ok = read_line(ret);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
    fputs("\n", stderr);
    return ok;
}

static int passwd(struct acct *a, const struct options *o)
{
    char one[ACCT_PASSWORD + 2], two[ACCT_PASSWORD + 2], why[ACCT_WHY];
    int r = 0;

    if (!ask("New password: ", one))
        return bad("standard input: a password was expected");
    if (isatty(STDIN_FILENO) && (!ask("Once more: ", two) || strcmp(one, two)))
        r = bad("the two are not the same");
    else if (acct_set_password(a, o->arg[1], one, NULL, why) < 0)
        r = bad("%s", why);
    explicit_bzero(one, sizeof one);
    explicit_bzero(two, sizeof two);
    return r;
}

// ---- The list ----------------------------------------------------------------------------------

static void print_json(const struct acct_row *x, const char *made, const char *seen)
{
    struct json j;

    json_init(&j, stdout);
    json_begin(&j);
    json_str(&j, "user", x->user);
    json_str(&j, "role", acct_role_name(x->role));
    json_bool(&j, "disabled", x->disabled);
    json_bool(&j, "has_password", x->has_password);
    json_int(&j, "sessions", x->sessions);
    json_str(&j, "made", made);
    json_str(&j, "seen", x->seen_s ? seen : NULL);
    json_end(&j);
}

static int list(struct acct *a, const struct options *o)
{
    char why[ACCT_WHY], made[UTC_LEN], seen[UTC_LEN];
    struct acct_row *row;
    int n = acct_list(a, &row, now_s(), why);

    if (n < 0)
        return bad("%s", why);
    for (int i = 0; i < n; i++) {
        const struct acct_row *x = &row[i];
        utc_format(made, x->made_s * 1000000000, 0);
        utc_format(seen, x->seen_s * 1000000000, 0);
        if (o->json)
            print_json(x, made, seen);
        else
            printf("%-20s %-11s %-9s %-12s %u signed in  last %s\n", x->user,
                   acct_role_name(x->role), x->disabled ? "disabled" : "allowed",
                   x->has_password ? "password" : "no password", x->sessions,
                   x->seen_s ? seen : "never");
    }
    free(row);
    return 0;
}

// ---- The command line --------------------------------------------------------------------------

static int run(struct acct *a, const struct options *o)
{
    char why[ACCT_WHY];
    const char *verb = o->arg[0], *user = o->arg[1];
    int role = acct_role_of(o->role ? o->role : "viewer");

    if (!strcmp(verb, "list"))
        return list(a, o);
    if (!strcmp(verb, "add"))
        return add(a, o, (enum acct_role)role);
    if (!strcmp(verb, "link"))
        return print_link(a, o, user);
    if (!strcmp(verb, "passwd"))
        return passwd(a, o);
    int r = !strcmp(verb, "role") ? acct_set_role(a, user, (enum acct_role)role, why) :
                                    acct_disable(a, user, why);
    return r < 0 ? bad("%s", why) : 0;
}

static int check(const struct options *o)
{
    static const char *const verbs[] = { "add", "link", "passwd", "role", "disable", "list" };
    size_t i = 0;

    if (!o->n)
        return bad("one of add, link, passwd, role, disable or list was expected; see --help");
    while (i < sizeof verbs / sizeof verbs[0] && strcmp(o->arg[0], verbs[i]))
        i++;
    if (i == sizeof verbs / sizeof verbs[0])
        return bad("there is no \"%.40s\"; see --help", o->arg[0]);
    if (o->n != (i == 5 ? 1 : 2))
        return bad(i == 5 ? "list takes no name" : "%s takes one name", o->arg[0]);
    if (o->role && acct_role_of(o->role) < 0)
        return bad("--role %.40s: viewer, operator, supervisor, technician, auditor or metrics was "
                   "expected", o->role);
    if (i == 3 && !o->role)
        return bad("role needs --role");
    return 0;
}

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {
        { "data", required_argument, NULL, 'd' }, { "role", required_argument, NULL, 'r' },
        { "url", required_argument, NULL, 'u' },  { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },       { "version", no_argument, NULL, 'v' }, { 0 }
    };
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
        switch (c) {
        case 'd': o->data = optarg; break;
        case 'r': o->role = optarg; break;
        case 'u': o->url = optarg; break;
        case 'j': o->json = true; break;
        case 'h': fputs(usage, stdout); return 1;
        case 'v': printf("tyto-user %s\n", TYTO_VERSION); return 1;
        default:  return bad("%.60s: not an option, or without what it needs; see --help",
                             argv[optind - 1]);
        }
    for (; optind < argc; optind++) {
        if (o->n == 3)
            return bad("too many words: \"%.40s\"", argv[optind]);
        o->arg[o->n++] = argv[optind];
    }
    return check(o);
}

// As root everything is done as the owner of the data: a file made here by root would be one that
// the daemon cannot open.
static int become_owner(const char *dir)
{
    struct stat st;

    if (geteuid() || stat(dir, &st) || !st.st_uid)
        return 0;
    return setgroups(0, NULL) || setgid(st.st_gid) || setuid(st.st_uid) ? -errno : 0;
}

// The folder is there, holds accounts where some are asked for, and is ours to write in.
static int check_folder(const struct options *o)
{
    struct stat st;
    char path[300];

    if (stat(o->data, &st))
        return errno == ENOENT ? bad("%s: no such folder: a post makes it when it starts for the "
                                     "first time; start tyto-alertd, or name the data_dir of its "
                                     "configuration with --data", o->data) :
                                 bad("%s: %s", o->data, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return bad("%s: no folder: --data names the data_dir of the post's configuration", o->data);
    snprintf(path, sizeof path, "%.280s/accounts.db", o->data);
    bool none = access(path, F_OK) && errno == ENOENT;
    if (none && strcmp(o->arg[0], "add"))
        return bad("%s: no accounts here yet: is this the post's data_dir (--data)? The first one "
                   "is made by tyto user add", o->data);
    // SQLite writes beside the file: the folder, too, has to be ours.
    if (access(o->data, R_OK | W_OK | X_OK) || (!none && access(path, R_OK | W_OK))) {
        int why = errno;
        const struct passwd *p = getpwuid(st.st_uid);
        if (why == EACCES)
            return bad("%s: only root%s%s may do this: try it with sudo", o->data,
                       st.st_uid ? " and " : "",
                       !st.st_uid ? "" : p ? p->pw_name : "its owner");
        return bad("%s: %s", o->data, strerror(why));
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options o = { .data = DEFAULT_DIR };
    char why[ACCT_WHY];
    int r = parse(argc, argv, &o);

    if (r == 1)
        return fflush(stdout) ? bad("standard output: %s", strerror(errno)) : 0;
    if (r)
        return r;
    prctl(PR_SET_DUMPABLE, 0);              // a password may be in memory
    umask(077);
    if ((r = become_owner(o.data)))
        return bad("cannot become the owner of %s: %s", o.data, strerror(-r));
    if ((r = check_folder(&o)))
        return r;
    struct acct *a = acct_open(o.data, why);
    if (!a)
        return bad("%s", why);
    r = run(a, &o);
    acct_close(a);
    if (!r && fflush(stdout))
        return bad("standard output: %s", strerror(errno));
    return r;
}
