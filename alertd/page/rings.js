// SPDX-License-Identifier: GPL-3.0-or-later
// North up, rings of equal distance around the command post.  Only positions that somebody stated
// are drawn, each with its kind, its age and its error; what has none stands in words below.
import { $, svg, el, fill, text } from "./dom.js";
import * as time from "./time.js";
import { clean, has_word, line, t, word } from "./words.js";

const R = 6371008.8;            // mean radius of the earth, m (IUGG)
const SIZE = 400, MID = SIZE / 2, EDGE = 180;
const FONT_PX = 13, NOTE_PX = 12;           // as they are seen, however large the picture is
const MARKERS = 60;             // with more nothing can be read; the rest stands in the list
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
// Cut by characters, and never inside an isolated name.
const short = s => {
  const c = [...s.replace(/[\u2066-\u2069]/g, "")];
  return s !== c.join("") || c.length > 24 ? clean(c.length > 24 ? `${c.slice(0, 23).join("")}…` : c.join("")) : s;
};

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
        name: short(a.what?.model ? clean(a.what.model) : line(a)) + serial,
        note: t("old", { span: time.span(time.ago_s(w.at)) }) + (a.friend?.state ? ` · ${word("friend_short", a.friend.state.replace(/-.*/, ""))}` : "") });
    if (Number.isFinite(p.lat_deg))
      out.push({ kind: "person", lat: p.lat_deg, lon: p.lon_deg, id: a.id,
        name: has_word("person_short", p.kind) ? word("person_short", p.kind) : t("kind_unknown"), note: serial.trim() });
  }
  return out;
}

// ---- Labels: none over another ----------------------------------------------------------------

// The part of the picture that is seen, in its own units, and how many of them a pixel is.
function frame() {
  const box = $("rings"), w = box.clientWidth || SIZE, h = box.clientHeight || SIZE, unit = SIZE / Math.min(w, h);
  return { x0: MID - w * unit / 2, x1: MID + w * unit / 2, y0: MID - h * unit / 2, y1: MID + h * unit / 2, unit, taken: [] };
}

const overlap = (a, b) => Math.max(0, Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0)) * Math.max(0, Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0));

// Where lines of text beside a point find room: right, left, below, above, and farther each; else
// where they cover the least.  Widths are of a wide font: too much room is better than too little.
function label(f, x, y, lines, gap) {
  const w = Math.max(...lines.map(l => l.s.length * l.px * 0.62)) * f.unit, h = lines.reduce((n, l) => n + l.px * 1.15, 0) * f.unit;
  const spots = [];
  for (const far of [0, 0.7, 1.4, 2.4])
    for (const [dx, dy, anchor] of [[1, 0, "start"], [-1, 0, "end"], [1, 1, "start"], [-1, 1, "end"], [1, -1, "start"], [-1, -1, "end"], [0, 1, "middle"], [0, -1, "middle"]]) {
      const at = x + dx * gap, mid = y + dy * (h / 2 + gap * (dx ? 0.3 : 0.9)) + (dy || 0) * far * h;
      const x0 = anchor === "start" ? at : anchor === "end" ? at - w : at - w / 2;
      if (dy || !far) spots.push({ x: at, anchor, x0, x1: x0 + w, y0: mid - h / 2, y1: mid + h / 2 });
    }
  const outside = b => (b.x0 < f.x0 || b.x1 > f.x1 || b.y0 < f.y0 || b.y1 > f.y1) ? w * h : 0;
  let best = null, least = Infinity;
  for (const b of spots) {
    const bad = outside(b) + f.taken.reduce((n, o) => n + (o.of && Math.hypot(o.of[0] - x, o.of[1] - y) < gap ? 0 : overlap(o, b)), 0);
    if (bad < least) { best = b; least = bad; }
    if (!bad) break;
  }
  f.taken.push(best);
  let at = best.y0;
  // A line leads to what was moved away from its point.
  const tip = [Math.max(best.x0, Math.min(best.x1, x)), Math.max(best.y0, Math.min(best.y1, y))], away = Math.hypot(tip[0] - x, tip[1] - y);
  const leader = away > 1.6 * gap ? [svg("line", { x1: x + (tip[0] - x) * gap / away * 0.8, y1: y + (tip[1] - y) * gap / away * 0.8, x2: tip[0], y2: tip[1], class: "leader" })] : [];
  return leader.concat(lines.map(l => {
    at += l.px * 1.15 * f.unit;
    return svg("text", { x: best.x, y: at - l.px * 0.25 * f.unit, "text-anchor": best.anchor, "font-size": l.px * f.unit, class: l.kind }, l.s);
  }));
}

// Around a point, with room: a label that touches another point would seem to be that one's.
const taken = (f, x, y, r) => f.taken.push({ x0: x - r, x1: x + r, y0: y - r, y1: y + r, of: [x, y] });

function zone_shape(z, at, centre, scale) {
  const [x, y] = at(plane(centre, z.lat_deg, z.lon_deg));
  const points = (z.points ?? []).map(p => at(plane(centre, p.lat_deg, p.lon_deg)));
  return points.length > 2
    ? svg("polygon", { points: points.map(p => p.map(v => v.toFixed(1)).join(",")).join(" "), class: "zone" })
    : svg("circle", { cx: x, cy: y, r: Math.max(3, z.radius_m * scale), class: "zone" });
}

