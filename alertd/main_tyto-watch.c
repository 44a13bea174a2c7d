// SPDX-License-Identifier: GPL-3.0-or-later
// tyto-watch: alerts and sensors in a terminal (man page tyto-watch.1): what the page shows, from
// the command post over TLS, or what one sensor hears, from its own socket.
//
//     sign in -> events -> world -> screen (a terminal) | a line a change (no terminal) | JSON
//        ^ lost: said at once, again after 1, 2, 4 .. 10 s, from the last change number
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "alertd/watch.h"
#include "base/utc.h"
#include "base/version.h"
#include "hw/hw.h"

#define S_NS INT64_C(1000000000)
#define DEFAULT_DIR "/var/lib/tyto/alertd"

static const char usage[] =
    "usage: tyto watch [options] [ADDRESS]\n"
    "       tyto watch --local SOCKET [options]\n"
    "\n"
    "Alerts first, one plain line each, then sensors: live in a terminal, a line for each change\n"
    "elsewhere.  q or Ctrl-C ends it.  ADDRESS is the page's, with a one-time link to sign in for\n"
    "the first time (- reads it from standard input); the session is kept for the next.\n"
    "\n"
    "  --fingerprint HEX  the SHA-256 of the post's certificate, as tyto-alertd prints it\n"
    "  --ca FILE          or the authorities (PEM) that vouch for it\n"
    "  --data DIR         or the post's data_dir, on its own machine (default " DEFAULT_DIR ")\n"
    "  --session FILE     where the session is kept (default in ~/.local/state/tyto), mode 600\n"
    "  --local SOCKET     no post: a sensor's own socket (`local` in its configuration)\n"
    "  --json             each change as a line of JSON\n"
    "  --lines            lines, though this is a terminal\n"
    "  --once             what there is now, then end\n"
    "  --version          print the version\n"
    "\n"
    "Exit: 0 ended by q or a signal, 1 not signed in or another certificate, 2 bad use or fault.\n";

static struct {
    const char *fingerprint, *ca, *data, *session, *local;
    bool json, lines, once;
} o = { .data = DEFAULT_DIR };

static struct watch world;
static struct watch_post post;
static volatile sig_atomic_t end, stopped, changed = 1;
static struct termios cooked;
static bool screen;
static struct watch_session session;

static int bad(int code, const char *what)
{
    fprintf(stderr, "tyto-watch: %s\n", what);
    return code;
}

// ---- The terminal ------------------------------------------------------------------------------

static void on_signal(int sig)
{
    if (sig == SIGWINCH || sig == SIGCONT)
        changed = 1;
    else if (sig == SIGTSTP)
        stopped = 1;
    else
        end = sig;
}

// The other screen, no cursor, keys at once; Ctrl-C stays a signal.
static void screen_on(void)
{
    struct termios raw = cooked;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    (void)!write(STDOUT_FILENO, "\033[?1049h\033[?25l", 14);
}

static void screen_off(void)
{
    (void)!write(STDOUT_FILENO, "\033[?25h\033[?1049l", 14);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
}

static void screen_draw(void)
{
    struct winsize z = { 0 };
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return;
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &z);
    fputs("\033[H", out);
    watch_screen(&world, out, z.ws_col ? z.ws_col : 80, z.ws_row > 1 ? z.ws_row - 1 : 23, true);
    fputs("\033[J", out);
    fclose(out);
    (void)!write(STDOUT_FILENO, text, len);
    free(text);
}

