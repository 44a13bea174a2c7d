#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: doctor.sh BUILDDIR     tyto doctor at work on the device module: a good radio, and ones that
# lose, fall silent or do not open.
. "$(dirname "$0")/../lib.sh"
n=0
# doctor EXIT NAME ARGS...: its JSON in $tmp/out
doctor() {
    want=$1 name=$2 code=0
    shift 2
    n=$((n + 1))
    "$build/bin/tyto-doctor" --json --plugins "$build/soapy" --seconds 1 "$@" >"$tmp/out" \
        2>"$tmp/err" || code=$?
    [ "$code" -eq "$want" ] || fault "$name: exit $code, expected $want: $(cat "$tmp/out" "$tmp/err")"
}
said() { grep -q "\"state\":\"$1\",\"what\":\"[^\"]*$2" "$tmp/out" || fault "$name: $(cat "$tmp/out")"; }
slow() { grep -q 'arrive of\|samples lost\|broke off' "$tmp/out" && skip 'this machine is too busy to judge a rate'; :; }

quiet=driver=tyto,scene=quiet
# Under a sanitizer, or beside a whole test run, a second of samples may come late.
doctor 0 good --device $quiet --rate 2.4e6 --freq 868e6 drivers radio || :
slow
said ok 'driver=tyto'
said ok 'nothing lost'
doctor 1 loses --device $quiet,overflow_every=20 --rate 2.4e6 --freq 868e6 radio
said wrong 'samples lost'
doctor 1 'wrong rate' --device $quiet --rate 1e6 --freq 868e6 radio
said wrong 'offers 2400000'
doctor 1 'does not open' --device $quiet,fail_open=1 --rate 2.4e6 --freq 868e6 radio
said wrong 'does not open'
doctor 1 'no keys' --keys "$tmp/none" keys
said wrong "$tmp/none"
grep -q '"mend":"tyto keys make' "$tmp/out" || fault 'no mend for keys'
mkdir "$tmp/spool"
doctor 0 'not tuned' --spool "$tmp/spool" plans
said note 'not measured'
echo 'tyto-plans 1' >"$tmp/spool/plans"
doctor 1 'plans of another machine' --spool "$tmp/spool" plans
said wrong "$tmp/spool/plans: .*another processor"
doctor 1 'nowhere to tune to' --spool "$tmp/none" --tune
said wrong "$tmp/none"

cat >"$tmp/s.yaml" <<X
name: Test
keys_dir: $tmp/none
droneid: off
plugin_path: $build/soapy
radios:
  - name: roof
    args: $quiet
    rate_hz: 2.4e6
    centre_hz: 868e6
X
doctor 1 configured --config "$tmp/s.yaml" config keys drivers radio
slow
said ok 'roof: SoapySDR finds driver=tyto'
! grep -q 'no radio' "$tmp/out" || fault "configured: a radio that works is called none: $(cat "$tmp/out")"
said ok "$tmp/s.yaml: .*Test.*, 1 radio"
said wrong "$tmp/none"
said ok 'roof: .*nothing lost'
sed 's/driver=tyto/driver=nosuch/' "$tmp/s.yaml" >"$tmp/none.yaml"
doctor 1 'configured, and not there' --config "$tmp/none.yaml" drivers
said wrong 'roof: SoapySDR finds no driver=nosuch'
doctor 1 'named, and not there' --device driver=nosuch drivers
said wrong 'finds no driver=nosuch'

# A running sensor holds its radios: it is asked, they are not opened a second time.
"$build/bin/tyto-keys" make --dir "$tmp/own" >/dev/null
"$build/bin/tyto-keys" make --dir "$tmp/post" >"$tmp/theirs"
cat >"$tmp/run.yaml" <<X
name: Test
keys_dir: $tmp/own
post: { endpoint: 'tcp://127.0.0.1:9', key: '$(sed -n 's/^public key *//p' "$tmp/theirs")' }
spool: { dir: $tmp/spool }
droneid: off
plugin_path: $build/soapy
radios:
  - { name: good, args: '$quiet', rate_hz: 2.4e6, centre_hz: 868e6 }
  - { name: bad, args: '$quiet,serial=2,overflow_every=100', rate_hz: 2.4e6, centre_hz: 868e6 }
  - { name: gone, args: 'driver=tyto,scene=quiet,serial=3,fail_open=1', rate_hz: 2.4e6, centre_hz: 868e6 }
X
"$build/bin/tyto-sensord" "$tmp/run.yaml" >/dev/null 2>"$tmp/sensord" </dev/null & pid=$!
trap 'kill -9 $pid 2>/dev/null || :; rm -rf "$tmp"' EXIT
i=0
until grep -q '"name":"good",[^}]*"rate_measured_hz"' "$tmp/spool/health.json" 2>/dev/null ||
    [ $i -gt 300 ]; do sleep 0.2; i=$((i + 1)); done
doctor 1 'a running sensor' --config "$tmp/run.yaml" radio
said wrong 'bad: .*samples lost.*running sensor'
said wrong 'gone: the running sensor says it is re'
grep -q '"what":"good: [^"]*running sensor' "$tmp/out" || fault "not told by the sensor: $(cat "$tmp/out")"
kill -TERM $pid
wait $pid || :
[ ! -e "$tmp/spool/health.json" ] || fault 'an ended sensor left its health'
# One that was killed leaves it; nobody is waited for.
printf '{"type":"health","mono_s":%s,"radios":[]}\n' "$(cut -d' ' -f1 /proc/uptime)" >"$tmp/spool/health.json"
doctor 1 'a killed sensor' --config "$tmp/run.yaml" radio
said wrong 'gone: .*does not open'
printf '{"mono_s":1e300,"radios":[7,{"name":7}]}' >"$tmp/spool/health.json"
doctor 1 'a health of nonsense' --config "$tmp/run.yaml" radio
said wrong 'gone: .*does not open'

sed -i 's/rate_hz/rate/' "$tmp/s.yaml"
doctor 1 'bad configuration' --config "$tmp/s.yaml" config
said wrong "$tmp/s.yaml:8: "
doctor 1 'no configuration' --config "$tmp/nosuch.yaml" config
said wrong "$tmp/nosuch.yaml"

for bad in --seconds=0 --rate=x --nosuch nosuchcheck --freq; do
    doctor 2 "$bad" "$bad"
    [ "$(wc -l <"$tmp/err")" -eq 1 ] && [ ! -s "$tmp/out" ] || fault "$bad: $(cat "$tmp/err")"
done
"$build/bin/tyto-doctor" --keys "$tmp/none" keys >"$tmp/out" 2>&1 && fault 'people: exit 0'
grep -q '^WRONG  keys' "$tmp/out" && grep -q -- '-> tyto keys make' "$tmp/out" ||
    fault "people: $(cat "$tmp/out")"
finish $n
