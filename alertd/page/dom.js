// SPDX-License-Identifier: GPL-3.0-or-later
// Small helpers.  Nothing from the air or the network ever becomes markup: text only.

// Names between isolation marks (words.js) become elements that isolate.
const parts = s => s.split(/\u2068([^\u2066-\u2069]*)\u2069/).map((p, i) => i % 2 ? isolated(p) : p).filter(p => p !== "");

function isolated(s) {
  const e = document.createElement("bdi");
  e.textContent = s;
  return e;
}

// What there is of children: lists opened, nothing and false left out.
const some = children => children.flat(Infinity).filter(c => c || c === 0)
  .flatMap(c => typeof c === "string" && c.includes("\u2068") ? parts(c) : [c]);

export const $ = id => document.getElementById(id);

// el("li", {class: "row", "data-id": 7}, "text", otherElement, null)
export function el(tag, attributes, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return dress(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function dress(e, attributes, children) {
  for (const [k, v] of Object.entries(attributes ?? {}))
    if (v !== null && v !== undefined && v !== false) e.setAttribute(k, v === true ? "" : v);
  const inside = some(children);
  // Pictures know no <bdi>: there the style isolates.
  e.append(...(e.namespaceURI.endsWith("/svg") ? inside.map(c => c.nodeName === "BDI" ? dress(document.createElementNS(e.namespaceURI, "tspan"), { class: "isolated" }, [c.textContent]) : c) : inside));
  return e;
}

// Makes what is in e the same as children and touches nothing that is so already: a focused button
// stays focused, marked text stays marked, a screen reader hears only what is new.  Children with an
// id are the same thing wherever they stand.  (So no listener sits on what is drawn: app.js listens
// once, and reads data-... attributes.)
export function fill(e, ...children) {
  const focus = document.activeElement;
  children_morph(e, some(children).map(c => typeof c === "object" ? c : document.createTextNode(c)));
  if (focus !== document.activeElement && focus?.isConnected) focus.focus({ preventScroll: true });
}

const same = (o, n) => o.nodeName === n.nodeName && (o.id ?? "") === (n.id ?? "");

function children_morph(e, now) {
  const known = new Map([...e.children].filter(c => c.id).map(c => [c.id, c]));
  let at = e.firstChild;
  for (const n of now) {
    const o = n.id ? known.get(n.id) ?? null : at;
    if (!o || !same(o, n)) { e.insertBefore(n, at); continue; }
    if (o !== at) e.insertBefore(o, at);
    morph(o, n);
    at = o.nextSibling;
  }
  while (at) { const next = at.nextSibling; at.remove(); at = next; }
}

function morph(o, n) {
  if (o.nodeType !== Node.ELEMENT_NODE) { if (o.data !== n.data) o.data = n.data; return; }
  for (const a of [...o.attributes]) if (!n.hasAttribute(a.name)) o.removeAttribute(a.name);
  for (const a of n.attributes) if (o.getAttribute(a.name) !== a.value) o.setAttribute(a.name, a.value);
  children_morph(o, [...n.childNodes]);
}

export function text(e, s) {
  if (s.includes("\u2068")) fill(e, s);
  else if (e.textContent !== s || e.firstElementChild) e.textContent = s;
}
