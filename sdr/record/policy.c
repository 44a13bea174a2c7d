// SPDX-License-Identifier: GPL-3.0-or-later
// Read with libyaml's document tree, which keeps lines: a refusal names the one that refuses.
// Whatever is not understood forbids: a slip of the pen must not open what it meant to close.
#include "sdr/record/policy.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tree.h"
#include "sdr/src/source.h"

struct reading { yaml_document_t doc; const char *name; struct policy *p; char *why; };

static int bad(const struct reading *r, const yaml_node_t *at, const char *expected)
{
    return src_why(r->why, -EINVAL, "%s:%zu: expected %s; until this is mended nothing is "
                   "recorded", r->name, tree_line(at), expected);
}

// A number of at most max under the value node.
static int get_number(const struct reading *r, const yaml_node_t *n, double max, double *ret)
{
    const char *s = tree_text(n);
    char *end = NULL;
    double v = s ? strtod(s, &end) : NAN;

    if (!s || end == s || *end || !(v >= 0 && v <= max))
        return bad(r, n, "a number, 0 or more");
    *ret = v;
    return 0;
}

static int read_band(struct reading *r, const yaml_node_t *n)
{
    const yaml_node_t *k, *v;
    double lo = NAN, hi = NAN;
    int err = 0;

    if (n->type != YAML_MAPPING_NODE)
        return bad(r, n, "{lo_hz: ..., hi_hz: ...}");
    for (size_t i = 0; !err && tree_pair(&r->doc, n, i, &k, &v); i++) {
        const char *key = tree_text(k);
        if (key && !strcmp(key, "lo_hz"))
            err = get_number(r, v, 300e9, &lo);
        else if (key && !strcmp(key, "hi_hz"))
            err = get_number(r, v, 300e9, &hi);
        else
            err = bad(r, k, "lo_hz or hi_hz");
    }
    if (!err && !(lo < hi))
        err = bad(r, n, "lo_hz below hi_hz");
    if (err)
        return err;
    r->p->band[r->p->n_bands].lo_hz = lo;
    r->p->band[r->p->n_bands++].hi_hz = hi;
    return 0;
}

static int read_bands(struct reading *r, const yaml_node_t *n)
{
    const yaml_node_t *b;
    int err = 0;

    if (!tree_item(&r->doc, n, 0))
        return bad(r, n, "a list of bands with one at least");
    for (size_t i = 0; !err && (b = tree_item(&r->doc, n, i)); i++)
        err = r->p->n_bands < POLICY_BANDS ? read_band(r, b) : bad(r, n, "at most 32 bands");
    return err;
}

static int read_key(struct reading *r, const char *key, const yaml_node_t *k, const yaml_node_t *v)
{
    struct policy *p = r->p;
    const char *s = tree_text(v);
    double x = 0;
    int *line = !strcmp(key, "record") ? &p->record_line :
                !strcmp(key, "max_s") ? &p->max_s_line :
                !strcmp(key, "max_bytes") ? &p->max_bytes_line :
                !strcmp(key, "bands") ? &p->bands_line : NULL;
    int err = 0;

    if (!line)
        return 0;
    if (*line)
        return bad(r, k, "each key once");
    *line = (int)tree_line(k);
    if (line == &p->record_line) {
        if (!s || (strcmp(s, "never") && strcmp(s, "bounded")))
            return bad(r, v, "record: never or bounded");
        p->never = !strcmp(s, "never");
    } else if (line == &p->max_s_line) {
        err = get_number(r, v, 1e9, &p->max_s);
    } else if (line == &p->max_bytes_line) {
        err = get_number(r, v, 1e18, &x);
        p->max_bytes = (uint64_t)x;
    } else
        return read_bands(r, v);
    if (!err && ((line == &p->max_s_line && p->max_s <= 0) ||
                 (line == &p->max_bytes_line && !p->max_bytes)))
        err = bad(r, v, "more than 0 (record: never forbids all)");
    return err;
}

static int read_root(struct reading *r)
{
    const yaml_node_t *root = yaml_document_get_root_node(&r->doc), *k, *v;

    if (!root)
        return 0;
    if (root->type != YAML_MAPPING_NODE)
        return bad(r, root, "keys with values");
    for (size_t i = 0; tree_pair(&r->doc, root, i, &k, &v); i++) {
        const char *key = tree_text(k);
        int err = key ? read_key(r, key, k, v) : bad(r, k, "a word as key");
        if (err)
            return err;
    }
    return 0;
}

int policy_parse(struct policy *ret, const char *text, size_t len, const char *name,
                 char why[IQ_WHY])
{
    struct policy p = { .exists = true };
    struct reading r = { .name = name, .p = &p, .why = why };
    struct tree_told told;

    snprintf(p.path, sizeof p.path, "%s", name);
    int err = tree_load(&r.doc, text, len, &told);
    if (err == -ENOMEM)
        return src_why(why, err, "%s: no memory", name);
    if (err < 0)
        return src_why(why, err, "%s:%zu: not valid YAML: %s; until this is mended nothing is "
                       "recorded", name, told.line, told.what);
    err = read_root(&r);
    yaml_document_delete(&r.doc);
    if (!err)
        *ret = p;
    return err;
}

int policy_load(struct policy *ret, const char *path, char why[IQ_WHY])
{
    char shown[SRC_NAME], *text = NULL;
    size_t len = 0;
    int r = src_slurp(path, POLICY_MAX_BYTES, &text, &len, why);

    if (r == -ENOENT) {
        *ret = (struct policy){ 0 };
        return 0;
    }
    if (r < 0)
        return r;
    r = policy_parse(ret, text, len, src_name(shown, path), why);
    free(text);
    return r;
}

int policy_allows(const struct policy *p, double centre_hz, double rate_hz, double *max_s,
                  uint64_t *max_bytes, char why[IQ_WHY])
{
    bool inside = !p->n_bands;

    if (!p->exists)
        return 0;
    if (!p->record_line)
        return src_why(why, -EPERM, "%s: has no line `record:`, so nothing may be recorded here",
                       p->path);
    if (p->never)
        return src_why(why, -EPERM, "%s:%d: recording is forbidden on this installation", p->path,
                       p->record_line);
    for (unsigned i = 0; i < p->n_bands; i++)
        inside |= centre_hz - rate_hz / 2 >= p->band[i].lo_hz &&
                  centre_hz + rate_hz / 2 <= p->band[i].hi_hz;
    if (!inside)
        return src_why(why, -EPERM, "%s:%d: %.9g to %.9g Hz lies outside the bands that may be "
                       "recorded", p->path, p->bands_line, centre_hz - rate_hz / 2,
                       centre_hz + rate_hz / 2);
    if (p->max_s > 0 && *max_s > p->max_s)
        return src_why(why, -EPERM, "%s:%d: at most %g s may be recorded", p->path, p->max_s_line,
                       p->max_s);
    if (p->max_bytes && *max_bytes > p->max_bytes)
        return src_why(why, -EPERM, "%s:%d: at most %llu bytes may be recorded", p->path,
                       p->max_bytes_line, (unsigned long long)p->max_bytes);
    if (!(p->max_s > 0) && !p->max_bytes)
        return src_why(why, -EPERM, "%s:%d: record: bounded needs max_s or max_bytes", p->path,
                       p->record_line);
    *max_s = *max_s > 0 ? *max_s : p->max_s;
    *max_bytes = *max_bytes ? *max_bytes : p->max_bytes;
    return 0;
}
