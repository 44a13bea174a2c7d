// SPDX-License-Identifier: GPL-3.0-or-later
// Who sits here.  A one-time link carries its token behind '#', which no server log ever sees; it
// is exchanged by POST and taken out of the address bar at once.
import { $, text } from "./dom.js";
import { t } from "./words.js";

async function post(body) {
  const r = await fetch("/api/v1/session", { method: "POST", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" }, credentials: "same-origin" });
  const json = await r.json().catch(() => ({}));
  return r.ok ? null : json.error ?? t("answered", { status: r.status });
}

export async function me() {
  const r = await fetch("/api/v1/me", { credentials: "same-origin", cache: "no-store" });
  if (r.status !== 401 && !r.ok) throw new Error(String(r.status));
  return r.ok ? r.json() : null;
}

export async function leave() {
  await fetch("/api/v1/session", { method: "DELETE", credentials: "same-origin" }).catch(() => {});
  location.reload();
}

// ---- Where one was -----------------------------------------------------------------------------

let place = () => null;
export const place_of = fn => { place = fn; };

// The session is over while somebody looks: what was on the screen goes away, it is said why, and
// after the next sign-in of the same person it is there again, with what was being written.
export function ended(unsent) {
  const now = place();
  sessionStorage.setItem("why", "session_ended");
  if (now) sessionStorage.setItem("place", JSON.stringify({ ...now, unsent }));
  location.reload();
}

let signed = null;

export function place_get() {
  const was = JSON.parse(sessionStorage.getItem("place") ?? "null");
  sessionStorage.removeItem("place");
  return was && was.user === signed?.user ? was : null;
}

function why_here() {
  const key = sessionStorage.getItem("why");
  sessionStorage.removeItem("why");
  if (key) document.title = `${t("title_signed_out")} – Tyto`;
  return key ? t(key) : null;
}

async function by_link() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  return token ? post({ token }) : null;
}

function by_form(why, may_cancel) {
  const box = $("signin");
  text($("signin-why"), why ?? "");
  $("signin-no").hidden = !may_cancel;
  if (!box.open) box.showModal();
  return new Promise(done => {
    box.oncancel = e => { if (may_cancel) done(false); else e.preventDefault(); };
    $("signin-no").onclick = () => { box.close(); done(false); };
    $("signin-form").onsubmit = async e => {
      e.preventDefault();
      text($("signin-why"), t("one_moment"));
      const bad = await post({ user: $("signin-user").value, password: $("signin-password").value })
        .catch(() => t("unreachable"));
      $("signin-password").value = "";
      if (bad) { text($("signin-why"), bad); $("signin-password").focus(); return; }
      box.close();
      done(true);
    };
  });
}

// Before the session ends: a new one, while the screen stays as it is.
export async function renew(who) {
  $("signin-user").value = who.user;
  if (!await by_form(t("renew_why"), true)) return;
  const now = await me().catch(() => null);
  if (now?.user === who.user) Object.assign(who, now);
  else location.reload();
}

// Who is signed in by the cookie: an answer, null for nobody.  A server that does not answer is asked
// again: that is no reason for a password.
async function asked() {
  for (;;) {
    try {
      return await me();
    } catch {
      $("lost").hidden = false;
      $("lost").className = "lost";
      text($("lost-what"), t("unreachable_yet"));
      await new Promise(ok => setTimeout(ok, 2000));
    }
  }
}

// A link opened over this very page changes what stands behind '#' and loads nothing.
addEventListener("hashchange", () => { if (location.hash.length > 1) location.reload(); });

// Comes back once somebody is signed in, with who.
export async function signed_in() {
  let why = location.hash.length > 1 ? await by_link().catch(() => t("unreachable")) : why_here();
  for (;;) {
    const who = await asked();
    $("lost").hidden = true;
    if (who) { signed = who; return who; }
    await by_form(why);
    why = null;
  }
}
