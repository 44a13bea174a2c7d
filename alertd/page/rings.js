// SPDX-License-Identifier: GPL-3.0-or-later
// North up, rings of equal distance around the command post.  Only positions that somebody stated
// are drawn, each with its kind, its age and its error; what has none stands in words below.
import { $, svg, el, fill } from "./dom.js";
import * as time from "./time.js";
import { clean, has_word, line, t, word } from "./words.js";

const R = 6371008.8;            // mean radius of the earth, m (IUGG)
const SIZE = 400, MID = SIZE / 2, EDGE = 180;
const FAR_M = 100000;           // a claim from farther away is not drawn: it would shrink all others

// Metres east and north of the centre: a plane is right to 1 % within 50 km below 70 degrees.
function plane(c, lat, lon) {
  const rad = Math.PI / 180, turn = ((lon - c.lon_deg + 540) % 360) - 180;
  return [turn * rad * R * Math.cos(c.lat_deg * rad), (lat - c.lat_deg) * rad * R];
}

function ring_step(far_m) {
  for (const s of [50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000]) if (far_m <= 4 * s) return s;
  return 25000;
}

const metres = m => m >= 1000 ? `${+(m / 1000).toFixed(1)} km` : `${Math.round(m)} m`;
const home = world => Number.isFinite(world.health.get("post")?.place?.lat_deg) ? world.health.get("post").place : null;

// How far and which way, in words: {far: "330 m", dir: "north-east"}; null without a home.
export function from_post(world, at) {
  const c = home(world);
  if (!c) return null;
  const [x, y] = plane(c, at.lat_deg, at.lon_deg), m = Math.hypot(x, y);
  const eighth = Math.round((Math.atan2(x, y) * 4 / Math.PI + 8)) % 8;
  return { far: metres(m < 1000 ? Math.round(m / 10) * 10 : m), dir: word("dir", ["n", "ne", "e", "se", "s", "sw", "w", "nw"][eighth]) };
}

const is_open = a => a.work !== "closed" && (a.lane ?? "drone") === "drone";
const claims = a => a.where?.kind === "claimed" && Number.isFinite(a.where.lat_deg);
const short = s => s.length > 26 ? `${s.slice(0, 25)}…` : s;

function places(world) {
  const out = [];
  for (const s of world.sensor.values())
    if (s.place?.known) out.push({ kind: "sensor", lat: s.place.lat_deg, lon: s.place.lon_deg, name: clean(s.name),
      error: s.place.error_m, note: s.place.source === "gpsd" ? "" : `(${word("place_source", s.place.source)})` });
  for (const a of world.alert.values()) {
    if (!is_open(a)) continue;
    const w = a.where ?? {}, p = a.person_position ?? {};
    const serial = a.what?.serial ? ` …${clean(a.what.serial).slice(-4)}` : "";
    if (claims(a))
      out.push({ kind: "claimed", lat: w.lat_deg, lon: w.lon_deg, error: w.error_m, id: a.id,
        name: (a.what?.model ? clean(a.what.model) : line(a)).slice(0, 20) + serial,
        note: t("old", { span: time.span(time.ago_s(w.at)) }) + (a.friend?.state ? ` · ${word("friend", a.friend.state)}` : "") });
    if (Number.isFinite(p.lat_deg))
      out.push({ kind: "person", lat: p.lat_deg, lon: p.lon_deg, id: a.id,
        name: has_word("person_short", p.kind) ? word("person_short", p.kind) : t("kind_unknown"), note: serial.trim() });
  }
  return out;
}

function draw_zone(g, z, at, centre, scale) {
  const [x, y] = at(plane(centre, z.lat_deg, z.lon_deg));
  const points = (z.points ?? []).map(p => at(plane(centre, p.lat_deg, p.lon_deg)));
  g.append(points.length > 2
    ? svg("polygon", { points: points.map(p => p.map(v => v.toFixed(1)).join(",")).join(" "), class: "zone" })
    : svg("circle", { cx: x, cy: y, r: Math.max(3, z.radius_m * scale), class: "zone" }));
  const low = points.length > 2 ? Math.max(...points.map(p => p[1])) + 10 : y + z.radius_m * scale + 10;
  g.append(svg("text", { x, y: low, class: "zone-label" }, clean(z.name)));
}

// People to the left, drones to the right: at the start both stand on one spot.
function draw_marker(g, p, [x, y], selected, scale) {
  if (p.error > 0 && p.error * scale > 4) g.append(svg("circle", { cx: x, cy: y, r: p.error * scale, class: "error" }));
  const left = p.kind === "person" || x > SIZE - 110, side = { x: left ? x - 11 : x + 11, "text-anchor": left ? "end" : "start" };
  g.append(svg("g", { class: `marker ${p.kind}${p.id && p.id === selected ? " selected" : ""}`, "data-choose": p.id },
    svg("use", { href: `#m-${p.kind}`, x: x - 8, y: y - 8, width: 16, height: 16 }),
    svg("text", { ...side, y: y + 1 }, short(p.name)), p.note && svg("text", { ...side, y: y + 12, class: "note" }, p.note)));
}

export function draw_rings(world, selected) {
  const all = places(world);
  const centre = home(world) ?? (all[0] ? { lat_deg: all[0].lat, lon_deg: all[0].lon } : null);
  draw_unplaced(world);
  if (!centre) return fill($("rings"), el("p", { class: "none" }, t("no_place")));
  const points = all.map(p => ({ ...p, xy: plane(centre, p.lat, p.lon) }));
  const near = points.filter(p => Math.hypot(...p.xy) <= FAR_M), zones = [...world.zone.values()];
  const far = Math.max(200, ...near.map(p => Math.hypot(...p.xy)),
    ...zones.map(z => Math.hypot(...plane(centre, z.lat_deg, z.lon_deg)) + z.radius_m));
  const step = ring_step(far), scale = EDGE / (4 * step);
  const at = ([x, y]) => [MID + x * scale, MID - y * scale];
  const g = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": t("rings_label", { step: metres(step), n: near.length }) });
  for (let i = 1; i <= 4; i++)
    g.append(svg("circle", { cx: MID, cy: MID, r: i * step * scale, class: "ring" }),
      svg("text", { x: MID - 3, y: MID + i * step * scale - 4, class: "ring-label", "text-anchor": "end" }, metres(i * step)));
  g.append(svg("path", { d: `M${MID} 3 L${MID - 5} 15 H${MID + 5}Z`, class: "north" }), svg("text", { x: MID + 8, y: 14, class: "ring-label" }, word("dir_short", "n")));
  for (const z of zones) draw_zone(g, z, at, centre, scale);
  g.append(svg("path", { d: `M${MID - 5} ${MID}h10M${MID} ${MID - 5}v10`, class: "home" }));
  // The selected one last, over the others.
  for (const p of near.sort((a, b) => (a.id === selected) - (b.id === selected))) draw_marker(g, p, at(p.xy), selected, scale);
  fill($("rings"), g, near.length < points.length && el("p", { class: "warn" }, t("too_far", { n: points.length - near.length, km: FAR_M / 1000 })));
}

function draw_unplaced(world) {
  const no = [...world.alert.values()].filter(a => is_open(a) && !claims(a));
  fill($("unplaced"), no.length ? el("li", { class: "none", id: "unplaced-head" }, t("unplaced")) : "",
    no.slice(0, 20).map(a => el("li", { id: `unplaced-${a.id}` },
      el("button", { type: "button", class: "link", "data-choose": a.id }, line(a)))),
    no.length > 20 && el("li", { id: "unplaced-more" }, t("and_more", { n: no.length - 20 })));
}
