// SPDX-License-Identifier: GPL-3.0-or-later
// libcyaml tells an error as a log: first what, then a backtrace whose first line is the place.  A
// key that it does not expect it places where the value before it ends.
#include "base/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define UNEXPECTED "Unexpected key: "

static void on_log(cyaml_log_t level, void *arg, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

static void on_log(cyaml_log_t level, void *arg, const char *fmt, va_list args)
{
    struct yaml_told *t = arg;
    char line[256];

    if (level < CYAML_LOG_ERROR)
        return;
    vsnprintf(line, sizeof line, fmt, args);
    line[strcspn(line, "\n")] = 0;
    const char *s = strncmp(line, "Load: ", 6) ? line : line + 6;
    const char *place = strstr(s, "(line: ");
    if (place && !t->column)
        sscanf(place, "(line: %u, column: %u", &t->line, &t->column);
    else if (!t->what[0] && !place && strncmp(s, "Backtrace", 9))
        snprintf(t->what, sizeof t->what, "%s", s);
}

static cyaml_config_t config(struct yaml_told *told)
{
    return (cyaml_config_t){ .log_fn = on_log, .log_ctx = told, .log_level = CYAML_LOG_ERROR,
                             .mem_fn = cyaml_mem, .flags = CYAML_CFG_NO_ALIAS };
}

// Moves from line and column on to the n-th key of that name; comments hold none.
static void find_key(const char *text, size_t len, const char *key, unsigned n, unsigned *line,
                     unsigned *column)
{
    size_t k = strlen(key);
    unsigned l = 1, c = 1;
    bool comment = false, begins = true;

    for (size_t i = 0; i + k < len; i++, c++) {
        bool behind = l > *line || (l == *line && c >= *column);
        comment |= begins && text[i] == '#';
        if (behind && !comment && begins && !memcmp(text + i, key, k) &&
            strchr(": \"'", text[i + k]) && n-- == 0) {
            *line = l;
            *column = c;
            return;
        }
        begins = strchr(" {,-?\"'\n", text[i]);
        if (text[i] == '\n') {
            l++;
            c = 0;
            comment = false;
        }
    }
}

unsigned yaml_line(const char *text, size_t len, const char *key, unsigned n, unsigned from)
{
    unsigned column = 0;

    find_key(text, len, key, n, &from, &column);
    return from;
}

int yaml_load(void **ret, const cyaml_schema_value_t *schema, const char *text, size_t len,
              struct yaml_told *told)
{
    *told = (struct yaml_told){ .line = 1 };
    cyaml_config_t cfg = config(told);
    cyaml_data_t *data = NULL;
    cyaml_err_t e = cyaml_load_data((const uint8_t *)text, len, &cfg, schema, &data, NULL);

    if (e == CYAML_OK && data) {
        *ret = data;
        return 0;
    }
    if (e == CYAML_OK || !told->what[0])
        snprintf(told->what, sizeof told->what, "%s",
                 e == CYAML_OK ? "an empty document" : cyaml_strerror(e));
    if (told->column && !strncmp(told->what, UNEXPECTED, strlen(UNEXPECTED)))
        find_key(text, len, told->what + strlen(UNEXPECTED), 0, &told->line, &told->column);
    return e == CYAML_ERR_OOM ? -ENOMEM : -EINVAL;
}

void yaml_drop(const cyaml_schema_value_t *schema, void *data)
{
    struct yaml_told told = { .line = 1 };
    cyaml_config_t cfg = config(&told);

    if (data)
        cyaml_free(&cfg, schema, data, 0);
}
