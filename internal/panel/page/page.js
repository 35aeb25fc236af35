// SPDX-License-Identifier: Apache-2.0

"use strict";

// The page shows what costream-obs sends as events, and sends back what the user orders. It decides nothing.

const byId = (id) => document.getElementById(id);
const kept = 120; // samples: two minutes
const retryAfter = 2000; // ms between two attempts to connect
const deadAfter = 5000; // ms without an event, of which there is one each second

let samples = [];
let last = null; // the last status
let source = null;
let heard = 0; // when the last event came

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setPressed(button, on) {
  button.setAttribute("aria-pressed", on ? "true" : "false");
}

// ---- connection

function connect() {
  if (source) source.close();
  source = new EventSource("events");
  heard = Date.now();
  source.addEventListener("history", (e) => {
    heard = Date.now();
    samples = JSON.parse(e.data).samples.slice(-kept);
    drawCurves();
  });
  source.addEventListener("status", (e) => {
    heard = Date.now();
    show(JSON.parse(e.data));
  });
  source.onerror = () => lose();
}

// lose says that costream-obs is gone, and connects again later. The browser itself does not after some errors.
function lose() {
  if (!source) return;
  source.close();
  source = null;
  last = null;
  document.body.classList.add("gone");
  byId("gone").hidden = false;
  const state = byId("state");
  state.dataset.state = "gone";
  setText(state, "Not running");
  setText(byId("time-on-air"), "");
  for (const whose of ["friend", "sent"]) noPicture(whose, "No picture");
  setTimeout(reconnect, retryAfter);
}

async function reconnect() {
  try {
    const response = await fetch("page.css");
    if (response.ok) return connect();
    if (response.status === 403) {
      setText(byId("gone"), "This address is not valid any more. To get the new one, run: costream-obs panel");
    }
  } catch { /* It does not run yet. */ }
  setTimeout(reconnect, retryAfter);
}

setInterval(() => {
  if (source && Date.now() - heard > deadAfter) lose();
}, 1000);

// ---- what is going on

const states = {
  "waiting for OBS": ["waiting", "Waiting for OBS"],
  "ready": ["ready", "Ready"],
  "on air, waiting for peer": ["onair", "On air, waiting for your friend"],
  "on air with peer": ["with-peer", "On air together"],
  "stopping": ["stopping", "Stopping"],
};

function show(news) {
  const status = news.status;
  last = status;
  document.body.classList.remove("gone");
  byId("gone").hidden = true;

  const [kind, text] = states[status.state] || ["waiting", status.state || "Starting"];
  const state = byId("state");
  state.dataset.state = kind;
  setText(state, status.break && kind === "with-peer" ? "On a break" : text);
  setText(byId("friend"), status.peer || "");
  setText(byId("caption-friend"), status.peer || "Your friend");
  showTime(status.figures);

  const pause = byId("on-break");
  pause.hidden = !status.break;
  setText(pause, status.break ? "Your friend gets a card and silence: " + status.break : "");

  showTally(status.tally, status.peer);
  setPressed(byId("mute-friend"), !!status.peer_muted);
  setPressed(byId("mute-me"), !!status.me_muted);
  setPressed(byId("break"), !!status.away);
  const start = byId("start");
  start.hidden = status.by_hand === undefined;
  setPressed(start, !!status.by_hand);
  setText(start, status.by_hand ? "Go off air" : "Go on air");

  showSaved(news.saved || []);
  showProblems(status.problems || [], status.codes || [], news.fixes || []);

  const newest = samples[samples.length - 1];
  if (newest && news.sample.t - newest.t < 500) samples[samples.length - 1] = news.sample;
  else samples.push(news.sample);
  samples = samples.slice(-kept);
  drawCurves();
}

