// SPDX-License-Identifier: GPL-3.0-or-later
// Reads JSON Lines as `tyto analyze --json` writes them and tells what is wrong with them.
//
//     match OUTPUT            holds the form: every line one object, UTF-8, no key twice, no number
//                             past 2^53, a known "type", and one summary, which stands last
//     match OUTPUT EXPECT     the form, and what EXPECT asks for
//     match --draft OUTPUT    writes a first EXPECT from an output, to be held against the truth
//
// EXPECT is JSON Lines too; lines that begin with # are comments.
//
//     {"want":PATTERN}             one line fits; no line serves two wants
//     {"count":N,"of":PATTERN}     exactly N lines fit; N may be {"min":3}, {"max":9} or both
//     {"none":PATTERN}             no line fits
//
// A PATTERN is an object; every key it names must be there and fit, others are not looked at:
//     "a string", true, null       the same value           [P,P]         as long, each fits
//     12.5                         the same number          {"any":true}  there and not null
//     {"near":X,"tol":D}           within D of X            {"in":[..]}   fits one of them
//     {"min":A} {"max":B}          a bound, or both         {"has":"ab"}  string that contains it
//     {"begins":"ab"}              string that begins so     {other keys}  an object that fits
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES 200000        // a busy minute of bursts, and a bound for a runaway output
#define WANTS 1000

struct lines { json_t *v[LINES]; size_t n; };

static struct lines out;
static int errors;

#define FAULT(...) (printf(__VA_ARGS__), putchar('\n'), errors++)

// ---- Reading ---------------------------------------------------------------------------------

static void numbers_check(json_t *v, const char *path, size_t line)
{
    const char *key;
    json_t *item;
    size_t i;

    if (json_is_integer(v) && llabs(json_integer_value(v)) > 1LL << 53)
        FAULT("%s:%zu: integer past 2^53", path, line);
    json_object_foreach(v, key, item)
        numbers_check(item, path, line);
    json_array_foreach(v, i, item)
        numbers_check(item, path, line);
}

static void lines_read(struct lines *l, const char *path, bool comments)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t cap = 0, no = 0;
    ssize_t len;

    if (!f) {
        perror(path);
        exit(2);
    }
    while ((len = getline(&text, &cap, f)) >= 0) {
        json_error_t e;
        no++;
        if (comments && (text[0] == '#' || text[0] == '\n'))
            continue;
        if (text[len - 1] != '\n')
            FAULT("%s:%zu: the line is cut", path, no);
        json_t *v = json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, &e);
        if (!json_is_object(v)) {
            FAULT("%s:%zu: not a JSON object: %s", path, no, v ? "something else" : e.text);
            json_decref(v);
            continue;
        }
        numbers_check(v, path, no);
        if (l->n == LINES) {
            FAULT("%s: more than %d lines", path, LINES);
            json_decref(v);
            break;
        }
        l->v[l->n++] = v;
    }
    free(text);
    fclose(f);
}

static const char *type_of(const json_t *v)
{
    const char *s = json_string_value(json_object_get(v, "type"));
    return s ? s : "";
}

static void form_check(const char *path)
{
    for (size_t i = 0; i < out.n; i++) {
        const char *t = type_of(out.v[i]);
        bool last = i + 1 == out.n;
        if (strcmp(t, "burst") && strcmp(t, "decode") && strcmp(t, "track") && strcmp(t, "summary"))
            FAULT("%s: object %zu has type \"%s\"", path, i + 1, t);
        if (last != !strcmp(t, "summary"))
            FAULT("%s: object %zu: the summary stands last and once", path, i + 1);
    }
    if (!out.n)
        FAULT("%s: nothing in it, not even a summary", path);
}

// ---- Patterns --------------------------------------------------------------------------------

static bool fits(const json_t *pat, const json_t *v);

