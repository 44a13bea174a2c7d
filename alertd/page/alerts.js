// SPDX-License-Identifier: GPL-3.0-or-later
// The list of alerts, the selected one, and what people may do about it.  One plain line each: how
// urgent, what, where, since when, how sure.  Words carry the meaning, shapes repeat it, colour
// only helps.
import { $, el, fill, text } from "./dom.js";
import * as time from "./time.js";
import { from_post } from "./rings.js";
import { clean, has_word, line, t, table, word } from "./words.js";

const URGENT = { critical: 3, alarm: 2, watch: 1, info: 0 };
const MARK = { critical: "▲▲", alarm: "▲", watch: "◆", info: "●" };
const SHOWN = 200;   // rows of a lane; the rest is counted

export const open = a => a.work !== "closed";
export const is_drone = a => (a.lane ?? "drone") === "drone";
const order = (a, b) =>
  (a.work === "new") !== (b.work === "new") ? (a.work === "new" ? -1 : 1)
  : (URGENT[b.severity] ?? 0) - (URGENT[a.severity] ?? 0)
  || !!a.usual - !!b.usual                              // like before the event: last of its urgency
  || time.of(b.first) - time.of(a.first) || (a.id < b.id ? -1 : 1);

export function sure(a) {
  const p = a.confidence ?? a.p_drone;
  if (!Number.isFinite(p) || !is_drone(a)) return "";
  return word("sure", p >= 0.95 ? "very" : p >= 0.8 ? "likely" : p >= 0.5 ? "more" : "uncertain");
}

const sensors_of = a => (a.sensors ?? []).map(s => s.name || s.id).join(", ");
const latlon = w => `${w.lat_deg.toFixed(5)}, ${w.lon_deg.toFixed(5)}`;
const claimed = a => a.where?.kind === "claimed" && Number.isFinite(a.where.lat_deg);

// For the list: how far and which way from here; the coordinates stand with the details.
function where(a, world) {
  if (!claimed(a)) return word("where", sensors_of(a) ? "presence" : "nowhere", { sensors: sensors_of(a) });
  const at = from_post(world, a.where);
  return at ? word("where", "near", at)
    : word("where", "claimed", { lat: a.where.lat_deg.toFixed(5), lon: a.where.lon_deg.toFixed(5) });
}

// "Silent" is said only where somebody still listens: with every sensor of it lost nobody knows.
function signal(a, world, live) {
  if (!is_drone(a)) return t(a.signal === "heard" ? "still_so" : a.signal === "ended" ? "over" : "not_looked");
  const lost = (a.sensors ?? []).length && a.sensors.every(s =>
    ["lost", "silent", "unknown"].includes(world.sensor.get(s.id)?.state));
  const p = { span: time.span(time.ago_s(a.last)), at: time.when(a.last) };
  if (a.signal === "ended") return t("signal_ended", p);
  if (lost) return t("signal_deaf", p);
  if (!live) return t("signal_then", p);
  return a.signal === "quiet" ? t("signal_quiet", p) : word("signal", "heard");
}

const chip = (kind, words) => words && el("span", { class: `chip ${kind}` }, words);

// What stands above the line: how urgent, who has it, whose it claims to be, why it called again.
function chips(a, world) {
  const mixed = world.health.get("post")?.origins?.includes("live");     // else the banner says it of all
  const again = a.calls > 1 && a.call_reason !== "new" && has_word("call_reason", a.call_reason);
  return [chip("urgent", word("severity", a.severity)),
    chip(a.work, a.work === "assigned" ? t("assigned_to", { who: a.assigned_to }) : word("work", a.work)),
    again && chip("again", word("call_reason", a.call_reason)),
    a.usual && chip("usual", t("usual")),
    a.friend?.state && chip("friend", word("friend", a.friend.state)),
    a.known?.name && chip("friend", t("known_as", { name: clean(a.known.name), at: time.when(a.known.until) })),
    a.late && chip("late", t("learned_late")),
    a.work === "closed" && a.signal === "heard" && is_drone(a) && chip("again", t("still_transmitting")),
    mixed && a.origin && a.origin !== "live" && chip("origin", word("origin", a.origin))];
}

