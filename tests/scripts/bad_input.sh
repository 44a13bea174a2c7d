#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: bad_input.sh BUILDDIR     Recordings and command lines that are wrong.
# Refused ones: exit 2, one sentence that names the file or option.  Odd but readable ones: counted,
# exit 0.  Ones that break off: everything before the fault reported, then exit 2 and the sentence.
. "$(dirname "$0")/../lib.sh"
[ -x "$build/bin/tyto-analyze" ] || skip 'tyto-analyze is not built'
cd "$tmp"
n=0
raw='--format cf32 --rate 1e6'

# ---- Bad use --------------------------------------------------------------------------------
"$tool/iqmake" noise cf32 20000 >good.cf32
use() {         # use WORD ARGS...
    word=$1; shift
    analyze "$@"; refused "$word" "$*"; n=$((n + 1))
}
for rate in 0 -1 -1e6 nan NaN inf -inf 1e12 1e400 0.249e6 125.1e6 fast 1e6x 0x100000 '' ' 1e6' 1e6Hz; do
    use rate --format cf32 --rate "$rate" good.cf32
done
for freq in -1 nan inf 1e400 here ''; do
    use freq $raw --freq "$freq" good.cf32
done
for format in cf16 CF32 cf32_be u8 '' 'cf32 '; do
    use format --format "$format" --rate 1e6 good.cf32
done
for threads in 0 -1 1.5 nan many 99999999999999999999 ''; do
    use threads $raw --threads "$threads" good.cf32
done
use good.cf32 good.cf32                         # raw, and neither format nor rate
use good.cf32 --format cf32 good.cf32
use good.cf32 --rate 1e6 good.cf32
use unheard --unheard good.cf32
use recording $raw
use recording $raw good.cf32 good.cf32
use recording

# ---- No such data ---------------------------------------------------------------------------
use absent.cf32 $raw absent.cf32
use absent.sigmf-meta absent.sigmf-meta
mkdir folder folder.sigmf-meta
use folder $raw folder
use folder.sigmf-meta folder.sigmf-meta
use . $raw .
if [ "$(id -u)" -ne 0 ]; then
    cp good.cf32 secret.cf32; chmod 0 secret.cf32
    use secret.cf32 $raw secret.cf32
fi
ln -s loop.cf32 loop.cf32
use loop.cf32 $raw loop.cf32
use "$(printf '%05000d' 7 | head -c 40)" $raw "$(printf '%05000d' 7)"

# A directory that is opened but cannot be read as standard input.
code=0; "$build/bin/tyto-analyze" --json $raw - <folder >"$tmp/out" 2>"$tmp/err" || code=$?
refused 'standard input' 'a directory as standard input'

# ---- Metadata that is wrong or disagrees ----------------------------------------------------
meta() {        # meta GLOBAL [CAPTURES [ANNOTATIONS]]: writes m.sigmf-meta
    printf '{"global":{%s},"captures":[%s],"annotations":[%s]}' "$1" \
        "${2-\"core:sample_start\":0}" "${3-}" | sed 's/\["core:sample_start":0\]/[{"core:sample_start":0}]/' \
        >m.sigmf-meta
}
refuse_meta() { analyze m.sigmf-meta; refused m.sigmf-meta "$1"; n=$((n + 1)); }
ok='"core:datatype":"cf32_le","core:sample_rate":1000000,"core:version":"1.0.0"'

cp good.cf32 m.sigmf-data
meta "$ok"; analyze m.sigmf-meta; accepted 'a good pair'
has '{"type":"summary","samples":20000,"trailing_bytes":0}' 'a good pair'

: >m.sigmf-meta;                                                refuse_meta 'empty metadata'
echo '{"global":{' >m.sigmf-meta;                               refuse_meta 'cut JSON'
echo '[]' >m.sigmf-meta;                                        refuse_meta 'a list'
echo 'null' >m.sigmf-meta;                                      refuse_meta 'null'
echo '{}' >m.sigmf-meta;                                        refuse_meta 'no global'
echo '{"global":[]}' >m.sigmf-meta;                             refuse_meta 'global a list'
printf '{"global":{"core:datatype":"cf32_le","core:sample_rate":1e6,"x":"\377"}}' >m.sigmf-meta
refuse_meta 'not UTF-8'
printf '%0100000d' 0 | tr 0 '[' >m.sigmf-meta;                  refuse_meta 'nested deep'
head -c 100000 good.cf32 >m.sigmf-meta;                         refuse_meta 'samples as metadata'
meta '"core:sample_rate":1000000';                              refuse_meta 'no datatype'
meta '"core:datatype":"cf32_le"';                               refuse_meta 'no rate'
for t in cf32_be rf32_le ci32_le '' cf32; do
    meta "\"core:datatype\":\"$t\",\"core:sample_rate\":1000000"; refuse_meta "datatype $t"
done
meta '"core:datatype":7,"core:sample_rate":1000000';            refuse_meta 'datatype a number'
for r in 0 -1000000 1e12 1e-9 '"1000000"' null '[1e6]' true; do
    meta "\"core:datatype\":\"cf32_le\",\"core:sample_rate\":$r"
    code=0; analyze m.sigmf-meta; refused m. "rate $r"; n=$((n + 1))
