// SPDX-License-Identifier: GPL-3.0-or-later
// Live spectrum and waterfall, one panel a radio.  Lossy by design: rows come while the link has
// room, and a gap is drawn as a gap.
//
//     |      ___|~~|__       |  newest row as a line over the noise floor
//     | row, row, row ...    |  waterfall, newest on top, a minute
import { $, el, text } from "./dom.js";
import { clean, t } from "./words.js";
import * as time from "./time.js";

const ROWS = 120, W = 512, LINE_H = 90;
const PANELS = 16, KEEP_S = 600;        // so many at once; one unheard for so long goes
const panels = new Map();

// Dark to light through blue and amber: even steps of lightness, so it also reads in grey.
const PALETTE = Array.from({ length: 256 }, (_, i) => {
  const t = i / 255;
  return [Math.round(255 * Math.min(1, Math.max(0, 1.7 * t - 0.5))), Math.round(255 * Math.max(0, 1.25 * t - 0.25)),
    Math.round(255 * Math.max(0, Math.min(0.55, 1.4 * t) * (1 - 0.6 * t) + 0.45 * t * t))];
});

function panel(key, name) {
  const head = el("p", { class: "band-head" }), why = el("p", { class: "none" });
  const chart = el("canvas", { width: W, height: LINE_H, role: "img", "aria-label": t("spectrum_of", { radio: name }) });
  const fall = el("canvas", { width: W, height: ROWS, role: "img", "aria-label": t("waterfall_of", { radio: name }) });
  const p = { head, why, chart, fall, last: 0, row: null,
    box: el("figure", { class: "band" }, head, chart, fall, why) };
  $("bands").append(p.box);
  panels.set(key, p);
  return p;
}

function unpack(base64) {
  const s = atob(base64), v = new Uint8Array(s.length);
  for (let i = 0; i < s.length; i++) v[i] = s.charCodeAt(i);
  return v;
}

function draw_line(p, dbfs, floor) {
  const c = p.chart.getContext("2d"), lo = floor - 6, hi = Math.max(floor + 40, ...dbfs) + 3;
  const y = v => LINE_H - (v - lo) / (hi - lo) * LINE_H;
  c.fillStyle = "#10151b";
  c.fillRect(0, 0, W, LINE_H);
  c.strokeStyle = "#51606f";
  c.setLineDash([4, 4]);
  c.beginPath(); c.moveTo(0, y(floor)); c.lineTo(W, y(floor)); c.stroke();
  c.setLineDash([]);
  c.strokeStyle = "#e8e2d4";
  c.beginPath();
  dbfs.forEach((v, i) => c.lineTo((i + 0.5) / dbfs.length * W, y(v)));
  c.stroke();
}

function draw_row(p, dbfs, floor) {
  const c = p.fall.getContext("2d");
  c.drawImage(p.fall, 0, 0, W, ROWS - 1, 0, 1, W, ROWS - 1);
  const row = c.createImageData(W, 1);
  for (let x = 0; x < W; x++) {
    const v = dbfs[Math.floor(x / W * dbfs.length)];
    const [r, g, b] = PALETTE[Math.max(0, Math.min(255, Math.round((v - floor + 2) * 8)))];
    row.data.set([r, g, b, 255], 4 * x);
  }
  c.putImageData(row, 0, 0);
}

export function view_take(v) {
  const key = `${v.sensor}/${v.radio}`;
  const had = panels.get(key);
  if (!had && panels.size >= PANELS) return;
  const p = had ?? panel(key, v.radio);
  const dbfs = Array.from(unpack(v.v), x => v.top_db - x / 2);
  p.last = time.now_ms();
  const mhz = hz => String(+(hz / 1e6).toFixed(1));
  text(p.head, t("band_head", { radio: v.radio, sensor: v.sensor,
    lo: mhz(v.centre_hz - v.rate_hz / 2), hi: mhz(v.centre_hz + v.rate_hz / 2) }));
  if (!dbfs.length || document.hidden) return;
  draw_line(p, dbfs, v.floor_db);
  draw_row(p, dbfs, v.floor_db);
}

export function spectrum_age() {
  for (const [key, p] of panels) {
    const s = (time.now_ms() - p.last) / 1000;
    text(p.why, s > 3 ? t("no_picture", { span: time.span(s) }) : "");
    if (s > KEEP_S) { p.box.remove(); panels.delete(key); }
  }
  text($("no-band"), panels.size ? "" : t("no_spectrum"));
}