static bool number_fits(const json_t *pat, const json_t *v)
{
    const json_t *near = json_object_get(pat, "near"), *tol = json_object_get(pat, "tol");
    const json_t *lo = json_object_get(pat, "min"), *hi = json_object_get(pat, "max");
    double x = json_number_value(v);

    return json_is_number(v) &&
           (!near || fabs(x - json_number_value(near)) <= json_number_value(tol)) &&
           (!lo || x >= json_number_value(lo)) && (!hi || x <= json_number_value(hi));
}

static bool has_key(const json_t *o, const char *key) { return json_object_get(o, key) != NULL; }

static const char *text_of(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static bool object_fits(const json_t *pat, const json_t *v)
{
    const char *key;
    json_t *p;

    if (!json_is_object(v))
        return false;
    json_object_foreach((json_t *)pat, key, p)
        if (!has_key(v, key) || !fits(p, json_object_get(v, key)))
            return false;
    return true;
}

static bool in_fits(const json_t *list, const json_t *v)
{
    size_t i;
    json_t *p;

    json_array_foreach((json_t *)list, i, p)
        if (fits(p, v))
            return true;
    return false;
}

static bool array_fits(const json_t *pat, const json_t *v)
{
    if (!json_is_array(v) || json_array_size(v) != json_array_size(pat))
        return false;
    for (size_t i = 0; i < json_array_size(pat); i++)
        if (!fits(json_array_get(pat, i), json_array_get(v, i)))
            return false;
    return true;
}

static bool fits(const json_t *pat, const json_t *v)
{
    if (json_is_object(pat)) {
        if (has_key(pat, "near") || has_key(pat, "min") || has_key(pat, "max"))
            return number_fits(pat, v);
        if (has_key(pat, "any"))
            return v && !json_is_null(v);
        if (has_key(pat, "in"))
            return in_fits(json_object_get(pat, "in"), v);
        if (has_key(pat, "has"))
            return json_is_string(v) && strstr(json_string_value(v), text_of(pat, "has"));
        if (has_key(pat, "begins"))
            return json_is_string(v) && !strncmp(json_string_value(v), text_of(pat, "begins"),
                                                 strlen(text_of(pat, "begins")));
        return object_fits(pat, v);
    }
    if (json_is_array(pat))
        return array_fits(pat, v);
    if (json_is_number(pat))
        return json_is_number(v) && json_number_value(pat) == json_number_value(v);
    return json_equal(pat, v);
}

// ---- Expectations ----------------------------------------------------------------------------

// A pattern that cannot mean what its author thought is refused, not passed.
static bool pattern_ok(const json_t *p)
{
    const char *key;
    json_t *v;
    size_t i;

    if (has_key(p, "near") && (!json_is_number(json_object_get(p, "near")) ||
                               !json_is_number(json_object_get(p, "tol"))))
        return false;
    if (has_key(p, "in") && !json_array_size(json_object_get(p, "in")))
        return false;
    if ((has_key(p, "has") && !text_of(p, "has")) ||
        (has_key(p, "begins") && !text_of(p, "begins")))
        return false;
    json_object_foreach((json_t *)p, key, v)
        if (!pattern_ok(v))
            return false;
    json_array_foreach((json_t *)p, i, v)
        if (!pattern_ok(v))
            return false;
    return true;
}

static size_t count_fits(const json_t *pat)
{
    size_t n = 0;
    for (size_t i = 0; i < out.n; i++)
        n += fits(pat, out.v[i]);
    return n;
}

static void fault_show(const char *what, const json_t *pat, size_t got)
{
    char *s = json_dumps(pat, JSON_COMPACT | JSON_REAL_PRECISION(9));
    FAULT("%s, %zu fit: %s", what, got, s);
    free(s);
}

static void count_check(const json_t *n, const json_t *pat)
{
    size_t got = count_fits(pat);
    json_t *v = json_integer((json_int_t)got);

    if (!fits(n, v)) {
        char what[160], *s = json_dumps(n, JSON_COMPACT | JSON_ENCODE_ANY);
        snprintf(what, sizeof what, "expected %.100s", s);
        free(s);
        fault_show(what, pat, got);
    }
    json_decref(v);
}

// Each want gets a line of its own: a matching in a bipartite graph, grown by augmenting paths.
static const json_t *want[WANTS];
static size_t        n_want;
static long          taker[LINES];      // which want has the line, -1 none
static bool          tried[LINES];

static bool want_place(size_t w)
{
    for (size_t i = 0; i < out.n; i++) {
        if (tried[i] || !fits(want[w], out.v[i]))
            continue;
        tried[i] = true;
        if (taker[i] < 0 || want_place((size_t)taker[i])) {
            taker[i] = (long)w;
            return true;
        }
    }
    return false;
}

static void wants_check(void)
{
    memset(taker, -1, sizeof taker);
    for (size_t w = 0; w < n_want; w++) {
        memset(tried, 0, sizeof tried);
        if (!want_place(w))
            fault_show("wanted a line of its own", want[w], count_fits(want[w]));
    }
}

static void expect_check(const char *path)
{
    static struct lines expect;

    lines_read(&expect, path, true);
    for (size_t i = 0; i < expect.n; i++) {
        const json_t *e = expect.v[i], *none = json_object_get(e, "none");
        const json_t *of = json_object_get(e, "of"), *n = json_object_get(e, "count");
        const json_t *one = json_object_get(e, "want");
        const json_t *pat = none ? none : of ? of : one;
        if (!json_is_object(pat) || !pattern_ok(e) || json_object_size(e) != (of ? 2u : 1u) ||
            (of && !n) || n_want == WANTS) {
            FAULT("%s: line %zu that is not a comment is no expectation", path, i + 1);
            continue;
        }
        if (one)
            want[n_want++] = one;
        else if (none && count_fits(none))
            fault_show("none was to be there", none, count_fits(none));
        else if (of)
            count_check(n, of);
    }
    if (!expect.n)
        FAULT("%s: expects nothing", path);
    wants_check();
    printf("%zu expectations against %zu lines\n", expect.n, out.n);
}

// ---- Drafts ----------------------------------------------------------------------------------

// Tolerances as the contract's users would state them; the author narrows or widens them.
static const struct { const char *key; double tol; } tolerances[] = {
    { "t_s", 1e-4 }, { "dur_s", 1e-4 }, { "freq_hz", 2e4 }, { "snr_db", 2 }, { "bw_hz", 2e5 },
};

static json_t *draft_of(const json_t *v)
{
    static const char *const same[] = { "type", "kind", "protocol", "check", "family", "role",
                                        "verdict", "link" };
    json_t *p = json_object();

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        if (has_key(v, same[i]))
            json_object_set(p, same[i], json_object_get(v, same[i]));
    for (size_t i = 0; i < sizeof tolerances / sizeof tolerances[0]; i++) {
        const json_t *x = json_object_get(v, tolerances[i].key);
        if (json_is_number(x))
            json_object_set_new(p, tolerances[i].key, json_pack("{s:f,s:f}", "near",
                                json_number_value(x), "tol", tolerances[i].tol));
    }
    return p;
}

static void draft_print(void)
{
    puts("# Drafted from an output: hold every line against the truth before it is committed.");
    for (size_t i = 0; i < out.n; i++)
        if (strcmp(type_of(out.v[i]), "summary")) {
            json_t *e = json_pack("{s:o}", "want", draft_of(out.v[i]));
            json_dumpf(e, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
            putchar('\n');
            json_decref(e);
        }
}

int main(int argc, char **argv)
{
    bool draft = argc == 3 && !strcmp(argv[1], "--draft");

    if (argc < 2 || argc > 3) {
        fputs("usage: match OUTPUT [EXPECT] | match --draft OUTPUT\n", stderr);
        return 2;
    }
    lines_read(&out, argv[draft ? 2 : 1], false);
    form_check(argv[draft ? 2 : 1]);
    if (draft)
        draft_print();
    else if (argc == 3)
        expect_check(argv[2]);
    for (size_t i = 0; i < out.n; i++)
        json_decref(out.v[i]);
    return errors != 0;
}