const dots = parts => parts.filter(Boolean).join(" · ");

function row(a, selected, world, live) {
  return el("li", { class: `alert ${a.severity} ${a.work} ${a.signal}`, id: `row-${a.id}` },
    el("button", { type: "button", "aria-current": a.id === selected ? "true" : null, "data-choose": a.id },
      el("span", { class: "mark", "aria-hidden": "true" }, MARK[a.severity] ?? "●"),
      el("span", { class: "chips" }, chips(a, world)),
      el("span", { class: "line" }, line(a)),
      el("span", { class: "facts" }, dots([signal(a, world, live), is_drone(a) && where(a, world), sure(a)])),
      el("span", { class: "facts" }, dots([a.late ? t("late_times", { first: time.when(a.first), received: time.when(a.received) })
        : t("since", { at: time.when(a.first) }),
        a.what?.serial && t("serial_short", { serial: a.what.serial })]))));
}

// The ids in the order in which they stand.
export function draw_list(world, selected, live) {
  const all = [...world.alert.values()].sort(order), now = all.filter(open);
  const drones = now.filter(is_drone), things = now.filter(a => !is_drone(a));
  const closed = all.filter(a => !open(a)).sort((a, b) => time.of(b.last) - time.of(a.last));
  const unfolded = $("closed").open;
  // Of the most urgent; the chosen one in any case.
  const shown = list => list.filter((a, i) => i < SHOWN || a.id === selected);
  const rows = (list, lane) => [...shown(list).map(a => row(a, selected, world, live)),
    list.length > SHOWN && el("li", { class: "none", id: `more-${lane}` }, t("and_more", { n: list.length - SHOWN }))];
  fill($("list-drone"), rows(drones, "drone"));
  fill($("list-equipment"), rows(things, "equipment"));
  fill($("list-closed"), unfolded ? rows(closed, "closed") : []);
  text($("no-equipment"), things.length ? "" : t("no_equipment"));
  text($("n-closed"), closed.length ? String(closed.length) : "");
  text($("n-alerts"), now.length ? String(now.length) : "");
  return [...shown(drones), ...shown(things), ...(unfolded ? closed : [])].map(a => a.id);
}

// ---- The selected one --------------------------------------------------------------------------

const pair = (key, value, how) => value ? [el("dt", {}, t(key)), el("dd", {}, value, how && el("small", {}, ` ${how}`))] : [];
const mhz = hz => (hz / 1e6).toFixed(1);

function where_full(a, world) {
  if (!claimed(a)) return pair("d_where", where(a, world));
  const w = a.where, at = from_post(world, w);
  return pair("d_where", word("where", "claimed", { lat: w.lat_deg.toFixed(5), lon: w.lon_deg.toFixed(5) }),
    dots([at && t("from_here", at), w.at && t("old", { span: time.span(time.ago_s(w.at)) }),
      Number.isFinite(w.height_m) ? t("height", { m: Math.round(w.height_m) })
        : Number.isFinite(w.alt_m) && t("altitude", { m: Math.round(w.alt_m) })]));
}

function person(a, world) {
  const p = a.person_position;
  if (!p || !Number.isFinite(p.lat_deg)) return [];
  const at = from_post(world, p);
  return pair("d_person", `${has_word("person", p.kind) ? word("person", p.kind) : t("kind_unknown")}: ${latlon(p)}`,
    dots([at && t("from_here", at), t("claimed_by_sender")]));
}

export function sentence(a, world, live) {
  const w = a.where ?? {};
  return t("sentence", { line: line(a), at: time.when(a.first), signal: signal(a, world, live),
    where: claimed(a) ? word("where", "claimed", { lat: w.lat_deg.toFixed(5), lon: w.lon_deg.toFixed(5) })
      : where(a, world), friend: a.friend?.state ? word("friend", a.friend.state) : "" });
}

