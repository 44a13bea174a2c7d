#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Usage: page.sh BUILDDIR     The page over a long watch: one's own password, a session that ends while
# somebody looks, midnight, thousands of events, a keyboard and nothing else, a reader for the blind.
. "$(dirname "$0")/../lib.sh"
. "$top/tests/browser_lib.sh"

tab=$(printf '\356\200\204') enter=$(printf '\356\200\207') escape=$(printf '\356\200\214')
password='five small owls on a wire'
hear '{"radio":"north-2g4"}'
tyto user add --data data olga --role operator >link
wd go "$(tail -n 1 link)"
soon 'signed in' 'return document.body.dataset.view === "alerts"'
[ $wrong -eq 0 ] || finish
soon 'the banner' "return $(shown '#banner')"

# ---- One's own password, by the keyboard alone ---------------------------------------------------
soon 'a password is offered' "return $(shown '#offer')"
wd keys p
soon 'the form' "return $(shown '#password-box') && document.activeElement.id === 'password-one'"
is 'the rules come first' "$(text '#password-rules').includes('At least 10 characters')"
is 'nothing sticks out of it' '(e => e.scrollWidth <= e.clientWidth && document.querySelector("#password-rules").getBoundingClientRect().left > e.getBoundingClientRect().left + 5)(document.querySelector("#password-box"))'
is 'the banner is over it too' "$(shown '#password-box .banner')"
wd keys "owl${tab}owl$enter"
soon 'too short is told at once' "return $(text '#password-why') === 'It has fewer than 10 characters.'"
wd js 'document.querySelector("#password-form").querySelectorAll("input").forEach(e => { if (e.type === "password") e.value = ""; })' >/dev/null
wd keys "$password${tab}something else$enter"
soon 'two that differ' "return $(text '#password-why') === 'The two are not the same.'"
wd js 'document.querySelector("#password-two").value = ""; document.querySelector("#password-one").value = "";
       document.querySelector("#password-one").focus()' >/dev/null
wd keys "$password$tab$password$enter"
soon 'it is set' "return !$(shown '#password-box') && $(text '#say') === 'The password is set.'"
is 'and not offered again' 'document.querySelector("#offer").hidden'
is 'and not kept in the form' '[...document.querySelectorAll("input[type=password]")].every(e => e.value === "")'
wd keys p
soon 'to change it asks for the old one' "return $(shown '#password-old') && document.activeElement.id === 'password-old'"
wd keys "$escape"
soon 'away' "return !document.querySelector('dialog[open]')"

# ---- For who hears the page --------------------------------------------------------------------
for k in 1 2; do
    hear '{"track":"a'$k'","family":"dji-droneid","role":"identification","serial":"SERIAL'$k'","model":"DJI Mini 2","lat":50.00'$k',"lon":14.003,"person":"takeoff","plat":50.004,"plon":14.006}'
    soon "alert $k" "return $rows >= $k"
done
hear '{"track":"e","family":"expresslrs","link":"ELRS 2.4/250Hz LoRa","role":"control"}'
soon 'the third' "return $rows >= 3"
soon 'a new alert is said' "return /^(critical|alarm): Drone/.test($(text '#news')) && document.querySelector('#news').getAttribute('aria-live') === 'assertive'"
is 'the band once' "[...document.querySelectorAll('#list-drone .line')].some(e => e.textContent === 'Drone control radio: ELRS 2.4/250Hz LoRa')"
is 'what changes each second is not' '![...document.querySelectorAll("[aria-live],[role=alert],[role=status]")].some(e => e.querySelector("#clock, #watched, #lost-span") || ["clock", "watched", "lost-span"].includes(e.id))'
is 'every field and picture has a name' '[...document.querySelectorAll("input, button, canvas, #rings svg, section, nav")].every(e =>
    e.ariaHidden === "true" || !e.checkVisibility() || (e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.closest("label")?.textContent || e.textContent).trim())'
is 'urgency is a word and a shape' '[...document.querySelectorAll("#list-drone li")].every(e => /critical|alarm|watch|info/.test(e.querySelector(".chip.urgent").textContent) && e.querySelector(".mark").textContent.trim())'
is 'health is a word and a shape' '[...document.querySelectorAll(".sensor h3")].every(e => /hears|not heard|deaf|not known/.test(e.textContent) && e.querySelector(".mark").textContent.trim())'

