// SPDX-License-Identifier: GPL-3.0-or-later
// Who sits here.  A one-time link carries its token behind '#', which no server log ever sees; it
// is exchanged by POST and taken out of the address bar at once.
import { $, text } from "./dom.js";

async function post(body) {
  const r = await fetch("/api/v1/session", { method: "POST", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" }, credentials: "same-origin" });
  const json = await r.json().catch(() => ({}));
  return r.ok ? null : json.error ?? json.why ?? `the server answered ${r.status}`;
}

export async function me() {
  const r = await fetch("/api/v1/me", { credentials: "same-origin", cache: "no-store" });
  return r.ok ? r.json() : null;
}

export async function leave() {
  await fetch("/api/v1/session", { method: "DELETE", credentials: "same-origin" });
  location.reload();
}

async function by_link() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  return token ? post({ token }) : null;
}

function by_form(why) {
  const box = $("signin");
  text($("signin-why"), why ?? "");
  if (!box.open) box.showModal();
  return new Promise(done => {
    box.oncancel = e => e.preventDefault();
    $("signin-form").onsubmit = async e => {
      e.preventDefault();
      text($("signin-why"), "One moment ...");
      const bad = await post({ user: $("signin-user").value, password: $("signin-password").value })
        .catch(() => "the server cannot be reached");
      $("signin-password").value = "";
      if (bad) { text($("signin-why"), bad); return; }
      box.close();
      done();
    };
  });
}

// Comes back once somebody is signed in, with who.
export async function signed_in() {
  let why = location.hash.length > 1 ? await by_link().catch(() => "the server cannot be reached") : null;
  for (;;) {
    const who = await me().catch(() => null);
    if (who) return who;
    await by_form(why);
    why = null;
  }
}
