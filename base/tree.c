// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/tree.h"

#include <errno.h>

int tree_load(yaml_document_t *ret, const char *text, size_t len, struct tree_told *told)
{
    yaml_parser_t parser;

    if (!yaml_parser_initialize(&parser))
        return -ENOMEM;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    bool fine = yaml_parser_load(&parser, ret);
    if (!fine)
        *told = (struct tree_told){ parser.problem_mark.line + 1,
                                    parser.problem ? parser.problem : "cannot be read" };
    yaml_parser_delete(&parser);
    return fine ? 0 : -EINVAL;
}

const char *tree_text(const yaml_node_t *n)
{
    return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

size_t tree_line(const yaml_node_t *n) { return n->start_mark.line + 1; }

bool tree_pair(yaml_document_t *doc, const yaml_node_t *map, size_t i, const yaml_node_t **ret_key,
               const yaml_node_t **ret_value)
{
    const yaml_node_pair_t *q = map->data.mapping.pairs.start + i;

    if (q >= map->data.mapping.pairs.top)
        return false;
    *ret_key = yaml_document_get_node(doc, q->key);
    *ret_value = yaml_document_get_node(doc, q->value);
    return true;
}

const yaml_node_t *tree_item(yaml_document_t *doc, const yaml_node_t *n, size_t i)
{
    if (n->type != YAML_SEQUENCE_NODE || n->data.sequence.items.start + i >=
                                         n->data.sequence.items.top)
        return NULL;
    return yaml_document_get_node(doc, n->data.sequence.items.start[i]);
}
