// SPDX-License-Identifier: GPL-3.0-or-later
// The alert page: joins the feed to its parts, and turns keys and buttons into actions.
//
//     session -> feed -> world -> lists, detail, rings, sensors (drawn at most 4 times a second)
//                          '----> sound, when an alert calls again
import { $, el, text } from "./dom.js";
import * as time from "./time.js";
import { feed_open } from "./feed.js";
import { words_load, clean, line, t, word } from "./words.js";
import { draw_list, draw_detail, is_drone, reasons, sentence } from "./alerts.js";
import { draw_rings } from "./rings.js";
import { draw_sensors, watched } from "./sensors.js";
import { view_take, spectrum_age } from "./spectrum.js";
import { ended, leave, signed_in } from "./session.js";
import { call, mute_toggle, muted_ms, sound_arm, sound_ready } from "./sound.js";

let who, feed, selected = null, ids = [], dirty = true, state = "starting", state_since = Date.now();
const called = new Map();               // alert id -> how often it had called when we last looked
let settled = false;                    // the first snapshot makes no sound

// Sounds when an alert calls for the first time since we looked, or once more.
function hear(a) {
  const before = called.get(a.id) ?? 0, now = a.calls ?? 1;
  called.set(a.id, now);
  if (!settled || now <= before || a.late || a.work === "closed" || !is_drone(a)) return;
  call(a.severity === "alarm" || a.severity === "critical");
}

function hear_all() {
  for (const id of called.keys()) if (!feed.world.alert.has(id)) called.delete(id);
  for (const a of feed.world.alert.values()) hear(a);
  settled = true;
}

function changed(kind, id) {
  dirty = true;
  if (kind === "all") hear_all();
  if (kind === "alert" && feed.world.alert.has(id)) hear(feed.world.alert.get(id));
  else if (kind === "alert") called.delete(id);
  if (kind === "health" || kind === "all") time.clock_set(feed.world.health.get("post")?.now);
}

function choose(id) {
  selected = id;
  document.body.classList.add("has-detail");
  draw();
  $(`row-${id}`)?.scrollIntoView({ block: "nearest" });
}

function back() {
  document.body.classList.remove("has-detail");
  $(`row-${selected}`)?.querySelector("button").focus();
}

function view(name, and_focus) {
  document.body.dataset.view = name;
  document.body.classList.remove("has-detail");
  for (const b of $("tabs").querySelectorAll("button"))
    b.setAttribute("aria-current", b.dataset.view === name ? "page" : "false");
  if (and_focus) { $(name).focus(); $(name).scrollIntoView({ block: "nearest" }); }
}

// ---- What people do --------------------------------------------------------------------------

function ask({ title, choices, label, yes, max = 500 }) {
  $("ask-title").textContent = title;
  $("ask-choices").replaceChildren(...(choices ?? []).map(([v, s], i) =>
    el("label", { class: "choice" }, el("input", { type: "radio", name: "choice", value: v, checked: i === 0 }), " ", s)));
  $("ask-label").hidden = !label;
  $("ask-label").firstElementChild.textContent = label ?? "";
  $("ask-text").value = "";
  $("ask-text").maxLength = max;
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
  const b = $("say");
  b.textContent = words;
  b.className = bad ? "bad" : "good";
  b.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { b.hidden = true; }, bad ? 15000 : 5000);
}

// The same key each time: a server that did it and could not say so does not do it twice.
async function send(verb, a, body) {
  const key = [...crypto.getRandomValues(new Uint8Array(16))].map(x => x.toString(16).padStart(2, "0")).join("");
  for (let left = 3; left--; await new Promise(ok => setTimeout(ok, 500))) {
    try {
      const r = await fetch(`/api/v1/alerts/${encodeURIComponent(a.id)}/${verb}`, { method: "POST",
        credentials: "same-origin", body: JSON.stringify({ rev: a.rev, ...body }),
        headers: { "Content-Type": "application/json", "Idempotency-Key": key } });
      const json = await r.json().catch(() => ({}));
      if (r.status === 503 && left) continue;
      if (r.status === 401) return ended();
      if (r.status === 409) return say(t("stale"), true);
      return r.ok ? say(t("done")) : say(json.error ? clean(json.error) : t("not_done_status", { status: r.status }), true);
    } catch {
      if (!left) say(t("not_done"), true);
    }
  }
}

const ON_ALERT = {
  seen: a => a.work === "new" && send("seen", a, {}),
  async assign(a) {
    const r = await ask({ title: t("ask_assign"), label: t("ask_assign_label"), yes: t("ask_assign"), max: 60 });
    if (r?.text) send("assign", a, { text: r.text });
  },
  async note(a) {
    const r = await ask({ title: t("ask_note"), label: t("ask_note_label"), yes: t("ask_note") });
    if (r?.text) send("note", a, { text: r.text });
  },
  async close(a) {
    const r = await ask({ title: t(is_drone(a) && a.signal === "heard" ? "ask_close_heard" : "ask_close"),
      choices: reasons(), label: t("ask_close_label"), max: 400, yes: t("ask_close") });
    if (r) send("close", a, { reason: r.choice, text: r.text });
  },
  reopen: a => send("reopen", a, {}),
  async copy(a) {
    const s = sentence(a, feed.world, state === "live");
    try { await navigator.clipboard.writeText(s); say(t("copied", { sentence: s })); } catch { say(s); }
  },
};
const ALWAYS = {
  back, leave, help: () => $("keys").showModal(), mute: () => { mute_toggle(); tick(); },
};

