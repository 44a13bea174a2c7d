// SPDX-License-Identifier: GPL-3.0-or-later
// libyaml's document tree, which keeps lines: for files whose every refusal names the line that
// refuses (policies, band plans).  Where ranges and types suffice, see base/yaml.h.
//
//     for (size_t i = 0; tree_pair(&doc, map, i, &key, &value); i++)
#pragma once

#include <stdbool.h>
#include <yaml.h>

struct tree_told { size_t line; const char *what; };

// 0, or -EINVAL and told, or -ENOMEM.  The caller ends it with yaml_document_delete.
int tree_load(yaml_document_t *ret, const char *text, size_t len, struct tree_told *told);

const char *tree_text(const yaml_node_t *n);    // of a scalar; NULL: n is none
size_t tree_line(const yaml_node_t *n);         // from 1

// Pair i of a mapping; false behind the last.
bool tree_pair(yaml_document_t *doc, const yaml_node_t *map, size_t i, const yaml_node_t **ret_key,
               const yaml_node_t **ret_value);
// Item i of a sequence; NULL behind the last, and where n is no sequence.
const yaml_node_t *tree_item(yaml_document_t *doc, const yaml_node_t *n, size_t i);
