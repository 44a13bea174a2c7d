// SPDX-License-Identifier: GPL-3.0-or-later
// What people do about an alert: the questions asked, and the answer of the post.  Nothing is "done"
// before the post has stored it.
import { $, el, text } from "./dom.js";
import { clean, t, table } from "./words.js";
import { is_drone, reasons } from "./alerts.js";
import { ended } from "./session.js";
import { now_ms } from "./time.js";

// What is being asked about: the verb, the alert, and, once it is given, the answer.
let asked = null;

// What somebody is writing just now, or wrote last; the session may end over it.
const written = () => ({ text: $("ask-text").value.trim(), choice: $("ask").querySelector("input[type=radio]:checked")?.value });
export const unsent = () => $("ask").open ? { ...asked, ...written() } : undefined;

// One question with a choice, a text, or both; null when it was not answered.
function ask({ title, choices, label, yes, max = 500, was = {} }) {
  text($("ask-title"), title);
  $("ask-choices").replaceChildren(...(choices ?? []).map(([v, s], i) =>
    el("label", { class: "choice" }, el("input", { type: "radio", name: "choice", value: v, checked: was.choice ? was.choice === v : i === 0 }), " ", s)));
  $("ask-label").hidden = !label;
  $("ask-label").firstElementChild.textContent = label ?? "";
  $("ask-text").value = was.text ?? "";
  $("ask-text").maxLength = max;
  text($("ask-yes"), yes);
  const box = $("ask");
  box.showModal();
  if (label && !choices) $("ask-text").focus();
  return new Promise(done => {
    $("ask-no").onclick = () => { box.close(); done(null); };
    box.oncancel = () => done(null);
    $("ask-form").onsubmit = e => {
      e.preventDefault();
      box.close();
      done(asked.answer = written());
    };
  });
}

export function say(words, bad) {
  const b = $("say");
  text(b, words);
  b.className = bad ? "bad" : "good";
  b.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { b.hidden = true; }, bad ? 15000 : 5000);
}

// The same key each time: a server that did it and could not say so does not do it twice.
async function send(verb, a, body) {
  const key = [...crypto.getRandomValues(new Uint8Array(16))].map(x => x.toString(16).padStart(2, "0")).join("");
  for (let left = 3; left--; await new Promise(ok => setTimeout(ok, 500))) {
    try {
      const r = await fetch(`/api/v1/alerts/${encodeURIComponent(a.id)}/${verb}`, { method: "POST",
        credentials: "same-origin", body: JSON.stringify({ rev: a.rev, ...body }),
        headers: { "Content-Type": "application/json", "Idempotency-Key": key } });
      const json = await r.json().catch(() => ({}));
      if (r.status === 503 && left) continue;
      if (r.status === 401) return ended({ verb, id: a.id, ...(asked?.id === a.id && asked.verb === verb && asked.answer) });
      if (r.status === 409) return say(t("stale"), true);
      return r.ok ? say(t("done")) : say(json.error ? clean(json.error) : t("not_done_status", { status: r.status }), true);
    } catch {
      if (!left) say(t("not_done"), true);
    }
  }
}

// What is asked for each verb; `was`: what had been written when the session ended.
const ON_ALERT = {
  seen: a => a.work === "new" && send("seen", a, {}),
  async assign(a, was) {
    const r = await ask({ title: t("ask_assign"), label: t("ask_assign_label"), yes: t("ask_assign"), max: 60, was });
    if (r?.text) send("assign", a, { text: r.text });
  },
  async note(a, was) {
    const r = await ask({ title: t("ask_note"), label: t("ask_note_label"), yes: t("ask_note"), was });
    if (r?.text) send("note", a, { text: r.text });
  },
  async close(a, was) {
    const r = await ask({ title: t(is_drone(a) && a.signal === "heard" ? "ask_close_heard" : "ask_close"),
      choices: reasons(), label: t("ask_close_label"), max: 400, yes: t("ask_close"), was });
    if (r) send("close", a, { reason: r.choice, text: r.text });
  },
  // Who vouches for it, and for how long: it stays on the screen and calls nobody.
  async known(a, was) {
    if (a.known) return was ? say(t("stale"), true) : send("unknown", a, {});
    const r = await ask({ title: t("ask_known"), choices: table("known_for"), label: t("ask_known_label"), max: 60, yes: t("ask_known"), was });
    if (r?.text) send("known", a, { name: r.text, text: r.text, until: new Date(now_ms() + 1000 * Number(r.choice)).toISOString() });
  },
  unknown: a => send("unknown", a, {}),
  reopen: a => send("reopen", a, {}),
};

// What was unsent is asked again, never turned into its opposite because a colleague did it meanwhile.
export function act_on(verb, a, was) {
  const closed = verb === "close" && a.work === "closed";
  if (closed && was) return say(t("stale"), true);
  asked = { verb, id: a.id };
  return ON_ALERT[closed ? "reopen" : verb]?.(a, was);
}
