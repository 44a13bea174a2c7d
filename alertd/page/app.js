// SPDX-License-Identifier: GPL-3.0-or-later
// The alert page: joins the feed to its parts, and turns keys and buttons into actions.
//
//     session -> feed -> world -> lists, detail, rings, sensors (drawn at most 4 times a second)
//                          '----> sound, when an alert calls again
import { $, el, text } from "./dom.js";
import * as time from "./time.js";
import { feed_open } from "./feed.js";
import { words_load, line } from "./words.js";
import { draw_list, draw_detail, REASONS, sentence } from "./alerts.js";
import { draw_rings } from "./rings.js";
import { draw_sensors, watched_line } from "./sensors.js";
import { view_take, spectrum_age } from "./spectrum.js";
import { signed_in, leave } from "./session.js";
import { call, mute_toggle, muted_ms, sound_arm, sound_ready } from "./sound.js";

let who, feed, selected = null, ids = [], dirty = true, state = "starting", state_since = Date.now();
const called = new Map();               // alert id -> how often it had called when we last looked
let settled = false;                    // the first snapshot makes no sound

function hear(a) {
  const before = called.get(a.id) ?? 0, now = a.calls ?? 1;
  called.set(a.id, now);
  if (!settled || now <= before || a.late || a.work === "closed" || (a.lane ?? "drone") !== "drone") return;
  call(a.severity === "alarm" || a.severity === "critical");
}

function changed(kind, id) {
  dirty = true;
  if (kind === "alert") { const a = feed.world.alert.get(id); if (a) hear(a); }
  if (kind === "health") time.clock_set(feed.world.health.get(id)?.now);
}

