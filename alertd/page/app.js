// SPDX-License-Identifier: GPL-3.0-or-later
// The alert page: joins the feed to its parts, and turns keys and buttons into actions.
//
//     session -> feed -> world -> lists, detail, rings, sensors (drawn at most 4 times a second)
//                          '----> sound, when an alert calls again
import { $, text } from "./dom.js";
import { account_show, offer_draw, offer_later, password_show, session_tick } from "./account.js";
import { act_on, say, unsent } from "./act.js";
import * as time from "./time.js";
import { feed_open } from "./feed.js";
import { words_load, clean, line, t, word } from "./words.js";
import { draw_list, draw_detail, is_drone, sentence } from "./alerts.js";
import { draw_rings } from "./rings.js";
import { draw_sensors, watched } from "./sensors.js";
import { ledger_span, ledger_tick } from "./ledger.js";
import { view_take, spectrum_age } from "./spectrum.js";
import { ended, leave, me, place_get, place_of, renew, signed_in } from "./session.js";
import { call, mute_toggle, muted_ms, sound_arm, sound_ready } from "./sound.js";

let who, feed, selected = null, ids = [], dirty = true, state = "starting", state_since = Date.now(), refusal = "";
const called = new Map();               // alert id -> how often it had called when we last looked
let settled = false;                    // the first snapshot makes no sound

// Sounds when an alert calls for the first time since we looked, or once more.
function hear(a) {
  const before = called.get(a.id) ?? 0, now = a.calls ?? 1;
  called.set(a.id, now);
  if (!settled || now <= before || a.late || a.work === "closed") return;
  // For who hears the page and does not see it: equipment too, but without the drones' sound.
  text($("news"), `${word("severity", a.severity)}: ${line(a)}`);
  if (!is_drone(a)) return;
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
  dirty = true;
  document.body.classList.remove("has-detail");
  for (const b of $("tabs").querySelectorAll("button"))
    b.setAttribute("aria-current", b.dataset.view === name ? "page" : "false");
  if (and_focus) { $(name).focus(); $(name).scrollIntoView({ block: "nearest" }); }
}

// ---- What people do --------------------------------------------------------------------------

async function copy(a) {
  const s = sentence(a, feed.world, state === "live");
  try { await navigator.clipboard.writeText(s); say(t("copied", { sentence: s })); } catch { say(s); }
}

const ALWAYS = {
  back, leave, help: () => $("keys").showModal(), mute: () => { mute_toggle(); tick(); },
  account: () => account_show(who), password: () => password_show(who, () => say(t("password_done"))), renew: () => renew(who),
  later: () => offer_later(who),
};

function act(verb) {
  if (ALWAYS[verb]) return ALWAYS[verb]();
  const a = feed?.world.alert.get(selected);
  if (a && verb === "copy") copy(a);
  else if (a && may_act()) act_on(verb, a);
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
  m: () => act("mute"), p: () => act("password"), u: () => act("account"), "?": () => act("help"), Escape: back,
  1: () => view("alerts", true), 2: () => view("place", true), 3: () => view("band", true), 4: () => view("sensors", true),
  s: () => act("seen"), a: () => act("assign"), n: () => act("note"), c: () => act("close"), f: () => act("known"), y: () => act("copy"),
};

function key(e) {
  if (e.ctrlKey || e.altKey || e.metaKey || document.querySelector("dialog[open]") || e.target.matches("input,textarea")) return;
  if (!feed || !KEYS[e.key]) return;
  KEYS[e.key]();
  e.preventDefault();
}

function click(e) {
  const b = e.target.closest("[data-choose],[data-act],[data-view],[data-span]");
  if (!b || !feed) return;
  if (b.dataset.choose) { choose(b.dataset.choose); $("detail").focus(); }
  else if (b.dataset.act) act(b.dataset.act);
  else if (b.dataset.span) { ledger_span(Number(b.dataset.span)); ledger_tick(state === "live"); }
  else if (b.matches("button")) view(b.dataset.view);
}

// ---- Drawing ---------------------------------------------------------------------------------

