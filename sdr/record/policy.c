// SPDX-License-Identifier: GPL-3.0-or-later
// Read with libyaml's document tree, which keeps lines: a refusal names the one that refuses.
// Whatever is not understood forbids: a slip of the pen must not open what it meant to close.
#include "sdr/record/policy.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "sdr/src/source.h"

struct reading { yaml_document_t doc; const char *name; struct policy *p; char *why; };

static const char *text_of(const yaml_node_t *n)
{
    return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

static int line_of(const yaml_node_t *n) { return (int)n->start_mark.line + 1; }

static int bad(const struct reading *r, const yaml_node_t *at, const char *expected)
{
    return src_why(r->why, -EINVAL, "%s:%d: expected %s; until this is mended nothing is recorded",
                   r->name, line_of(at), expected);
}

// A number of at most max under the value node.
static int get_number(const struct reading *r, const yaml_node_t *n, double max, double *ret)
{
    const char *s = text_of(n);
    char *end = NULL;
    double v = s ? strtod(s, &end) : NAN;

    if (!s || end == s || *end || !(v >= 0 && v <= max))
        return bad(r, n, "a number, 0 or more");
    *ret = v;
    return 0;
}

static int read_band(struct reading *r, const yaml_node_t *n)
{
    double lo = NAN, hi = NAN;
    int err = 0;

    if (n->type != YAML_MAPPING_NODE)
        return bad(r, n, "{lo_hz: ..., hi_hz: ...}");
    for (yaml_node_pair_t *q = n->data.mapping.pairs.start; !err && q < n->data.mapping.pairs.top;
         q++) {
        const yaml_node_t *k = yaml_document_get_node(&r->doc, q->key);
        const yaml_node_t *v = yaml_document_get_node(&r->doc, q->value);
        const char *key = text_of(k);
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
    int err = 0;

    if (n->type != YAML_SEQUENCE_NODE || n->data.sequence.items.top == n->data.sequence.items.start)
        return bad(r, n, "a list of bands with one at least");
    for (yaml_node_item_t *i = n->data.sequence.items.start;
         !err && i < n->data.sequence.items.top; i++)
        err = r->p->n_bands < POLICY_BANDS ? read_band(r, yaml_document_get_node(&r->doc, *i))
                                           : bad(r, n, "at most 32 bands");
    return err;
}

static int read_key(struct reading *r, const char *key, const yaml_node_t *k, const yaml_node_t *v)
{
    struct policy *p = r->p;
    const char *s = text_of(v);
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
    *line = line_of(k);
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
    const yaml_node_t *root = yaml_document_get_root_node(&r->doc);

    if (!root)
        return 0;
    if (root->type != YAML_MAPPING_NODE)
        return bad(r, root, "keys with values");
    for (yaml_node_pair_t *q = root->data.mapping.pairs.start; q < root->data.mapping.pairs.top;
         q++) {
        const yaml_node_t *k = yaml_document_get_node(&r->doc, q->key);
        const char *key = text_of(k);
        int err = key ? read_key(r, key, k, yaml_document_get_node(&r->doc, q->value))
                      : bad(r, k, "a word as key");
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
    yaml_parser_t parser;

    snprintf(p.path, sizeof p.path, "%s", name);
    if (!yaml_parser_initialize(&parser))
        return src_why(why, -ENOMEM, "%s: no memory", name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    int err = 0;
    if (!yaml_parser_load(&parser, &r.doc))
        err = src_why(why, -EINVAL, "%s:%zu: not valid YAML: %s; until this is mended nothing is "
                      "recorded", name, parser.problem_mark.line + 1,
                      parser.problem ? parser.problem : "cannot be read");
    else {
        err = read_root(&r);
        yaml_document_delete(&r.doc);
    }
    yaml_parser_delete(&parser);
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
