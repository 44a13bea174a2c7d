// SPDX-License-Identifier: GPL-3.0-or-later
// Sensor health in a lane of its own.  "ok" means samples flow and the link stands; what is not
// known is called unknown.  And what was watched: silence means nothing where nobody listened.
import { $, el, fill, text } from "./dom.js";
import * as time from "./time.js";
import { clean, has_word, t, word } from "./words.js";

const MARK = { ok: "●", degraded: "◐", silent: "○", lost: "✕", unknown: "?" };
const HOT_C = 85;               // where small computers begin to slow down

const percent = x => Number.isFinite(x) ? `${Math.round(100 * x)} %` : t("unknown");
const mhz = hz => (hz / 1e6).toFixed(1);
const dots = parts => parts.filter(Boolean).join(" · ");

// Evidence: how much of it there is, and how much there is not.
const kept = r => r.keeps && dots([t("kept", { n: r.kept ?? 0 }), r.keep_refused && t("keep_refused", { n: r.keep_refused }),
  r.keep_expired && t("keep_expired", { n: r.keep_expired })]);

function radio(r) {
  const ok = r.state === "running" && !r.clipping;
  return el("li", { class: ok ? "" : "warn" }, el("b", {}, clean(r.name)), ` ${word("radio_state", r.state)}: `,
    dots([Number.isFinite(r.centre_hz) && t("at_mhz", { mhz: mhz(r.centre_hz), rate: (r.rate_hz / 1e6).toFixed(2) }),
      r.lost ? t("samples_lost", { n: r.lost.toLocaleString() }) : t("nothing_lost"),
      Number.isFinite(r.occupancy) && t("busy", { share: percent(r.occupancy) }),
      r.shed_bursts && t("shed", { n: r.shed_bursts.toLocaleString() }), kept(r), r.restarts && t("restarted", { n: r.restarts }), r.clipping && t("overdriven"),
      r.state !== "running" && r.what && clean(r.what)]));
}

function clock(c) {
  if (!c?.source) return t("clock_unknown");
  return c.locked ? t("clock_locked", { source: c.source }) : t("clock_free", { source: c.source });
}

const trouble = p => has_word("trouble", p.key) ? word("trouble", p.key, p.params) : clean(p.key);

function one(s) {
  const never = !s.last_heard;
  return el("li", { class: `sensor ${s.state}`, id: `sensor-${s.id}` },
    el("h3", {}, el("span", { class: "mark", "aria-hidden": "true" }, MARK[s.state] ?? "?"), ` ${clean(s.name || s.id)}: `,
      word("sensor_state", s.state), s.since ? ` ${t("for", { span: time.span(time.ago_s(s.since)) })}` : ""),
    s.trouble?.length ? el("ul", { class: "warn" }, s.trouble.map(p => el("li", {}, trouble(p)))) : "",
    never ? "" : el("p", { class: "facts" }, dots([
      t("heard_ago", { span: time.span(time.ago_s(s.last_heard)) }), clock(s.clock),
      s.place?.known ? t("place_from", { source: word("place_source", s.place.source) }) : t("place_unknown"),
      s.temperature_c > HOT_C && t("hot", { c: Math.round(s.temperature_c) }),
      s.link?.late_pending && t("late_pending", { n: s.link.late_pending }),
      s.origin && s.origin !== "live" && word("origin", s.origin)])),
    el("ul", {}, (s.radios ?? []).map(radio)),
    s.watched?.length ? el("p", { class: "facts" }, t("watched_minute", { bands:
      s.watched.map(w => `${t("from_to_mhz", { lo: mhz(w.lo_hz), hi: mhz(w.hi_hz) })} ${percent(w.share)}`).join(", ") })) : "");
}

export function draw_sensors(world) {
  const all = [...world.sensor.values()].sort((a, b) => String(a.name ?? a.id).localeCompare(String(b.name ?? b.id)));
  const bad = all.filter(s => s.state !== "ok").length;
  fill($("list-sensors"), all.length ? all.map(one) : el("li", { class: "none", id: "sensor-none" }, t("no_sensor")));
  text($("n-sensors"), bad ? t("n_not_ok", { bad, n: all.length }) : all.length ? t("n_ok", { n: all.length }) : "");
  $("n-sensors").classList.toggle("warn", bad > 0);
}

// "Nothing heard" never stands alone: it says what was watched; "" where nothing was.
export function watched(health) {
  const w = health?.watched ?? [];
  if (!w.some(b => b.share >= 0.005)) return "";
  return w.map(b => `${clean(b.band)} ${percent(b.share)}`).join(", ");
}