# ---- The keyboard alone: Tab comes to every control, in the order in which they are seen -----------
for width in 1400 1000 500; do
    wd size $width 900
    wd js 'window.seen = []; window.note ??= document.addEventListener("focusin", e => window.seen.push(e.target)) ?? 1; document.activeElement.blur(); window.getSelection().removeAllRanges(); document.querySelector("#banner").tabIndex = -1; document.querySelector("#banner").focus()' >/dev/null
    wd keys "$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab$tab"
    missed=$(wd js 'return [...document.querySelectorAll("button, summary, input, a, [data-act]")].filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.closest("dialog") && !window.seen.includes(e)).map(e => e.id || e.textContent).join(", ")')
    [ -z "$missed" ] || fault "Tab does not come to: $missed (width $width)"
    is 'each focus is seen' '!window.seen.some(e => e.matches("button") && e.checkVisibility() && getComputedStyle(e, ":focus-visible").outlineColor === "transparent")'
    is "nothing sticks out at $width" 'document.documentElement.scrollWidth <= innerWidth'
done
is 'what can be clicked in the picture is in the list, too' '[...document.querySelectorAll("svg [data-choose]")].every(e => document.querySelector(`#alerts button[data-choose="${e.dataset.choose}"]`))'
wd size 1400 900

# ---- The alerts stay in sight ------------------------------------------------------------------
for size in '1000 700' '1300 700' '1400 900'; do
    wd size $size
    wd js 'scrollTo(0, 1e6); document.querySelector("#sensors").scrollIntoView()' >/dev/null
    is "the first alert at $size" '(r => r.top >= 0 && r.bottom <= innerHeight)(document.querySelector("#list-drone li").getBoundingClientRect())'
    is "the banner at $size" '(r => r.top >= 0 && r.bottom <= innerHeight)(document.querySelector("#banner").getBoundingClientRect())'
done
wd js 'scrollTo(0, 0)' >/dev/null

# ---- Labels of the picture -----------------------------------------------------------------------
hear '{"track":"b1","family":"dji-droneid","role":"identification","serial":"SAMEPLACE1","model":"DJI Mini 2","lat":50.002,"lon":14.003,"person":"live","plat":50.002,"plon":14.003}'
hear '{"track":"b2","family":"dji-droneid","role":"identification","serial":"SAMEPLACE2","model":"DJI Mavic 3","lat":50.002,"lon":14.003,"person":"live","plat":50.002,"plon":14.003}'
soon 'on one spot' 'return document.querySelectorAll("#rings .marker").length >= 9'
covered='const boxes = [...document.querySelectorAll("#rings .marker text:not(.note)")].map(e => e.getBoundingClientRect());
  const all = document.querySelector("#rings").getBoundingClientRect();
  return boxes.filter((a, i) => a.left < all.left - 1 || a.right > all.right + 1 || boxes.some((b, k) => k > i && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3)).length'
[ "$(wd js "$covered")" = 0 ] || fault "labels lie over each other or stick out: $(wd js "$covered")"
is 'they can be read' '[...document.querySelectorAll("#rings text")].every(e => e.getBoundingClientRect().height >= 12)'
n=$((n + 1))

