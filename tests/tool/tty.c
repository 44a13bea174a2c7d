// SPDX-License-Identifier: GPL-3.0-or-later
// A terminal for tests: runs a program in one, does what standard input says, and knows what stands
// on its screen.
//
//     tty COLS ROWS PROGRAM ARGS...
//
//     wait MS TEXT       until TEXT stands on the screen (it may go on in the next row)
//     gone MS TEXT       until it does not
//     size COLS ROWS     another size
//     keys TEXT          typed; \e is Escape, \c is Ctrl-C, \n is Return
//     show FILE          the screen as text
//     raw FILE           every byte that came so far
//     tidy               nothing ever ran over the edge, no row was lost below
//     end CODE           the program ends with that code, and left the terminal as it was
//
// What fails is said on standard error with the screen, exit 1.
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/utc.h"

#define MOST 300
static struct {
    char   cell[MOST][MOST];    // '?' for what is not plain ASCII: one column each
    int    cols, rows, x, y, wrapped, scrolled;
    int    young;               // drawings since the size changed; the first may be of the old one
    bool   other, hidden;       // the other screen, no cursor
    char   esc[32];
    int    n_esc;
    char  *raw;
    size_t n_raw;
} s;
static int master;
static pid_t child;
static struct termios before;

static void clear(int y, int x)
{
    for (; y < MOST; y++, x = 0)
        memset(&s.cell[y][x], ' ', (size_t)(MOST - x));
}

static void fail(const char *what, const char *more)
{
    fprintf(stderr, "tty: %s %s; the screen:\n", what, more);
    for (int y = 0; y < s.rows; y++)
        fprintf(stderr, "    |%.*s|\n", s.cols, s.cell[y]);
    kill(child, SIGKILL);
    exit(1);
}

// ---- What comes -------------------------------------------------------------------------------

static void sequence(char end)
{
    if (end == 'H')
        s.x = s.y = 0, s.young++;
    else if (end == 'J')
        clear(s.y, s.x);
    else if (end == 'K')
        memset(&s.cell[s.y][s.x], ' ', (size_t)(MOST - s.x));
    else if ((end == 'h' || end == 'l') && !strcmp(s.esc, "[?1049"))
        s.other = end == 'h', clear(0, 0), s.x = s.y = 0;
    else if ((end == 'h' || end == 'l') && !strcmp(s.esc, "[?25"))
        s.hidden = end == 'l';
    else if (end != 'm')
        fail("a sequence nobody expects:", s.esc);
}

static void take(unsigned char c)
{
    if (s.n_esc || c == 033) {
        if (c == 033)
            s.n_esc = 1, s.esc[0] = 0;
        else if (c == '[' || c == '?' || c == ';' || (c >= '0' && c <= '9')) {
            if (s.n_esc < 30)
                s.esc[s.n_esc - 1] = (char)c, s.esc[s.n_esc++] = 0;
        } else
            s.n_esc = 0, sequence((char)c);
        return;
    }
    if (c == '\r')
        s.x = 0;
    else if (c == '\n') {
        s.scrolled += s.y + 1 >= s.rows && s.young > 1;
        s.y += s.y + 1 < s.rows;
    } else if (c < ' ' || c == 0x7f) {
        fail("a control character", "");
    } else if ((c & 0xc0) != 0x80) {
        if (s.x >= s.cols)
            s.wrapped += s.young > 1, s.x = 0, s.y += s.y + 1 < s.rows;
        s.cell[s.y][s.x++] = c < 0x80 ? (char)c : '?';
    }
}

// Reads for so long, or until there is something; false: it has ended.
static bool listen_for(int ms)
{
    unsigned char b[4096];
    struct pollfd p = { .fd = master, .events = POLLIN };
    if (poll(&p, 1, ms) <= 0)
        return true;
    ssize_t n = read(master, b, sizeof b);
    if (n <= 0)
        return false;
    s.raw = realloc(s.raw, s.n_raw + (size_t)n);
    memcpy(s.raw + s.n_raw, b, (size_t)n);
    s.n_raw += (size_t)n;
    for (ssize_t i = 0; i < n; i++)
        take(b[i]);
    return true;
}

// ---- What is asked ------------------------------------------------------------------------------

