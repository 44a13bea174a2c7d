// SPDX-License-Identifier: GPL-3.0-or-later
// Small helpers.  Nothing from the air or the network ever becomes markup: text only.

// What there is of children: lists opened, nothing and false left out.
export const some = children => children.flat(Infinity).filter(c => c || c === 0);

export const $ = id => document.getElementById(id);

// el("li", {class: "row", onclick: f}, "text", otherElement, null)
export function el(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes ?? {})) {
    if (v === null || v === undefined || v === false) continue;
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else e.setAttribute(k, v === true ? "" : v);
  }
  e.append(...some(children));
  return e;
}

const SVG = "http://www.w3.org/2000/svg";
export function svg(tag, attributes, ...children) {
  const e = document.createElementNS(SVG, tag);
  for (const [k, v] of Object.entries(attributes ?? {}))
    if (v !== null && v !== undefined) e.setAttribute(k, v);
  e.append(...some(children));
  return e;
}

// Replaces what is in e, but only when it says something else: a screen reader must not hear the
// same alert twice, and a focused button must not vanish under the finger.
export function fill(e, ...children) {
  const now = document.createElement(e.tagName);
  now.append(...some(children));
  if (now.innerHTML !== e.innerHTML) e.replaceChildren(...now.childNodes);
}

export function text(e, s) {
  if (e.textContent !== s) e.textContent = s;
}