# ---- What was watched ----------------------------------------------------------------------------
hear '{"band":"2.4 GHz","ago_min":50,"minutes":20,"share":1,"smallest":-97}'
hear '{"band":"2.4 GHz","ago_min":30,"minutes":3,"share":1,"deaf":0.9,"state":"deaf"}'
hear '{"band":"2.4 GHz","ago_min":27,"minutes":22,"share":1,"smallest":-97}'
hear '{"band":"5.8 GHz","lo_mhz":5650,"hi_mhz":5925,"ago_min":40,"minutes":20,"share":0.35,"smallest":-92}'
hear '{"band":"5.8 GHz","lo_mhz":5650,"hi_mhz":5925,"ago_min":20,"minutes":9,"share":0,"state":"not-watched"}'
hear '{"track":"u","family":"unknown","role":"control","p_drone":0.6,"usual":true}'
wd js 'document.querySelector("#ledger-spans [data-span=\"240\"]").focus()' >/dev/null
wd keys "$enter"
soon 'four hours' 'return document.querySelector("[data-span=\"240\"]").ariaPressed === "true" && /no word of 3 h/.test(document.querySelector("#ledgers").textContent)'
wd js 'document.querySelector("#ledger-spans [data-span=\"60\"]").click()' >/dev/null
soon 'its strips' 'return document.querySelectorAll("#ledgers .strip").length >= 2'
soon 'the minutes are told' "return /deaf for 3 min/.test($(text '#ledgers')) && /not watched for 9 min/.test($(text '#ledgers'))"
is 'the weakest signal' "/weakest signal it would have found: -97 dBFS/.test($(text '#ledgers'))"
is 'each state has its own pattern' 'new Set(["c-watched", "c-deaf", "c-not-told"].map(c => getComputedStyle(document.querySelector(`.strip .${c}`)).fill)).size === 3'
is 'each strip says it in words' '[...document.querySelectorAll(".strip")].every(e => /watched \d+ % of the time/.test(e.getAttribute("aria-label")))'
wd js 'document.querySelector("#ledgers summary").focus()' >/dev/null
wd keys "$enter"
soon 'in words by the keyboard' 'return document.querySelector("#ledgers details").open && document.querySelectorAll("#ledgers details[open] li").length >= 3'
soon 'what is usual is marked' "return /usual here/.test($(text '#list-drone'))"
is 'and stands last' '[...document.querySelectorAll("#list-drone li")].pop().textContent.includes("usual here")'
wd js 'scrollTo(0, 0)' >/dev/null

# ---- The banner ------------------------------------------------------------------------------
wd js 'const s = new CSSStyleSheet(); s.replaceSync(".banner { display: none !important; opacity: 0 !important; visibility: hidden !important; transform: scale(0) !important; clip-path: inset(50%) !important }"); document.adoptedStyleSheets = [s]' >/dev/null
is 'no style hides the banner' "$(shown '#banner') && getComputedStyle(document.querySelector('#banner')).opacity === '1' && getComputedStyle(document.querySelector('#banner')).clipPath === 'none'"
wd js 'document.adoptedStyleSheets = []' >/dev/null
is 'it is in the title' "document.title.startsWith('SIMULATION')"

# ---- A session that ends while somebody looks ------------------------------------------------------
wd keys j
wd keys 2
chosen=$(wd js 'return document.querySelector("[aria-current=true][data-choose]").dataset.choose')
echo "$password, again" | tyto user passwd --data data olga         # which ends all his sessions
soon 'it is said' "return $(shown '#signin') && $(text '#signin-why').startsWith('Your session has ended')"
is 'in the title, too' "document.title.startsWith('SIGNED OUT')"
is 'nothing is shown' "$rows === 0"
wd js 'document.querySelector("#signin-user").focus()' >/dev/null
wd keys "olga${tab}wrong password$enter"
soon 'a wrong password' "return $(text '#signin-why') === 'Name or password is wrong.'"
is 'once more, from the password' 'document.activeElement.id === "signin-password"'
wd keys "$password, again$enter"
soon 'where one was' "return document.querySelector('[aria-current=true][data-choose]')?.dataset.choose === '$chosen' && document.body.dataset.view === 'place'"
wd keys 1
# Signed in by a password one must know it to change it; a wrong one is told, and locks nobody out.
wd keys p
soon 'the form once more' "return document.activeElement.id === 'password-old'"
wd keys "not the old one${tab}another one of mine${tab}another one of mine$enter"
soon 'a wrong present one' "return $(text '#password-why') === 'The present password is another one.' && document.activeElement.id === 'password-old'"
wd keys "$password, again$enter"
soon 'the right one' "return !$(shown '#password-box') && $(text '#say') === 'The password is set.'"

