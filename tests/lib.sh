# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by tests/scripts: . "$(dirname "$0")/../lib.sh" with BUILDDIR in $1.
set -eu
build=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/../.." && pwd)
captures=$top/../shared/captures
tool=$build/tool
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
wrong=0

fault() { echo "WRONG: $*"; wrong=$((wrong + 1)); }
skip() { echo "$*"; exit 77; }
finish() { [ $wrong -eq 0 ] || exit 1; echo "$* cases"; }

# analyze ARGS...: runs it on JSON; its exit code in $code, its streams in $tmp/out and $tmp/err.
analyze() {
    code=0
    "$build/bin/tyto-analyze" --json "$@" >"$tmp/out" 2>"$tmp/err" || code=$?
}

# Refused before anything was read: exit 2, one sentence with the word $1 in it, no output.
refused() {
    [ $code -eq 2 ] || fault "$2: exit $code, expected 2; $(head -c 300 "$tmp/err")"
    [ ! -s "$tmp/out" ] || fault "$2: results though it was refused: $(head -c 200 "$tmp/out")"
    sentence "$1" "$2"
}

sentence() {
    [ "$(wc -l <"$tmp/err")" -eq 1 ] || fault "$2: not one sentence: $(head -c 300 "$tmp/err")"
    grep -qF -- "$1" "$tmp/err" || fault "$2: does not name \"$1\": $(head -c 300 "$tmp/err")"
}

# Read to its end: exit 0, nothing on standard error, output of the contract's form.
accepted() {
    [ $code -eq 0 ] || fault "$1: exit $code, expected 0"
    [ ! -s "$tmp/err" ] || fault "$1: standard error: $(head -c 300 "$tmp/err")"
    form "$1"
}

form() {
    "$tool/match" "$tmp/out" >"$tmp/match" || fault "$1: $(head -n 3 "$tmp/match")"
}

# has PATTERN: a line of the output fits (tests/tool/match.c); hasnot: none does.
has() {
    printf '{"want":%s}\n' "$1" >"$tmp/expect"
    "$tool/match" "$tmp/out" "$tmp/expect" >"$tmp/match" ||
        fault "$2: no line like $1; last: $(tail -n 1 "$tmp/out" | head -c 400)"
}
hasnot() {
    printf '{"none":%s}\n' "$1" >"$tmp/expect"
    "$tool/match" "$tmp/out" "$tmp/expect" >"$tmp/match" || fault "$2: $(head -n 3 "$tmp/match")"
}
