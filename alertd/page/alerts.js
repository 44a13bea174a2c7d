// SPDX-License-Identifier: GPL-3.0-or-later
// The list of alerts, the selected one, and what people do about it.  One plain line each: how
// urgent, what, where, since when, how sure.  Words carry the meaning, shapes repeat it, colour
// only helps.
import { $, el, fill, some, text } from "./dom.js";
import * as time from "./time.js";
import { line, word } from "./words.js";

const URGENT = { critical: 3, alarm: 2, watch: 1, info: 0 };
const MARK = { critical: "▲▲", alarm: "▲", watch: "◆", info: "●" };
export const REASONS = [
  ["pilot-found", "Pilot found"], ["authorised", "Authorised flight"], ["left", "Drone left"],
  ["false-alarm-wifi", "False alarm: Wi-Fi"], ["false-alarm-other", "False alarm: something else"],
  ["unknown", "Not known"],
];

export const open = a => a.work !== "closed";
const order = (a, b) =>
  (a.work === "new") !== (b.work === "new") ? (a.work === "new" ? -1 : 1)
  : (URGENT[b.severity] ?? 0) - (URGENT[a.severity] ?? 0)
  || time.of(b.first) - time.of(a.first) || (a.id < b.id ? -1 : 1);

export function sorted(alerts, lane) {
  return [...alerts.values()].filter(a => (a.lane ?? "drone") === lane && open(a)).sort(order);
}

export function sure(a) {
  const p = a.confidence ?? a.p_drone;
  if (!Number.isFinite(p)) return "";
  return p >= 0.95 ? "very likely" : p >= 0.8 ? "likely" : p >= 0.5 ? "more likely than not" : "uncertain";
}

function where(a) {
  const w = a.where ?? {};
  if (w.kind === "claimed" && Number.isFinite(w.lat_deg))
    return `says it is at ${w.lat_deg.toFixed(5)}, ${w.lon_deg.toFixed(5)}`;
  const names = (a.sensors ?? []).map(s => s.name || s.id).join(", ");
  return names ? `heard by ${names}, position unknown` : "position unknown";
}

function signal(a) {
  if (a.lane === "equipment") return a.signal === "heard" ? "still so" : "over";
  if (a.signal === "heard") return "transmitting now";
  const s = time.ago_s(a.last);
  return a.signal === "quiet" ? `silent for ${time.span(s)}` : `ended ${time.span(s)} ago`;
}

function row(a, selected, choose) {
  const words = [word("severity", a.severity), word("work", a.work)];
  return el("li", { class: `alert ${a.severity} ${a.work} ${a.signal}`, id: `row-${a.id}` },
    el("button", { type: "button", "aria-current": a.id === selected ? "true" : null,
      onclick: () => choose(a.id), "data-id": a.id },
      el("span", { class: "mark", "aria-hidden": "true" }, MARK[a.severity] ?? "●"),
      el("span", { class: "line" }, line(a)),
      el("span", { class: "facts" }, words.filter(Boolean).join(", "), " · since ",
        time.hhmmss(time.of(a.first)), " · ", signal(a), sure(a) && ` · ${sure(a)}`),
      el("span", { class: "facts" }, a.lane === "equipment" ? null : where(a), a.late && " · learned late",
        a.assigned_to && ` · assigned to ${a.assigned_to}`)));
}

// Rows keep their buttons where they can: fill() would lose the focus of a button that changed.
function list(ol, rows) {
  const focus = document.activeElement?.dataset?.id;
  const old = new Map([...ol.children].map(li => [li.id, li]));
  rows.forEach((li, i) => {
    const had = old.get(li.id);
    if (had && had.innerHTML === li.innerHTML && had.className === li.className) li = had;
    if (ol.children[i] !== li) ol.insertBefore(li, ol.children[i] ?? null);
  });
  while (ol.children.length > rows.length) ol.lastChild.remove();
  if (focus && document.activeElement?.dataset?.id !== focus)
    ol.querySelector(`[data-id="${CSS.escape(focus)}"]`)?.focus();
}

export function draw_list(alerts, selected, choose) {
  const drones = sorted(alerts, "drone"), things = sorted(alerts, "equipment");
  const closed = [...alerts.values()].filter(a => !open(a)).sort(order).slice(0, 200);
  list($("list-drone"), drones.map(a => row(a, selected, choose)));
  list($("list-equipment"), things.map(a => row(a, selected, choose)));
  list($("list-closed"), closed.map(a => row(a, selected, choose)));
  text($("n-closed"), closed.length ? String(closed.length) : "");
  text($("n-alerts"), drones.length + things.length ? String(drones.length + things.length) : "");
  return [...drones, ...things, ...(($("closed").open) ? closed : [])].map(a => a.id);
}