# ---- A session that is about to end: renewed while the screen stays as it is -------------------------
sign_in() { wd keys "$1$enter"; }
is 'nothing to be renewed yet' 'document.querySelector("#renew").hidden'
"$tool/age" data/accounts.db $((24 * 3600 - 20 * 60))
wd go "$url"
soon 'twenty minutes before the end' "return $(shown '#renew') && /^Session ends at ([0-9-]{10} )?[0-9:]{5,8}: sign in again$/.test($(text '#renew'))"
soon 'the rows' "return $rows >= 3"
soon 'nothing else asks' "return document.activeElement === document.body && document.querySelector('#lost').hidden"
wd keys j
soon 'one is chosen' 'return document.querySelector("[aria-current=true][data-choose]")'
chosen=$(wd js 'window.same_page = true; return document.querySelector("[aria-current=true][data-choose]").dataset.choose')
wd js 'document.querySelector("#renew").click()' >/dev/null
soon 'why it asks' "return $(shown '#signin') && $(text '#signin-why').startsWith('Sign in again before') && document.querySelector('#signin-user').value === 'olga'"
is 'what stood there still stands' "$rows >= 3"
wd js 'document.querySelector("#signin-no").click()' >/dev/null
soon 'not now' "return !document.querySelector('dialog[open]') && $(shown '#renew')"
wd js 'document.querySelector("#renew").click(); document.querySelector("#signin-password").focus()' >/dev/null
sign_in 'some other words'
soon 'a wrong one' "return $(text '#signin-why') === 'Name or password is wrong.'"
sign_in 'another one of mine'
soon 'renewed' "return !document.querySelector('dialog[open]') && document.querySelector('#renew').hidden"
"$tool/age" data/accounts.db 3600       # the old session is over, the new one an hour old
sleep 3
hear '{"track":"renewed","family":"dji-droneid","role":"identification","serial":"RENEWED1","model":"DJI Mini 2"}'
soon 'it goes on under the new one' "return $rows >= 6"
is 'nothing was loaded anew' "window.same_page && document.querySelector('#lost').hidden && document.querySelector('[aria-current=true][data-choose]').dataset.choose === '$chosen'"

# ---- The session ends over a note: it comes back after the sign-in, still to be sent ------------------
for how in 'while it is written' 'when it is sent'; do
    wd keys n
    soon "a note ($how)" "return $(shown '#ask') && document.activeElement.id === 'ask-text'"
    wd keys "seen from the bridge, $how"
    case $how in
    while*) "$tool/age" data/accounts.db $((25 * 3600)) ;;
    when*)  wd js 'await fetch("/api/v1/session", { method: "DELETE" }); document.querySelector("#ask-yes").click()' >/dev/null ;;
    esac
    soon "ended $how" "return $(shown '#signin') && $(text '#signin-why').startsWith('Your session has ended') && $rows === 0"
    wd js 'document.querySelector("#signin-user").focus()' >/dev/null
    sign_in "olga${tab}another one of mine"
    soon "the note is back ($how)" "return document.querySelector('#ask').open && document.querySelector('#ask-text').value === 'seen from the bridge, $how'"
    wd keys "$enter"
    soon "it is sent ($how)" "return document.querySelector('#detail').textContent.includes('seen from the bridge, $how')"
done
is 'once' '!sessionStorage.getItem("place") && document.querySelector("#detail").textContent.split("seen from the bridge").length === 3'

