// SPDX-License-Identifier: GPL-3.0-or-later
// tyto-keys: this machine's key and those it trusts (man page tyto-keys.1).  The secret is made
// here, stays here, and is never printed.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/json.h"
#include "base/log.h"
#include "base/utc.h"
#include "base/version.h"
#include "hw/keys.h"

#define DEFAULT_DIR "/etc/tyto/keys"

struct options { const char *dir, *phrase, *arg[3]; int n; bool json; };

static const char usage[] =
    "usage: tyto keys make   [--dir DIR]\n"
    "       tyto keys show   [--dir DIR] [--json]\n"
    "       tyto keys enrol  [--dir DIR] [--phrase \"SIX WORDS\"] NAME KEY\n"
    "       tyto keys list   [--dir DIR] [--json]\n"
    "       tyto keys revoke [--dir DIR] NAME\n"
    "\n"
    "The key of this machine and the keys it trusts.  make makes a pair whose secret never\n"
    "leaves DIR; show prints the public key and six words to compare over the phone; enrol\n"
    "trusts another machine's public key; revoke ends that.\n"
    "\n"
    "  --dir DIR       where the keys are (default " DEFAULT_DIR ")\n"
    "  --phrase WORDS  what the other side read out; enrolled only if it fits the key\n"
    "  --json          JSON Lines instead of words\n"
    "\n"
    "KEY is the 40 characters that show prints, in quotes; - reads them from standard input.\n"
    "Exit: 0 done, 1 the phrase does not fit, 2 bad use or a fault.\n";

#define bad(...) log_refuse("tyto-keys", __VA_ARGS__)

static int phrase_of(const char *z85, char ret[KEYS_PHRASE])
{
    int r = keys_phrase(z85, ret);
    return r < 0 ? bad("the check phrase cannot be made: %s", strerror(-r)) : 0;
}

static int show(const struct options *o)
{
    char z85[KEYS_Z85], phrase[KEYS_PHRASE], why[KEYS_WHY];
    struct json j;

    if (keys_public(o->dir, z85, why) < 0)
        return bad("%s", why);
    if (phrase_of(z85, phrase))
        return 2;
    if (o->json) {
        json_init(&j, stdout);
        json_begin(&j);
        json_str(&j, "public_key", z85);
        json_str(&j, "phrase", phrase);
        json_end(&j);
    } else {
        printf("public key    %s\ncheck phrase  %s\n", z85, phrase);
    }
    return 0;
}

static int make(const struct options *o)
{
    char why[KEYS_WHY];
    return keys_make(o->dir, why) < 0 ? bad("%s", why) : show(o);
}

// Case and blanks do not count in what somebody heard on the phone.
static bool same_words(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a == ' ' || *a == ',')
            a++;
        while (*b == ' ' || *b == ',')
            b++;
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
        if (x != *b)
            return false;
        if (!x)
            return true;
    }
}

static int enrol(const struct options *o)
{
    char typed[64] = "", phrase[KEYS_PHRASE], why[KEYS_WHY];
    const char *z85 = o->arg[2];

    if (!strcmp(z85, "-")) {
        if (!fgets(typed, sizeof typed, stdin))
            return bad("standard input: a public key was expected");
        typed[strcspn(typed, "\r\n")] = 0;
        z85 = typed;
    }
    if (keys_phrase(z85, phrase) == -EINVAL)
        return bad("this is no public key; the 40 characters that tyto keys show prints were "
                   "expected");
    if (o->phrase && !same_words(o->phrase, phrase)) {
        bad("the phrase does not fit this key: not enrolled");
        return 1;
    }
    if (keys_enrol(o->dir, o->arg[1], z85, why) < 0)
        return bad("%s", why);
    printf("enrolled      %s\ncheck phrase  %s\n", o->arg[1], phrase);
    if (!o->phrase)
        puts("Compare the phrase with the other side by voice; if it differs, revoke at once.");
    return 0;
}

static int list(const struct options *o)
{
    char why[KEYS_WHY], when[UTC_LEN];
    struct keys_peer *p;
    struct json j;
    int n = keys_peers(o->dir, &p, why);

    if (n < 0)
        return bad("%s", why);
    json_init(&j, stdout);
    for (int i = 0; i < n; i++) {
        utc_format(when, p[i].since_ns, 0);
        if (o->json) {
            json_begin(&j);
            json_str(&j, "name", p[i].name);
            json_str(&j, "public_key", p[i].z85);
            json_str(&j, "since", when);
            json_end(&j);
        } else {
            printf("%-24s  %s  %s\n", p[i].name, p[i].z85, when);
        }
    }
    if (!n && !o->json)
        puts("nobody is enrolled");
    free(p);
    return 0;
}

static int revoke(const struct options *o)
{
    char why[KEYS_WHY];

    if (keys_revoke(o->dir, o->arg[1], why) < 0)
        return bad("%s", why);
    printf("revoked       %s\n", o->arg[1]);
    return 0;
}

// By hand, since a key may begin with a dash.  0, or the exit code + 1.
static int options_read(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        bool with_value = !strcmp(a, "--dir") || !strcmp(a, "--phrase");
        if (with_value && i + 1 == argc)
            return 1 + bad("option '%s' needs a value; see tyto keys --help", a);
        if (!strcmp(a, "--dir")) {
            o->dir = argv[++i];
        } else if (!strcmp(a, "--phrase")) {
            o->phrase = argv[++i];
        } else if (!strcmp(a, "--")) {
            continue;                   // as others take it; a key is told by its length anyway
        } else if (!strcmp(a, "--json")) {
            o->json = true;
        } else if (!strcmp(a, "--help")) {
            fputs(usage, stdout);
            return 1;
        } else if (!strcmp(a, "--version")) {
            puts("tyto-keys " TYTO_VERSION);
            return 1;
        } else if (a[0] == '-' && a[1] && strlen(a) != KEYS_Z85 - 1) {
            return 1 + bad("option '%s' is not known; see tyto keys --help", a);
        } else if (o->n == 3) {
            return 1 + bad("'%s' is one word too many; see tyto keys --help", a);
        } else {
            o->arg[o->n++] = a;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct { const char *verb; int n; int (*run)(const struct options *); } verbs[] = {
        { "make", 1, make }, { "show", 1, show }, { "enrol", 3, enrol }, { "list", 1, list },
        { "revoke", 2, revoke },
    };
    struct options o = { .dir = DEFAULT_DIR };
    int r = options_read(&o, argc, argv);

    prctl(PR_SET_DUMPABLE, 0);          // no secret in a core file
    if (r)
        return r - 1;
    for (size_t i = 0; o.n && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(o.arg[0], verbs[i].verb))
            continue;
        if (o.n != verbs[i].n)
            return bad("%s takes %d argument%s, %d were given; see tyto keys --help", o.arg[0],
                       verbs[i].n - 1, verbs[i].n == 2 ? "" : "s", o.n - 1);
        r = verbs[i].run(&o);
        if (fflush(stdout) || ferror(stdout))
            return bad("standard output: %s", strerror(errno));
        return r;
    }
    return bad("make, show, enrol, list or revoke was expected; see tyto keys --help");
}