const pair = (k, v, how) => v ? [el("dt", {}, k), el("dd", {}, v, how && el("small", {}, ` ${how}`))] : [];
const mhz = hz => `${(hz / 1e6).toFixed(1)} MHz`;

function person(a) {
  const p = a.person_position;
  if (!p || !Number.isFinite(p.lat_deg)) return null;
  const kinds = { takeoff: "take-off point, not the pilot", live: "pilot's device, sent live",
    fixed: "fixed point, not measured" };
  return [`${p.lat_deg.toFixed(5)}, ${p.lon_deg.toFixed(5)}`, `(${kinds[p.kind] ?? "kind unknown"}; claimed by the sender)`];
}

export function sentence(a) {
  const w = a.where ?? {};
  const at = w.kind === "claimed" && Number.isFinite(w.lat_deg)
    ? ` It says it is at ${w.lat_deg.toFixed(5)}, ${w.lon_deg.toFixed(5)}.` : " Position unknown.";
  return `${line(a)}, since ${time.hhmmss(time.of(a.first))}, ${signal(a)}.${at}`;
}

function actions(a, act) {
  const b = (verb, label, key) => el("button", { type: "button", onclick: () => act(verb, a) }, label, " ",
    el("kbd", {}, key));
  return el("menu", { class: "actions" },
    a.work === "new" && b("seen", "Seen", "s"),
    a.work !== "closed" && b("assign", "Assign", "a"),
    b("note", "Note", "n"),
    a.work !== "closed" ? b("close", "Close", "c") : b("reopen", "Open again", "c"),
    b("copy", "Copy sentence", "y"));
}

export function draw_detail(a, act, may_act) {
  const d = $("detail");
  if (!a) return fill(d, el("p", { class: "none" }, "Nothing is selected."));
  const w = a.what ?? {}, p = person(a), still = a.work === "closed" && a.signal === "heard";
  const signature = JSON.stringify(a) + Math.floor(time.now_ms() / 1000) + may_act;
  if (d.dataset.now === signature) return;
  d.dataset.now = signature;
  const focus = [...d.querySelectorAll("button")].indexOf(document.activeElement);
  d.replaceChildren(...some([
    el("h2", { class: a.severity }, el("span", { class: "mark", "aria-hidden": "true" }, MARK[a.severity] ?? ""),
      " ", line(a)),
    el("p", {}, word("severity", a.severity), ", ", word("work", a.work), ", ", signal(a),
      sure(a) && `, ${sure(a)}`),
    still && el("p", { class: "warn" }, "Closed, but still transmitting."),
    may_act ? actions(a, act) : el("p", { class: "none" }, "You may look, not act."),
    el("dl", {},
      pair("What", [w.family, w.link, w.model].filter(Boolean).join(", ")),
      pair("Serial", w.serial, "claimed by the sender"),
      a.lane === "equipment" ? [] : pair("Where", where(a), Number.isFinite(a.where?.age_s ?? NaN) ? `${time.span(time.ago_s(a.where.at))} old` : ""),
      p ? pair("Person", p[0], p[1]) : [],
      pair("First", time.when(a.first), time.utc(a.first)), pair("Last", time.when(a.last), time.utc(a.last)),
      a.late ? pair("Learned", time.when(a.received), "after the fact: no sound was made") : [],
      Number.isFinite(a.freq_lo_hz) ? pair("Band", `${mhz(a.freq_lo_hz)} to ${mhz(a.freq_hi_hz)}`) : [],
      Number.isFinite(a.snr_db) ? pair("Strength", `${a.snr_db.toFixed(0)} dB over the noise`,
        Number.isFinite(a.trend_db) ? (a.trend_db > 2 ? "rising" : a.trend_db < -2 ? "falling" : "steady") : "") : [],
      pair("Rule", a.rule)),
    a.why?.length ? [el("h3", {}, "Why"), el("ul", {}, a.why.map(s => el("li", {}, s)))] : "",
    a.runner_up?.family || a.why_not?.length ? [el("h3", {}, "Why not something else"),
      el("ul", {}, (a.why_not ?? []).map(s => el("li", {}, s)),
        a.runner_up?.family && el("li", {}, `${a.runner_up.family}: ${(100 * a.runner_up.confidence).toFixed(1)} % likely`))] : "",
    a.by?.length ? [el("h3", {}, "Who did what"), el("ul", {}, a.by.map(b =>
      el("li", {}, `${time.when(b.when)} ${b.who}: ${b.did}${b.text ? `, ${b.text}` : ""}`)))] : ""]));
  if (focus >= 0) d.querySelectorAll("button")[focus]?.focus();
}