function zone_label(f, z, at, centre, scale) {
  const [x, y] = at(plane(centre, z.lat_deg, z.lon_deg)), points = (z.points ?? []).map(p => at(plane(centre, p.lat_deg, p.lon_deg)));
  const low = points.length > 2 ? Math.max(...points.map(p => p[1])) : y + z.radius_m * scale;
  return label(f, x, Math.min(low, f.y1 - 20 * f.unit), [{ s: short(clean(z.name)), px: NOTE_PX, kind: "zone-label" }], 9 * f.unit);
}

function draw_marker(f, p, [x, y], selected, scale) {
  const half = 9 * f.unit, lines = [{ s: short(p.name), px: FONT_PX }, p.note && { s: p.note, px: NOTE_PX, kind: "note" }].filter(Boolean);
  return [p.error > 0 && p.error * scale > 4 && svg("circle", { cx: x, cy: y, r: p.error * scale, class: "error" }),
    svg("g", { class: `marker ${p.kind}${p.id && p.id === selected ? " selected" : ""}`, "data-choose": p.id },
      svg("use", { href: `#m-${p.kind}`, x: x - half, y: y - half, width: 2 * half, height: 2 * half }), label(f, x, y, lines, half * 1.25))];
}

export function draw_rings(world, selected) {
  const all = places(world);
  const centre = home(world) ?? (all[0] ? { lat_deg: all[0].lat, lon_deg: all[0].lon } : null);
  draw_unplaced(world);
  $("rings").classList.toggle("drawn", centre !== null);
  if (!centre) { text($("too-far"), ""); return fill($("rings"), el("p", { class: "none" }, t("no_place"))); }
  const points = all.map(p => ({ ...p, xy: plane(centre, p.lat, p.lon) }));
  const near = points.filter(p => Math.hypot(...p.xy) <= FAR_M), zones = [...world.zone.values()];
  const far = Math.max(200, ...near.map(p => Math.hypot(...p.xy)),
    ...zones.map(z => Math.hypot(...plane(centre, z.lat_deg, z.lon_deg)) + z.radius_m));
  const step = ring_step(far), scale = EDGE / (4 * step);
  const at = ([x, y]) => [MID + x * scale, MID - y * scale];
  const f = frame();
  const g = svg("svg", { viewBox: [f.x0, f.y0, f.x1 - f.x0, f.y1 - f.y0].map(v => v.toFixed(1)).join(" "), role: "img",
    "aria-label": t("rings_label", { step: metres(step), n: near.length }) });
  for (let i = 1; i <= 4; i++) {
    const y = MID + i * step * scale - 3 * f.unit, s = metres(i * step);
    g.append(svg("circle", { cx: MID, cy: MID, r: i * step * scale, class: "ring" }),
      svg("text", { x: MID - 3, y, class: "ring-label", "text-anchor": "end", "font-size": NOTE_PX * f.unit }, s));
    f.taken.push({ x0: MID - 3 - s.length * NOTE_PX * 0.62 * f.unit, x1: MID - 3, y0: y - NOTE_PX * f.unit, y1: y });
  }
  g.append(svg("path", { d: `M${MID} 3 L${MID - 5} 15 H${MID + 5}Z`, class: "north" }),
    svg("text", { x: MID + 8, y: 15, class: "ring-label", "font-size": NOTE_PX * f.unit }, word("dir_short", "n")));
  for (const z of zones) g.append(zone_shape(z, at, centre, scale));
  g.append(svg("path", { d: `M${MID - 5} ${MID}h10M${MID} ${MID - 5}v10`, class: "home" }));
  // The selected one has the first choice of a place, and is drawn last, over the others.
  near.sort((a, b) => (b.id === selected && selected !== null) - (a.id === selected && selected !== null));
  for (const p of near) taken(f, ...at(p.xy), 15 * f.unit);
  const markers = near.slice(0, MARKERS).map(p => draw_marker(f, p, at(p.xy), selected, scale));
  for (const z of zones) g.append(...zone_label(f, z, at, centre, scale));
  for (const m of markers.reverse()) g.append(...m.filter(Boolean));
  fill($("rings"), g);
  text($("too-far"), near.length < points.length ? t("too_far", { n: points.length - near.length, km: FAR_M / 1000 })
    : near.length > MARKERS ? t("and_more", { n: near.length - MARKERS }) : "");
}

function draw_unplaced(world) {
  const no = [...world.alert.values()].filter(a => is_open(a) && !claims(a));
  fill($("unplaced"), no.length ? el("li", { class: "none", id: "unplaced-head" }, t("unplaced")) : "",
    no.slice(0, 20).map(a => el("li", { id: `unplaced-${a.id}` },
      el("button", { type: "button", class: "link", "data-choose": a.id }, line(a)))),
    no.length > 20 && el("li", { id: "unplaced-more" }, t("and_more", { n: no.length - 20 })));
}