function actions(a, may_act) {
  const b = (verb, key) => el("button", { type: "button", "data-act": verb, id: `act-${verb}` }, t(`do_${verb}`), " ", el("kbd", {}, key));
  return el("menu", { class: "actions" }, may_act && [
    a.work === "new" && b("seen", "s"), open(a) && b("assign", "a"), b("note", "n"),
    is_drone(a) && (a.known || open(a)) && b(a.known ? "unknown" : "known", "f"),
    open(a) ? b("close", "c") : b("reopen", "c")],
    b("copy", "y"), el("button", { type: "button", class: "quiet back", "data-act": "back", id: "act-back" }, t("do_back")));
}

function strength(a) {
  if (!Number.isFinite(a.snr_db)) return [];
  const trend = Number.isFinite(a.trend_db) && t(a.trend_db > 2 ? "rising" : a.trend_db < -2 ? "falling" : "steady");
  return pair("d_strength", t("over_noise", { db: a.snr_db.toFixed(0) }), trend);
}

function facts(a, world) {
  const w = a.what ?? {}, drone = is_drone(a);
  return el("dl", {},
    drone ? pair("d_what", [w.family, w.link, w.model].filter(Boolean).map(clean).join(", ")) : [],
    pair("d_serial", w.serial && clean(w.serial), t("claimed_by_sender")),
    a.usual ? pair("d_usual", t("usual"), t("usual_means")) : [],
    a.friend?.state ? pair("d_friend", word("friend", a.friend.state), t("friend_means")) : [],
    a.known?.name ? pair("d_known", clean(`${a.known.name}: ${a.known.text}`), `${clean(a.known.by)}, ${time.when(a.known.from)}`) : [],
    drone ? [where_full(a, world), person(a, world), pair("d_heard_by", clean(sensors_of(a)))] : [],
    pair("d_first", time.when(a.first), time.utc(a.first)), pair("d_last", time.when(a.last), time.utc(a.last)),
    a.late ? pair("d_learned", time.when(a.received), `${time.utc(a.received)} · ${t("after_the_fact")}`) : [],
    drone && Number.isFinite(a.freq_lo_hz) ? pair("d_band", t("from_to_mhz", { lo: mhz(a.freq_lo_hz), hi: mhz(a.freq_hi_hz) })) : [],
    drone ? strength(a) : [],
    a.previous ? pair("d_previous", el("button", { type: "button", class: "link", "data-choose": a.previous }, t("previous"))) : [],
    pair("d_rule", clean(a.rule)));
}

function why(a) {
  const items = list => el("ul", {}, list.map(s => el("li", {}, s)));
  const not = [...(a.why_not ?? []).map(clean), a.runner_up?.family &&
    t("runner_up", { family: a.runner_up.family, percent: (100 * a.runner_up.confidence).toFixed(1) })].filter(Boolean);
  return [a.why?.length ? [el("h3", {}, t("why")), items(a.why.map(clean))] : [],
    not.length ? [el("h3", {}, t("why_not")), items(not)] : [],
    a.by?.length ? [el("h3", {}, t("who_did")), items(a.by.map(b =>
      t("did", { when: time.when(b.when), who: b.who, did: has_word("did", b.did) ? word("did", b.did) : b.did, text: b.text })))] : []];
}

export function draw_detail(a, world, live, may_act) {
  const d = $("detail");
  if (!a) return fill(d, el("p", { class: "none" }, t("nothing_selected")));
  fill(d, el("h2", { class: a.severity, id: "detail-line" }, el("span", { class: "mark", "aria-hidden": "true" }, MARK[a.severity] ?? ""), " ", line(a)),
    el("p", { class: "chips" }, chips(a, world)),
    el("p", {}, dots([signal(a, world, live), sure(a)])),
    a.work === "closed" && a.reason && el("p", {}, t("closed_as", { reason: reason(a.reason) })),
    may_act ? "" : el("p", { class: "none" }, t("look_only")),
    actions(a, may_act), facts(a, world), why(a));
}

const reason = r => has_word("reason", r) ? word("reason", r) : r.startsWith("false-alarm-")
  ? t("false_alarm", { what: r.slice(12) }) : clean(r);
export const reasons = () => table("close_reason");