// The rows as one text: blanks at their ends and beginnings are one.
static bool stands(const char *text)
{
    static char all[MOST * MOST + 1];
    size_t n = 0;
    for (int y = 0; y < s.rows; y++)
        for (int x = 0; x <= s.cols; x++) {
            char c = x < s.cols ? s.cell[y][x] : ' ';
            if (c != ' ' || (n && all[n - 1] != ' '))
                all[n++] = c;
        }
    all[n] = 0;
    return strstr(all, text);
}

static void wait_for(long ms, const char *text, bool there)
{
    int64_t until = mono_now_ns() + ms * 1000000;
    while (stands(text) != there) {
        if (mono_now_ns() > until || !listen_for(50))
            fail(there ? "does not come:" : "does not go:", text);
    }
}

static void resize(int cols, int rows)
{
    struct winsize z = { .ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows };
    s.cols = cols < MOST ? cols : MOST - 1;
    s.rows = rows < MOST ? rows : MOST - 1;
    clear(0, 0);
    s.x = s.y = s.young = 0;
    ioctl(master, TIOCSWINSZ, &z);
}

static void type(const char *t)
{
    for (; *t; t++) {
        char c = *t;
        if (c == '\\' && t[1])
            c = *++t == 'e' ? 033 : *t == 'c' ? 3 : *t == 'n' ? '\n' : *t;
        if (write(master, &c, 1) != 1)
            fail("keys", strerror(errno));
    }
}

static void save(const char *file, bool raw)
{
    FILE *f = fopen(file, "w");
    if (!f)
        fail(file, strerror(errno));
    if (raw)
        fwrite(s.raw, 1, s.n_raw, f);
    for (int y = 0; !raw && y < s.rows; y++)
        fprintf(f, "%.*s\n", s.cols, s.cell[y]);
    fclose(f);
}

static void end(int code)
{
    int status;
    struct termios now;
    int64_t until = mono_now_ns() + 20 * INT64_C(1000000000);
    while (waitpid(child, &status, WNOHANG) == 0)
        if (mono_now_ns() > until)
            fail("does not end", "");
        else
            listen_for(50);
    while (listen_for(100) && mono_now_ns() < until) {
        struct pollfd p = { .fd = master, .events = POLLIN };
        if (poll(&p, 1, 100) <= 0)
            break;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != code) {
        char was[20];
        snprintf(was, sizeof was, "%x", (unsigned)status);
        fail("ended with", was);
    }
    tcgetattr(master, &now);
    if (s.other || s.hidden || now.c_lflag != before.c_lflag)
        fail("the terminal is not as it was", "");
    exit(0);
}

static void obey(char *line)
{
    char *what = strsep(&line, " "), *a;
    line = line ? line : what + strlen(what);
    if (!strcmp(what, "wait") || !strcmp(what, "gone")) {
        a = strsep(&line, " ");
        wait_for(strtol(a, NULL, 10), line, !strcmp(what, "wait"));
    } else if (!strcmp(what, "size")) {
        a = strsep(&line, " ");
        resize((int)strtol(a, NULL, 10), (int)strtol(line, NULL, 10));
    } else if (!strcmp(what, "keys")) {
        type(line);
    } else if (!strcmp(what, "show") || !strcmp(what, "raw")) {
        save(line, !strcmp(what, "raw"));
    } else if (!strcmp(what, "tidy")) {
        for (int i = 0; i < 200 && s.young < 4 && listen_for(100); i++)     // one a second
            ;
        if (s.wrapped || s.scrolled)
            fail("it ran over", s.wrapped ? "the right edge" : "the last row");
    } else if (!strcmp(what, "end")) {
        end((int)strtol(line, NULL, 10));
    } else {
        fail("no such order:", what);
    }
}

int main(int argc, char **argv)
{
    char line[1024];
    if (argc < 4) {
        fputs("usage: tty COLS ROWS PROGRAM ARGS... <orders\n", stderr);
        return 2;
    }
    struct winsize z = { .ws_col = (unsigned short)strtoul(argv[1], NULL, 10),
                         .ws_row = (unsigned short)strtoul(argv[2], NULL, 10) };
    child = forkpty(&master, NULL, NULL, &z);
    if (child == 0) {
        execv(argv[3], argv + 3);
        _exit(127);
    }
    if (child < 0)
        return 2;
    tcgetattr(master, &before);
    resize(z.ws_col, z.ws_row);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        obey(line);
    }
    kill(child, SIGKILL);
    free(s.raw);
    return 0;
}