function choose(id, and_focus) {
  selected = id;
  dirty = true;
  document.body.classList.add("has-detail");
  draw();
  document.querySelector(`[data-id="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "nearest" });
  if (and_focus) $("detail").focus();
}

function view(name) {
  document.body.dataset.view = name;
  document.body.classList.remove("has-detail");
  for (const b of $("tabs").querySelectorAll("button"))
    b.setAttribute("aria-current", b.dataset.view === name ? "page" : "false");
}

// ---- What people do --------------------------------------------------------------------------

function ask({ title, choices, label, yes }) {
  $("ask-title").textContent = title;
  $("ask-choices").replaceChildren(...(choices ?? []).map(([v, t], i) =>
    el("label", { class: "choice" }, el("input", { type: "radio", name: "choice", value: v, checked: i === 0 }), " ", t)));
  $("ask-label").hidden = !label;
  $("ask-label").firstElementChild.textContent = label ?? "";
  $("ask-text").value = "";
  $("ask-yes").textContent = yes;
  const box = $("ask");
  box.showModal();
  if (label && !choices) $("ask-text").focus();
  return new Promise(done => {
    $("ask-no").onclick = () => { box.close(); done(null); };
    box.oncancel = () => done(null);
    $("ask-form").onsubmit = e => {
      e.preventDefault();
      box.close();
      done({ text: $("ask-text").value.trim(), choice: box.querySelector("input[type=radio]:checked")?.value });
    };
  });
}

function say(words, bad) {
  const b = $("lost");
  if (state !== "live") return;
  b.textContent = words;
  b.className = bad ? "bad" : "good";
  b.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { if (state === "live") b.hidden = true; }, 6000);
}

async function send(verb, a, body) {
  const key = [...crypto.getRandomValues(new Uint8Array(16))].map(x => x.toString(16).padStart(2, "0")).join("");
  try {
    const r = await fetch(`/api/v1/alerts/${encodeURIComponent(a.id)}/${verb}`, { method: "POST",
      credentials: "same-origin", body: JSON.stringify({ rev: a.rev, ...body }),
      headers: { "Content-Type": "application/json", "Idempotency-Key": key } });
    const json = await r.json().catch(() => ({}));
    if (r.status === 409) say("Somebody else was first: the alert has changed. Look, then act again.", true);
    else if (r.status === 401) location.reload();
    else if (!r.ok) say(json.error ?? `Not done: the server answered ${r.status}.`, true);
    else say("Done.");
  } catch {
    say("Not done: the server cannot be reached. Try again when the page says it is live.", true);
  }
}

const DO = {
  seen: a => send("seen", a, {}),
  async assign(a) {
    const r = await ask({ title: "Assign", label: "To whom?", yes: "Assign" });
    if (r?.text) send("assign", a, { text: r.text });
  },
  async note(a) {
    const r = await ask({ title: "Note", label: "What is to be remembered?", yes: "Note" });
    if (r?.text) send("note", a, { text: r.text });
  },
  async close(a) {
    const r = await ask({ title: a.signal === "heard" ? "Close, though it still transmits" : "Close", choices: REASONS,
      label: "Note (may stay empty)", yes: "Close" });
    if (r) send("close", a, { reason: r.choice, text: r.text });
  },
  reopen: a => send("reopen", a, {}),
  async copy(a) {
    const s = sentence(a);
    try { await navigator.clipboard.writeText(s); say(`Copied: ${s}`); } catch { say(s); }
  },
};

function act(verb, a) {
  if (DO[verb]) DO[verb](a);
}

// ---- Keys ------------------------------------------------------------------------------------

function step(by) {
  if (!ids.length) return;
  const i = ids.indexOf(selected);
  choose(ids[Math.max(0, Math.min(ids.length - 1, i < 0 ? 0 : i + by))]);
}

const KEYS = {
  j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1),
  m: () => { mute_toggle(); draw(); },
  "?": () => $("keys").showModal(),
  1: () => view("alerts"), 2: () => view("place"), 3: () => view("band"), 4: () => view("sensors"),
  Escape: () => document.body.classList.remove("has-detail"),
};
const ON_ALERT = { s: "seen", a: "assign", n: "note", c: "close", y: "copy" };

function key(e) {
  if (e.ctrlKey || e.altKey || e.metaKey || document.querySelector("dialog[open]") || e.target.matches("input,textarea")) return;
  const a = selected && feed?.world.alert.get(selected);
  if (KEYS[e.key]) { KEYS[e.key](); e.preventDefault(); }
  else if (a && ON_ALERT[e.key] && may_act()) {
    act(e.key === "c" && a.work === "closed" ? "reopen" : ON_ALERT[e.key], a);
    e.preventDefault();
  }
}

const may_act = () => ["operator", "supervisor"].includes(who?.role);

// ---- Drawing ---------------------------------------------------------------------------------

function draw_link() {
  const b = $("lost");
  document.body.classList.toggle("stale", state !== "live");
  if (state === "live") { if (b.className === "lost") b.hidden = true; return; }
  b.hidden = false;
  b.className = "lost";
  text(b, state === "starting" ? "Connecting ..." : `CONNECTION LOST at ${time.hhmmss(state_since)}. What you see is older than that. Trying again.`);
}

function draw_banner(health) {
  const odd = (health?.origins ?? []).filter(o => o !== "live");
  $("banner").hidden = !odd.length && !health?.exercise;
  text($("banner"), odd.length ? `${odd.map(o => o.toUpperCase()).join(", ")}: what you see is not a real event` : "EXERCISE");
}

function draw() {
  if (!feed) return;
  dirty = false;
  const w = feed.world, health = w.health.get("post");
  if (selected && !w.alert.has(selected)) selected = null;
  ids = draw_list(w.alert, selected, id => choose(id, true));
  draw_detail(w.alert.get(selected), act, may_act());
  draw_rings(w, selected, choose);
  draw_sensors(w);
  draw_banner(health);
  text($("site"), health?.site || "Tyto");
  const heard = ids.some(id => w.alert.get(id)?.lane !== "equipment" && w.alert.get(id)?.work !== "closed");
  text($("watched"), watched_line(health));
  text($("none"), heard ? "" : state === "live" ? `Nothing heard; ${watched_line(health)}.` : "");
  const fresh = [...w.alert.values()].filter(a => a.work === "new" && (a.lane ?? "drone") === "drone");
  document.title = state !== "live" ? "LOST – Tyto" : fresh.length ? `(${fresh.length}) ${line(fresh[0])}` : "Tyto";
}

function tick() {
  text($("clock"), `${time.hhmmss(time.now_ms())} · ${new Date(time.now_ms()).toISOString().slice(11, 16)} UTC`);
  const m = muted_ms();
  text($("mute"), m > 0 ? `Sound off for ${time.span(m / 1000)}` : sound_ready() ? "Sound on" : "Sound: press any key");
  $("mute").setAttribute("aria-pressed", String(m > 0));
  draw_link();
  spectrum_age();
  draw();
}

async function main() {
  await words_load("en");
  who = await signed_in();
  view("alerts");
  feed = feed_open({ onchange: changed, onview: view_take, onstate: (s, t) => {
    state = s;
    state_since = t;
    if (s === "signed-out") location.reload();
    if (s === "live") setTimeout(() => { settled = true; }, 1500);
    draw_link();
  } });
  setInterval(() => { if (dirty) draw(); }, 250);
  setInterval(tick, 1000);
  addEventListener("keydown", key);
  for (const e of ["keydown", "pointerdown"]) addEventListener(e, sound_arm, { once: false });
  $("mute").onclick = () => { mute_toggle(); tick(); };
  $("help").onclick = () => $("keys").showModal();
  $("leave").onclick = leave;
  for (const b of $("tabs").querySelectorAll("button")) b.onclick = () => view(b.dataset.view);
  tick();
}

main();