done
meta "$ok,\"core:num_channels\":2";                             refuse_meta 'two channels'
meta "$ok,\"core:dataset\":\"/etc/passwd\"";                    refuse_meta 'data elsewhere'
meta "$ok,\"core:dataset\":\"../good.cf32\"";                   refuse_meta 'data above'
meta "$ok,\"core:dataset\":\"a\\u0000b\"";                      refuse_meta 'data with NUL'
meta "$ok" '{"core:sample_start":-1}';                          refuse_meta 'start below 0'
meta "$ok" '{"core:sample_start":1.5}';                         refuse_meta 'start a fraction'
meta "$ok" '{"core:sample_start":0,"core:frequency":"x"}';      refuse_meta 'frequency a word'
meta "$ok" '{"core:sample_start":0,"core:frequency":-1}';       refuse_meta 'frequency below 0'
meta "$ok" '7';                                                 refuse_meta 'capture a number'
meta "$ok"
use m.sigmf-meta --rate 2e6 m.sigmf-meta        # says one thing, the user another
use m.sigmf-meta --format ci16 m.sigmf-meta
meta "$ok,\"core:dataset\":\"gone.cf32\""
use gone.cf32 m.sigmf-meta
rm m.sigmf-data; meta "$ok"
use m.sigmf-data m.sigmf-meta

# ---- Odd, but it can be read ----------------------------------------------------------------
: >empty
analyze $raw empty; accepted 'empty'; n=$((n + 1))
has '{"type":"summary","samples":0,"seconds":0,"bursts":0,"tracks":0,"trailing_bytes":0}' 'empty'
[ "$(wc -l <out)" -eq 1 ] || fault 'empty: more than a summary'

for format in cf32:8 cf64:16 ci16:4 ci8:2 cu8:2; do
    size=${format#*:} format=${format%:*}
    for kind in zero full noise tone nan bits; do
        # Around the smallest block for one format, the ends for the others.
        case $format in cf32) counts='1 2 1023 1024 1025 60000' ;; *) counts='1 1025 60000' ;; esac
        for count in $counts; do
            "$tool/iqmake" $kind $format $count >x
            printf 'abcdefghijklmno' | head -c $((size - 1)) >>x
            analyze --bursts --format $format --rate 1e6 x
            what="$kind $format $count"
            accepted "$what"; n=$((n + 1))
            has "{\"type\":\"summary\",\"samples\":$count,\"lost\":0,\"trailing_bytes\":$((size - 1))}" "$what"
            hasnot '{"type":"decode"}' "$what"
            hasnot '{"type":"track","verdict":"drone"}' "$what"
            case $kind in zero) hasnot '{"type":"burst"}' "$what" ;; esac
        done
    done
done

# Rates at both ends and in between, centre 0 and high.
for rate in 250000 1.92e6 30.72e6 61440000.5 125e6; do
    "$tool/iqmake" tone ci16 200000 >x
    analyze --bursts --format ci16 --rate $rate --freq 0 x; accepted "rate $rate"; n=$((n + 1))
    analyze --format ci16 --rate $rate --freq 5.8e9 x; accepted "rate $rate, 5.8 GHz"
done

# NaN and infinity do not hide what stands beside them, and are counted.
"$tool/iqmake" nan cf32 60000 >x
analyze $raw x
has '{"type":"summary","nonfinite":{"min":10000}}' 'nan is counted'

# ---- Data that is not what its metadata says ------------------------------------------------
head -c 100003 good.cf32 >m.sigmf-data
meta "$ok"; analyze m.sigmf-meta; accepted 'odd length'; n=$((n + 1))
has '{"type":"summary","samples":12500,"trailing_bytes":3}' 'odd length'

# Annotated past the end: what is there is read and told, then the fault.
"$tool/iqmake" tone cf32 60000 >m.sigmf-data
meta "$ok" '{"core:sample_start":0}' '{"core:sample_start":50000,"core:sample_count":50000}'
analyze --bursts m.sigmf-meta; n=$((n + 1))
[ $code -eq 2 ] || fault "cut data: exit $code, expected 2"
form 'cut data'; sentence m.sigmf-data 'cut data'
has '{"type":"summary","samples":60000}' 'cut data'
has '{"type":"burst"}' 'cut data'

# Retuned half way: what lies behind it is read as what it is.
meta "$ok" '{"core:sample_start":0,"core:frequency":2e9},{"core:sample_start":30000,"core:frequency":2.1e9}'
analyze --bursts m.sigmf-meta; n=$((n + 1))
[ $code -eq 0 ] || fault "retuned: exit $code, expected 0"
form 'retuned'
has '{"type":"summary","samples":60000}' 'retuned'
for f in 2000 2100; do
    grep -q '"type":"burst".*"freq_hz":'$f "$tmp/out" || fault "retuned: no burst at $f MHz"
done

# ---- Standard input, and output that cannot be written --------------------------------------
code=0; "$build/bin/tyto-analyze" --json $raw - <good.cf32 >"$tmp/out" 2>"$tmp/err" || code=$?
accepted 'standard input'; n=$((n + 1))
has '{"type":"summary","samples":20000}' 'standard input'
code=0; "$build/bin/tyto-analyze" --json $raw - </dev/null >"$tmp/out" 2>"$tmp/err" || code=$?
accepted 'nothing on standard input'
code=0; "$build/bin/tyto-analyze" --json $raw - <&- >"$tmp/out" 2>"$tmp/err" || code=$?
refused 'standard input' 'standard input closed'
if [ -w /dev/full ]; then
    code=0; "$build/bin/tyto-analyze" --json $raw good.cf32 >/dev/full 2>err || code=$?
    : >out; refused 'standard output' 'a full disk'
fi
# A name that would steer a terminal comes out tame.
analyze $raw "$(printf 'a\033[2Jb')"; refused 'a' 'a hostile name'
if grep -q "$(printf '\033')" err; then fault 'a hostile name reached the terminal'; fi

finish $n
