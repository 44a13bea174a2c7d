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

// Names come from the air, from sensors and from people.  What is not to be seen, or turns the writing
// round, is shown as what it is, a strange mark; more than three marks on one letter reach into other
// lines.  (words_plain.c has the same for terminals.)
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?<=[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]/gu;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

const plain = s => String(s ?? "").replace(/[\t\r\n]+/g, " ").replace(HIDDEN, "\ufffd");

// Writing from right to left keeps to its own place: between marks that dom.js makes a <bdi> of.
export const clean = s => RIGHT_TO_LEFT.test(s) ? `\u2068${plain(s)}\u2069` : plain(s);

// "{what}[, inside {zone}]": what stands in brackets is there only when all it names is.
function put(template, params) {
  const has = k => (params?.[k] ?? "") !== "";
  return template
    .replace(/\[([^\]]*)\]/g, (_, part) => [...part.matchAll(/\{(\w+)\}/g)].every(m => has(m[1])) ? part : "")
    .replace(/\{(\w+)\}/g, (_, k) => has(k) ? marked(params[k]) : "").replace(/\s+/g, " ").trim();
}

// A parameter may itself be a text with names in it that were put between marks.
const marked = s => String(s).split(/\u2068([^\u2066-\u2069]*)\u2069/)
  .map((p, i) => i % 2 ? `\u2068${plain(p)}\u2069` : clean(p)).join("");

// "2.4 GHz" is said already where the mode's name has "2.4" in it (words.c has the same rule).
function once(params) {
  const n = /^[\d.]+/.exec(params?.band ?? "")?.[0];
  const told = n && new RegExp(`(?<![\\d.])${n.replaceAll(".", "\\.")}(?!\\d)`).test(params.what ?? "");
  return told ? { ...params, band: "" } : params;
}

export function line(a) {
  const l = a.line ?? {}, s = words.lines?.[l.key];
  return s ? put(s, once(l.params)) : [l.key, ...Object.values(l.params ?? {})].map(clean).join(" ");
}

// The word a table has for a key; a key it has not is shown as it is.
export const word = (table, key, params) =>
  typeof words[table]?.[key] === "string" ? put(words[table][key], params) : clean(key);
export const has_word = (table, key) => typeof words[table]?.[key] === "string";
export const t = (key, params) => word("ui", key, params);
export const table = name => Object.entries(words[name] ?? {});
