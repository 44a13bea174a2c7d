// SPDX-License-Identifier: GPL-3.0-or-later
// A band plan, read with libyaml's document tree, which keeps lines: each fault names its own.
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tree.h"
#include "hw/hw.h"
#include "sdr/scan.h"
#include "sdr/src/source.h"

#define BYTES_MAX 65536             // ours have 3000
#define FREQ_MAX_HZ 300e9

struct reading { yaml_document_t doc; const char *name; struct scan_plan *p; char *why; };

enum kind { NUMBER, TEXT };
static const struct key {
    const char *name;
    enum kind   kind;
    size_t      at, size;
    double      lo, hi;
} keys[] = {
#define N(field, lo, hi) { #field, NUMBER, offsetof(struct scan_band, field), 0, lo, hi }
#define T(field) { #field, TEXT, offsetof(struct scan_band, field), \
                   sizeof ((struct scan_band *)0)->field, 0, 0 }
    T(name), T(radio), T(antenna), T(settings),
    N(lo_hz, 0, FREQ_MAX_HZ), N(hi_hz, 0, FREQ_MAX_HZ),
    N(dwell_s, 0.05, 60),           // the energy detector looks 37 ms ahead
    N(every_s, 0.1, 3600), N(filter_hz, 0, 1e9), N(gain_db, -100, 200),
    N(link_hz, 1e3, 100e6), N(link_s, 10e-6, 60),
#undef N
#undef T
};
#define KEYS (sizeof keys / sizeof keys[0])

static int bad(const struct reading *r, size_t line, const char *what)
{
    return src_why(r->why, -EINVAL, "%s:%zu: %s was expected", r->name, line, what);
}

static int bad_at(const struct reading *r, const yaml_node_t *n, const char *what)
{
    return bad(r, tree_line(n), what);
}

// Words that travel: printable, no quotes, so that they stay what they are in every line.
static bool is_word(const char *s)
{
    for (; *s; s++)
        if (*s < 0x20 || *s > 0x7e || *s == '"' || *s == '\\')
            return false;
    return true;
}

static int take(const struct reading *r, struct scan_band *b, const struct key *k,
                const yaml_node_t *v)
{
    const char *s = tree_text(v);
    char *at = (char *)b + k->at, *end = NULL, what[160];

    if (k->kind == TEXT && s && *s && strlen(s) < k->size && is_word(s)) {
        memcpy(at, s, strlen(s) + 1);
        return 0;
    }
    double x = s && k->kind == NUMBER ? strtod(s, &end) : NAN;
    if (k->kind == NUMBER && s && end != s && !*end && x >= k->lo && x <= k->hi) {
        memcpy(at, &x, sizeof x);
        return 0;
    }
    if (k->kind == TEXT)
        snprintf(what, sizeof what, "%s: 1 to %zu printable characters", k->name, k->size - 1);
    else
        snprintf(what, sizeof what, "%s: a number from %.12g to %.12g", k->name, k->lo, k->hi);
    return bad_at(r, v, what);
}

static int key_of(const char *name)
{
    for (size_t i = 0; name && i < KEYS; i++)
        if (!strcmp(keys[i].name, name))
            return (int)i;
    return -1;
}

// What the values of one band must be to each other and to the bands before it.
static int judge(const struct reading *r, const struct scan_band *b, uint32_t seen)
{
    const unsigned needed[] = { 0, 4, 5 };      // name, lo_hz, hi_hz
    char what[160];

    for (unsigned i = 0; i < 3; i++)
        if (!(seen & 1u << needed[i])) {
            snprintf(what, sizeof what, "%s of this band", keys[needed[i]].name);
            return bad(r, b->line, what);
        }
    if (!(b->hi_hz > b->lo_hz))
        return bad(r, b->line, "lo_hz below hi_hz");
    if (b->dwell_s > b->every_s)
        return bad(r, b->line, "a dwell_s of no more than every_s");
    for (unsigned i = 0; i < r->p->n; i++) {
        const struct scan_band *o = &r->p->band[i];
        if (!strcmp(o->name, b->name))
            return bad(r, b->line, "another name: there is such a band already");
        if (b->lo_hz < o->hi_hz && o->lo_hz < b->hi_hz && !strcmp(b->radio, o->radio)) {
            snprintf(what, sizeof what, "a band that does not overlap %s (line %u)", o->name,
                     o->line);
            return bad(r, b->line, what);
        }
    }
    return 0;
}

