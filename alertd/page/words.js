// SPDX-License-Identifier: GPL-3.0-or-later
// The words of docs/WORDS.md, from words/LANGUAGE.json: the server sends keys and parameters, and
// the page has no words of its own either.  Another language is another file; what it lacks stands
// in English.

let words = {};

async function get(language) {
  const r = await fetch(`/words/${language}.json`, { cache: "no-cache" });
  return r.ok ? r.json() : {};
}

export async function words_load() {
  words = await get("en");
  const asked = (navigator.language ?? "en").split("-")[0].toLowerCase();
  if (asked !== "en" && /^[a-z]{2,3}$/.test(asked)) {
    const theirs = await get(asked).catch(() => ({}));
    for (const [table, entries] of Object.entries(theirs))
      words[table] = typeof entries === "object" ? { ...words[table], ...entries } : entries;
    if (theirs.ui) document.documentElement.lang = asked;
  }
  for (const e of document.querySelectorAll("[data-t]")) e.textContent = t(e.dataset.t);
  for (const e of document.querySelectorAll("[data-label]")) e.setAttribute("aria-label", t(e.dataset.label));
}

// Strings from the air may hold control characters and ones that turn the writing round: shown as
// what they are, a strange mark.  Writing that runs from right to left keeps to its own place.
export function clean(s) {
  const plain = String(s ?? "").replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g, "\ufffd");
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(plain) ? `\u2068${plain}\u2069` : plain;
}

// "{what}[, inside {zone}]": what stands in brackets is there only when all it names is.
function put(template, params) {
  const has = k => (params?.[k] ?? "") !== "";
  return template
    .replace(/\[([^\]]*)\]/g, (_, part) => [...part.matchAll(/\{(\w+)\}/g)].every(m => has(m[1])) ? part : "")
    .replace(/\{(\w+)\}/g, (_, k) => has(k) ? clean(params[k]) : "").replace(/\s+/g, " ").trim();
}

export function line(a) {
  const l = a.line ?? {}, s = words.lines?.[l.key];
  return s ? put(s, l.params) : [l.key, ...Object.values(l.params ?? {})].map(clean).join(" ");
}

// The word a table has for a key; a key it has not is shown as it is.
export const word = (table, key, params) =>
  typeof words[table]?.[key] === "string" ? put(words[table][key], params) : clean(key);
export const has_word = (table, key) => typeof words[table]?.[key] === "string";
export const t = (key, params) => word("ui", key, params);
export const table = name => Object.entries(words[name] ?? {});
