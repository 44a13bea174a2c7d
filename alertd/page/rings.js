// SPDX-License-Identifier: GPL-3.0-or-later
// North up, rings of equal distance around the command post.  Only positions that somebody stated
// are drawn, each with its kind, its age and its error; what has none stands in words beside it.
import { $, svg, el, fill } from "./dom.js";
import * as time from "./time.js";
import { open } from "./alerts.js";
import { line } from "./words.js";

const R = 6371008.8;            // mean radius of the earth, m (IUGG)
const SIZE = 400, MID = SIZE / 2, EDGE = 180;

// Metres east and north of the centre: a plane is right to 1 % within 50 km below 70 degrees.
function plane(c, lat, lon) {
  const rad = Math.PI / 180;
  return [(lon - c.lon_deg) * rad * R * Math.cos(c.lat_deg * rad), (lat - c.lat_deg) * rad * R];
}

function ring_step(far_m) {
  for (const s of [50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000]) if (far_m <= 4 * s) return s;
  return 100000;
}

const metres = m => m >= 1000 ? `${+(m / 1000).toFixed(1)} km` : `${m} m`;

function places(world) {
  const out = [];
  for (const s of world.sensor.values())
    if (s.place?.known) out.push({ kind: "sensor", lat: s.place.lat_deg, lon: s.place.lon_deg, name: s.name,
      error: s.place.error_m, note: s.place.source === "gpsd" ? "" : `(${s.place.source})` });
  for (const a of world.alert.values()) {
    if (!open(a) || (a.lane ?? "drone") !== "drone") continue;
    const w = a.where ?? {}, p = a.person_position ?? {};
    if (w.kind === "claimed" && Number.isFinite(w.lat_deg))
      out.push({ kind: "claimed", lat: w.lat_deg, lon: w.lon_deg, error: w.error_m, id: a.id,
        name: a.what?.model || a.what?.serial || line(a), note: `${time.span(time.ago_s(w.at))} old, claimed` });
    if (Number.isFinite(p.lat_deg))
      out.push({ kind: "person", lat: p.lat_deg, lon: p.lon_deg, id: a.id,
        name: { takeoff: "take-off point", live: "pilot's device", fixed: "fixed point" }[p.kind] ?? "person, kind unknown",
        note: "claimed" });
  }
  return out;
}

export function draw_rings(world, selected, choose) {
  const post = world.health.get("post");
  const all = places(world);
  const centre = Number.isFinite(post?.place?.lat_deg) ? post.place
    : all[0] ? { lat_deg: all[0].lat, lon_deg: all[0].lon } : null;
  draw_unplaced(world, choose);
  if (!centre) return fill($("rings"), el("p", { class: "none" }, "No position is known: give the command post one in alertd.yaml."));
  const points = all.map(p => ({ ...p, xy: plane(centre, p.lat, p.lon) }));
  const zones = [...world.zone.values()].map(z => ({ ...z, xy: plane(centre, z.lat_deg, z.lon_deg) }));
  const far = Math.max(200, ...points.map(p => Math.hypot(...p.xy)), ...zones.map(z => Math.hypot(...z.xy) + z.radius_m));
  const step = ring_step(far), scale = EDGE / (4 * step);
  const at = ([x, y]) => [MID + x * scale, MID - y * scale];
  const g = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img",
    "aria-label": `Range rings every ${metres(step)}, north up, ${points.length} positions` });
  for (let i = 1; i <= 4; i++) {
    g.append(svg("circle", { cx: MID, cy: MID, r: i * step * scale, class: "ring" }),
      svg("text", { x: MID + 3, y: MID - i * step * scale + 11, class: "ring-label" }, metres(i * step)));
  }
  g.append(svg("path", { d: `M${MID} 6 L${MID - 5} 18 H${MID + 5}Z`, class: "north" }), svg("text", { x: MID + 8, y: 17, class: "ring-label" }, "N"));
  for (const z of zones) {
    const [x, y] = at(z.xy);
    g.append(svg("circle", { cx: x, cy: y, r: Math.max(3, z.radius_m * scale), class: "zone" }),
      svg("text", { x, y: y + z.radius_m * scale - 4, class: "zone-label" }, z.name));
  }
  for (const p of points) {
    const [x, y] = at(p.xy);
    if (p.error > 0 && p.error * scale > 4) g.append(svg("circle", { cx: x, cy: y, r: p.error * scale, class: "error" }));
    const m = svg("g", { class: `marker ${p.kind}${p.id && p.id === selected ? " selected" : ""}` },
      svg("use", { href: `#m-${p.kind}`, x: x - 8, y: y - 8, width: 16, height: 16 }),
      // People to the left, drones to the right: at the start both stand on one spot.
      ...[[p.name, 1, ""], [p.note, 12, "note"]].map(([s, dy, c]) => svg("text", { y: y + dy, class: c,
        x: p.kind === "person" ? x - 11 : x + 11, "text-anchor": p.kind === "person" ? "end" : "start" }, s)));
    if (p.id) m.addEventListener("click", () => choose(p.id));
    g.append(m);
  }
  fill($("rings"), g);
}

function draw_unplaced(world, choose) {
  const no = [...world.alert.values()].filter(a => open(a) && (a.lane ?? "drone") === "drone"
    && !(a.where?.kind === "claimed" && Number.isFinite(a.where.lat_deg)));
  $("unplaced").replaceChildren(...no.map(a => el("li", {}, el("button", { type: "button", class: "quiet",
    onclick: () => choose(a.id) }, `${line(a)}: position unknown, heard by ${(a.sensors ?? []).map(s => s.name || s.id).join(", ") || "a sensor"}`))));
}
