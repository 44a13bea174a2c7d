// SPDX-License-Identifier: GPL-3.0-or-later
// The wire's document says what its tables say.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classifier/wire/table.h"

static void type_words(const struct wire_key *k, char *s, size_t size)
{
    static const char *const name[] = {
        [WT_WORD] = "word", [WT_TEXT] = "text", [WT_NUM] = "number", [WT_AGE] = "number",
        [WT_U64] = "whole", [WT_U32] = "whole", [WT_I64] = "whole", [WT_BOOL] = "bool",
        [WT_TRI] = "bool", [WT_ENUM] = "word", [WT_MAP] = "map", [WT_LIST] = "list of maps",
        [WT_TEXTS] = "list of texts", [WT_BIN8] = "bin", [WT_BIN16] = "bin", [WT_FIELDS] = "map",
    };
    const char *t = name[k->type];

    if (k->type == WT_WORD || k->type == WT_TEXT)
        snprintf(s, size, "%s, %d", t, k->size - 1);
    else if (k->type == WT_NUM || k->type == WT_AGE)
        snprintf(s, size, "%s, %g to %g", t, k->lo, k->hi);
    else if (k->type == WT_U64 || k->type == WT_U32 || k->type == WT_I64)
        snprintf(s, size, "%s, to %s", t, k->hi == WIRE_COUNT_MAX ? "2^53" : k->type == WT_U32 ?
                 "2^32 - 1" : k->type == WT_U64 ? "2^64 - 1" : "9.2e18");
    else if (k->max)
        snprintf(s, size, "%s, %u", t, k->max);
    else
        snprintf(s, size, "%s", t);
}

// One row of the document, and those of the maps inside.
static void rows_make(FILE *f, const struct wire_table *t, const char *prefix)
{
    for (unsigned i = 0; i < t->n; i++) {
        const struct wire_key *k = &t->key[i];
        char type[64], path[80];
        type_words(k, type, sizeof type);
        fprintf(f, "| `%s%s` | %s | %s | %s |\n", prefix, k->key, type, k->must ? "must" : "",
                k->about);
        snprintf(path, sizeof path, "%s%s%s.", prefix, k->key, k->type == WT_LIST ? "[]" : "");
        if (k->sub)
            rows_make(f, k->sub, path);
    }
}

static void document_make(FILE *f)
{
    static const char head[] = "| key | type, most | | what |\n|---|---|---|---|\n";

    fprintf(f, "### Every event and view message\n\n%s", head);
    rows_make(f, wire_table_head(WIRE_TRACK), "");
    for (int k = WIRE_NONE + 1; k < WIRE_KINDS; k++) {
        fprintf(f, "\n### %s (%s)\n\n%s", wire_kind_name((enum wire_kind)k),
                wire_stream_name(wire_kind_stream((enum wire_kind)k)), head);
        rows_make(f, wire_table_kind((enum wire_kind)k), "");
    }
}

static void document_says_the_same(void **state)
{
    (void)state;
    char *want = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&want, &n);

    document_make(f);
    fclose(f);
    const char *draft = getenv("TYTO_WIRE_DOC");    // writes the chapter anew
    if (draft && (f = fopen(draft, "w"))) {
        fputs(want, f);
        fclose(f);
    }
    f = fopen("docs/WIRE.md", "r");
    if (!f)
        skip();
    static char text[1 << 17];
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    if (!strstr(text, want))
        fail_msg("docs/WIRE.md: the chapter of kinds is not what the tables say; "
                 "TYTO_WIRE_DOC=FILE build/t/classifier_wire_doc writes it");
    for (int i = 1; i < WIRE_FAULTS; i++)
        assert_non_null(strstr(text, wire_fault_name((enum wire_fault)i)));
    free(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(document_says_the_same) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
