// SPDX-License-Identifier: GPL-3.0-or-later
// Values of a JSON object, or others where it has them not.
#pragma once

#include <jansson.h>
#include <stdio.h>

static void put(char *to, size_t size, const json_t *o, const char *key, const char *otherwise)
{
    const char *s = json_string_value(json_object_get(o, key));
    snprintf(to, size, "%s", s ? s : otherwise);
}
#define PUT(field, o, key, otherwise) put(field, sizeof(field), o, key, otherwise)

static double num(const json_t *o, const char *key, double otherwise)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : otherwise;
}
