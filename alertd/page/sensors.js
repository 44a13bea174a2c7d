// SPDX-License-Identifier: GPL-3.0-or-later
// Sensor health in a lane of its own.  "ok" means samples flow and the link stands; what is not
// known is called unknown.  And what was watched: silence means nothing where nobody listened.
import { $, el, text } from "./dom.js";
import * as time from "./time.js";
import { line, word } from "./words.js";

const MARK = { ok: "●", degraded: "◐", silent: "○", lost: "✕", unknown: "?" };

const percent = x => Number.isFinite(x) ? `${Math.round(100 * x)} %` : "unknown";
const mhz = hz => (hz / 1e6).toFixed(1);

function radio(r) {
  const facts = [`${mhz(r.centre_hz)} MHz`, `${(r.rate_hz / 1e6).toFixed(2)} MS/s`,
    r.lost ? `${r.lost.toLocaleString("en")} samples lost` : "nothing lost",
    Number.isFinite(r.occupancy) ? `band ${percent(r.occupancy)} busy` : null,
    r.restarts ? `restarted ${r.restarts} times` : null, r.clipping ? "overdriven: lower the gain" : null];
  return el("li", { class: r.state === "running" ? "" : "warn" },
    el("b", {}, r.name), ` ${word("radio_state", r.state)}: `, facts.filter(Boolean).join(", "),
    r.what && r.state !== "running" ? `. ${r.what}` : "");
}

function clock(c) {
  if (!c) return "clock unknown";
  return c.locked ? `clock locked to ${c.source}` : `clock not locked (${c.source || "unknown"})`;
}

function one(s) {
  const heard = time.ago_s(s.last_heard);
  return el("li", { class: `sensor ${s.state}` },
    el("h3", {}, el("span", { class: "mark", "aria-hidden": "true" }, MARK[s.state] ?? "?"), ` ${s.name || s.id}: `,
      word("sensor_state", s.state), s.since ? ` for ${time.span(time.ago_s(s.since))}` : ""),
    el("p", { class: "facts" }, `last heard ${time.span(heard)} ago · ${clock(s.clock)} · `,
      s.place?.known ? `position from ${s.place.source}` : "position unknown",
      s.origin && s.origin !== "live" ? ` · ${s.origin.toUpperCase()}` : ""),
    el("ul", {}, (s.radios ?? []).map(radio)),
    s.trouble?.length ? el("ul", { class: "warn" }, s.trouble.map(t => el("li", {}, line({ line: t })))) : "",
    s.watched?.length ? el("p", { class: "facts" }, "watched in the last minute: ",
      s.watched.map(w => `${mhz(w.lo_hz)} to ${mhz(w.hi_hz)} MHz ${percent(w.share)}`).join(", ")) : "");
}

export function draw_sensors(world) {
  const all = [...world.sensor.values()].sort((a, b) => (a.name ?? a.id).localeCompare(b.name ?? b.id));
  const bad = all.filter(s => s.state !== "ok").length;
  $("list-sensors").replaceChildren(...(all.length ? all.map(one)
    : [el("li", { class: "none" }, "No sensor has connected yet. Enrol one: tyto keys enrol NAME KEY.")]));
  text($("n-sensors"), bad ? `${bad} of ${all.length} not ok` : all.length ? `${all.length} ok` : "");
}

// "Nothing heard" never stands alone: it says what was watched.
export function watched_line(health) {
  const w = health?.watched ?? [];
  if (!w.length) return "watched nothing yet";
  return "watched " + w.map(b => `${b.band} ${percent(b.share)}`).join(", ");
}
