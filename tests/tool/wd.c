// SPDX-License-Identifier: GPL-3.0-or-later
// A browser in tests, without node: one WebDriver command to a chromedriver on this machine.
//
//     wd PORT open FOLDER              a browser with its profile there; prints the session
//     wd PORT SESSION go URL
//     wd PORT SESSION js SCRIPT        what the script returns, strings as they are
//     wd PORT SESSION wait MS SCRIPT   until it returns what is true; exit 1: it never did
//     wd PORT SESSION keys TEXT        typed into whatever has the focus
//     wd PORT SESSION size WIDTH HEIGHT
//     wd PORT SESSION shot FILE.png
//     wd PORT SESSION log              the console: a line each
//     wd PORT SESSION asked            every address the page asked for: a line each
//     wd PORT SESSION close
#include <arpa/inet.h>
#include <jansson.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/utc.h"

// One question a process: what it holds ends with it, and no leak checker need ask.
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

static unsigned port;
static const char *session;

static void fail(const char *what, const char *more)
{
    fprintf(stderr, "wd: %s: %.2000s\n", what, more);
    exit(2);
}

static FILE *join(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval wait = { .tv_sec = 60 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a))
        fail("chromedriver", "does not answer");
    return fdopen(fd, "r+");
}

// The "value" of the answer; what went wrong ends the program.
static json_t *ask(const char *method, const char *path, json_t *body)
{
    char line[1024], *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    size_t len = 0;
    FILE *f = join();
    fprintf(f, "%s %s%s%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", method,
            session ? "/session/" : "", session ? session : "", path, text ? strlen(text) : 0,
            text ? text : "");
    fflush(f);
    free(text);
    json_decref(body);
    while (fgets(line, sizeof line, f) && strcmp(line, "\r\n"))
        if (!strncasecmp(line, "Content-Length:", 15))
            len = strtoul(line + 15, NULL, 10);
    char *got = calloc(1, len + 1);
    if (!got || fread(got, 1, len, f) != len)
        fail(path, "no whole answer");
    fclose(f);
    json_t *j = json_loadb(got, len, 0, NULL), *v = json_object_get(j, "value");
    const char *error = json_string_value(json_object_get(v, "error"));
    if (!v || error)
        fail(path, got);
    free(got);
    json_incref(v);
    json_decref(j);
    return v;
}

// Nothing of it leaves this machine: no name resolves but ours, and the browser's own errands are
// off.  Root needs --no-sandbox; the pages are our own.
static void open_browser(const char *folder)
{
    char profile[512];
    snprintf(profile, sizeof profile, "--user-data-dir=%s", folder);
    json_t *caps = json_pack("{s:{s:{s:s,s:b,s:{s:s,s:s},s:{s:[s,s,s,s,s,s,s,s,s,s,s]}}}}",
        "capabilities", "alwaysMatch", "browserName", "chrome", "acceptInsecureCerts", 1,
        "goog:loggingPrefs", "browser", "ALL", "performance", "ALL", "goog:chromeOptions", "args",
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--no-first-run", "--window-size=1400,900",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1", profile);
    json_t *v = ask("POST", "/session", caps);
    puts(json_string_value(json_object_get(v, "sessionId")));
}

static json_t *js(const char *script)
{
    return ask("POST", "/execute/sync", json_pack("{s:s,s:[]}", "script", script, "args"));
}

static bool truth(const json_t *v)
{
    return json_is_true(v) || (json_is_number(v) && json_number_value(v) != 0) ||
           (json_is_string(v) && *json_string_value(v)) || json_is_object(v) || json_is_array(v);
}

static void print(const json_t *v)
{
    char *s = json_is_string(v) ? NULL : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    puts(s ? s : json_string_value(v));
    free(s);
}

static int wait_true(long ms, const char *script)
{
    int64_t until_ns = mono_now_ns() + ms * 1000000;
    for (;;) {
        bool yes = truth(js(script));
        if (yes || mono_now_ns() > until_ns)
            return yes ? 0 : 1;
        nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
    }
}

// One character after the other; WebDriver's own ones (Enter is U+E007) come as UTF-8.
static void type_keys(const char *s)
{
    json_t *list = json_array();
    while (*s) {
        size_t n = 1;
        while ((s[n] & 0xc0) == 0x80)
            n++;
        json_array_append_new(list, json_pack("{s:s,s:s%}", "type", "keyDown", "value", s, n));
        json_array_append_new(list, json_pack("{s:s,s:s%}", "type", "keyUp", "value", s, n));
        s += n;
    }
    ask("POST", "/actions", json_pack("{s:[{s:s,s:s,s:o}]}", "actions", "type", "key", "id", "k",
                                      "actions", list));
}

static void shoot(const char *file)
{
    const char *text = json_string_value(ask("GET", "/screenshot", NULL));
    size_t room = strlen(text), n = 0;
    unsigned char *png = malloc(room + 1);
    FILE *f = fopen(file, "wb");
    if (!png || !f || sodium_base642bin(png, room, text, room, "\r\n", &n, NULL,
                                        sodium_base64_VARIANT_ORIGINAL) ||
        fwrite(png, 1, n, f) != n || fclose(f))
        fail(file, "cannot be written");
    free(png);
}

static void print_log(const char *type, bool asked)
{
    json_t *list = ask("POST", "/se/log", json_pack("{s:s}", "type", type)), *e;
    size_t i;
    json_array_foreach(list, i, e) {
        const char *text = json_string_value(json_object_get(e, "message"));
        if (!asked) {
            printf("%s %s\n", json_string_value(json_object_get(e, "level")), text);
            continue;
        }
        json_t *m = json_loads(text, 0, NULL), *what = json_object_get(m, "message");
        const char *method = json_string_value(json_object_get(what, "method"));
        if (method && !strcmp(method, "Network.requestWillBeSent"))
            puts(json_string_value(json_object_get(json_object_get(json_object_get(what, "params"),
                                                                   "request"), "url")));
        json_decref(m);
    }
}

int main(int argc, char **argv)
{
    port = argc > 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    if (!port) {
        fputs("usage: wd PORT open FOLDER | wd PORT SESSION COMMAND [ARGUMENTS]\n", stderr);
        return 2;
    }
    if (!strcmp(argv[2], "open"))
        return open_browser(argv[3]), 0;
    session = argv[2];
    const char *cmd = argv[3], *a = argc > 4 ? argv[4] : "", *b = argc > 5 ? argv[5] : "";
    if (!strcmp(cmd, "go"))
        ask("POST", "/url", json_pack("{s:s}", "url", a));
    else if (!strcmp(cmd, "js"))
        print(js(a));
    else if (!strcmp(cmd, "wait"))
        return wait_true(strtol(a, NULL, 10), b);
    else if (!strcmp(cmd, "keys"))
        type_keys(a);
    else if (!strcmp(cmd, "size"))
        ask("POST", "/window/rect", json_pack("{s:i,s:i}", "width", (int)strtol(a, NULL, 10),
                                              "height", (int)strtol(b, NULL, 10)));
    else if (!strcmp(cmd, "shot"))
        shoot(a);
    else if (!strcmp(cmd, "log") || !strcmp(cmd, "asked"))
        print_log(!strcmp(cmd, "log") ? "browser" : "performance", !strcmp(cmd, "asked"));
    else if (!strcmp(cmd, "close"))
        ask("DELETE", "", NULL);
    else
        fail(cmd, "no such command");
    return 0;
}