# ---- Left open for a week ------------------------------------------------------------------------
week=$(wd js 'const { view_take } = await import("/spectrum.js"), { draw_list } = await import("/alerts.js"), { feed_open } = await import("/feed.js");
  const out = {}, view = { rate_hz: 2e7, centre_hz: 2.44e9, floor_db: -90, top_db: -20, v: btoa("\x80".repeat(64)) };
  for (let i = 0; i < 4000; i++) view_take({ ...view, sensor: `s${i % 40}`, radio: "r" });
  out.panels = document.querySelectorAll("#bands canvas").length;
  const alert = i => ({ id: `w${i}`, rev: 1, lane: "drone", severity: "alarm", work: i % 3 ? "new" : "closed", signal: "ended", first: "2026-01-02T03:04:05Z", line: { key: "drone", params: { what: `x${i}` } } });
  const world = { alert: new Map(), health: new Map(), sensor: new Map(), zone: new Map() };
  for (let i = 0; i < 3000; i++) world.alert.set(`w${i}`, alert(i));
  draw_list(world, null, true);
  out.rows = document.querySelectorAll("#list-drone li").length;
  out.more = document.querySelector("#more-drone").textContent;
  out.stays = [...document.querySelectorAll("#list-drone li")].length && document.querySelector("#n-closed").textContent;
  // A feed of its own, of a server that never ends: 30,000 alerts, 30,000 tracks, again and again.
  const real = window.fetch, text = new TextEncoder();
  let sent = 0, feed;
  const done = new Promise(ok => {
    window.fetch = async () => new Response(new ReadableStream({ pull(c) {
      if (sent >= 60) { ok(); return new Promise(() => {}); }
      let s = sent ? "" : "event: reset\ndata: {}\n\nid: 1\nevent: ready\ndata: {}\n\n";
      for (let i = 0; i < 1000; i++) { const k = sent * 1000 + i; s += `id: ${k + 2}\nevent: ${k % 2 ? "track" : "alert"}\ndata: ${JSON.stringify(alert(k))}\n\n`; }
      sent++; c.enqueue(text.encode(s)); } }));
    feed = feed_open({ onchange() {}, onview() {}, onstate() {} });
  });
  await done; await new Promise(ok => setTimeout(ok, 300));
  out.refused = await new Promise(ok => {
    window.fetch = async () => new Response(JSON.stringify({ error: "This sign-in has 32 screens open already; close one." }), { status: 429 });
    const f = feed_open({ onchange() {}, onview() {}, onstate(s, since, why) { f2.stop(); ok(`${s}: ${why}`); } }), f2 = f;
  });
  window.fetch = real;
  out.kept = Object.fromEntries(Object.entries(feed.world).map(([k, m]) => [k, m.size]));
  out.newest = feed.world.alert.has("w59998"); feed.stop();
  return out')
expect() { case $week in *"$1"*) n=$((n + 1)) ;; *) fault "a week: $2: no $1 in $week" ;; esac; }
expect '"panels":32' 'spectra of sixteen radios, no more'
expect '"rows":201' 'two hundred rows and what is left out'
expect '"more":"and 1800 more"' 'what is left out is told'
expect '"alert":8192' 'a stated number of alerts'
expect '"newest":true' 'the newest stay'
expect '"refused":"lost: This sign-in has 32 screens open already; close one."' 'why the post refuses'
case $week in *track*) fault "tracks are kept for nothing: $week" ;; esac
wd go "$url"
soon 'as before' "return $rows >= 3"
day=$(wd js 'const time = await import("/time.js"), at = new Date(time.now_ms()).toISOString(), out = [time.when(at)];
  for (let i = 0; i < 3; i++) time.clock_set(new Date(Date.now() + 30 * 3600e3).toISOString());
  out.push(time.when(at), time.zone()); return out.join("|")')
echo "$day" | grep -Eq '^[0-9:]{8}\|20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8}\|.+$' || fault "midnight: $day"
soon 'the lines have their day' "return /since 20[0-9-]{8} [0-9:]{8}/.test($(text '#list-drone li'))"
is 'the zone stands beside the clock, once' '(z => document.querySelector("#clock-local").textContent.endsWith(z) && !document.querySelector("main").textContent.includes(` ${z} `))(new Intl.DateTimeFormat(navigator.language, { timeZoneName: "short" }).formatToParts().find(p => p.type === "timeZoneName").value)'
late=$(wd js 'const { draw_list } = await import("/alerts.js");
  draw_list({ alert: new Map([["l", { id: "l", severity: "alarm", work: "new", signal: "ended", late: true, first: "2026-01-02T14:02:00Z", received: "2026-01-02T14:12:00Z", last: "2026-01-02T14:03:00Z", line: { key: "drone", params: { what: "a\u202eb\u200fc\u2066d\u00ade\ufe0ff \u05d0\u05d1" } } }]]), health: new Map(), sensor: new Map(), zone: new Map() }, null, true);
  return document.querySelector("#row-l").textContent + "|" + document.querySelector("#row-l bdi").textContent')
echo "$late" | grep -q 'happened at 2026-01-02 ..:02:00, learned 2026-01-02 ..:12:00' || fault "late: $late"
case $late in *'a�b�c�d�e�f'*) ;; *) fault "a name from the air: $late" ;; esac
n=$((n + 4))

# ---- Nothing from elsewhere ------------------------------------------------------------------------
is 'no font, no picture from elsewhere' '![...document.styleSheets].some(s => [...s.cssRules].some(r => r.type === CSSRule.FONT_FACE_RULE || r.type === CSSRule.IMPORT_RULE || /url\(/.test(r.cssText))) && document.fonts.size === 0'
blocked=$(wd js 'return await new Promise(ok => { document.addEventListener("securitypolicyviolation", e => ok(e.violatedDirective)); fetch("https://192.0.2.1/").catch(() => setTimeout(() => ok("none"), 1000)); })')
[ "$blocked" = connect-src ] || [ "$blocked" = default-src ] || fault "the page may ask elsewhere: $blocked"
n=$((n + 1))
finish $n