// The head of it is said once; the seconds that pass are for the eye only.
function draw_link() {
  const at = time.when_ms(state_since + time.now_ms() - Date.now());
  document.body.classList.toggle("stale", state !== "live");
  $("lost").hidden = state === "live";
  $("lost").className = "lost";
  text($("lost-what"), state === "live" ? "" : state === "starting" ? t("connecting") : state === "refused" ? t("refused")
    : t("lost", { at, why: refusal }));
  text($("lost-span"), state === "lost" ? ` (${time.span((Date.now() - state_since) / 1000)})` : "");
}

// What is not live says so on every screen, whatever else happens.
function draw_banner(health) {
  const odd = (health?.origins ?? []).filter(o => o !== "live");
  if (health?.exercise && !odd.length) odd.push("exercise");
  const words = odd.map(o => word("banner", o)).join(" · ");
  // Also in the boxes that stand over all else; and no style may take it away, whoever wrote it.
  for (const b of document.querySelectorAll(".banner")) {
    b.hidden = !words;
    text(b, words);
    for (const [k, v] of words ? SEEN : []) b.style.setProperty(k, v, "important");
    if (!words) b.removeAttribute("style");
  }
  return odd.map(o => word("origin", o)).join(" ");
}

const SEEN = [["display", "block"], ["visibility", "visible"], ["opacity", "1"], ["transform", "none"], ["height", "auto"],
  ["clip-path", "none"], ["filter", "none"], ["font-size", "max(1em, 14px)"], ["color", "#fff"]];

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
  text($("clock-local"), `${time.hhmmss(time.now_ms())} ${time.zone()}`);
  text($("clock-utc"), new Date(time.now_ms()).getTimezoneOffset() ? ` · ${new Date(time.now_ms()).toISOString().slice(11, 16)} UTC` : "");
  $("clock").title = [time.zone_name(), apart > 5 && t("clocks", { span: time.span(apart) })].filter(Boolean).join(". ");
  const m = muted_ms();
  text($("mute"), m > 0 ? t("sound_off", { span: time.span(m / 1000) }) : t(sound_ready() ? "sound_on" : "sound_arm"));
  $("mute").setAttribute("aria-pressed", String(m > 0));
  draw_link();
  session_tick(who);
  spectrum_age();
  ledger_tick(state === "live");
  draw();
}

// Where one was when the session ended; once the snapshot is there.
function resume() {
  const was = place_get();
  if (!was) return;
  $("closed").open = was.closed;
  view(was.view);
  if (feed.world.alert.has(was.selected)) {
    choose(was.selected);
    document.body.classList.toggle("has-detail", was.detail);
  }
  draw();
  const a = feed.world.alert.get(was.unsent?.id);
  if (a && may_act()) act_on(was.unsent.verb, a, was.unsent);
}

// The session is over.  Somebody may have signed in again meanwhile, here or in another window: then
// the page goes on where it is.
async function signed_out() {
  const again = await me().catch(() => null);
  if (!again || again.user !== who.user) return ended(unsent());
  who = again;
  listen();
}

function listen() {
  feed?.stop();
  let first = true;
  feed = feed_open({ onview: view_take, onstate: (s, since, why) => {
    state = s;
    state_since = since;
    refusal = why;
    if (s === "signed-out") signed_out();
    draw_link();
    dirty = true;
  }, onchange: (kind, id) => {
    changed(kind, id);
    if (kind === "all" && first) { first = false; resume(); }
  } });
}

async function main() {
  await words_load();
  addEventListener("keydown", key);
  addEventListener("click", click);
  for (const e of ["keydown", "pointerdown"]) addEventListener(e, sound_arm);     // the sign-in's own keys too
  who = await signed_in();
  time.clock_set(who.now);
  view("alerts");
  place_of(() => ({ user: who.user, selected, view: document.body.dataset.view, closed: $("closed").open,
    detail: document.body.classList.contains("has-detail") }));
  listen();
  offer_draw(who);
  setInterval(() => { if (dirty) draw(); }, 250);
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  $("closed").addEventListener("toggle", draw);
  tick();
}

main();
