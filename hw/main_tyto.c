// SPDX-License-Identifier: GPL-3.0-or-later
// tyto: the one command for people.  `tyto CMD ARGS` becomes the program tyto-CMD that stands
// beside it; what is installed is what there is, nothing is registered anywhere.
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/version.h"
#include "hw/hw.h"

// One line for each command; one that is not told of here is still listed, by its name.
static const struct { const char *name, *about; } commands[] = {
    { "analyze", "a recording in, findings out" },
    { "sim", "a scene description in, IQ with ground truth out" },
    { "doctor", "what is wrong on this machine, and the mend" },
    { "record", "a radio to a recording" },
    { "sensord", "the sensor's daemon: radios to the command post" },
    { "alertd", "the command post's daemon: sensors to people" },
    { "radio", "one radio's process; sensord starts it" },
    { "keys", "this machine's key and the keys it trusts" },
    { "user", "the people who may use a command post" },
    { "watch", "alerts as they come, in the terminal" },
    { "demo", "the whole chain on this machine, on a simulated event" },
};

static const char *about_of(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (!strcmp(name, commands[i].name))
            return commands[i].about;
    return "";
}

static int is_command(const struct dirent *e) { return !strncmp(e->d_name, "tyto-", 5); }

static void help_print(FILE *out, const char *dir)
{
    struct dirent **list = NULL;
    int n = scandir(dir, &list, is_command, alphasort);

    fputs("tyto: hears drones by their radio links.  It receives only.\n"
          "usage: tyto COMMAND [ARGUMENTS]\n\n", out);
    for (int i = 0; i < n; i++) {
        fprintf(out, "  %-10s %s\n", list[i]->d_name + 5, about_of(list[i]->d_name + 5));
        free(list[i]);
    }
    free(list);
    fputs("\n`tyto COMMAND --help` explains one, the man pages in docs/man the whole.\n", out);
}

// A command is a plain word: it names a file beside us and nowhere else.
static bool word_ok(const char *s)
{
    return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(s);
}

static int command_run(const char *dir, char **argv)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/tyto-%s", dir, argv[0]);

    const char *asked = argv[0];

    errno = ENOENT;
    if (word_ok(asked) && n > 0 && (size_t)n < sizeof path) {
        argv[0] = strrchr(path, '/') + 1;
        execv(path, argv);
    }
    if (errno == ENOENT)
        fprintf(stderr, "tyto: there is no command \"%.64s\"; `tyto help` lists those there are.\n",
                asked);
    else
        fprintf(stderr, "tyto: cannot start %s: %s.\n", path, strerror(errno));
    return 2;
}

int main(int argc, char **argv)
{
    char dir[PATH_MAX];
    const char *cmd = argc > 1 ? argv[1] : "help";
    int r = hw_program_dir(dir, sizeof dir);

    if (r < 0) {
        fprintf(stderr, "tyto: cannot tell where it is installed: %s.\n", strerror(-r));
        return 2;
    }
    if (!strcmp(cmd, "--version")) {
        printf("tyto %s, %s kernels\n", TYTO_VERSION, hw_isa_name(hw_isa()));
        return 0;
    }
    if (!strcmp(cmd, "help") || !strcmp(cmd, "--help") || !strcmp(cmd, "-h")) {
        if (argc > 2 && word_ok(argv[2]))       // `tyto help CMD` is `tyto CMD --help`
            return command_run(dir, (char *[]){ argv[2], "--help", NULL });
        help_print(stdout, dir);
        if (!fflush(stdout) && !ferror(stdout))
            return 0;
        fprintf(stderr, "tyto: standard output: %s.\n", strerror(errno));
        return 2;
    }
    return command_run(dir, argv + 1);
}