function showTime(figures) {
  if (!figures || !figures.on_air_since) return setText(byId("time-on-air"), "");
  const s = Math.max(0, Math.floor((new Date(figures.measured_at) - new Date(figures.on_air_since)) / 1000));
  const two = (n) => String(n).padStart(2, "0");
  setText(byId("time-on-air"), Math.floor(s / 3600) + ":" + two(Math.floor(s / 60) % 60) + ":" + two(s % 60));
}

// tallyText says how a side is; seen is what it means that they show the other.
function tallyText(side, seen, unseen) {
  if (!side.on_air) return "off air";
  const parts = ["on air", side.peer_shown ? seen : unseen];
  if (side.muted) parts.push("muted");
  if (side.away) parts.push("on a break");
  return parts.join(", ");
}

function showTally(tally, name) {
  byId("tallies").hidden = !tally;
  if (!tally) return;
  const friend = name || "your friend";
  const write = (id, side, text) => {
    setText(byId(id), text);
    byId(id).classList.toggle("live", !!(side && side.on_air));
  };
  setText(byId("tally-name"), name || "Your friend");
  write("tally-me", tally.me, tally.me ? tallyText(tally.me, friend + " is in your programme", friend + " is not in your programme") : "not known");
  write("tally-peer", tally.peer, tally.peer ? tallyText(tally.peer, "you are in their programme", "you are not in their programme") : "not known yet");
}

function showSaved(names) {
  const group = byId("saved");
  if (group.dataset.names === JSON.stringify(names)) return;
  group.dataset.names = JSON.stringify(names);
  group.hidden = names.length === 0;
  group.replaceChildren(...names.map((name) => {
    const option = document.createElement("option");
    option.value = "saved:" + name;
    option.textContent = name;
    return option;
  }));
}

function showProblems(problems, codes, fixes) {
  const key = JSON.stringify([problems, codes, fixes]);
  const list = byId("problems");
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  byId("problems-part").hidden = problems.length === 0;
  list.replaceChildren(...problems.map((text, i) => {
    const item = document.createElement("li");
    item.dataset.code = codes[i] || "";
    const said = document.createElement("span");
    said.textContent = text;
    item.append(said);
    for (const fix of fixes.filter((f) => f.id === codes[i])) {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.fix = fix.id;
      button.textContent = "Repair: " + fix.what;
      button.addEventListener("click", () => order(button, "fix", { id: fix.id }, (a) => a.done || "Done."));
      item.append(button);
    }
    return item;
  }));
}

// ---- curves

const curves = [
  { id: "delay", lines: ["picture", "voice"], least: 200, say: (p, v) => [p !== undefined && "picture " + Math.round(p) + " ms", v !== undefined && "voice " + Math.round(v) + " ms"] },
  { id: "loss", lines: ["loss_in", "loss_out"], least: 2, say: (i, o) => [i !== undefined && "in " + i.toFixed(1) + " %", o !== undefined && "out " + o.toFixed(1) + " %"] },
  { id: "bitrate", lines: ["in", "out"], least: 1000, say: (i, o) => [i !== undefined && "in " + (i / 1000).toFixed(1), o !== undefined && "out " + (o / 1000).toFixed(1) + " Mbit/s"] },
];

function drawCurves() {
  if (document.hidden) return;
  const now = samples.length ? samples[samples.length - 1].t : 0;
  for (const curve of curves) {
    const svg = byId("curve-" + curve.id);
    let most = curve.least;
    for (const s of samples) for (const line of curve.lines) most = Math.max(most, s[line] || 0);
    svg.querySelectorAll("polyline").forEach((polyline, n) => {
      const name = curve.lines[n];
      polyline.setAttribute("points", samples.filter((s) => s[name] !== undefined)
        .map((s) => (120 - (now - s.t) / 1000).toFixed(1) + "," + (39 - 38 * s[name] / most).toFixed(1)).join(" "));
    });
    svg.dataset.points = String(samples.filter((s) => curve.lines.some((line) => s[line] !== undefined)).length);
    const newest = samples[samples.length - 1] || {};
    setText(byId("value-" + curve.id), curve.say(...curve.lines.map((line) => newest[line])).filter(Boolean).join(", ") || "–");
  }
}

