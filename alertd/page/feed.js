// SPDX-License-Identifier: GPL-3.0-or-later
// The feed: server-sent events read by fetch, so that a refused sign-in, a silent server and the
// server's ": ping" lines are all seen (an EventSource hides them).
//
//     connect --snapshot, then changes--> world[kind][id] = newest JSON --> onchange(kind, id)
//        ^ lost: again after 1, 2, 4 .. 10 s, from the last change number
//
// "live" means bytes within the last 20 s (the server pings every 15).  Anything else is shown as
// lost: a page that looks alive over a dead feed is the worst there is.

const SILENT_MS = 20000;
// What the page shows; tracks and incidents it does not, and does not keep.
const KINDS = ["alert", "sensor", "zone", "health"];
// The post has at most 4096 alerts and 1000 sensors; more than this is a post gone wrong.
const MOST = 8192, LINE_MOST = 8 << 20;

export function feed_open({ onchange, onview, onstate }) {
  const maps = () => Object.fromEntries(KINDS.map(k => [k, new Map()]));
  // A snapshot is gathered apart and shown when it is whole: half of one would say "nothing heard".
  let world = maps(), next = null;
  let said = "", last = null, heard = 0, state = "starting", since = Date.now(), abort = null, stopped = false, wait = 1000, refusal = "";

  function become(s, why = "") {
    if (s === state && why === refusal) return;
    if (s === state) { refusal = why; return onstate(state, since, why); }
    state = s;
    refusal = why;
    since = s === "lost" && heard ? heard : Date.now();     // from when on what is shown is old
    onstate(state, since, why);
  }

  // The oldest that is closed, else the oldest.
  function forget(map) {
    let old = null;
    for (const [key, json] of map) { old ??= key; if (json.work === "closed") { old = key; break; } }
    map.delete(old);
  }

  function take(event, id, data) {
    if (event === "reset") { next = maps(); if (state === "live") become("starting"); return; }
    if (event === "signed-out") { stopped = true; become("signed-out"); return; }
    const json = JSON.parse(data);
    if (event === "view") return json.v ? onview(json) : undefined;
    if (id) last = id;                              // of "ready" too: where the snapshot ended
    if (event === "ready") {
      if (next) { world = next; next = null; onchange("all", null); }
      become("live");
      return;
    }
    const into = next ?? world;
    if (!into[event]) return;                       // a newer server's kind
    const key = json.id ?? "";
    into[event].delete(key);
    if (!json.gone) into[event].set(key, json);     // at the end: what changed last
    if (into[event].size > MOST) forget(into[event]);
    if (!next) onchange(event, key);
  }

  function line_reader() {
    let rest = "", event = "message", id = "", data = [];
    return chunk => {
      rest += chunk;
      if (rest.length > LINE_MOST) throw new Error("a line without end");
      for (let nl; (nl = rest.indexOf("\n")) >= 0; rest = rest.slice(nl + 1)) {
        const line = rest.slice(0, nl).replace(/\r$/, "");
        if (line === "") {
          if (data.length || event === "reset") {
            try { take(event, id, data.join("\n")); } catch (e) { console.error("feed:", e); }
          }
          event = "message"; data = []; id = "";
        } else if (line.startsWith("event:")) event = line.slice(6).trim();
        else if (line.startsWith("data:")) data.push(line.slice(5).trim());
        else if (line.startsWith("id:")) id = line.slice(3).trim();
      }
    };
  }

  async function once() {
    abort = new AbortController();
    const r = await fetch("/api/v1/events?view=1", {
      headers: last === null ? {} : { "Last-Event-ID": last },
      signal: abort.signal, cache: "no-store", credentials: "same-origin",
    });
    if (r.status === 401) return "signed-out";
    if (r.status === 403) return "refused";         // this role may not look
    if (!r.ok) { said = (await r.json().catch(() => ({}))).error ?? ""; return "lost"; }
    const reader = r.body.getReader(), decoder = new TextDecoder(), lines = line_reader();
    heard = Date.now();
    wait = 1000;
    next = null;
    if (last !== null) become("live");              // it goes on where it broke off
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return "lost";
      heard = Date.now();
      lines(decoder.decode(value, { stream: true }));
    }
  }

  async function run() {
    while (!stopped) {
      said = "";
      const how = await once().catch(() => "lost");
      if (stopped) return;
      become(how, said);
      next = null;
      if (how === "signed-out" || how === "refused") return;
      await new Promise(ok => setTimeout(ok, wait));
      wait = Math.min(wait * 2, 10000);
    }
  }

  // Also when a computer that slept, or a tab that was hidden, comes back.
  function look() {
    if (state === "live" && Date.now() - heard > SILENT_MS) { become("lost"); abort?.abort(); }
  }
  const watch = setInterval(look, 1000);
  document.addEventListener("visibilitychange", look);
  addEventListener("online", () => { wait = 100; });
  run();
  return {
    get world() { return world; },
    get state() { return state; },
    stop() { stopped = true; clearInterval(watch); abort?.abort(); },
  };
}
