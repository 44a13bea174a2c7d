// SPDX-License-Identifier: GPL-3.0-or-later
// What was watched, minute by minute: "nothing heard" means nothing where nobody listened.  Asked of
// the server once a minute while it is in sight; a strip per sensor and band, and the same in words.
//
//     |▇▇▇▇▅▇▇////▇▇    ▇▇::::|    high: watched all the time; hatched: deaf; empty: not watched;
//     20:40             21:40      dotted: no word of it.  A cell shows the worst of its minutes.
import { $, el, fill, svg, text } from "./dom.js";
import * as time from "./time.js";
import { clean, t, word } from "./words.js";

const MINUTE_MS = 60000, ASK_MS = 10000, CELLS = 60, RUNS = 60, PAGES = 40;
const CHANGE_DB = 6;                    // of the weakest signal: a new line of the list
const PATTERN = { deaf: "url(#p-deaf)", "not-told": "url(#p-not-told)" };
const WORST = ["watched", "not-told", "not-watched", "deaf"];

let span_min = 60, told = null, asked_ms = 0, asking = false, why = "";

const iso = ms => new Date(ms).toISOString().slice(0, 19) + "Z";
const hhmm = ms => time.when_ms(ms).slice(0, -3);
const percent = x => `${Math.round(100 * x)} %`;
const mhz = hz => (hz / 1e6).toFixed(1);
const dots = parts => parts.filter(Boolean).join(" · ");

async function get(from, to) {
  const all = [];
  for (let page = 0; page < PAGES && from < to; page++) {
    // One that hangs is a failure told, not a strip that stands still.
    const r = await fetch(`/api/v1/ledger?from=${iso(from)}&to=${iso(to)}`, {
      credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(ASK_MS),
    });
    if (!r.ok) throw new Error(String(r.status));
    const json = await r.json();
    all.push(...json.ledger ?? []);
    if (!json.more) break;
    from = Math.max(from + MINUTE_MS, time.of(json.to));
  }
  return all;
}

// Minutes of each sensor and band; one that nothing tells of stays "not-told".
function sorted(entries, from, n) {
  const bands = new Map();
  for (const e of entries) {
    const key = JSON.stringify([e.sensor, e.radio, e.band, e.lo_hz, e.hi_hz]);
    if (!bands.has(key)) bands.set(key, { ...e, id: bands.size, minute: new Array(n).fill({ state: "not-told" }) });
    const first = Math.round((time.of(e.from) - from) / MINUTE_MS), last = Math.round((time.of(e.to) - from) / MINUTE_MS);
    bands.get(key).minute.fill(e, Math.max(0, first), Math.max(0, Math.min(n, last)));
  }
  return [...bands.values()].sort((a, b) => String(a.sensor).localeCompare(String(b.sensor)) || a.lo_hz - b.lo_hz);
}

async function ask() {
  const to = Math.floor(time.now_ms() / MINUTE_MS) * MINUTE_MS, n = span_min, from = to - n * MINUTE_MS;
  asking = true;
  asked_ms = Date.now();
  try {
    const entries = await get(from, to);
    if (n === span_min) told = { from, to, n, bands: sorted(entries, from, n) };
    why = "";
  } catch {
    why = t("ledger_failed");
  }
  asking = false;
  draw();
}

// ---- Drawing -----------------------------------------------------------------------------------

const share = list => list.reduce((s, m) => s + (m.state === "not-told" ? 0 : m.watched_s ?? 0), 0) / (60 * list.length);
const worst = list => list.reduce((w, m) => WORST.indexOf(m.state) > WORST.indexOf(w) ? m.state : w, "watched");
const minutes = (b, state) => b.minute.filter(m => m.state === state).length;

function cell(list, i, width) {
  const state = worst(list), h = state === "watched" ? Math.max(2, 24 * Math.min(1, share(list))) : 24;
  return svg("rect", { class: `c-${state}`, fill: PATTERN[state], x: i * 10, y: 24 - h, width: width - (state === "watched" ? 1 : 0), height: h });
}

