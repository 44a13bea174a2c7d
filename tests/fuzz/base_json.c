// SPDX-License-Identifier: GPL-3.0-or-later
// Whatever bytes were received, the line written of them is JSON in UTF-8 without control
// characters, and a number in it is one.
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = NULL, *s = malloc(size + 1);
    size_t len = 0;
    struct json j;
    double v = 0;
    FILE *f = open_memstream(&text, &len);

    assert(f && s);
    memcpy(s, data, size);
    s[size] = 0;
    memcpy(&v, data, size < sizeof v ? size : sizeof v);
    json_init(&j, f);
    json_begin(&j);
    json_strn(&j, "n", data, size);
    json_str(&j, "s", s);
    json_num(&j, "v", v, (int)(size % 10));
    json_hex(&j, "h", data, size);
    json_end(&j);
    fclose(f);
    for (size_t i = 0; i + 1 < len; i++)
        assert((unsigned char)text[i] >= 32);
    json_t *back = json_loads(text, JSON_ALLOW_NUL, NULL);
    assert(back && json_string_length(json_object_get(back, "h")) == 2 * size);
    json_decref(back);
    free(text);
    free(s);
    return 0;
}
