// SPDX-License-Identifier: GPL-3.0-or-later
// Times as people at a command post read them: local first, UTC behind.  The server's clock counts,
// not this computer's: the feed tells it, and we only add what has passed since.
import { t } from "./words.js";

// What the server said is old by the time it took to come here, never too new: of what it said the
// largest offset is the best one.  Three in a row that are seconds lower mean that a clock was set.
let offset_ms = null, lower = 0;

export function clock_set(rfc3339) {
  const off = Date.parse(rfc3339) - Date.now();
  if (!Number.isFinite(off)) return;
  lower = offset_ms !== null && off < offset_ms - 3000 ? lower + 1 : 0;
  if (offset_ms === null || off > offset_ms || lower >= 3) { offset_ms = off; lower = 0; }
}

export const now_ms = () => Date.now() + (offset_ms ?? 0);
// How far this computer's clock is from the server's, in seconds.
export const apart_s = () => Math.abs(offset_ms ?? 0) / 1000;
export const of = rfc3339 => rfc3339 ? Date.parse(rfc3339) : NaN;

const two = n => String(n).padStart(2, "0");

export function hhmmss(ms) {
  if (!Number.isFinite(ms)) return t("unknown");
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

// With the day when it is not today, however long the page has been open.
export const when = rfc3339 => when_ms(of(rfc3339));

export function when_ms(ms) {
  if (!Number.isFinite(ms)) return t("unknown");
  const d = new Date(ms), today = new Date(now_ms());
  const same = d.toDateString() === today.toDateString();
  return (same ? "" : `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} `) + hhmmss(ms);
}

// "CEST", "GMT+2": named once, beside the clock; all other times are of this zone.
export function zone() {
  const parts = new Intl.DateTimeFormat(navigator.language, { timeZoneName: "short" }).formatToParts(new Date(now_ms()));
  return parts.find(p => p.type === "timeZoneName")?.value ?? "";
}
export const zone_name = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

export const utc = rfc3339 => rfc3339 ? rfc3339.slice(11, 19) + " UTC" : "";

export function span(s) {
  if (!Number.isFinite(s)) return t("unknown");
  s = Math.max(0, s);
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
  return t("days", { n: Math.floor(s / 86400) });
}

export const ago_s = rfc3339 => (now_ms() - of(rfc3339)) / 1000;
