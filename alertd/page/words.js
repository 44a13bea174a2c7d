// SPDX-License-Identifier: GPL-3.0-or-later
// The words of docs/WORDS.md, from words/LANGUAGE.json: the server sends keys and parameters.

let words = { lines: {}, severity: {}, work: {} };

export async function words_load(language) {
  const r = await fetch(`/words/${language}.json`, { cache: "no-cache" });
  if (r.ok) words = await r.json();
}

// "{what}[, inside {zone}]": what stands in brackets is there only when all it names is.
function put(template, params) {
  return template
    .replace(/\[([^\]]*)\]/g, (_, part) =>
      [...part.matchAll(/\{(\w+)\}/g)].every(m => (params?.[m[1]] ?? "") !== "") ? part : "")
    .replace(/\{(\w+)\}/g, (_, k) => params?.[k] ?? "").replace(/\s+/g, " ").trim();
}

export function line(a) {
  const l = a.line ?? {};
  const t = words.lines?.[l.key];
  return t ? put(t, l.params) : [l.key, ...Object.values(l.params ?? {})].join(" ");
}

export const word = (table, key) => words[table]?.[key] ?? key ?? "";