static void signals(void)
{
    struct sigaction a = { .sa_handler = on_signal };     // no SA_RESTART: a read ends at once
    int list[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT };
    for (unsigned i = 0; i < sizeof list / sizeof list[0]; i++)
        sigaction(list[i], &a, NULL);
    if (screen)
        sigaction(SIGTSTP, &a, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void pause_here(void)
{
    stopped = 0;
    screen_off();
    raise(SIGSTOP);
    screen_on();
    changed = 1;
}

// ---- Lines -------------------------------------------------------------------------------------

static void tell(void *arg, const char *kind, const json_t *what)
{
    (void)arg;
    changed = 1;
    if (screen || o.once)
        return;
    if (o.json)
        watch_tell_json(&world, stdout, kind, what);
    else if (!strcmp(kind, "link") || !strcmp(kind, "alert") || !strcmp(kind, "sensor"))
        watch_tell_line(&world, stdout, kind, what);
    if (fflush(stdout))
        end = SIGPIPE;
}

// ---- The post ----------------------------------------------------------------------------------

// 0: lost, try again; else the program's end.
static int events_open(struct http **ret, char why[WATCH_WHY])
{
    struct http_answer a;
    char heads[512];
    int r = http_open(ret, &post, why);
    if (r == -EACCES)
        return bad(1, why);
    if (r < 0)
        return 0;
    snprintf(heads, sizeof heads, "Cookie: %s\r\n%s%s%s", session.cookie,
             world.last[0] ? "Last-Event-ID: " : "", world.last, world.last[0] ? "\r\n" : "");
    r = http_ask(*ret, "GET", "/api/v1/events", heads, NULL, &a);
    if (r == 0 && a.status == 200)
        return 0;
    http_close(*ret);
    *ret = NULL;
    if (r == 0 && (a.status == 401 || a.status == 403))
        return bad(1, a.status == 403 ? "signed in, but this role may not see alerts"
                   : "not signed in, or the session has ended: `tyto user link NAME` prints a link "
                     "to give here");
    snprintf(why, WATCH_WHY, "the post answered %d", a.status);
    return 0;
}

static bool events_read(struct http *h, struct watch_feed *f)
{
    char buf[16384];
    for (int i = 0; i < 64; i++) {      // then the screen has its turn
        ssize_t n = http_read(h, buf, sizeof buf);
        if (n == -EAGAIN)
            return true;
        if (n <= 0 || watch_feed_take(&world, f, buf, (size_t)n) < 0)
            return false;
    }
    return true;
}

// ---- The loop ----------------------------------------------------------------------------------

// A key, a signal, the next second; fd: where news come from, -1 none.
static void wait_for(int fd, int ms)
{
    struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
                           { .fd = screen ? STDIN_FILENO : -1, .events = POLLIN } };
    if (poll(p, 2, ms) > 0 && p[1].revents) {
        char key;
        ssize_t n = read(STDIN_FILENO, &key, 1);
        if (n == 0 || (n == 1 && (key == 'q' || key == 'Q')))
            end = SIGINT;
    }
    if (stopped)
        pause_here();
}

static void draw_if(int64_t *last_ns)
{
    int64_t now = mono_now_ns();
    if (!screen || !(now - *last_ns > S_NS || (changed && now - *last_ns > S_NS / 4)))
        return;
    changed = 0;
    *last_ns = now;
    screen_draw();
}

static int run_post(void)
{
    struct watch_feed f = { .line = NULL };
    struct http *h = NULL;
    int64_t drawn_ns = 0, next_ns = 0, wait_ns = S_NS, heard_ns = 0;
    char why[WATCH_WHY] = "";
    int code = 0;
    while (!end && !code) {
        if (!h && mono_now_ns() >= next_ns) {
            watch_feed_done(&f);
            world.gathering = false;
            code = events_open(&h, why);
            next_ns = mono_now_ns() + wait_ns;
            wait_ns = h ? S_NS : wait_ns < 5 * S_NS ? 2 * wait_ns : 10 * S_NS;
            heard_ns = mono_now_ns();
            if (!h && !code && o.once)
                code = bad(2, why);
            if (!h)
                watch_become(&world, WATCH_LOST);
            else if (world.last[0])
                watch_become(&world, WATCH_LIVE);
        }
        if (code)
            break;
        wait_for(h ? http_fd(h) : -1, h && http_waiting(h) ? 0 : 250);
        if (h) {
            struct pollfd p = { .fd = http_fd(h), .events = POLLIN };
            bool news = http_waiting(h) || poll(&p, 1, 0) > 0;
            if (news)
                heard_ns = mono_now_ns();
            if ((news && !events_read(h, &f)) || mono_now_ns() - heard_ns > WATCH_DEAD_S * S_NS) {
                http_close(h);
                h = NULL;
                watch_become(&world, WATCH_LOST);
            }
        }
        if (o.once && world.link == WATCH_LIVE)
            break;
        draw_if(&drawn_ns);
    }
    http_close(h);
    watch_feed_done(&f);
    return code;
}

static int run_local(void)
{
    struct watch_local *l;
    char why[WATCH_WHY];
    int64_t drawn_ns = 0, start_ns = mono_now_ns();
    if (watch_local_open(&l, o.local, why) < 0)
        return bad(2, why);
    world.heard_ns = utc_now_ns();
    while (!end) {
        wait_for(watch_local_fd(l), 250);
        watch_local_read(l, &world);
        if (utc_now_ns() - world.heard_ns > 15 * S_NS)      // health comes every 5 s
            watch_become(&world, WATCH_LOST);
        // Tracks and health are told again every few seconds: that is the snapshot.
        if (o.once && mono_now_ns() - start_ns > 11 * S_NS)
            break;
        draw_if(&drawn_ns);
    }
    watch_local_close(l);
    return 0;
}

// How the post is known, before anything is sent to it.
static int know_post(const char *address)
{
    char why[WATCH_WHY], line[400] = "", path[300];
    snprintf(path, sizeof path, "%.280s/web-url", o.data);
    FILE *f = !address ? fopen(path, "re") : !strcmp(address, "-") ? stdin : NULL;
    if (f && fgets(line, sizeof line, f))
        line[strcspn(line, "\r\n ")] = 0;
    if (f && f != stdin)
        fclose(f);
    if (!address && !*line)
        return bad(2, "which command post? Give its address, or --data on its own machine");
    if (watch_url(&post, *line || !address ? line : address, why) < 0)
        return bad(2, why);
    if (o.fingerprint && watch_pin_text(&post, o.fingerprint, why) < 0)
        return bad(2, why);
    if (o.ca)
        snprintf(post.ca, sizeof post.ca, "%s", o.ca);
    snprintf(path, sizeof path, "%.280s/web-cert.pem", o.data);
    if (post.tls && !post.pinned && !*post.ca && watch_pin_file(&post, path, why) < 0)
        return bad(2, "how is the post known? Give --fingerprint (tyto-alertd prints it when it "
                      "starts) or --ca");
    int r = watch_session_find(&session, &post, o.session, why);
    r = r < 0 ? r : *post.token ? watch_session_link(&session, &post, why)
                                : watch_session_read(&session, why);
    return r < 0 ? bad(r == -EACCES ? 1 : 2, why) : 0;
}

// "de" of LC_ALL, LC_MESSAGES or LANG: "de_AT.UTF-8".
static const char *language(void)
{
    static char ret[4] = "en";
    const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    const char *s = "";

    for (int i = 0; i < 3 && !*s; i++)
        s = getenv(names[i]) ? getenv(names[i]) : "";
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz");
    if ((n == 2 || n == 3) && (!s[n] || strchr("_.@", s[n])))
        snprintf(ret, sizeof ret, "%.*s", (int)n, s);
    return ret;
}

static int run(const char *address)
{
    char dir[200], page[300], why[ALERTD_WHY];
    struct words *words = NULL;
    if (hw_program_dir(dir, sizeof dir) >= 0) {
        snprintf(page, sizeof page, "%s/../share/tyto/page", dir);
        if (words_load(&words, page, language(), why) < 0)
            fprintf(stderr, "tyto-watch: keys instead of words: %s\n", why);
    }
    watch_init(&world);
    world.words = words;
    world.local = o.local != NULL;
    world.tell = tell;
    int code = o.local ? 0 : know_post(address);
    screen = !o.json && !o.lines && !o.once && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
             !tcgetattr(STDIN_FILENO, &cooked);
    if (!code) {
        signals();
        if (screen)
            screen_on();
        code = o.local ? run_local() : run_post();
        if (screen)
            screen_off();
        if (!code && o.once && !end)
            watch_screen(&world, stdout, 0, 0, false);
    }
    if (fflush(stdout) && !code)
        code = 2;
    watch_done(&world);
    words_free(words);
    return code;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "fingerprint", required_argument, NULL, 'f' }, { "ca", required_argument, NULL, 'c' },
        { "data", required_argument, NULL, 'd' }, { "session", required_argument, NULL, 's' },
        { "local", required_argument, NULL, 'L' }, { "json", no_argument, NULL, 'j' },
        { "lines", no_argument, NULL, 'l' }, { "once", no_argument, NULL, 'o' },
        { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' },
        { NULL, 0, NULL, 0 } };
    int c;
    setlocale(LC_CTYPE, "C.UTF-8");     // wide characters are counted as what they are
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
        switch (c) {
        case 'f': o.fingerprint = optarg; break;
        case 'c': o.ca = optarg; break;
        case 'd': o.data = optarg; break;
        case 's': o.session = optarg; break;
        case 'L': o.local = optarg; break;
        case 'j': o.json = true; break;
        case 'l': o.lines = true; break;
        case 'o': o.once = true; break;
        case 'h': fputs(usage, stdout); return 0;
        case 'v': puts("tyto-watch " TYTO_VERSION); return 0;
        default: fputs("Try 'tyto-watch --help'.\n", stderr); return 2;
        }
    if (argc - optind > (o.local ? 0 : 1) || (o.fingerprint && o.ca))
        return bad(2, o.fingerprint && o.ca ? "either --fingerprint or --ca"
                   : "too many arguments; try --help");
    return run(optind < argc ? argv[optind] : NULL);
}
