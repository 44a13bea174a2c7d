// SPDX-License-Identifier: GPL-3.0-or-later
// One's own account: who is signed in and until when, the password, and the way out.  The rules of a
// password are the post's (`password_rules` of /api/v1/me) and are told before one is chosen.
import { $, text } from "./dom.js";
import { clean, t } from "./words.js";
import * as time from "./time.js";

const SOON_S = 30 * 60;                 // a session's end is told so long before it

export function account_show(who) {
  text($("account-who"), t("account_who", { user: who.user, role: who.role }));
  text($("account-until"), t("account_until", { at: time.when(who.until) }));
  text($("account-password"), t(who.has_password ? "password_change" : "password_set"));
  $("account").showModal();
}

// ---- The offer ---------------------------------------------------------------------------------

// Who came by a link and has no password needs another link next time.
export function offer_draw(who) {
  $("offer").hidden = who.has_password || !who.by_link || sessionStorage.getItem("later") === who.user;
}

export function offer_later(who) {
  sessionStorage.setItem("later", who.user);
  offer_draw(who);
}

// The end of a session is told in time: signed out, the page is blind.
export function session_tick(who) {
  const left = (time.of(who.until) - time.now_ms()) / 1000;
  $("renew").hidden = !(left < SOON_S) || !who.has_password;
  text($("me"), clean(who.user));
  if (!$("renew").hidden) text($("renew"), t("renew", { at: time.when(who.until) }));
}

// ---- The password ------------------------------------------------------------------------------

async function post(body) {
  const r = await fetch("/api/v1/password", { method: "POST", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" }, credentials: "same-origin" });
  const json = await r.json().catch(() => ({}));
  return { ok: r.ok, status: r.status, bad: r.ok ? null : json.error ?? t("answered", { status: r.status }) };
}

// What is wrong before it is sent; characters as people count them.
function wrong(who, one, two) {
  const rules = who.password_rules;
  if ([...one].length < rules.min_characters) return t("password_short", { n: rules.min_characters });
  if (new TextEncoder().encode(one).length > rules.max_bytes) return t("password_long", { n: rules.max_bytes });
  if (one === who.user) return t("password_name");
  return one === two ? null : t("password_differ");
}

function forget() {
  for (const id of ["password-old", "password-one", "password-two"]) $(id).value = "";
}

function needs_old(who) { $("password-old-label").hidden = !who.password_rules.needs_old; }

async function submit(who) {
  const one = $("password-one").value, why = $("password-why"), old = $("password-old").value;
  const bad = wrong(who, one, $("password-two").value);
  if (bad) { text(why, bad); $("password-one").focus(); return; }
  text(why, t("one_moment"));
  $("password-yes").disabled = true;    // a wrong one is answered late, on purpose
  const r = await post({ password: one, ...(who.password_rules.needs_old && { old }) })
    .catch(() => ({ bad: t("unreachable") }));
  $("password-yes").disabled = false;
  if (!r.ok) {
    text(why, r.bad);
    if (r.status === 400 && !who.password_rules.needs_old) who.password_rules.needs_old = true;     // no longer fresh
    needs_old(who);
    const at = $(who.password_rules.needs_old ? "password-old" : "password-one");
    at.value = "";
    at.focus();
    return;
  }
  who.has_password = who.password_rules.needs_old = true;
  forget();
  $("password-box").close();
  offer_draw(who);
  return true;
}

export function password_show(who, done) {
  const rules = who.password_rules;
  $("account").close();
  text($("password-title"), t(who.has_password ? "password_change" : "password_set"));
  text($("password-rules"), t("password_rules", { n: rules.min_characters }));
  text($("password-why"), "");
  $("password-user").value = who.user;
  needs_old(who);
  forget();
  $("password-box").showModal();
  $(rules.needs_old ? "password-old" : "password-one").focus();
  $("password-no").onclick = () => { forget(); $("password-box").close(); };
  $("password-box").onclose = forget;
  $("password-form").onsubmit = async e => {
    e.preventDefault();
    if (await submit(who)) done?.();
  };
}