function act(verb) {
  if (ALWAYS[verb]) return ALWAYS[verb]();
  const a = feed?.world.alert.get(selected);
  if (verb === "close" && a?.work === "closed") verb = "reopen";
  if (a && (verb === "copy" || may_act())) ON_ALERT[verb]?.(a);
}

const may_act = () => who?.may?.act ?? ["operator", "supervisor"].includes(who?.role);

// ---- Keys and clicks --------------------------------------------------------------------------

function step(by) {
  if (!ids.length) return;
  const i = ids.indexOf(selected);
  choose(ids[Math.max(0, Math.min(ids.length - 1, i < 0 ? 0 : i + by))]);
  document.body.classList.remove("has-detail");       // on a phone the list stays in view
  $(`row-${selected}`)?.querySelector("button").focus();
}

const KEYS = {
  j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1),
  m: () => act("mute"), "?": () => act("help"), Escape: back,
  1: () => view("alerts", true), 2: () => view("place", true), 3: () => view("band", true), 4: () => view("sensors", true),
  s: () => act("seen"), a: () => act("assign"), n: () => act("note"), c: () => act("close"), y: () => act("copy"),
};

function key(e) {
  if (e.ctrlKey || e.altKey || e.metaKey || document.querySelector("dialog[open]") || e.target.matches("input,textarea")) return;
  if (!feed || !KEYS[e.key]) return;
  KEYS[e.key]();
  e.preventDefault();
}

function click(e) {
  const b = e.target.closest("[data-choose],[data-act],[data-view]");
  if (!b || !feed) return;
  if (b.dataset.choose) { choose(b.dataset.choose); $("detail").focus(); }
  else if (b.dataset.act) act(b.dataset.act);
  else if (b.matches("button")) view(b.dataset.view);
}

// ---- Drawing ---------------------------------------------------------------------------------

function draw_link() {
  const b = $("lost");
  document.body.classList.toggle("stale", state !== "live");
  b.hidden = state === "live";
  b.className = "lost";
  text(b, state === "live" ? "" : state === "starting" ? t("connecting") : state === "refused" ? t("refused")
    : t("lost", { at: time.hhmmss(state_since + time.now_ms() - Date.now()), span: time.span((Date.now() - state_since) / 1000) }));
}

// What is not live says so on every screen, whatever else happens.
function draw_banner(health) {
  const odd = (health?.origins ?? []).filter(o => o !== "live");
  if (health?.exercise && !odd.length) odd.push("exercise");
  $("banner").hidden = !odd.length;
  text($("banner"), odd.map(o => word("banner", o)).join(" · "));
  return odd.map(o => word("origin", o)).join(" ");
}

function draw() {
  if (!feed) return;
  const w = feed.world, health = w.health.get("post"), live = state === "live";
  const odd = draw_banner(health), fresh = [...w.alert.values()].filter(a => a.work === "new" && is_drone(a));
  document.title = [odd && `${odd}:`, !live ? `${t("title_lost")} – Tyto` : fresh.length ? `(${fresh.length}) ${line(fresh[0])}` : "Tyto"].filter(Boolean).join(" ");
  if (document.hidden) return;            // drawn when somebody looks
  dirty = false;
  if (selected && !w.alert.has(selected)) selected = null;
  if (!selected) document.body.classList.remove("has-detail");
  ids = draw_list(w, selected, live);
  draw_detail(w.alert.get(selected), w, live, may_act());
  draw_rings(w, selected);
  draw_sensors(w);
  text($("site"), clean(health?.site || "Tyto"));
  const bands = watched(health), any = [...w.alert.values()].some(a => is_drone(a) && a.work !== "closed");
  const blind = word("quiet", "blind");
  text($("watched"), live ? (bands ? t("watched", { bands }) : blind) : "");
  $("watched").classList.toggle("warn", !bands);
  text($("none"), any || !live ? "" : bands ? `${word("quiet", "nothing", { bands })}.` : `${blind}.`);
  $("none").classList.toggle("warn", !bands);
  $("waiting").hidden = !health?.store?.waiting;
  text($("waiting"), t("waiting", { n: health?.store?.waiting, worst: word("severity", health?.store?.waiting_severity) }));
}

function tick() {
  const apart = time.apart_s();
  text($("clock"), `${time.hhmmss(time.now_ms())} · ${new Date(time.now_ms()).toISOString().slice(11, 16)} UTC`);
  $("clock").title = apart > 5 ? t("clocks", { span: time.span(apart) }) : "";
  const m = muted_ms();
  text($("mute"), m > 0 ? t("sound_off", { span: time.span(m / 1000) }) : t(sound_ready() ? "sound_on" : "sound_arm"));
  $("mute").setAttribute("aria-pressed", String(m > 0));
  draw_link();
  spectrum_age();
  draw();
}

async function main() {
  await words_load();
  addEventListener("keydown", key);
  addEventListener("click", click);
  who = await signed_in();
  time.clock_set(who.now);
  view("alerts");
  feed = feed_open({ onchange: changed, onview: view_take, onstate: (s, since) => {
    state = s;
    state_since = since;
    if (s === "signed-out") ended();
    draw_link();
    dirty = true;
  } });
  setInterval(() => { if (dirty) draw(); }, 250);
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  for (const e of ["keydown", "pointerdown"]) addEventListener(e, sound_arm);
  $("closed").addEventListener("toggle", draw);
  tick();
}

main();
