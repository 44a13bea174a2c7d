#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: record.sh BUILDDIR     tyto record: bounds, checksums, policies, a full disk, and a radio
# that is the device module where that is built.
. "$(dirname "$0")/../lib.sh"
[ -x "$build/bin/tyto-record" ] || skip 'tyto-record is not built'
cd "$tmp"
n=0
record() { code=0; "$build/bin/tyto-record" "$@" >out 2>err || code=$?; n=$((n + 1)); }
is() { [ $code -eq "$1" ] || fault "$2: exit $code, expected $1; $(head -c 300 err)"; }
bytes() { [ "$(wc -c <"$1")" -eq "$2" ] || fault "$3: $(wc -c <"$1") bytes, expected $2"; }
verify() { record --verify "$1"; is "$2" "verify $1"; }

cat >scene.yaml <<X
rate_hz: 1e6
centre_hz: 868e6
duration_s: 1
utc: 2026-01-01T12:00:00Z
receiver: {noise_dbfs: -50}
X

# ---- Bounds, and that what was written is what --verify and other programs read --------------
record --scene scene.yaml --seconds 0.25 -o a.sigmf-meta; is 0 'seconds'
bytes a.sigmf-data 1000000 'seconds'
sentence "a.sigmf-data: 250000 samples, 0.25 s, 0 lost in 0 gaps, sha512 $(sha512sum <a.sigmf-data | cut -d' ' -f1)" 'seconds'
[ ! -s out ] || fault 'something on standard output'
want=$(sha512sum <a.sigmf-data | cut -d' ' -f1)
grep -q "\"core:sha512\":\"$want\"" a.sigmf-meta || fault 'the checksum is not that of sha512sum'
grep -q '"tyto:origin":"simulation"' a.sigmf-meta || fault 'a simulation lost its origin'
grep -q '"core:datetime":"2026-01-01T12:00:00.000' a.sigmf-meta || fault 'the time is not there'
verify a.sigmf-meta 0
verify a.sigmf-data 0
sentence 'checksum fits' 'verify'
record --scene scene.yaml --bytes 4099 -o b.sigmf-meta; is 0 'bytes'
bytes b.sigmf-data 4096 'bytes'
verify b.sigmf-meta 0
record --file a.sigmf-meta -o c.sigmf-meta --note 'a copy'; is 0 'copy'
cmp -s a.sigmf-data c.sigmf-data || fault 'a copy differs'
analyze c.sigmf-meta; accepted 'a recording of ours'
has '{"type":"summary","samples":250000,"trailing_bytes":0}' 'a recording of ours'
ls ./*.part >/dev/null 2>&1 && fault 'a part was left behind'

# ---- Changed, cut, without ------------------------------------------------------------------
printf 'x' | dd of=c.sigmf-data bs=1 seek=5000 conv=notrunc 2>dd; verify c.sigmf-meta 1; sentence c.sigmf-data 'changed'
head -c 4092 b.sigmf-data >x; mv x b.sigmf-data; verify b.sigmf-meta 1
sed 's/"core:sha512":"[0-9a-f]*",//' a.sigmf-meta >d.sigmf-meta; cp a.sigmf-data d.sigmf-data
verify d.sigmf-meta 2; sentence core:sha512 'no checksum'
sed 's/"core:sha512":"[0-9a-f]*"/"core:sha512":"beef"/' a.sigmf-meta >d.sigmf-meta
verify d.sigmf-meta 2; sentence 128 'short checksum'
verify absent.sigmf-meta 2
verify scene.yaml 2

# ---- Never twice, never half ----------------------------------------------------------------
cp a.sigmf-data before
record --scene scene.yaml -o a.sigmf-meta; is 2 'twice'; sentence already 'twice'
cmp -s a.sigmf-data before || fault 'an earlier recording was touched'
record --scene scene.yaml -o e.iq; is 2 'suffix'; sentence .sigmf-meta 'suffix'
record --scene scene.yaml -o nowhere/e.sigmf-meta; is 2 'no folder'; sentence nowhere 'no folder'
record -o e.sigmf-meta; is 2 'nothing to record'
record --args driver=tyto -o e.sigmf-meta; is 2 'no rate'
record --file a.sigmf-meta --scene scene.yaml -o e.sigmf-meta; is 2 'two sources'
record --file a.sigmf-meta --seconds 0 -o e.sigmf-meta; is 2 'no seconds'

# ---- A disk that is full: a file that may not grow is the same to a program -------------------
code=0; (ulimit -f 1000; exec "$build/bin/tyto-record" --scene scene.yaml -o f.sigmf-meta) >out 2>err || code=$?
is 0 'full disk'; n=$((n + 1))
grep -q 'full behind' err && grep -q 'f.sigmf-data: .* sha512 ' err || fault "full disk: $(cat err)"
[ $(($(wc -c <f.sigmf-data) % 4)) -eq 0 ] || fault 'full disk: half a sample'
[ "$(wc -c <f.sigmf-data)" -gt 400000 ] || fault 'full disk: hardly anything was written'
verify f.sigmf-meta 0

# ---- Policies -------------------------------------------------------------------------------
radio='--args driver=tyto,scene=quiet --rate 2.4e6 --freq 868e6'
policy() {      # policy TEXT LINE WORD: refused with file, line and word
    printf '%b' "$1" >policy.yaml
    # shellcheck disable=SC2086
    record $radio --seconds 2 --policy policy.yaml -o g.sigmf-meta
    is 2 "policy $1"; sentence "policy.yaml$2" "policy $1"; sentence "$3" "policy $1"
    [ ! -e g.sigmf-data ] || fault "policy $1: something was recorded"
}
policy 'record: never\n' ':1:' forbidden
policy 'droneid: recognise\n' ': ' 'record:'
policy '# ours\nrecord: bounded\nmax_s: 1\n' ':3:' 'at most 1 s'
policy 'record: bounded\nmax_s: 9\nbands:\n- {lo_hz: 2400e6, hi_hz: 2500e6}\n' ':3:' outside
policy 'record: bounded\n' ':1:' max_s
policy 'record: always\n' ':1:' never
policy 'record: bounded\nmax_s: many\n' ':2:' number
policy 'record: bounded\nrecord: bounded\nmax_s: 9\n' ':2:' once
policy 'record: [\n' ':2:' YAML
record $radio --policy gone.yaml -o g.sigmf-meta; is 2 'policy gone'

# ---- A radio: the device module through SoapySDR ---------------------------------------------
record --args driver=nosuch --rate 1e6 --freq 1e9 --seconds 1 -o h.sigmf-meta
is 2 'absent device'; sentence 'no device fits' 'absent device'; sentence 'tyto doctor' 'absent device'
module=$build/soapy
if [ -e "$module/libtytoSupport.so" ]; then
    printf 'record: bounded\nmax_s: 5\nbands:\n- {lo_hz: 860e6, hi_hz: 870e6}\n' >policy.yaml
    # shellcheck disable=SC2086
    record $radio --plugins "$module" --policy policy.yaml --seconds 0.5 -o i.sigmf-meta
    is 0 'the module'
    bytes i.sigmf-data 4800000 'the module'
    verify i.sigmf-meta 0
    grep -q '"tyto:origin":"simulation"' i.sigmf-meta || fault 'the module passed for a live radio'
    record --args driver=tyto,scene=quiet,overflow_every=20 --rate 2.4e6 --freq 868e6 --plugins "$module" \
        --seconds 0.5 -o j.sigmf-meta
    is 0 'overflows'
    [ "$(grep -o core:sample_start j.sigmf-meta | wc -l)" -gt 5 ] || fault 'overflows left no captures'
    grep -q "j.sigmf-data: 1200000 samples, 0.5 s, [1-9][0-9]* lost in $(($(grep -o core:sample_start j.sigmf-meta | wc -l) - 1)) gaps, sha512" err ||
        fault "overflows: $(cat err)"
    analyze j.sigmf-meta; accepted 'overflows'
    has '{"type":"summary","samples":1200000,"lost":{"min":5000}}' 'overflows'
    record --args driver=tyto,fail_open=1 --rate 2.4e6 --freq 868e6 --plugins "$module" --seconds 1 \
        -o k.sigmf-meta
    is 2 'a device that does not open'
fi

# ---- A driver that crashes, a program that is ended -------------------------------------------
if [ -e "$module/libtytoSupport.so" ]; then
    record --args driver=tyto,scene=quiet,crash_after=0.3 --rate 2.4e6 --freq 868e6 --plugins "$module" \
        --seconds 0.5 -o l.sigmf-meta
    is 0 'a crash'; bytes l.sigmf-data 4800000 'a crash'; verify l.sigmf-meta 0
    analyze l.sigmf-meta; accepted 'a crash'
    has '{"type":"summary","lost":{"min":1200000}}' 'a crash'      # the back-off alone is 0.5 s
    for sig in INT KILL; do
        "$build/bin/tyto-record" --args driver=tyto,scene=quiet --rate 2.4e6 --freq 868e6 \
            --plugins "$module" -o $sig.sigmf-meta >out 2>err &
        parent=$! n=$((n + 1))
        for _ in $(seq 600); do [ -s $sig.sigmf-meta ] && break; sleep 0.1; done
        child=$(cat /proc/$parent/task/*/children)
        kill -$sig $parent
        code=0; wait $parent || code=$?
        [ $sig = KILL ] || is 0 "SIG$sig"
        [ $sig = KILL ] || verify $sig.sigmf-meta 0
        for _ in $(seq 600); do [ -d "/proc/${child% }" ] || break; sleep 0.1; done
        [ -n "$child" ] || fault "SIG$sig: there was no driver process"
        [ ! -d "/proc/${child% }" ] || fault "SIG$sig: the driver process outlived its parent"
        analyze $sig.sigmf-meta; [ $code -eq 0 ] || fault "SIG$sig: what was written cannot be read"
    done
fi

# ---- Only tyto-radio loads drivers ------------------------------------------------------------
for p in "$build"/bin/tyto*; do
    command -v readelf >/dev/null || break
    n=$((n + 1))
    drivers=$(readelf -d "$p" | grep -c 'NEEDED.*libSoapySDR' || :)
    case ${p##*/} in tyto-radio) want=1 ;; *) want=0 ;; esac
    [ "$drivers" -eq $want ] || fault "${p##*/} loads SoapySDR: $drivers, expected $want"
done
finish $n
