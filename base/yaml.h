// SPDX-License-Identifier: GPL-3.0-or-later
// How this house uses libcyaml: no aliases, and its errors caught as a sentence and a place instead
// of lines on a stream.
//
//     struct yaml_told told;
//     struct thing *t;
//     if (yaml_load((void **)&t, &schema, text, len, &told) < 0)       told says why and where
#pragma once

#include <cyaml/cyaml.h>

struct yaml_told { char what[256]; unsigned line, column; };        // line 1, column 0: no place

// One document; an empty one is an error.  An unexpected key is placed where it stands itself.
// 0, or -EINVAL, -ENOMEM and *ret untouched.
int yaml_load(void **ret, const cyaml_schema_value_t *schema, const char *text, size_t len,
              struct yaml_told *told);
void yaml_drop(const cyaml_schema_value_t *schema, void *data);     // NULL is fine

// Line of the n-th (from 0) `key:` at or after line from; from where there is none.
unsigned yaml_line(const char *text, size_t len, const char *key, unsigned n, unsigned from);