// Cells of one state side by side are one shape, so that a hatch runs through.
function strip(b) {
  const per = told.n / CELLS, cells = [];
  for (let i = 0; i < CELLS; i++) {
    const list = b.minute.slice(i * per, (i + 1) * per), state = worst(list);
    let n = 1;
    if (state !== "watched")
      while (i + n < CELLS && worst(b.minute.slice((i + n) * per, (i + n + 1) * per)) === state) n++;
    cells.push(cell(list, i, 10 * n));
    i += n - 1;
  }
  return svg("svg", { class: "strip", viewBox: `0 0 ${10 * CELLS} 24`, preserveAspectRatio: "none", role: "img", "aria-label": summary(b) }, cells);
}

function weakest(list) {
  const m = list.filter(x => Number.isFinite(x.smallest_dbfs)).sort((x, y) => x.smallest_dbfs - y.smallest_dbfs);
  return m.length ? { mid: m[Math.floor(m.length / 2)].smallest_dbfs, worst: m.at(-1).smallest_dbfs, at: hhmm(time.of(m.at(-1).from)) } : null;
}

function summary(b) {
  const spent = (state, key) => minutes(b, state) ? t(key, { span: time.span(60 * minutes(b, state)) }) : "";
  return dots([t("ledger_watched", { share: percent(share(b.minute)) }), spent("deaf", "ledger_deaf"),
    spent("not-watched", "ledger_not"), spent("not-told", "ledger_untold")]);
}

function smallest(b) {
  const w = weakest(b.minute);
  return w ? t("ledger_smallest", { dbfs: w.mid.toFixed(0), ...(w.worst > w.mid + 1 ? { worst: w.worst.toFixed(0), at: w.at } : {}) }) : "";
}

function runs(b) {
  const list = [];
  b.minute.forEach((m, i) => {
    const r = list.at(-1), first = r?.list[0];
    const same = r && first.state === m.state && !(Math.abs((first.smallest_dbfs ?? NaN) - (m.smallest_dbfs ?? NaN)) > CHANGE_DB);
    if (same) r.list.push(m); else list.push({ at: told.from + i * MINUTE_MS, list: [m] });
  });
  return list.reverse();
}

function run(r) {
  const state = r.list[0].state, w = weakest(r.list);
  return el("li", {}, t("ledger_run", { from: hhmm(r.at), to: hhmm(r.at + r.list.length * MINUTE_MS), state: word("watch_state", state),
    share: state === "watched" ? percent(share(r.list)) : "", dbfs: w ? w.worst.toFixed(0) : "" }));
}

function band(b) {
  const id = `ledger-${b.id}`, all = runs(b);
  const hz = t("from_to_mhz", { lo: mhz(b.lo_hz), hi: mhz(b.hi_hz) });
  return el("li", { class: "ledger", id },
    el("h3", {}, dots([clean(b.sensor), b.band && clean(b.band), hz])),
    strip(b),
    el("p", { class: "axis", "aria-hidden": "true" }, [0, 0.5, 1].map(x => el("span", {}, hhmm(told.from + x * told.n * MINUTE_MS)))),
    el("p", { class: "facts" }, summary(b)), el("p", { class: "facts" }, smallest(b)),
    el("details", { open: $(`${id}-runs`)?.open, id: `${id}-runs` }, el("summary", {}, t("ledger_runs")),
      el("ul", { class: "facts" }, all.slice(0, RUNS).map(run),
        all.length > RUNS && el("li", {}, t("and_more", { n: all.length - RUNS })))));
}

function draw() {
  text($("ledger-why"), why || (!told ? t("one_moment") : told.bands.length ? "" : t("ledger_none")));
  $("ledger-why").classList.toggle("warn", why !== "");
  for (const b of $("ledger-spans").querySelectorAll("button"))
    b.setAttribute("aria-pressed", String(Number(b.dataset.span) === span_min));
  if (told) fill($("ledgers"), told.bands.map(band));
}

// Each second.  The minute that runs is not told of yet, and what a minute holds comes a little late.
export function ledger_tick(live) {
  const due = !told || told.n !== span_min || time.now_ms() - told.to > 75000;
  if (live && due && !asking && Date.now() - asked_ms > 5000 && !document.hidden && $("ledgers").checkVisibility()) ask();
}

export function ledger_span(min) {
  span_min = min;
  asked_ms = 0;
  draw();
}
