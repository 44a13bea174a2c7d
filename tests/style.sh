#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: style.sh [DIR]   The house rules that a machine can read.  Says file, line and rule.
LC_ALL=C; export LC_ALL
cd "${1:-.}" || exit 2
find . -type f \( -name '*.[ch]' -o -name '*.cpp' -o -name '*.sh' -o -name '*.yaml' -o -name Makefile -o -name '*.md' \
    -o -name '*.[1-8]' -o -path './hw/setup' -o -path './.ci/run' \) \
    ! -path './build/*' ! -path './.git/*' -print | sort | xargs awk '
function tell(rule) { printf "%s:%d: %s\n", f, FNR, rule; bad = 1 }
function close_file() {
    if (code && lines > 400) { printf "%s: %d lines; 400 is the most\n", f, lines; bad = 1 }
    else if (code && lines > 300) printf "%s: %d lines, long for this house (only said)\n", f, lines
    if (door && lines > 250) { printf "%s: %d lines; a door has at most 250\n", f, lines; bad = 1 }
}
FNR == 1 {
    close_file()
    f = substr(FILENAME, 3)
    code = f ~ /\.([ch]|cpp)$/
    text = f ~ /\.md$/
    room = f; sub(/\/.*/, "", room)
    door = f == room "/" room ".h"
    if (code && $0 != "// SPDX-License-Identifier: GPL-3.0-or-later") tell("no SPDX line")
}
FNR == 2 && !code && !text && f !~ /\.[1-8]$/ && !/SPDX-License-Identifier/ && first !~ /SPDX/ {
    tell("no SPDX line in the first two")
}
{ lines = FNR; if (FNR == 1) first = $0 }
# Columns, not bytes: continuation bytes of UTF-8 take none.
code { s = $0; gsub(/[\200-\277]/, "", s); if (length(s) > 100) tell("longer than 100 columns") }
code && /\t/                        { tell("tab") }
!text && /[ \t]$/                   { tell("blank at the end of the line") }
code && /[^a-z_](strcpy|strcat|sprintf|vsprintf|gets|atoi|atof|rand|srand|strtok)\(/ {
    tell("call that this house does not use")
}
# (the test that counts locks defines one)
code && f !~ /^base\// && f !~ /classifier_steady/ && /pthread_(mutex|cond|rwlock|spin)/ { tell("lock outside base/") }
code && f !~ /(\/main_|^tests\/)/ && /[^a-z_](printf|puts|perror)\(|fprintf\(std(err|out)/ {
    tell("a room does not print")
}
/(TOD[O]|FIXM[E]|XX[X]|HAC[K])/     { tell("left open") }
/\/(hom[e]|roo[t]|wor[k])\//        { tell("path of one machine") }
END { close_file(); exit bad }' || exit 1
