// SPDX-License-Identifier: GPL-3.0-or-later
// What the installation's policy allows of DroneID.  Read with libyaml's document tree, which keeps
// lines.  Whatever is not understood forbids: a slip of the pen must not open what it meant to
// close.  (Recording has keys of its own in the same file: sdr/record/policy.h.)
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tree.h"
#include "hw/hw.h"

#define MAX_BYTES 65536

static const char *const words[] = { "off", "recognise", "decode" };

static int refuse(char *why, const char *path, size_t line, const char *expected)
{
    snprintf(why, HW_WHY, "%.200s:%zu: %s; until this is mended nothing is received", path, line,
             expected);
    return -EINVAL;
}

// The value of the one key `droneid`, or that there is none.
static int find(yaml_document_t *doc, const char *path, int *ret, char where[HW_WHERE], char *why)
{
    const yaml_node_t *root = yaml_document_get_root_node(doc), *k, *v;
    bool seen = false;

    *ret = HW_DRONEID_RECOGNISE;        // a policy that says nothing of it allows no reading
    snprintf(where, HW_WHERE, "%.200s", path);
    if (!root)
        return 0;
    if (root->type != YAML_MAPPING_NODE)
        return refuse(why, path, tree_line(root), "keys with values were expected");
    for (size_t at = 0; tree_pair(doc, root, at, &k, &v); at++) {
        const char *key = tree_text(k), *s = tree_text(v);
        size_t line = tree_line(k);
        if (!key || strcmp(key, "droneid"))
            continue;
        if (seen)
            return refuse(why, path, line, "droneid once was expected");
        seen = true;
        int level = -1;
        for (int i = 0; s && i < 3; i++)
            if (!strcmp(s, words[i]))
                level = i;
        if (level < 0)
            return refuse(why, path, line, "droneid: off, recognise or decode was expected");
        *ret = level;
        snprintf(where, HW_WHERE, "%.200s:%zu", path, line);
    }
    return 0;
}

// Of keeping: 1 or 0.
static int find_keep(yaml_document_t *doc, const char *path, int *ret, char where[HW_WHERE],
                     char *why)
{
    const yaml_node_t *root = yaml_document_get_root_node(doc), *k, *v;
    unsigned seen = 0;

    *ret = 0;
    snprintf(where, HW_WHERE, "%.200s", path);
    if (!root || root->type != YAML_MAPPING_NODE)
        return root ? refuse(why, path, tree_line(root),
                             "keys with values were expected") : 0;
    bool never = false;
    for (size_t at = 0; tree_pair(doc, root, at, &k, &v); at++) {
        const char *key = tree_text(k), *s = tree_text(v);
        size_t line = tree_line(k);
        bool keep = key && !strcmp(key, "keep"), record = key && !strcmp(key, "record");
        if (record && s && !strcmp(s, "never")) {
            never = true;
            snprintf(where, HW_WHERE, "%.200s:%zu", path, line);
        }
        if (!keep)
            continue;
        if (seen++ || !s || (strcmp(s, "off") && strcmp(s, "evidence")))
            return refuse(why, path, line, "keep: off or evidence, once, was expected");
        *ret = !strcmp(s, "evidence");
        if (!never)
            snprintf(where, HW_WHERE, "%.200s:%zu", path, line);
    }
    *ret = *ret && !never;
    return 0;
}

// One file; *ret stays where there is none.
static int read_one(const char *path,
                    int (*look)(yaml_document_t *, const char *, int *, char *, char *),
                    int *ret, char where[HW_WHERE], char *why)
{
    struct tree_told told = { .line = 1 };
    yaml_document_t doc;
    FILE *f = fopen(path, "rb");
    char *text;
    size_t n;

    if (!f && errno == ENOENT)
        return 0;
    if (!f)
        return refuse(why, path, 1, strerror(errno));
    text = malloc(MAX_BYTES + 1);
    n = text ? fread(text, 1, MAX_BYTES + 1, f) : 0;
    bool broken = !text || ferror(f) || n > MAX_BYTES;
    fclose(f);
    int r = broken ? -ENOMEM : tree_load(&doc, text, n, &told);
    free(text);
    if (r == -ENOMEM)
        return refuse(why, path, 1, "a policy of at most 64 KiB that can be read was expected");
    if (r < 0)
        return refuse(why, path, told.line, "valid YAML was expected");
    r = look(&doc, path, ret, where, why);
    yaml_document_delete(&doc);
    return r;
}

int hw_policy_droneid(const char *further, char where[HW_WHERE], char why[HW_WHY])
{
    const char *paths[] = { HW_POLICY_PATH, further };
    int least = HW_DRONEID_DECODE;

    where[0] = 0;
    for (unsigned i = 0; i < 2 && paths[i]; i++) {
        char here[HW_WHERE] = "";
        int level = HW_DRONEID_DECODE, r = read_one(paths[i], find, &level, here, why);
        if (r < 0)
            return r;
        if (level < least) {
            least = level;
            snprintf(where, HW_WHERE, "%s", here);
        }
    }
    return least;
}

int hw_policy_keep(const char *further, char where[HW_WHERE], char why[HW_WHY])
{
    const char *paths[] = { HW_POLICY_PATH, further };
    int allowed = -1;

    snprintf(where, HW_WHERE, "%s", "no policy");
    for (unsigned i = 0; i < 2 && paths[i]; i++) {
        char here[HW_WHERE] = "";
        int one = -1, r = read_one(paths[i], find_keep, &one, here, why);
        if (r < 0)
            return r;
        if (one < 0 || allowed == 0)
            continue;
        allowed = one;
        snprintf(where, HW_WHERE, "%s", here);
    }
    return allowed > 0;
}

const char *hw_droneid_name(enum hw_droneid level) { return words[level]; }
