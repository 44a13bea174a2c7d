// SPDX-License-Identifier: GPL-3.0-or-later
// Two rising tones call for a drone; equipment makes no sound.  Quiet lasts fifteen minutes and is
// always shown: it silences the loudspeaker and hides nothing.

const MUTE_MS = 15 * 60 * 1000;
let context = null, until = Number(localStorage.getItem("mute-until") ?? 0);

export const muted_ms = () => Math.max(0, Math.min(until - Date.now(), MUTE_MS));

export function mute_toggle() {
  until = muted_ms() > 0 ? 0 : Date.now() + MUTE_MS;
  localStorage.setItem("mute-until", String(until));
}

// Browsers give sound only after somebody touched the page.
export function sound_arm() {
  context ??= new AudioContext();
  context.resume();
}
export const sound_ready = () => context?.state === "running";

export function call(urgent) {
  if (muted_ms() > 0 || !sound_ready()) return;
  const tones = urgent ? [660, 880, 660, 880] : [660, 880];
  tones.forEach((hz, i) => {
    const t = context.currentTime + i * 0.18, o = context.createOscillator(), g = context.createGain();
    o.frequency.value = hz;
    g.gain.setValueAtTime(0, t);
    g.gain.linearRampToValueAtTime(0.25, t + 0.02);
    g.gain.linearRampToValueAtTime(0, t + 0.16);
    o.connect(g).connect(context.destination);
    o.start(t);
    o.stop(t + 0.17);
  });
}
