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
  source.addEventListener("full", () => lose("full", "Open too often"));
  source.onerror = () => lose("gone", "Not running");
}

// lose says why nothing comes, and connects again later. The browser itself does not after some errors.
function lose(why, text) {
  if (!source) return;
  source.close();
  source = null;
  last = null;
  document.body.classList.add("gone");
  sayLost(why, text);
  setText(byId("time-on-air"), "");
  for (const id of ["why", "recording", "on-break"]) byId(id).hidden = true;
  for (const whose of ["friend", "sent"]) noPicture(whose, "No picture");
  setTimeout(reconnect, retryAfter);
}

function sayLost(why, text) {
  for (const id of ["gone", "full"]) byId(id).hidden = id !== why;
  byId("state").dataset.state = "gone";
  setText(byId("state"), text);
}

async function reconnect() {
  try {
    const response = await fetch("page.css");
    if (response.ok) return connect();
    if (response.status === 403) {
      sayLost("gone", "Old address");
      setText(byId("gone"), "This address is not valid any more. To get the new one, run: costream-obs panel");
    }
  } catch {
    sayLost("gone", "Not running");
  }
  setTimeout(reconnect, retryAfter);
}

setInterval(() => {
  if (source && Date.now() - heard > deadAfter) lose("gone", "Not running");
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
  byId("gone").hidden = byId("full").hidden = true;

  const [kind, text] = states[status.state] || ["waiting", status.state || "Starting"];
  const state = byId("state");
  state.dataset.state = kind;
  setText(state, status.break && kind === "with-peer" ? "On a break" : text);
  setText(byId("friend"), status.peer || "");
  setText(byId("caption-friend"), status.peer || "Your friend");
  showTime(status.figures);

  showLine("why", kind === "waiting" && status.detail);
  showLine("recording", status.recording && "Your friend is recorded: " + status.recording);
  showLine("on-break", onAir(status) && status.break && breakText(status.break, status.away));

  showTally(status.tally, status.peer);
  setPressed(byId("mute-friend"), !!status.peer_muted);
  setPressed(byId("mute-me"), !!status.me_muted);
  setPressed(byId("break"), !!status.away);
  const start = byId("start");
  start.hidden = status.by_hand === undefined;
  start.dataset.on = status.by_hand ? "true" : "false"; // Its text says so, too; aria-pressed would turn that round.
  setText(start, status.by_hand ? "Go off air" : "Go on air");

  showSaved(news.saved || []);
  showProblems(status.problems || [], status.codes || [], news.fixes || []);

  const newest = samples[samples.length - 1];
  if (newest && news.sample.t - newest.t < 500) samples[samples.length - 1] = news.sample;
  else samples.push(news.sample);
  samples = samples.slice(-kept);
  drawCurves();
}

function onAir(status) {
  return status.state === "on air, waiting for peer" || status.state === "on air with peer";
}

// showLine shows a text, or nothing where there is none.
function showLine(id, text) {
  byId(id).hidden = !text;
  setText(byId(id), text || "");
}

// breakText says what a break does. Without the page it ends by a command, which why names.
function breakText(why, away) {
  return "On a break, your friend gets a card and silence: " + (away ? "until you end the break" : why) + ".";
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

// showProblems keeps the entry of a problem that stays, and with it the keyboard's focus.
function showProblems(problems, codes, fixes) {
  const count = problems.length;
  byId("problems-part").hidden = count === 0;
  setText(byId("problems-count"), count === 0 ? "" : count === 1 ? "1 problem" : count + " problems");
  const list = byId("problems");
  const keys = problems.map((text, i) => codes[i] || text);
  const items = new Map();
  for (const item of [...list.children]) {
    if (keys.includes(item.dataset.code)) items.set(item.dataset.code, item);
    else item.remove();
  }
  problems.forEach((text, i) => {
    let item = items.get(keys[i]);
    if (!item) {
      item = document.createElement("li");
      item.dataset.code = keys[i];
      item.append(document.createElement("span"));
    }
    if (list.children[i] !== item) list.insertBefore(item, list.children[i] || null);
    setText(item.firstChild, text);
    showRepairs(item, fixes.filter((fix) => fix.id === keys[i]));
  });
}

function showRepairs(item, fixes) {
  const texts = fixes.map((fix) => "Repair: " + fix.what);
  const there = new Set();
  for (const button of item.querySelectorAll("button")) {
    if (texts.includes(button.textContent)) there.add(button.textContent);
    else button.remove();
  }
  fixes.forEach((fix, i) => {
    if (there.has(texts[i])) return;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.fix = fix.id;
    button.textContent = texts[i];
    button.addEventListener("click", () => order(button, "fix", { id: fix.id }, (a) => a.done || "Done."));
    item.append(button);
  });
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
    const air = onAir(last);
    await Promise.all([
      last.state === "on air with peer" ? picture("friend", "No picture") : noPicture("friend", air ? "Not here yet" : "Off air"),
      air && !last.break ? picture("sent", "No picture") : noPicture("sent", air ? "A card: on a break" : "Off air"),
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
      signal: AbortSignal.timeout(20000), // longer than costream-obs gives OBS
    });
    if (!response.ok) return say((await response.text()).trim(), true);
    const answer = await response.json();
    if (answer.failed) return say(answer.failed, true);
    say(done(answer));
  } catch {
    say("costream-obs does not answer; see: costream-obs status", true);
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

// isOn reports whether a button that stands for a state stands for it now.
function isOn(button) {
  return (button.dataset.on || button.getAttribute("aria-pressed")) === "true";
}

function act(id, does, said) {
  byId(id).addEventListener("click", () => {
    const button = byId(id);
    order(button, "do", { do: does(isOn(button)) }, said(isOn(button)));
  });
}

function breakBegun(answer) {
  if (last && onAir(last)) return breakText(answer.break, true);
  return "When you are on air, your friend gets a card and silence until you end the break.";
}

function breakOver(answer) {
  if (answer.break) return breakText(answer.break, false);
  return last && onAir(last) ? "No break: your friend gets your picture and voice." : "No break: when you are on air, your friend gets your picture and voice.";
}

const always = (v) => () => v;
act("show", always("show"), always(changed("Your friend is shown.")));
act("hide", always("hide"), always(changed("Your friend is hidden.")));
act("restore", always("restore"), always(changed("Your friend is back in place.")));
act("mute-friend", (on) => on ? "unmute" : "mute", (on) => always(on ? "You and your viewers hear your friend, unless the peer is muted in OBS." : "You and your viewers do not hear your friend."));
act("mute-me", (on) => on ? "unmute-me" : "mute-me", (on) => always(on ? "Your friend hears what your viewers hear of you." : "Your friend does not hear you; your viewers do."));
act("break", (on) => on ? "back" : "away", (on) => on ? breakOver : breakBegun);
act("start", (on) => on ? "stop" : "start", (on) => (answer) => on ? "Going off air." : answer.waits_for_obs ? "You go on air when OBS is there." : "Going on air.");
act("resync", always("resync"), always(always("Picture and voice begin anew.")));

byId("place").addEventListener("click", () => {
  const value = byId("layout").value;
  if (!value) return say("Choose a place first.", true);
  const body = value.startsWith("saved:") ? { do: "use", saved: value.slice(6) } : { do: "arrange", layout: value };
  order(byId("place"), "do", body, changed("Placed."));
});

connect();
pictures();
