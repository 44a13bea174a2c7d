// SPDX-License-Identifier: GPL-3.0-or-later
// libcyaml tells an error as a log: first what, then a backtrace whose first line is the place.
#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
    if (place && !t->where[0])
        snprintf(t->where, sizeof t->where, "%s", place);
    else if (!t->what[0] && !place && strncmp(s, "Backtrace", 9))
        snprintf(t->what, sizeof t->what, "%s", s);
}

cyaml_config_t yaml_config(struct yaml_told *told)
{
    return (cyaml_config_t){ .log_fn = on_log, .log_ctx = told, .log_level = CYAML_LOG_ERROR,
                             .mem_fn = cyaml_mem, .flags = CYAML_CFG_NO_ALIAS };
}