static int read_band(struct reading *r, const yaml_node_t *n)
{
    struct scan_band b = { .dwell_s = SCAN_DWELL_S, .every_s = SCAN_EVERY_S, .gain_db = NAN,
                           .link_hz = 1e6, .link_s = 1e-3,
                           .line = (unsigned)tree_line(n) };
    const yaml_node_t *k, *v;
    uint32_t seen = 0;
    int err = 0;

    if (n->type != YAML_MAPPING_NODE)
        return bad_at(r, n, "{ name: ..., lo_hz: ..., hi_hz: ... }");
    for (size_t at = 0; !err && tree_pair(&r->doc, n, at, &k, &v); at++) {
        int i = key_of(tree_text(k));
        if (i < 0)
            return bad_at(r, k, "a key of a band (name lo_hz hi_hz dwell_s every_s radio antenna "
                          "filter_hz settings gain_db link_hz link_s)");
        if (seen & 1u << i)
            return bad_at(r, k, "each key once");
        seen |= 1u << i;
        err = take(r, &b, &keys[i], v);
    }
    if (!err)
        err = judge(r, &b, seen);
    if (!err)
        r->p->band[r->p->n++] = b;
    return err;
}

static int read_root(struct reading *r)
{
    const yaml_node_t *root = yaml_document_get_root_node(&r->doc), *list = NULL, *k, *v;
    int err = 0;

    if (!root || root->type != YAML_MAPPING_NODE)
        return bad(r, root ? tree_line(root) : 1, "bands: and a list of them");
    for (size_t i = 0; tree_pair(&r->doc, root, i, &k, &v); i++) {
        if (!tree_text(k) || strcmp(tree_text(k), "bands") || list)
            return bad_at(r, k, "bands: once, and nothing else");
        list = v;
    }
    if (!list || !tree_item(&r->doc, list, 0))
        return bad_at(r, list ? list : root, "bands: a list with one band at least");
    for (size_t i = 0; !err && (v = tree_item(&r->doc, list, i)); i++)
        err = r->p->n < SCAN_BANDS ? read_band(r, v) : bad_at(r, v, "at most 16 bands");
    return err;
}

int scan_plan_parse(struct scan_plan *ret, const char *text, size_t len, const char *name,
                    char why[IQ_WHY])
{
    struct scan_plan *p = calloc(1, sizeof *p);
    struct reading r = { .name = name, .p = p, .why = why };
    struct tree_told told;
    int err = p ? tree_load(&r.doc, text, len, &told) : -ENOMEM;

    if (err == -ENOMEM)
        src_why(why, err, "%s: no memory", name);
    else if (err < 0)
        src_why(why, err, "%s:%zu: %s; valid YAML was expected", name, told.line, told.what);
    else {
        err = read_root(&r);
        yaml_document_delete(&r.doc);
    }
    if (!err)
        *ret = *p;
    free(p);
    return err;
}

// A word without a slash or a dot is the name of one that we bring along.
static int path_of(const char *s, char *ret, size_t size)
{
    char dir[PATH_MAX];
    bool is_name = *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(s);
    int err = is_name ? hw_program_dir(dir, sizeof dir) : 0;

    if (err < 0)
        return err;
    int n = is_name ? snprintf(ret, size, "%s/../share/tyto/bands/%s.yaml", dir, s)
                    : snprintf(ret, size, "%s", s);
    return n < (int)size ? 0 : -ENAMETOOLONG;
}

int scan_plan_load(struct scan_plan *ret, const char *path, char why[IQ_WHY])
{
    char full[PATH_MAX + 64], shown[SRC_NAME], *text = NULL;
    size_t len = 0;
    int r = path_of(path, full, sizeof full);

    if (r < 0)
        return src_why(why, r, "%s: %s; a band plan was expected", src_name(shown, path),
                       strerror(-r));
    r = src_slurp(full, BYTES_MAX, &text, &len, why);
    if (r == -ENOENT)
        src_why(why, r, "%s: there is no such file; a band plan was expected",
                src_name(shown, path));
    if (r < 0)
        return r;
    r = scan_plan_parse(ret, text, len, src_name(shown, path), why);
    free(text);
    return r;
}