document.addEventListener("visibilitychange", drawCurves);

// ---- pictures: one each second, only while somebody looks

function noPicture(whose, why) {
  byId("picture-" + whose).hidden = true;
  byId("none-" + whose).hidden = false;
  setText(byId("none-" + whose), why);
}

async function picture(whose, why) {
  let blob = null;
  try {
    const response = await fetch("picture/" + whose, { signal: AbortSignal.timeout(5000) });
    if (response.status === 200) blob = await response.blob();
  } catch { /* costream-obs has gone; the events tell. */ }
  if (!blob || !last) return noPicture(whose, why);
  const image = byId("picture-" + whose);
  const bitmap = await createImageBitmap(blob).catch(() => null);
  if (!bitmap) return noPicture(whose, why);
  image.width = bitmap.width;
  image.height = bitmap.height;
  image.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
  image.hidden = false;
  byId("none-" + whose).hidden = true;
}

async function pictures() {
  const begun = Date.now();
  if (last && !document.hidden) {
    const onAir = last.state === "on air, waiting for peer" || last.state === "on air with peer";
    await Promise.all([
      last.state === "on air with peer" ? picture("friend", "No picture") : noPicture("friend", onAir ? "Not here yet" : "Off air"),
      onAir && !last.break ? picture("sent", "No picture") : noPicture("sent", onAir ? "A card: on a break" : "Off air"),
    ]);
  }
  setTimeout(pictures, last ? Math.max(100, 1000 - (Date.now() - begun)) : 100);
}

// ---- what the user orders

function say(text, failed) {
  const said = byId("said");
  said.classList.toggle("failed", !!failed);
  said.textContent = text;
}

// order sends one order, and says what came of it. A button that waits for an answer keeps the keyboard's focus.
async function order(button, path, body, done) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) return say((await response.text()).trim(), true);
    const answer = await response.json();
    if (answer.failed) return say(answer.failed, true);
    say(done(answer));
  } catch {
    say("costream-obs does not answer.", true);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

function changed(text) {
  return (answer) => {
    const changes = answer.changes || [];
    if (changes.length === 0) return "Nothing to change.";
    const scenes = [...new Set(changes.map((c) => c.scene).filter(Boolean))];
    const later = changes.some((c) => c.needsTransition) ? " Visible after the next transition, because studio mode is on." : "";
    return text + (scenes.length ? " In: " + scenes.join(", ") + "." : "") + later;
  };
}

function act(id, does, said) {
  byId(id).addEventListener("click", () => {
    const button = byId(id);
    order(button, "do", { do: does(button.getAttribute("aria-pressed") === "true") }, said(button.getAttribute("aria-pressed") === "true"));
  });
}

const always = (v) => () => v;
act("show", always("show"), always(changed("Your friend is shown.")));
act("hide", always("hide"), always(changed("Your friend is hidden.")));
act("restore", always("restore"), always(changed("Your friend is back in place.")));
act("mute-friend", (on) => on ? "unmute" : "mute", (on) => always(on ? "You and your viewers hear your friend." : "You and your viewers do not hear your friend."));
act("mute-me", (on) => on ? "unmute-me" : "mute-me", (on) => always(on ? "Your friend hears you." : "Your friend does not hear you; your viewers do."));
act("break", (on) => on ? "back" : "away", (on) => always(on ? "The break is over." : "Your friend gets a card and silence."));
act("start", (on) => on ? "stop" : "start", (on) => always(on ? "Going off air." : "Going on air."));
act("resync", always("resync"), always(always("Picture and voice begin anew.")));

byId("place").addEventListener("click", () => {
  const value = byId("layout").value;
  if (!value) return say("Choose a place first.", true);
  const body = value.startsWith("saved:") ? { do: "use", saved: value.slice(6) } : { do: "arrange", layout: value };
  order(byId("place"), "do", body, changed("Placed."));
});

connect();
pictures();
